import { z } from "zod";

import type { Broker, CallOptions } from "../broker/broker.ts";
import type { Order, OrderStatusName, Trade } from "../broker/order.ts";
import type { Connections } from "../connections/connections.ts";
import type { Clock } from "../lib/clock.ts";
import { background, type Log } from "../lib/log.ts";
import { moveOrderAttempt, openAttempts, openAttemptsOf, type OrderAttemptRow } from "../storage/order-attempts.ts";
import { moveOrderRequest, type OrderRequestRow } from "../storage/order-requests.ts";
import type { Storage } from "../storage/storage.ts";

export interface SettlementDeps {
  readonly storage: Storage;
  readonly connections: Pick<Connections, "open">;
  readonly clock: Clock;
  readonly log: Log;
}

/** An attempt younger than this may still be under way in a living process: longer than any exchange may take. */
export const IN_FLIGHT_MS = 90_000;
/** How often the poller looks whether something is due. */
const POLL_MS = 5_000;
/** Looks at one attempt grow apart up to this. */
const MAX_LOOK_GAP_MS = 60_000;
/** An order is proven absent when it was looked for at least this often … */
const ABSENT_LOOKS = 3;
/** … each look this far from the one before … */
const ABSENT_GAP_MS = 5_000;
/** … and the last one this long after the attempt: IBKR's own lists lag by seconds. */
const ABSENT_AFTER_MS = 120_000;
/** A question that could not be declined may go live late, so its order counts as absent much later. */
const ABSENT_AFTER_QUESTION_MS = 1_800_000;
/** IBKR is known to list no orders at all when it has some (after hours, in a fresh session), so that an empty list proves little. */
const ABSENT_AFTER_EMPTY_MS = 900_000;
/** IBKR lists executions of seven days: an older attempt can't be settled any more, and says so for ever. */
const MAX_AGE_MS = 6 * 86_400_000;
/** Most attempts looked after at a time; more than this means that something else is wrong. */
const MAX_OPEN = 500;
/** Most time for one round of looks at one account. */
const ROUND_LIMIT_MS = 30_000;
/** States that a question waiting for its answer shows too, so that they prove nothing while an attempt is young. */
const UNSURE = new Set<OrderStatusName>(["Inactive", "PendingSubmit", "WarnState", "Unknown"]);

const lookDetail = z.object({ looks: z.number().default(0), last_as_of: z.number().default(0), asked: z.boolean().default(false) });

type LookDetail = z.output<typeof lookDetail>;

/** Marks that IBKR asked a question in this attempt. */
export function askedDetail(): string {
  return JSON.stringify({ asked: true });
}

function detailOf(attempt: OrderAttemptRow): LookDetail {
  return lookDetail.parse(attempt.detail === null ? {} : JSON.parse(attempt.detail));
}

/** What the broker's lists showed at one moment. */
interface Lists {
  readonly orders: readonly Order[];
  readonly trades: readonly Trade[];
  readonly asOf: number;
}

/**
 * Settles attempts whose outcome is open, only ever by looking: by their `cOID` among the orders and the executions.
 * Found means placed. Absent is believed after several looks over some minutes; until then it stays unknown.
 */
export class Settlement {
  readonly #deps: SettlementDeps;
  readonly #closing = new AbortController();
  /** When to try an account again whose connection failed; entries go with the next success. */
  readonly #retryAt = new Map<string, { readonly failures: number; readonly at: number }>();
  #stopPolling: (() => void) | undefined;
  /** Counts the calls of `watch`, so that a round that began before one doesn't stop the poller after it. */
  #watches = 0;
  #round: Promise<void> | undefined;

  constructor(deps: SettlementDeps) {
    this.#deps = deps;
  }

  /** Starts looking in the background until nothing is open. */
  watch(): void {
    this.#watches += 1;
    if (this.#closing.signal.aborted || this.#stopPolling !== undefined) return;
    this.#stopPolling = this.#deps.clock.every(POLL_MS, () => {
      if (this.#round === undefined) background(this.runRound(), this.#deps.log, "looking for orders of unknown outcome");
    });
  }

