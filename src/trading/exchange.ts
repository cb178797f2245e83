import type { Broker, CallOptions } from "../broker/broker.ts";
import type { OrderStatusName, OrderTicket, SubmitOutcome } from "../broker/order.ts";
import type { OrderDraft } from "./order-draft.ts";
import { isCovered, messagesOf, type QuestionMessage } from "./questions.ts";

/** Most questions answered for one order; IBKR has been seen to ask three in a row. */
const MAX_REPLIES = 6;

/** How one attempt ended. `asked`: IBKR asked something that wasn't confirmed, and said that nothing was placed. */
export type ExchangeEnd =
  | { readonly kind: "accepted"; readonly orderId: string; readonly status: OrderStatusName }
  | { readonly kind: "asked"; readonly messages: readonly QuestionMessage[] }
  | { readonly kind: "rejected"; readonly reason: string }
  | { readonly kind: "not_sent"; readonly error: Error }
  | { readonly kind: "unknown"; readonly error: Error };

export interface ExchangeOptions {
  readonly broker: Broker;
  readonly call: CallOptions;
  readonly draft: OrderDraft;
  readonly customerOrderId: string;
  /** The messages that the caller has confirmed. */
  readonly confirmed: readonly QuestionMessage[];
  /** Told before the first question is answered or declined. */
  readonly onQuestion: () => Promise<void>;
  /** Asked right before the order, and right before each question's yes, goes out; what it throws keeps it from being sent. Never before a no. */
  readonly beforeSending: () => Promise<void>;
}

/**
 * Sends one order once and answers only those questions that were confirmed; any other is declined at once, since an open
 * question goes stale at IBKR and may go live later. Never throws: what can't be told is `unknown`.
 */
export async function exchange(options: ExchangeOptions): Promise<ExchangeEnd> {
  const { broker, draft, customerOrderId, beforeSending } = options;
  const call = { ...options.call, beforeSending };
  const { symbol: _symbol, currency: _currency, ...order } = draft;
  const ticket: OrderTicket = { ...order, customerOrderId };
  let outcome = await guarded(() => broker.submitOrder(ticket, call));
  for (let replies = 0; outcome.kind === "question"; replies += 1) {
    const { question } = outcome;
    const messages = messagesOf(question);
    const recorded = await recordQuestion(options.onQuestion);
    if (recorded !== undefined) return declining(options, question.replyId, { kind: "unknown", error: recorded });
    const covered = messages.length > 0 && messages.every((message) => isCovered(message, options.confirmed, draft));
    if (!covered || replies >= MAX_REPLIES) return declining(options, question.replyId, { kind: "asked", messages });
    outcome = await guarded(() => broker.confirmQuestion(draft.accountId, question.replyId, call));
    // The answer never left, but the question is still open there.
    if (outcome.kind === "not_sent") return declining(options, question.replyId, outcome);
  }
  return outcome;
}

/** Declines the question; `end` holds only when IBKR says that nothing was placed. */
async function declining({ broker, call, draft }: ExchangeOptions, replyId: string, end: ExchangeEnd): Promise<ExchangeEnd> {
  try {
    const declined = await broker.declineQuestion(draft.accountId, replyId, call);
    return declined.kind === "declined" ? end : { kind: "unknown", error: declined.error };
  } catch (error) {
    return { kind: "unknown", error: errorOf(error) };
  }
}

async function recordQuestion(onQuestion: () => Promise<void>): Promise<Error | undefined> {
  try {
    await onQuestion();
    return undefined;
  } catch (error) {
    return errorOf(error);
  }
}

async function guarded(send: () => Promise<SubmitOutcome>): Promise<SubmitOutcome> {
  try {
    return await send();
  } catch (error) {
    return { kind: "unknown", error: errorOf(error) };
  }
}

function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
