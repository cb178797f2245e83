import { DatabaseSync } from "node:sqlite";

import type { TakenOrder } from "../../../src/simulator/trading/taken-orders.ts";
import type { Life } from "./life.ts";
import type { Leaving } from "./network.ts";
import type { Plan, Wish } from "./plan.ts";
import { type Claim, isKnown, openRequests, type SentRow, sentRow } from "./protocol.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** What must hold, in the words of the model. */
export const PROMISES = {
  one: "two orders for one wish",
  true: "said not placed, and it is",
  force: "an order left after its permission ended",
  twin: "an order left while an equal one may be at IBKR",
  turn: "two orders of an account are on their way at the same time",
  why: "an order that no decision explains",
  end: "nothing ever decides a request",
} as const;

export type PromiseName = keyof typeof PROMISES;

/** A promise that was broken. */
export interface Breach {
  readonly promise: PromiseName;
  readonly about: string;
}

/** A permission is good for two seconds; what was committed longer before an order leaves must have stopped it. */
const PERMISSION_MS = 2_000;

/** What is known of one wish. */
interface Told {
  readonly wish: Wish;
  /** Calls without an outcome yet. */
  running: number;
  asked: number;
  /** Calls that forgot its id before a call with the id was known: the gateway can't know that they are of one wish. */
  strays: number;
  /** Whether a call forgot its id: then the id's outcome says nothing of that call's order. */
  forgot: boolean;
  /** The outcome by which a caller believes that it isn't placed, until the next call. */
  denied: string | undefined;
}

/** Everything that left under one `cOID`. */
interface Sent {
  readonly life: Life;
  readonly quantity: string;
  readonly times: number;
}

/** Watches a run and compares what was promised with IBKR's own table of orders. */
export class Promises {
  readonly #plan: Plan;
  readonly #time: VirtualTime;
  readonly #database: DatabaseSync;
  readonly #told: readonly Told[];
  readonly #orders: (TakenOrder & { readonly wish: Told | undefined })[] = [];
  readonly #sent = new Map<string, Sent>();
  /** Caller → since when it may send nothing; `all` for the connection. */
  readonly #ended = new Map<string, number>();
  /** Requests that a person took for absent. */
  readonly #deniedByPerson = new Set<string>();
  readonly breaches: Breach[] = [];

  constructor(plan: Plan, file: string, time: VirtualTime) {
    this.#plan = plan;
    this.#time = time;
    this.#database = new DatabaseSync(file, { readOnly: true });
    this.#told = plan.wishes.map((wish) => ({ wish, running: 0, asked: 0, strays: 0, forgot: false, denied: undefined }));
  }