  /** Looks at everything that is due; joins the round that is under way. */
  async runRound(): Promise<void> {
    this.#round ??= this.#lookAtAll().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  /**
   * Looks for the open attempts of one request now. When the broker can't be asked its state stays as it is, which is what
   * the caller must hear; why it can't is for the log, and the poller goes on.
   */
  async lookUp(request: OrderRequestRow, broker: Broker, call: CallOptions): Promise<void> {
    const attempts = await openAttemptsOf(this.#deps.storage.db, request.user_id, request.id);
    for (const attempt of attempts) await this.#markLost(attempt);
    try {
      await this.#look(attempts, broker, call);
    } catch (error) {
      this.#deps.log.warn({ err: error, request: request.id }, "could not look for an order of unknown outcome");
      this.watch();
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("the server is closing"));
    this.#stopPolling?.();
    await this.#round;
  }

  async #lookAtAll(): Promise<void> {
    const { storage, clock } = this.#deps;
    const watches = this.#watches;
    const open = await openAttempts(storage.db, clock.now() - MAX_AGE_MS, MAX_OPEN);
    if (open.length === 0) {
      if (watches !== this.#watches) return;
      this.#stopPolling?.();
      this.#stopPolling = undefined;
      return;
    }
    for (const attempt of open) await this.#markLost(attempt);
    const groups = Map.groupBy(
      open.filter((attempt) => this.#isDue(attempt)),
      groupOf,
    );
    await Promise.all([...groups].map(([group, attempts]) => this.#lookAtGroup(group, attempts)));
  }

  #isDue(attempt: OrderAttemptRow): boolean {
    const now = this.#deps.clock.now();
    const { looks, last_as_of: lastAsOf } = detailOf(attempt);
    const retryAt = this.#retryAt.get(groupOf(attempt))?.at ?? 0;
    return now >= retryAt && now - lastAsOf >= Math.min(POLL_MS * looks, MAX_LOOK_GAP_MS);
  }

  /** A prepared attempt that is too old to be under way belonged to a process that died. */
  async #markLost(attempt: OrderAttemptRow): Promise<void> {
    const { storage, clock } = this.#deps;
    const now = clock.now();
    if (attempt.state !== "prepared" || now - attempt.created_at < IN_FLIGHT_MS) return;
    const { user_id: userId, id, request_id: requestId } = attempt;
    await storage.transaction(async (db) => {
      await moveOrderAttempt(db, { userId, id, to: "unknown", at: now });
      await moveOrderRequest(db, { userId, id: requestId, from: ["sending"], to: "unknown", at: now });
    });
  }

  async #lookAtGroup(group: string, attempts: readonly OrderAttemptRow[]): Promise<void> {
    const [first] = attempts;
    if (first === undefined) return;
    const { clock, connections, log } = this.#deps;
    const limit = new AbortController();
    const timer = new AbortController();
    const signal = AbortSignal.any([this.#closing.signal, limit.signal]);
    const timing = clock.wait(ROUND_LIMIT_MS, AbortSignal.any([timer.signal, this.#closing.signal])).then(
      () => limit.abort(new Error("looking for orders took too long")),
      () => undefined,
    );
    try {
      const { broker } = await connections.open({ connectionId: first.connection_id, userId: first.user_id }, signal);
      await this.#look(attempts, broker, { signal, caller: "settlement" });
      this.#retryAt.delete(group);
    } catch (error) {
      const failures = (this.#retryAt.get(group)?.failures ?? 0) + 1;
      this.#retryAt.set(group, { failures, at: clock.now() + Math.min(POLL_MS * 2 ** Math.min(failures, 10), MAX_LOOK_GAP_MS) });
      log.warn({ err: error, attempts: attempts.length, failures }, "could not look for orders of unknown outcome");
    } finally {
      timer.abort();
      await timing;
    }
  }

  async #look(attempts: readonly OrderAttemptRow[], broker: Broker, call: CallOptions): Promise<void> {
    for (const [, ofAccount] of Map.groupBy(attempts, groupOf)) {
      const lists = await this.#lists(ofAccount, broker, call);
      for (const attempt of ofAccount) await this.#settle(attempt, lists);
    }
  }

  /** Orders first, then executions: what is filled in between shows in the second. */
  async #lists(attempts: readonly OrderAttemptRow[], broker: Broker, call: CallOptions): Promise<Lists> {
    const [first] = attempts;
    if (first === undefined) return { orders: [], trades: [], asOf: 0 };
    const oldest = Math.min(...attempts.map((attempt) => attempt.created_at));
    const days = Math.min(7, 1 + Math.ceil((this.#deps.clock.now() - oldest) / 86_400_000));
    const { orders, asOf } = await broker.orders(first.account_id, { ...call, provesAbsence: true });
    const trades = await broker.trades(first.account_id, days, call);
    return { orders, trades, asOf };
  }

  async #settle(attempt: OrderAttemptRow, lists: Lists): Promise<void> {
    const age = lists.asOf - attempt.created_at;
    const order = lists.orders.find(({ customerOrderId }) => customerOrderId === attempt.customer_order_id);
    if (order !== undefined) {
      if (UNSURE.has(order.status) && age < absentAfterMs(detailOf(attempt), lists)) return;
      await this.#settleFound(attempt, order.orderId, order.status);
      return;
    }
    const trade = lists.trades.find(({ customerOrderId }) => customerOrderId === attempt.customer_order_id);
    if (trade?.orderId !== undefined) await this.#settleFound(attempt, trade.orderId, "Filled");
    // What IBKR no longer lists can't be proven absent.
    else if (trade === undefined && age < MAX_AGE_MS) await this.#settleAbsent(attempt, lists);
  }

  async #settleFound(attempt: OrderAttemptRow, orderId: string, status: OrderStatusName): Promise<void> {
    const { storage, clock, log } = this.#deps;
    const { user_id: userId, id, request_id: requestId } = attempt;
    const at = clock.now();
    const result = JSON.stringify({ order_id: orderId, status });
    await storage.transaction(async (db) => {
      const isOurs = await moveOrderAttempt(db, { userId, id, to: "accepted", brokerOrderId: orderId, at });
      if (isOurs) await moveOrderRequest(db, { userId, id: requestId, from: ["sending", "unknown"], to: "accepted", result, at });
    });
    log.info({ attempt: id, status }, "found an order of unknown outcome");
  }

  async #settleAbsent(attempt: OrderAttemptRow, lists: Lists): Promise<void> {
    const { storage, clock, log } = this.#deps;
    const { asOf } = lists;
    const detail = detailOf(attempt);
    const at = clock.now();
    // While its own process may be at work on it, not finding it says nothing.
    const inFlight = attempt.state === "prepared" && at - attempt.created_at < IN_FLIGHT_MS;
    if (inFlight || asOf - detail.last_as_of < ABSENT_GAP_MS) return;
    const { user_id: userId, id, request_id: requestId } = attempt;
    const looks = detail.looks + 1;
    const proven = looks >= ABSENT_LOOKS && asOf - attempt.created_at >= absentAfterMs(detail, lists);
    const text = JSON.stringify({ ...detail, looks, last_as_of: asOf });
    if (!proven) {
      await moveOrderAttempt(storage.db, { userId, id, to: "unknown", detail: text, at });
      return;
    }
    await storage.transaction(async (db) => {
      const isOurs = await moveOrderAttempt(db, { userId, id, to: "absent", detail: text, at });
      if (!isOurs || (await openAttemptsOf(db, userId, requestId)).length > 0) return;
      await moveOrderRequest(db, { userId, id: requestId, from: ["sending", "unknown"], to: "not_sent", at });
    });
    log.info({ attempt: id, looks }, "an order of unknown outcome is proven absent");
  }
}

function absentAfterMs(detail: LookDetail, { orders }: Lists): number {
  if (detail.asked) return ABSENT_AFTER_QUESTION_MS;
  return orders.length === 0 ? ABSENT_AFTER_EMPTY_MS : ABSENT_AFTER_MS;
}

function groupOf(attempt: OrderAttemptRow): string {
  return `${attempt.connection_id} ${attempt.account_id}`;
}
