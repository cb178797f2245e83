import type { Broker, CallOptions, Leave } from "../broker/broker.ts";
import type { OrderTicket, SubmitOutcome } from "../broker/order.ts";
import type { OrderDraft } from "./order-draft.ts";
import type { ExchangeEnd } from "./order-ends.ts";
import { isCovered, messagesOf, type QuestionMessage } from "./questions.ts";

/** Most questions answered for one order; IBKR has been seen to ask three in a row. */
const MAX_REPLIES = 6;

export interface ExchangeOptions {
  readonly broker: Broker;
  readonly call: CallOptions;
  readonly draft: OrderDraft;
  /** The `cOID`, which is fixed once the order may leave; read then. */
  readonly customerOrderId: string;
  /** The messages that the caller has confirmed. */
  readonly confirmed: readonly QuestionMessage[];
  /** Lets the order leave. */
  readonly leave: Leave;
  /** Lets one yes to a question leave. A no needs no leave. */
  readonly leaveYes: () => Leave;
  /** Stores a question before it is answered; where that fails, it is declined and the outcome is unknown. */
  readonly onQuestion: (messages: readonly QuestionMessage[]) => Promise<void>;
}

/**
 * Sends one order once and answers only those questions that were confirmed; any other is declined immediately, since an open
 * question goes stale at IBKR and may go live later. Never throws: what can't be known is `unknown`.
 */
export async function exchange(options: ExchangeOptions): Promise<ExchangeEnd> {
  const { broker, call, draft, customerOrderId, leave, leaveYes } = options;
  const { symbol: _symbol, currency: _currency, ...order } = draft;
  const ticket: OrderTicket = { ...order, customerOrderId };
  let outcome = await guarded(() => broker.submitOrder(ticket, { ...call, leave }));
  for (let replies = 0; outcome.kind === "question"; replies += 1) {
    const { question } = outcome;
    const messages = messagesOf(question);
    const failure = await failureOf(() => options.onQuestion(messages));
    if (failure !== undefined) return await declining(options, question.replyId, { kind: "unknown", error: failure });
    const covered = messages.length > 0 && messages.every((message) => isCovered(message, options.confirmed, draft));
    if (!covered || replies >= MAX_REPLIES) return await declining(options, question.replyId, { kind: "asked", messages });
    outcome = await guarded(() => broker.confirmQuestion(draft.accountId, question.replyId, { ...call, leave: leaveYes() }));
    // The yes never left, but the question is still open there.
    if (outcome.kind === "not_sent") return await declining(options, question.replyId, { kind: "withdrawn", error: outcome.error });
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

async function failureOf(work: () => Promise<void>): Promise<Error | undefined> {
  try {
    await work();
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