  /** A call that wants the wish arrives. */
  asks(wish: number, { isNamed }: { readonly isNamed: boolean }): void {
    const told = this.#of(wish);
    const { clientOrderId, key } = told.wish;
    if (!isNamed && clientOrderId !== undefined) {
      told.forgot = true;
      if (!isKnown(this.#database, { clientOrderId, callerId: callerName(key) })) told.strays += 1;
    }
    told.running += 1;
    told.asked += 1;
    told.denied = undefined;
  }

  /** The call ends. */
  ends(wish: number): void {
    this.#of(wish).running -= 1;
  }

  /** A caller gets an outcome. `isNamed`: it concerns all calls of the wish. */
  hears(wish: number, claim: Claim, { isNamed, isOwnCall }: { readonly isNamed: boolean; readonly isOwnCall: boolean }): void {
    const told = this.#of(wish);
    const orders = this.#ordersOf(told);
    if (claim.kind === "placed" && !this.#orders.some(({ orderId }) => orderId === claim.orderId))
      this.#breach("true", `${told.wish.name} was told of an order ${claim.orderId} that isn't there`);
    // A call without an id speaks for itself alone, and another call may be sending it now.
    const speaksForItself = told.forgot || (!isNamed && told.asked > 1);
    if (claim.kind !== "absent" || told.running > (isOwnCall ? 1 : 0) || speaksForItself) return;
    told.denied = claim.code;
    if (orders.length > 0 && !this.#personMayErr(told))
      this.#breach("true", `${told.wish.name} was told ${claim.code} although ${orders[0]?.orderId} is there`);
  }

  /** The owner declares the order of a request absent. */
  personDenies(requestId: string): void {
    this.#deniedByPerson.add(requestId);
  }

  /** An owner's act is committed. */
  permissionEnds(caller: string): void {
    if (!this.#ended.has(caller)) this.#ended.set(caller, this.#time.elapsed);
  }

  /** The owner resumes it. */
  permissionReturns(caller: string): void {
    this.#ended.delete(caller);
  }

  /** An order leaves a process, while `others` of the account are on their way. */
  leaves({ life, customerOrderId, quantity, isYes }: Leaving, others: readonly string[]): void {
    const row = sentRow(this.#database, customerOrderId);
    if (row === undefined) return this.#breach("why", `${customerOrderId} left without a row`);
    const ended = Math.min(this.#ended.get("all") ?? Infinity, this.#ended.get(row.senderId) ?? Infinity);
    const late = this.#time.elapsed - ended;
    if (late > PERMISSION_MS) this.#breach("force", `${customerOrderId} left ${Math.round(late)} ms after`);
    for (const other of others)
      if (other !== customerOrderId) this.#breach("turn", `${customerOrderId} left while ${other} was on its way`);
    if (isYes) return undefined;
    const times = (this.#sent.get(customerOrderId)?.times ?? 0) + 1;
    if (times > row.permissions) this.#breach("why", `${customerOrderId} left ${times} times and was allowed ${row.permissions}`);
    this.#lookForTwin(customerOrderId, row, quantity);
    this.#sent.set(customerOrderId, { life, quantity, times });
  }

  #lookForTwin(customerOrderId: string, { requestId }: SentRow, quantity: string): void {
    for (const [other, { life, quantity: size }] of this.#sent) {
      const earlier = size === quantity ? sentRow(this.#database, other) : undefined;
      if (earlier === undefined || earlier.requestId === requestId) continue;
      if (earlier.isUnknown || (earlier.isSending && life.isDead))
        this.#breach("twin", `${customerOrderId} left while ${other} may be there`);
    }
  }

  /** IBKR has taken an order. */
  takes(order: TakenOrder): void {
    const { customerOrderId = "", quantity, orderId } = order;
    const row = sentRow(this.#database, customerOrderId);
    if (row === undefined || !this.#sent.has(customerOrderId)) this.#breach("why", `${customerOrderId} is at IBKR without a row`);
    const group = this.#told.filter(({ wish }) => quantityOf(wish) === quantity);
    const wish = this.#told.find((told) => told.wish.name === row?.reason);
    const isDenied = wish?.denied !== undefined && wish.running === 0;
    this.#orders.push({ ...order, wish });
    if (isDenied && !this.#personMayErr(wish)) this.#breach("true", `${wish.wish.name} was told ${wish.denied}, then ${orderId} came`);
    const ofGroup = this.#orders.filter((each) => each.quantity === quantity).length;
    const isSecond = wish !== undefined && this.#ordersOf(wish).length > 1 + wish.strays;
    if (isSecond || ofGroup > group.reduce((sum, { asked, strays }) => sum + (asked > 0 ? 1 : 0) + strays, 0))
      this.#breach("one", `${wish?.wish.name ?? "?"}: ${orderId} under ${customerOrderId}`);
  }

  /** Everything has had its time. */
  finish(): void {
    const { undecided, withPerson } = openRequests(this.#database);
    for (const request of [...undecided, ...withPerson]) this.#breach("end", request);
    for (const { wish, running } of this.#told) if (running > 0) this.#breach("end", `${wish.name}: ${running} calls without an answer`);
  }

  close(): void {
    this.#database.close();
  }

  /** Whether a request or a call is still open. */
  get isOpen(): boolean {
    const { undecided, withPerson } = openRequests(this.#database);
    return undecided.length + withPerson.length > 0 || this.#told.some(({ running }) => running > 0);
  }

  /** How often something left. */
  get sendings(): number {
    return [...this.#sent.values()].reduce((sum, { times }) => sum + times, 0);
  }

  /** IBKR's orders of these wishes. */
  get orders(): readonly TakenOrder[] {
    return this.#orders;
  }

  /** Where a person may be wrong, or IBKR later than anybody believes, a person's "not there" is believed and may be untrue. */
  #personMayErr(told: Told): boolean {
    if (this.#plan.falseBelief !== "person_errs" && this.#plan.falseBelief !== "very_late") return false;
    const ids = this.#ordersOf(told).map(({ customerOrderId = "" }) => sentRow(this.#database, customerOrderId)?.requestId ?? "");
    return ids.some((id) => this.#deniedByPerson.has(id));
  }

  #ordersOf(told: Told): readonly TakenOrder[] {
    return this.#orders.filter(({ wish }) => wish === told);
  }

  #of(wish: number): Told {
    const told = this.#told[wish];
    if (told === undefined) throw new RangeError(`no wish ${wish}`);
    return told;
  }

  #breach(promise: PromiseName, about: string): void {
    this.breaches.push({ promise, about });
  }
}

/** The quantity that tells a group of equal orders from the others. */
export function quantityOf({ group }: Wish): string {
  return String(2 + group);
}

/** The caller that a key stands for. */
export function callerName(key: number): string {
  return `key_${key + 1}`;
}
