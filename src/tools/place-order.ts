import { z } from "zod";

import { GatewayError } from "../lib/errors.ts";
import { hideSecrets } from "../lib/hide-secrets.ts";
import { type CompleteAnswer, defineTool, type ToolAnswer, type ToolContext } from "../mcp/define-tool.ts";
import { type OrderDraft, draftFields, draftText } from "../trading/order-draft.ts";
import type { ConfirmRequest, PlaceOutcome } from "../trading/trading.ts";
import { resolveAccount } from "./account-argument.ts";
import { TRADES } from "./annotations.ts";
import { type OpenConfirmation, confirmationForm, plainLine, questionLines, readConfirmation } from "./confirmation-form.ts";
import { completeAnswer, isoTime, outputSchema } from "./envelope.ts";
import { optionalText } from "./fields.ts";
import { type OrderArguments, describesOrder, orderDraft, orderFields } from "./order-arguments.ts";
import { MAX_CLIENT_ORDER_ID, tradingCall } from "./order-name.ts";
import { STATUS_NOTES } from "./order-row.ts";

interface PlaceArguments extends OrderArguments {
  readonly client_order_id?: string | undefined;
  readonly reason?: string | undefined;
  readonly confirm_token?: string | undefined;
}

/** `place_order`: places an order at most once per `client_order_id`, and asks before it answers IBKR's questions. */
export const tool = defineTool({
  name: "place_order",
  title: "Place an order",
  description:
    'Places a stock or ETF order, at most once per client_order_id; on confirmation_required ask the user, then send confirm_token. Example: {"symbol":"AAPL","side":"BUY","quantity":5,"order_type":"LMT","limit_price":"230"}',
  scope: "write",
  annotations: TRADES,
  input: z.strictObject({
    ...orderFields,
    client_order_id: optionalText("Your own id, to repeat safely", MAX_CLIENT_ORDER_ID),
    reason: optionalText("Why; kept with the order", 500),
    confirm_token: optionalText("From confirmation_required", 100),
  }),
  outputSchema: outputSchema({
    account_id: "text",
    status: "text",
    order_id: "text",
    client_order_id: "text",
    questions: "rows",
    confirm_token: "text",
    expires_at: "text",
    note: "text",
  }),
  async run(args, context) {
    const response = context.inputResponse;
    if (response !== undefined) {
      const isYes = readConfirmation(response);
      if (response.requestState === undefined || isYes === undefined) throw unanswered();
      const request = await confirmRequest(context, args, response.requestState);
      const { trading } = context;
      const outcome = isYes
        ? await trading.confirmOrder(request, tradingCall(context))
        : await trading.declineOrder(request, tradingCall(context));
      return answerOf(context, outcome);
    }
    if (args.confirm_token !== undefined) {
      const request = await confirmRequest(context, args, args.confirm_token);
      return answerOf(context, await context.trading.confirmOrder(request, tradingCall(context)));
    }
    const draft = await orderDraft(context, args);
    const reason = args.reason === undefined ? undefined : hideSecrets(args.reason);
    const request = { draft, clientOrderId: args.client_order_id, reason };
    return answerOf(context, await context.trading.placeOrder(request, tradingCall(context)));
  },
});

function unanswered(): GatewayError {
  return new GatewayError("confirmation_mismatch", "The answer to the question, or the state that belongs to it, is missing.", {
    whatToDo: "Send the call again with the form's answer and its requestState unchanged, or place the order anew.",
  });
}

/** A token may come alone or beside the same arguments; whatever comes beside it is compared. */
async function confirmRequest(context: ToolContext, args: PlaceArguments, token: string): Promise<ConfirmRequest> {
  const draft = describesOrder(args) ? await orderDraft(context, args) : undefined;
  const given = args.account_id;
  const accountId =
    draft?.accountId ?? (given === undefined ? undefined : (await resolveAccount(context, given, "order")).account.accountId);
  return { token, draft, accountId, clientOrderId: args.client_order_id };
}

function answerOf(context: ToolContext, outcome: PlaceOutcome): ToolAnswer {
  if (outcome.kind !== "confirmation_required") return finalAnswer(context, outcome);
  return context.canElicitForm ? confirmationForm(outcome, context.broker.mode) : tokenAnswer(context, outcome);
}

function tokenAnswer(context: ToolContext, open: OpenConfirmation): CompleteAnswer {
  return completeAnswer(context, {
    text: `Nothing is placed yet. IBKR asks about ${draftText(open.draft)} in ${open.draft.accountId} (${context.broker.mode}):\n${questionLines(open)}`,
    accountId: open.draft.accountId,
    // In the text too: some hosts show a model nothing else.
    notes: [`Ask the user. To go on, call place_order with confirm_token ${open.token} alone within two minutes.`],
    body: {
      status: "confirmation_required",
      client_order_id: open.clientOrderId,
      questions: open.messages.map((message) => ({
        message_id: message.id === "" ? undefined : message.id,
        text: plainLine(message.text),
      })),
      confirm_token: open.token,
      expires_at: isoTime(open.expiresAt),
      round: open.round,
      max_rounds: open.maxRounds,
      order: orderOf(open.draft),
    },
  });
}

function finalAnswer(context: ToolContext, outcome: Exclude<PlaceOutcome, OpenConfirmation>): CompleteAnswer {
  const { draft, clientOrderId } = outcome;
  const where = `${draftText(draft)} in ${draft.accountId} (${context.broker.mode})`;
  const shared = { client_order_id: clientOrderId, order: orderOf(draft) };
  if (outcome.kind === "placed") {
    return completeAnswer(context, {
      text: `Order ${outcome.orderId} (client_order_id ${clientOrderId}) ${outcome.status}: ${where}.`,
      accountId: draft.accountId,
      notes: [
        outcome.isRepeat ? `An earlier call placed this order${placedAtText(outcome.placedAt)}. This is its state now.` : undefined,
        STATUS_NOTES[outcome.status],
      ],
      body: { status: outcome.status, order_id: outcome.orderId, is_repeat: outcome.isRepeat, ...shared },
    });
  }
  const isPending = outcome.kind === "pending";
  return completeAnswer(context, {
    text: isPending ? `Still being sent: ${where}.` : `Declined, nothing placed: ${where}.`,
    accountId: draft.accountId,
    notes: [isPending ? `Do NOT send it again; call get_order_status with client_order_id "${clientOrderId}".` : undefined],
    body: { status: outcome.kind, ...shared },
  });
}

function placedAtText(at: number | undefined): string {
  return at === undefined ? "" : ` at ${isoTime(at)}`;
}

function orderOf(draft: OrderDraft) {
  const { account_id: _account, ...order } = draftFields(draft);
  return order;
}
