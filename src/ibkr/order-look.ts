import type { CallOptions } from "../broker/broker.ts";
import type { Order, OrderSightings } from "../broker/order.ts";
import type { Accounts } from "./accounts.ts";
import type { Api } from "./api.ts";
import { type LiveOrder, liveOrdersReply, liveOrdersRequest, refreshOrdersRequest, toOrder } from "./endpoints/orders.ts";
import { readReply } from "./endpoints/reply.ts";
import type { Executions } from "./executions.ts";
import type { LiveOrders } from "./live-orders.ts";
import type { PriceUnits } from "./price-units.ts";
import { SharedReads } from "./shared-reads.ts";

/** IBKR needs about this long to fetch the orders again. */
const REFRESH_MS = 2000;
/** After hours IBKR's list can stay empty for good, so the reads are bounded. */
const MAX_LIST_READS = 3;
const MAX_DAYS = 7;

export interface OrderLookDeps {
  readonly api: Api;
  readonly accounts: Accounts;
  readonly units: PriceUnits;
  readonly executions: Executions;
  readonly live: LiveOrders | undefined;
}

/**
 * Looks for orders at IBKR, past every cache of its and ours.
 *
 * Cost: IBKR allows each list once in five seconds. Whether it counts `force=true` is unknown, and a 429 can close the endpoint
 * for 15 minutes. So each read takes a turn of its own, and the list comes five seconds after the refresh. No other read of
 * ours can then fall into the moment in which IBKR's list is empty. One look takes two turns of the orders, at most four, and
 * one or two of the executions.
 */
export class OrderLook {
  readonly #deps: OrderLookDeps;
  readonly #looks = new SharedReads<OrderSightings>();

  constructor(deps: OrderLookDeps) {
    this.#deps = deps;
  }

  /** Looks for the orders and executions of the last `days`. Callers of the same moment share one look. */
  async look(accountId: string, days: number, options: CallOptions): Promise<OrderSightings> {
    const within = Math.min(Math.max(1, days), MAX_DAYS);
    return await this.#looks.run(`${accountId} ${within}`, options, (shared) => this.#look(accountId, within, shared));
  }

  /** Orders first: what fills in between is in the executions. */
  async #look(accountId: string, days: number, options: CallOptions): Promise<OrderSightings> {
    const { api, accounts, executions, live } = this.#deps;
    live?.use();
    await accounts.find(accountId, options);
    await api.answer(refreshOrdersRequest(accountId), options);
    await api.clock.wait(REFRESH_MS, options.signal);
    const listed = await this.#list(accountId, options);
    const asOf = api.clock.now();
    const listedTrades = await executions.readTwice(accountId, days, options);
    return {
      orders: await this.#withStreamed(accountId, { listed, asOf }, options),
      trades: await executions.toTrades(accountId, { days, listed: listedTrades }, options),
      asOf,
    };
  }

  async #list(accountId: string, options: CallOptions): Promise<readonly LiveOrder[]> {
    for (let reads = 1; ; reads += 1) {
      const body = await this.#deps.api.read(liveOrdersRequest(accountId), options);
      const { orders, snapshot } = readReply(liveOrdersReply, body, "the orders");
      if (orders.length > 0 || snapshot === true || reads === MAX_LIST_READS)
        return orders.filter((row) => (row.account ?? row.acct) === accountId);
    }
  }

  /** A streamed row counts in any case. It replaces a listed one only when it is newer. */
  async #withStreamed(
    accountId: string,
    { listed, asOf }: { readonly listed: readonly LiveOrder[]; readonly asOf: number },
    options: CallOptions,
  ): Promise<readonly Order[]> {
    const { live, units } = this.#deps;
    const rows = new Map<string | undefined, LiveOrder>();
    for (const row of [...(live?.orders(accountId) ?? []), ...listed, ...(live?.ordersSince(accountId, asOf) ?? [])])
      rows.set(row.orderId, row);
    const unitOf = await units.ofRows([...rows.values()], options);
    return [...rows.values()].flatMap((row) => toOrder(row, unitOf(row)) ?? []);
  }
}
