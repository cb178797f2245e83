import { revokeApiKeyRow } from "../../../src/storage/api-keys.ts";
import { setConnectionPaused } from "../../../src/storage/connection-life.ts";
import type { Storage } from "../../../src/storage/storage.ts";
import type { GatewayProcess } from "./gateway-process.ts";
import type { AdminAct, Dice } from "./plan.ts";
import { callerName, type Promises } from "./promises.ts";
import { OWNER } from "./template.ts";
import type { Trace } from "./trace.ts";
import type { VirtualTime } from "./virtual-time.ts";

export interface OwnerDeps {
  readonly time: VirtualTime;
  readonly trace: Trace;
  readonly promises: Promises;
  readonly storage: Storage;
  readonly dice: Dice;
  /** Whether this owner takes an order for absent that is there, or still comes. */
  readonly errs: boolean;
  process(slot: number): GatewayProcess | undefined;
}

/** The person whom the connection belongs to: turns switches in the console and decides about orders that no list shows. */
export class Owner {
  readonly #deps: OwnerDeps;
  #mayPause = true;
  #decisions = 0;

  constructor(deps: OwnerDeps) {
    this.#deps = deps;
  }

  /** How many orders were decided. */
  get decisions(): number {
    return this.#decisions;
  }

  /** Turns a switch; from its commit on nothing may leave that was not leaving. */
  async act(what: AdminAct): Promise<void> {
    const { trace, promises } = this.#deps;
    if (what === "pause" && !this.#mayPause) return;
    try {
      await this.#commit(what);
    } catch (error) {
      // A process may have stopped with the database's lock.
      return trace.add(`the owner's ${what} fails: ${String(error).slice(0, 80)}`);
    }
    trace.add(`the owner's ${what} is committed`);
    promises.permissionEnds(what === "pause" ? "all" : callerName(0));
  }

  async #commit(what: AdminAct): Promise<void> {
    const { storage, time } = this.#deps;
    const keyId = callerName(0);
    if (what === "revoke") await revokeApiKeyRow(storage, { keyId, userId: OWNER.userId }, time.now);
    else if (what === "pause") await setConnectionPaused(storage, OWNER, time.now);
    else
      await storage.db
        .updateTable("api_keys")
        .set(what === "narrow" ? { allowed_account_ids: '["DU7100002"]' } : { scope: "read" })
        .where("id", "=", keyId)
        .execute();
  }

  /** Resumes the connection, which is not paused again. */
  async resume(): Promise<void> {
    const { storage, promises } = this.#deps;
    this.#mayPause = false;
    await setConnectionPaused(storage, OWNER, null);
    promises.permissionReturns("all");
  }

  /** Looks at the page of unresolved orders, and at IBKR's own app, which doesn't lie. */
  async decide(slot: number): Promise<void> {
    const { trace, promises, dice, errs } = this.#deps;
    const process = this.#deps.process(slot);
    if (process === undefined || process.life.isStopped) return;
    const { trading, life } = process;
    for (const { requestId, customerOrderId, absentInMs } of await trading.unresolvedOrders(OWNER.userId)) {
      const order = promises.orders.find((one) => one.customerOrderId === customerOrderId);
      const isThere = order !== undefined && !errs;
      if (isThere ? dice.chance(30) : absentInMs > 0) continue;
      const verdict = isThere ? ({ kind: "there", orderId: order.orderId } as const) : ({ kind: "not_there" } as const);
      this.#decisions += 1;
      trace.add(`the owner says at ${life.id} that ${customerOrderId} is ${isThere ? "there" : "not there"}`);
      if (!isThere) promises.personDenies(requestId);
      try {
        await trading.decideOrder({ userId: OWNER.userId, requestId, verdict, words: "TWS, orders and trades of the day" });
      } catch (error) {
        trace.add(`the owner's decision fails: ${String(error).slice(0, 80)}`);
      }
    }
  }
}
