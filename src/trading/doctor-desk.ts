import type { Broker, CallOptions } from "../broker/broker.ts";
import type { Order, OrderTicket, SubmitOutcome } from "../broker/order.ts";
import type { Clock } from "../lib/clock.ts";
import { messageOf } from "../lib/errors.ts";
import type { AccountTurns } from "./account-turns.ts";
import { Departure } from "./departure.ts";
import type { DoctorReply } from "./doctor-findings.ts";
import type { DoctorTurn } from "./doctor-turn.ts";
import type { SendEnd } from "./order-ends.ts";

/** Start of each `cOID` of the doctor. The hyphen tells them from those of requests, which have 20 letters before theirs. */
export const DOCTOR_PREFIX = "gwdoc-";

/** Most questions answered for one order. */
const MAX_REPLIES = 6;
/** States of an order that has ended without a fill, and can't become one any more. */
const CANCELLED: ReadonlySet<string | undefined> = new Set(["Cancelled", "Inactive"]);
/** Between two reads of an order, since IBKR lists orders once in five seconds. */
const POLL_MS = 5_000;
/** Reads after a cancellation until the order counts as left. */
const MAX_POLLS = 6;

/** What the doctor does with IBKR's question. */
export type DoctorAnswer = "yes" | "no" | "none";

export interface DoctorDeskDeps {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly turns: AccountTurns;
  readonly turn: DoctorTurn;
  readonly accountId: string;
}

/** Sends the doctor's orders, remembers every order that IBKR shows for them, and cancels them. */
export class DoctorDesk {
  readonly #deps: DoctorDeskDeps;
  /** `cOID` → ids of the orders that IBKR showed under it. */
  readonly #seen = new Map<string, Set<string>>();
  /** `cOID`s with a sending of unknown outcome, and how many orders were seen under each before it. */
  readonly #unclear = new Map<string, number>();

  constructor(deps: DoctorDeskDeps) {
    this.#deps = deps;
  }

  /** Sends one order once. Throws what kept it or a yes back, such as a paused connection; never for what IBKR did. */
  async send(ticket: OrderTicket, answer: DoctorAnswer): Promise<DoctorReply> {
    const { broker, clock, turn } = this.#deps;
    const { customerOrderId } = ticket;
    const leave = new Departure(clock, () => turn.permit(customerOrderId, broker.time()));
    const end = await this.#call((call) => this.#dialogue(ticket, answer, { ...call, leave }));
    const sendId = await leave.outcome();
    if (sendId !== undefined) await turn.ended(sendId, SEND_ENDS[end.kind]);
    if (end.kind === "unknown") this.#unclear.set(customerOrderId, this.#seen.get(customerOrderId)?.size ?? 0);
    if (end.kind === "not_sent") throw end.error;
    if (end.orderId !== undefined) this.#note(customerOrderId, end.orderId);
    return end;
  }

  /** Reads IBKR's lists and returns how many different orders they ever showed under a `cOID`. */
  async ordersUnder(customerOrderId: string): Promise<number> {
    await this.#look();
    return this.#seen.get(customerOrderId)?.size ?? 0;
  }

