import type { OrderTicket } from "../broker/order.ts";
import type { Clock } from "../lib/clock.ts";
import { Decimal } from "../lib/decimal.ts";
import type { DoctorAnswer, DoctorDesk } from "./doctor-desk.ts";
import type { DoctorCase, DoctorFinding, DoctorReply } from "./doctor-findings.ts";
import { DoctorRefusal } from "./doctor-refusal.ts";

/** How long a question is left without an answer. IBKR holds one open for less; any other order makes it stale, too. */
const STALE_AFTER_MS = 120_000;
/** Shares that no paper account can buy. */
const FAR_TOO_MANY = Decimal.fromInteger(10_000_000);
/** States of an order that works. */
const WORKING: ReadonlySet<string | undefined> = new Set(["PendingSubmit", "PreSubmitted", "Submitted"]);

/** What the cases of one run need. */
export interface DoctorCasesDeps {
  readonly desk: DoctorDesk;
  readonly clock: Clock;
  /** Aborts when a user stops the doctor. It is looked at between two steps, never within one. */
  readonly stop: AbortSignal;
  /** The order that is sent: one share, far below the market. */
  readonly ticket: Omit<OrderTicket, "customerOrderId">;
  readonly run: string;
  /** Called before each case, for a user to follow. */
  readonly onCase: (name: DoctorCase) => void;
  /** Stores a finding before the next case starts. */
  readonly onFinding: (finding: DoctorFinding) => Promise<void>;
}

/** Tries the cases of one run in their order. Rejects when a step is kept back or the user stops. */
export class DoctorCases {
  readonly #deps: DoctorCasesDeps;

  constructor(deps: DoctorCasesDeps) {
    this.#deps = deps;
  }

  /** The `cOID` of the cases `working` and `cancelled`, which `next_day` sends again. */
  get workingId(): string {
    return `${this.#deps.run}-1`;
  }

  async run(): Promise<void> {
    const isWorking = await this.#whileWorking();
    await this.#afterCancellation(isWorking);
    await this.#pair("refused", `${this.#deps.run}-2`, { quantity: FAR_TOO_MANY, answer: "yes", expected: "refused" });
    await this.#pair("declined", `${this.#deps.run}-3`, { answer: "no", expected: "declined" });
    await this.#pair("unanswered", `${this.#deps.run}-4`, { answer: "none", expected: "open", pauseMs: STALE_AFTER_MS });
  }

  /** Sends a `cOID` of an earlier day again. */
  async nextDay(customerOrderId: string): Promise<void> {
    this.#start("next_day");
    const again = await this.#send(customerOrderId, "yes");
    await this.#found("next_day", customerOrderId, { again });
  }

  async #whileWorking(): Promise<boolean> {
    this.#start("working");
    const { desk } = this.#deps;
    const first = await this.#send(this.workingId, "yes");
    const status = first.orderId === undefined ? undefined : await desk.statusOf(first.orderId);
    if (first.kind !== "accepted" || !WORKING.has(status)) {
      await this.#found("working", this.workingId, { first, skipped: `No order works: ${status ?? first.said}` });
      return false;
    }
    const again = await this.#send(this.workingId, "yes");
    await this.#found("working", this.workingId, { first, again });
    return true;
  }

  async #afterCancellation(wasWorking: boolean): Promise<void> {
    this.#start("cancelled");
    const left = await this.#deps.desk.cancelAll();
    const skipped = wasWorking ? left[0] : "No order worked before.";
    const again = skipped === undefined ? await this.#send(this.workingId, "yes") : undefined;
    await this.#found("cancelled", this.workingId, { again, skipped });
  }

  /** Sends an order that shall end in one way, and the good order with the same `cOID` after it. */
  async #pair(name: DoctorCase, customerOrderId: string, { quantity, answer, expected, pauseMs = 0 }: Pair): Promise<void> {
    this.#start(name);
    const first = await this.#send(customerOrderId, answer, quantity);
    if (first.kind !== expected) return await this.#found(name, customerOrderId, { first, skipped: SKIPPED[expected] });
    if (pauseMs > 0) await this.#deps.clock.wait(pauseMs, this.#deps.stop);
    const again = await this.#send(customerOrderId, "yes");
    await this.#found(name, customerOrderId, { first, again });
  }

  #start(name: DoctorCase): void {
    this.#deps.onCase(name);
  }

  async #send(customerOrderId: string, answer: DoctorAnswer, quantity?: Decimal): Promise<DoctorReply> {
    const { desk, stop, ticket } = this.#deps;
    if (stop.aborted) throw new DoctorRefusal("Stopped.");
    return await desk.send({ ...ticket, customerOrderId, ...(quantity === undefined ? {} : { quantity }) }, answer);
  }

  /** Counts the orders under the `cOID`, stores the finding, and cancels what was placed. */
  async #found(name: DoctorCase, customerOrderId: string, seen: Pick<DoctorFinding, "first" | "again" | "skipped">): Promise<void> {
    const { desk, onFinding } = this.#deps;
    const orders = await desk.ordersUnder(customerOrderId);
    await onFinding({ case: name, customerOrderId, ...seen, orders });
    // The order of the first case stays for the second.
    if (name !== "working") await desk.cancelAll();
  }
}

interface Pair {
  readonly quantity?: Decimal;
  readonly answer: DoctorAnswer;
  readonly expected: keyof typeof SKIPPED;
  readonly pauseMs?: number;
}

/** Why the second sending of a pair is left out. */
const SKIPPED = {
  refused: "IBKR did not refuse the order.",
  declined: "IBKR asked no question, or did not take the no.",
  open: "IBKR asked no question.",
} as const satisfies Partial<Record<DoctorReply["kind"], string>>;
