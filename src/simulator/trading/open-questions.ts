import type { Random } from "../../lib/random.ts";
import type { OrderQuestion } from "./order-questions.ts";
import type { Ticket } from "./records.ts";

/** After this time an unanswered question is stale, as after another order request of the account. */
const STALE_AFTER_MS = 60_000;
/** Questions that are remembered, open and stale together; the oldest is forgotten first. */
const MAX_QUESTIONS = 500;

/** What is done once every question is answered: a new order, or a change of `orderId`. */
export interface PendingTicket {
  readonly userName: string;
  readonly ticket: Ticket;
  /** The orders of a set that come after the first: a bracket's children, or the others of which one cancels all. */
  readonly others?: readonly Ticket[] | undefined;
  /** How the orders of a set belong together. */
  readonly set?: "bracket" | "oca" | undefined;
  /** Undefined for a new order. */
  readonly orderId: number | undefined;
  /** When the order goes live without an answer, epoch ms. */
  readonly goesLiveAt?: number | undefined;
  /** Whether it goes live although its question was declined. */
  readonly ignoresNo?: boolean;
}

/** A question that waits for its answer. */
export interface OpenQuestion {
  readonly id: string;
  readonly pending: PendingTicket;
  readonly question: OrderQuestion;
  /** What is asked after this. */
  readonly next: readonly OrderQuestion[];
  readonly askedAt: number;
}

/** The questions of all sessions; each can be taken once. */
export class OpenQuestions {
  readonly #questions = new Map<string, { readonly open: OpenQuestion; stale: boolean }>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Asks the first of `questions`, keeping the others for later. */
  ask(pending: PendingTicket, questions: readonly [OrderQuestion, ...OrderQuestion[]], now: number): OpenQuestion {
    const [question, ...next] = questions;
    const open = { id: this.#uuid(), pending, question, next, askedAt: now };
    this.#questions.set(open.id, { open, stale: false });
    const oldest = this.#questions.keys().next();
    if (this.#questions.size > MAX_QUESTIONS && oldest.done !== true) this.#questions.delete(oldest.value);
    return open;
  }

  /** Takes a question of this user out, or answers undefined when there is none with this id (any more). */
  take(id: string, userName: string, now: number): { readonly open: OpenQuestion; readonly stale: boolean } | undefined {
    const entry = this.#questions.get(id);
    if (entry === undefined || entry.open.pending.userName !== userName) return undefined;
    this.#questions.delete(id);
    return { open: entry.open, stale: entry.stale || now - entry.open.askedAt > STALE_AFTER_MS };
  }

  /** Makes every question of an account stale: another order request came between. */
  disturb(accountId: string): void {
    for (const entry of this.#questions.values()) if (entry.open.pending.ticket.accountId === accountId) entry.stale = true;
  }

  forget(userName: string): void {
    for (const [id, { open }] of this.#questions) if (open.pending.userName === userName) this.#questions.delete(id);
  }

  #uuid(): string {
    const hex = this.#random.bytes(16).toString("hex");
    return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)].join("-");
  }
}
