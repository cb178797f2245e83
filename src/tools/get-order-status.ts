import { z } from "zod";

import { GatewayError } from "../lib/errors.ts";
import { defineTool } from "../mcp/define-tool.ts";
import { draftFields, draftText } from "../trading/order-draft.ts";
import type { RequestState } from "../trading/order-states.ts";
import type { FoundOrder } from "../trading/trading.ts";
import { READS } from "./annotations.ts";
import { completeAnswer, outputSchema } from "./envelope.ts";
import { orderNameFields, resolveOrderName, tradingCall } from "./order-name.ts";
import { orderRow, orderText, STATUS_NOTES } from "./order-row.ts";
import { unresolvedPath } from "../trading/trading-errors.ts";

/** What a state that IBKR doesn't list means: the status shown, and what to do. */
const STATES: Readonly<Record<RequestState, readonly [status: string, note: string]>> = {
  received: ["pending", "The order waits for its turn. Do NOT send it again. Ask again in a few seconds."],
  sending: ["pending", "The order is being sent. Do NOT send it again. Ask again in a few seconds."],
  unknown: [
    "outcome_unknown",
    "IBKR gave no definite answer and does not list the order, which proves nothing. Do NOT send it again under any id. Ask again in a minute.",
  ],
  unresolved: [
    "outcome_unresolved",
    "The order was not seen at IBKR for 5 minutes, and may still be there. Do NOT send it again under any id. Its owner must look in IBKR's app and decide on the page in link.",
  ],
  asked: ["confirmation_required", "Nothing is placed: IBKR asked a question. Call place_order with its confirm_token."],
  placed: ["Unknown", "IBKR no longer lists this order. This is its last known state."],
  refused: ["rejected", "IBKR refused it. Nothing was placed. Change the order and send it with another client_order_id."],
  declined: ["declined", "The question was answered with no. Nothing was placed."],
  not_placed: ["not_sent", "Nothing was placed. It may be sent again with the same client_order_id."],
};

const EXPIRED = [
  "confirmation_expired",
  "Nothing was placed. Send the order again with the same client_order_id to be asked again.",
] as const;
const REVOKED = ["not_sent", "Nothing was placed. The key or app that sent it may no longer place orders."] as const;

function stateOf({ state, status, reason, canConfirm }: Extract<FoundOrder, { kind: "request" }>): readonly [string, string] {
  if (state === "asked" && !canConfirm) return EXPIRED;
  if (state === "not_placed" && reason === "caller_revoked") return REVOKED;
  const [name, note] = STATES[state];
  return [state === "placed" ? (status ?? name) : name, note];
}

/** `get_order_status`: one order, at IBKR or in our own rows. */
export const tool = defineTool({
  name: "get_order_status",
  title: "Get an order's status",
  description: 'State and fills of one order, by IBKR\'s order_id or your client_order_id. Example: {"order_id":"1234567890"}',
  scope: "read",
  annotations: READS,
  input: z.strictObject(orderNameFields),
  outputSchema: outputSchema({ account_id: "text", order_id: "text", client_order_id: "text", status: "text", note: "text" }),
  async run(args, context) {
    const { name, note } = await resolveOrderName(context, args, "read");
    const found = await context.trading.findOrder(name, tradingCall(context));
    if (found === undefined) {
      throw new GatewayError("order_not_found", `Account ${name.accountId} has no order ${name.orderId ?? name.clientOrderId ?? ""}.`, {
        whatToDo: "Call get_orders to see the orders of the account, or send the right account_id.",
      });
    }
    if (found.kind === "order") {
      return completeAnswer(context, {
        text: `${orderText(found.order)}.`,
        accountId: name.accountId,
        notes: [note, STATUS_NOTES[found.order.status]],
        body: orderRow(found.order, found.clientOrderId),
      });
    }
    const [status, stateNote] = stateOf(found);
    const said = found.said === undefined ? undefined : `IBKR said: ${found.said}`;
    return completeAnswer(context, {
      text: `${found.clientOrderId}: ${draftText(found.draft)}: ${status}.`,
      accountId: name.accountId,
      notes: [note, stateNote, said],
      body: {
        ...draftFields(found.draft),
        order_id: found.orderId,
        client_order_id: found.clientOrderId,
        status,
        reason: found.reason,
        link: found.state === "unresolved" ? context.pageUrl(unresolvedPath(found.requestId)) : undefined,
      },
    });
  },
});
