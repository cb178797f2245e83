import type { CallOptions } from "../broker/broker.ts";
import type { Trade } from "../broker/order.ts";
import { BoundedCache } from "../lib/bounded-cache.ts";
import type { Accounts } from "./accounts.ts";
import type { Api } from "./api.ts";
import { readReply } from "./endpoints/reply.ts";
import {
  accountOf,
  type Execution,
  mergeExecution,
  timeOf,
  toTrade,
  type TradeRow,
  tradesReply,
  tradesRequest,
} from "./endpoints/trades.ts";
import type { LiveOrders } from "./live-orders.ts";
import type { PriceUnits } from "./price-units.ts";
import type { PrimedReads } from "./primed-reads.ts";
import { SharedReads } from "./shared-reads.ts";
import type { ApiRequest } from "./transport.ts";

/** IBKR answers this list once in five seconds. */
const LISTED_MS = 5000;
const LISTS = { maxEntries: 50, ttlMs: LISTED_MS };
const DAY_MS = 86_400_000;

export interface ExecutionsDeps {
  readonly api: Api;
  readonly accounts: Accounts;
  readonly units: PriceUnits;
  readonly primed: PrimedReads;
  readonly live: LiveOrders | undefined;
}

/** An account's executions: what IBKR lists and what the stream told, by execution id. */
export class Executions {
  readonly #deps: ExecutionsDeps;
  readonly #lists: BoundedCache<string, readonly Execution[]>;
  readonly #reads = new SharedReads<readonly Execution[]>();

  constructor(deps: ExecutionsDeps) {
    this.#deps = deps;
    this.#lists = new BoundedCache({ clock: deps.api.clock, ...LISTS });
  }

  /** Executions of the last days. `changes` counts what was sent: a list from before a sending isn't served after it. */
  async list(accountId: string, { days, changes }: { days: number; changes: number }, options: CallOptions): Promise<readonly Trade[]> {
    this.#deps.live?.use();
    const key = `${accountId} ${days} ${changes}`;
    const listed =
      this.#lists.get(key) ??
      (await this.#reads.run(key, options, async (shared) => {
        const read = await this.read(accountId, days, shared);
        this.#lists.set(key, read);
        return read;
      }));
    return await this.toTrades(accountId, { days, listed }, options);
  }

  /** Reads IBKR's list, and again when a session's first one is empty. */
  async read(accountId: string, days: number, options: CallOptions): Promise<readonly Execution[]> {
    const { accounts, primed } = this.#deps;
    const rows = await accounts.withSelected(accountId, options, () =>
      primed.read(tradesRequest(days), (request) => this.#rows(request, options), options),
    );
    return this.#heard(accountId, rows);
  }

  /** Reads IBKR's list twice when it is empty, in any session. */
  async readTwice(accountId: string, days: number, options: CallOptions): Promise<readonly Execution[]> {
    const read = async () => await this.#deps.accounts.withSelected(accountId, options, () => this.#rows(tradesRequest(days), options));
    const rows = await read();
    return this.#heard(accountId, rows.length > 0 ? rows : await read());
  }

  async #rows(request: ApiRequest, options: CallOptions): Promise<TradeRow[]> {
    return readReply(tradesReply, await this.#deps.api.read(request, options), "the executions");
  }

  #heard(accountId: string, rows: readonly TradeRow[]): readonly Execution[] {
    const heardAt = this.#deps.api.clock.now();
    return rows.filter((row) => accountOf(row) === accountId).map((row) => ({ row, heardAt }));
  }

  /** Merges IBKR's list with what the stream told of the same days. */
  async toTrades(
    accountId: string,
    { days, listed }: { readonly days: number; readonly listed: readonly Execution[] },
    options: CallOptions,
  ): Promise<readonly Trade[]> {
    const { live, api, units } = this.#deps;
    const since = api.clock.now() - days * DAY_MS;
    const streamed = new Map((live?.executions(accountId) ?? []).map((execution) => [execution.row.execution_id, execution]));
    const ids = new Set(listed.map(({ row }) => row.execution_id));
    const all = [
      ...listed.map((execution) => mergeExecution(streamed.get(execution.row.execution_id), execution)),
      ...[...streamed.values()].filter((execution) => !ids.has(execution.row.execution_id) && timeOf(execution) >= since),
    ];
    const unitOf = await units.ofRows(
      all.map(({ row }) => row),
      options,
    );
    return all.flatMap((execution) => toTrade(execution, unitOf(execution.row)) ?? []);
  }
}