  /** The state of an order now; undefined where IBKR doesn't show it. */
  async statusOf(orderId: string): Promise<string | undefined> {
    return (await this.#order(orderId))?.status;
  }

  /** Cancels every order of the doctor that may still work, and waits for its end. Returns one sentence for each that is left. */
  async cancelAll(): Promise<readonly string[]> {
    for (let poll = 1; ; poll += 1) {
      const left = await this.#cancelRound();
      if (left.length === 0 || poll === MAX_POLLS) return left;
      await this.#deps.clock.wait(POLL_MS);
    }
  }

  /** Sentences about sendings of which neither an order nor a definite end was seen. */
  unclear(): readonly string[] {
    const lost = [...this.#unclear].filter(([id, before]) => (this.#seen.get(id)?.size ?? 0) <= before);
    return lost.map(([id]) => `The outcome of ${id} is unknown. Look for it among the account's orders in IBKR's app and cancel it there.`);
  }

  async #dialogue(ticket: OrderTicket, answer: DoctorAnswer, call: CallOptions): Promise<SendingEnd> {
    const { broker, clock, turn, accountId } = this.#deps;
    const questions: string[] = [];
    let outcome = await broker.submitOrder(ticket, call);
    const { leave: _leave, ...later } = call;
    for (let replies = 0; outcome.kind === "question"; replies += 1) {
      const { replyId, messages } = outcome.question;
      questions.push(messages.join(" "));
      if (answer === "none") return { kind: "open", said: messages.join(" "), questions };
      const decline = async (): Promise<DoctorReply> => {
        const declined = await broker.declineQuestion(accountId, replyId, later);
        const said = declined.kind === "declined" ? "Order not confirmed" : (declined.said ?? declined.error.message);
        return { kind: declined.kind, said, questions };
      };
      if (answer !== "yes" || replies >= MAX_REPLIES) return await decline();
      outcome = await broker.confirmQuestion(accountId, replyId, { ...later, leave: new Departure(clock, () => turn.permitYes()) });
      // The yes never left, so the question is still open at IBKR.
      if (outcome.kind === "not_sent" && (await decline()).kind === "unknown") outcome = { kind: "unknown", error: outcome.error };
    }
    return outcome.kind === "not_sent" ? outcome : { ...replyOf(outcome), questions };
  }

  async #cancelRound(): Promise<readonly string[]> {
    try {
      await this.#look();
    } catch (error) {
      return [`IBKR's orders can't be read: ${messageOf(error)} Look for orders named ${DOCTOR_PREFIX}… in IBKR's app.`];
    }
    const left: string[] = [];
    for (const [customerOrderId, ids] of this.#seen) {
      for (const orderId of ids) {
        const sentence = await this.#cancel(customerOrderId, orderId);
        if (sentence !== undefined) left.push(sentence);
      }
    }
    return left;
  }

  /** Cancels one order unless it has ended; returns a sentence while it has not, or when it was filled. */
  async #cancel(customerOrderId: string, orderId: string): Promise<string | undefined> {
    const name = `Order ${orderId} (${customerOrderId})`;
    try {
      const status = await this.statusOf(orderId);
      if (status === "Filled") return `${name} was filled.`;
      if (CANCELLED.has(status)) return undefined;
      const cancelled = await this.#call((call) => this.#deps.broker.cancelOrder(this.#deps.accountId, orderId, call));
      if (cancelled.kind === "requested" && CANCELLED.has(await this.statusOf(orderId))) return undefined;
      return `${name} is not cancelled yet. Cancel it in IBKR's app.`;
    } catch (error) {
      return `${name} can't be cancelled: ${messageOf(error)} Cancel it in IBKR's app.`;
    }
  }

  async #look(): Promise<void> {
    const { broker, accountId } = this.#deps;
    const { orders, trades } = await this.#call((call) => broker.lookForOrders(accountId, 1, call));
    for (const { customerOrderId, orderId } of [...orders, ...trades])
      if (customerOrderId?.startsWith(DOCTOR_PREFIX) === true && orderId !== undefined) this.#note(customerOrderId, orderId);
  }

  async #order(orderId: string): Promise<Order | undefined> {
    const { broker, accountId } = this.#deps;
    return await this.#call((call) => broker.order(accountId, orderId, call));
  }

  #note(customerOrderId: string, orderId: string): void {
    this.#seen.set(customerOrderId, (this.#seen.get(customerOrderId) ?? new Set()).add(orderId));
  }

  /** Runs one exchange to its end or its limit: a user who stops the doctor does not cut it. */
  async #call<T>(work: (call: CallOptions) => Promise<T>): Promise<T> {
    return await this.#deps.turns.exchange((signal) => work({ signal, caller: "doctor", urgent: true }));
  }
}

/** How one sending ended: IBKR's response, or what kept the order or a yes back. */
type SendingEnd = DoctorReply | { readonly kind: "not_sent"; readonly error: Error };

/** How each end is stored with its sending. An open question has none. */
const SEND_ENDS: Readonly<Record<SendingEnd["kind"], SendEnd>> = {
  accepted: "placed",
  open: "unknown",
  declined: "asked",
  refused: "refused",
  registered: "unknown",
  not_sent: "never_left",
  unknown: "unknown",
};

function replyOf(outcome: Exclude<SubmitOutcome, { kind: "question" | "not_sent" }>): Omit<DoctorReply, "questions"> {
  switch (outcome.kind) {
    case "accepted":
      return { kind: "accepted", said: outcome.status, orderId: outcome.orderId, status: outcome.status };
    case "rejected":
      return { kind: "refused", said: outcome.reason };
    case "unknown": {
      const kind = outcome.isRegistered === true ? "registered" : "unknown";
      return { kind, said: outcome.said ?? outcome.error.message, orderId: outcome.orderId };
    }
  }
}
