import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { moveOrderAttempt, type OrderAttemptRow } from "../storage/order-attempts.ts";
import { findOrderRequestById, moveOrderRequest } from "../storage/order-requests.ts";
import { endOrderSendsOf } from "../storage/order-sends.ts";
import type { Storage } from "../storage/storage.ts";
import type { Alarm } from "./alarm.ts";
import type { AttemptAges } from "./attempt-ages.ts";
import type { Sighting } from "./evidence.ts";
import type { SendEnd } from "./order-ends.ts";
import { ATTEMPT_MOVES, REQUEST_MOVES, statesBefore } from "./order-states.ts";

export interface PlacedOrdersDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Log;
  readonly ages: AttemptAges;
  readonly alarm: Alarm;
}

/** Records orders that were seen at IBKR. A sighting wins over everything that was known before. */
export class PlacedOrders {
  readonly #deps: PlacedOrdersDeps;

  constructor(deps: PlacedOrdersDeps) {
    this.#deps = deps;
  }

  /** Moves attempt and request to `placed`; raises the alarm where the order was thought not to exist. */
  async record(attempt: OrderAttemptRow, sighting: Sighting, brokerAt: number | undefined): Promise<void> {
    const { storage, clock, log, ages } = this.#deps;
    const { user_id: userId, id, request_id: requestId } = attempt;
    const at = clock.now();
    const result = JSON.stringify({ order_id: sighting.orderId, status: sighting.status });
    const change = {
      doubt: 0,
      ended_by: "placed" satisfies SendEnd,
      broker_order_id: sighting.orderId,
      placed_broker_at: brokerAt ?? null,
    };
    const known = await storage.transaction(async (db) => {
      const from = statesBefore(ATTEMPT_MOVES, "placed");
      if (!(await moveOrderAttempt(db, { userId, id, from, to: "placed", change, at }))) return undefined;
      await endOrderSendsOf(db, { userId, attemptId: id, endedBy: "placed" satisfies SendEnd, at });
      const request = await findOrderRequestById(db, userId, requestId);
      await moveOrderRequest(db, { userId, id: requestId, from: statesBefore(REQUEST_MOVES, "placed"), to: "placed", result, at });
      return request?.state ?? "unknown";
    });
    if (known === undefined) return;
    ages.placed(id);
    log.info({ attempt: id, status: sighting.status }, "found an order of unknown outcome");
    // The row as it was read: the order was thought absent.
    if (attempt.state === "no") await this.#contradict(attempt, `An order was found at IBKR that was known as ${known}.`);
  }

  /** Raises the alarm for several orders under one `cOID`. */
  async several(attempt: OrderAttemptRow, count: number): Promise<void> {
    await this.#contradict(attempt, `IBKR lists ${count} orders under one cOID, which it must refuse twice.`);
  }

  async #contradict(attempt: OrderAttemptRow, because: string): Promise<void> {
    await this.#deps.alarm.raise({
      userId: attempt.user_id,
      connectionId: attempt.connection_id,
      accountId: attempt.account_id,
      requestId: attempt.request_id,
      customerOrderId: attempt.customer_order_id,
      because,
    });
  }
}
