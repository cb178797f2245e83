import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { stopOrders } from "../storage/order-permission.ts";
import type { Storage } from "../storage/storage.ts";

/** An order that contradicts what was known of it. */
export interface ContradictingOrder {
  readonly userId: string;
  readonly connectionId: string;
  readonly accountId: string;
  readonly requestId: string;
  readonly customerOrderId: string;
  readonly because: string;
}

/** Called once for each, so that the owner is notified. */
export type OnAlarm = (order: ContradictingOrder) => void;

export interface AlarmDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Log;
  readonly onAlarm?: OnAlarm | undefined;
}

/**
 * Stops orders on a connection at which an order was found that must not exist: one under a `cOID` that was thought dead, or
 * two under one. The mark that its broker refuses a `cOID` twice is cleared with it.
 */
export class Alarm {
  readonly #deps: AlarmDeps;

  constructor(deps: AlarmDeps) {
    this.#deps = deps;
  }

  /** Rejects where the database fails: whoever found the order finds it again. */
  async raise(order: ContradictingOrder): Promise<void> {
    const { storage, clock, log, onAlarm } = this.#deps;
    const { userId, connectionId, because } = order;
    log.error({ request: order.requestId, customerOrderId: order.customerOrderId, connection: connectionId }, `orders stopped: ${because}`);
    await stopOrders(storage.db, { userId, connectionId, because, at: clock.now() });
    onAlarm?.(order);
  }
}
