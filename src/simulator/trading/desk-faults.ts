import type { Fault, FaultKind, Faults, FaultPlace } from "../control/faults.ts";
import { MARKET_RISK, NO_DATA } from "./order-questions.ts";
import type { OrderQuestion } from "./order-questions.ts";
import type { Ticket } from "./records.ts";
import type { TradingStore } from "./trading-store.ts";

/** How long IBKR refuses a `cOID` that it has taken. */
const DAY_MS = 86_400_000;
/** Registered ids that are remembered; the oldest is forgotten first. */
const MAX_REGISTERED = 10_000;

const QUESTIONS: Readonly<Record<"one_message" | "two_messages", OrderQuestion>> = {
  one_message: { messages: [{ id: "o10151", text: MARKET_RISK }], options: ["Yes", "No"] },
  two_messages: {
    messages: [
      { id: "o10151", text: MARKET_RISK },
      { id: "o354", text: NO_DATA },
    ],
    options: ["Yes", "No"],
  },
};

/** Faults of the order desk. Each concerns the orders of the path that places them. */
export class DeskFaults {
  readonly #faults: Faults;
  readonly #store: TradingStore;
  /** Account and `cOID` → when a question or a refusal registered it. */
  readonly #registered = new Map<string, number>();

  constructor(faults: Faults, store: TradingStore) {
    this.#faults = faults;
    this.#store = store;
  }

  /** True when an order with this `cOID` was taken within the time that IBKR remembers one. */
  wasTaken({ accountId, clientOrderId }: Ticket, now: number): boolean {
    const memory = this.#memoryMs(accountId, now);
    return memory > 0 && clientOrderId !== undefined && this.#store.clientOrderIdUsed(accountId, clientOrderId, now - memory);
  }

  /** True when a question about it, or its refusal, has registered the `cOID`. */
  isRegistered({ accountId, clientOrderId }: Ticket, now: number): boolean {
    const at = this.#registered.get(`${accountId} ${clientOrderId}`);
    return clientOrderId !== undefined && at !== undefined && now - at < this.#memoryMs(accountId, now);
  }

  /** Registers the `cOID` of an order that was asked about or refused, while a fault asks for it. */
  register({ accountId, clientOrderId }: Ticket, what: "question" | "refusal", now: number): void {
    const fault = this.#faults.find("registers", placeOf(accountId), now, ({ reason }) => reason === what);
    if (fault === undefined || clientOrderId === undefined) return;
    this.#registered.set(`${accountId} ${clientOrderId}`, now);
    const oldest = this.#registered.keys().next();
    if (this.#registered.size > MAX_REGISTERED && oldest.done !== true) this.#registered.delete(oldest.value);
  }

  /** The words of a refusal on purpose. */
  refusal({ accountId }: Ticket, now: number): string | undefined {
    return this.#take("order_refused", accountId, now) === undefined ? undefined : "Order rejected by IBKR's order desk.";
  }

  /** A question that is asked on purpose. */
  question({ accountId }: Ticket, now: number): OrderQuestion | undefined {
    const fault = this.#take("order_question", accountId, now);
    return fault === undefined ? undefined : QUESTIONS[fault.reason === "two_messages" ? "two_messages" : "one_message"];
  }

  /** True when the order is to get an advanced reject: a prompt in place of a question. */
  prompts({ accountId }: Ticket, now: number): boolean {
    return this.#take("advanced_reject", accountId, now) !== undefined;
  }

  /** When an order that was asked about goes live without an answer, or in spite of a no, counted from its sending. */
  fateOf(
    { accountId }: Ticket,
    { sentAt, now }: { sentAt: number; now: number },
  ): { readonly goesLiveAt: number; readonly ignoresNo: boolean } | undefined {
    const fault = this.#take("goes_live", accountId, now);
    return fault?.ms === undefined ? undefined : { goesLiveAt: sentAt + fault.ms, ignoresNo: fault.reason === "declined" };
  }

  #memoryMs(accountId: string, now: number): number {
    return this.#faults.find("coid_memory", placeOf(accountId), now)?.ms ?? DAY_MS;
  }

  #take(kind: FaultKind, accountId: string, now: number): Fault | undefined {
    return this.#faults.take(kind, placeOf(accountId), now);
  }
}

function placeOf(accountId: string): FaultPlace {
  return { method: "POST", path: `/iserver/account/${accountId}/orders` };
}
