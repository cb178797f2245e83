import type { CallOptions } from "../broker/broker.ts";
import type { AccountPnl } from "../broker/research.ts";
import type { Accounts } from "./accounts.ts";
import type { Api } from "./api.ts";
import { PARTITIONED_PNL, pnlReply, type PnlRows, toPnl } from "./endpoints/performance.ts";
import { readReply } from "./endpoints/reply.ts";
import { KeptReads } from "./kept-reads.ts";
import type { LivePnl } from "./live-pnl.ts";
import type { Portfolio } from "./portfolio.ts";
import type { ApiRequest } from "./transport.ts";

/** IBKR answers once in five seconds, for all accounts together. */
const FRESH_MS = 5000;
const KEPT_MS = 3 * FRESH_MS;
/** Accounts of one user whose figures are looked at within seconds. */
const MAX_ACCOUNTS = 100;
/** Between a priming call and its repeat. */
const PRIMING_PAUSE_MS = 1000;

interface PnlAt {
  readonly rows: PnlRows;
  readonly asOf: number;
}

export interface ProfitAndLossDeps {
  readonly api: Api;
  readonly accounts: Accounts;
  readonly portfolio: Portfolio;
  /** What the stream tells; without it, IBKR is asked. */
  readonly live?: LivePnl | undefined;
}

/** Profit and loss of the day. */
export class ProfitAndLoss {
  readonly #api: Api;
  readonly #accounts: Accounts;
  readonly #portfolio: Portfolio;
  readonly #live: LivePnl | undefined;
  readonly #rows: KeptReads<PnlAt>;
  readonly #accountsPnl: KeptReads<AccountPnl>;
  /** The session in which IBKR was asked first, which answers nothing yet. */
  #primedIn = -1;

  constructor(deps: ProfitAndLossDeps) {
    this.#api = deps.api;
    this.#accounts = deps.accounts;
    this.#portfolio = deps.portfolio;
    this.#live = deps.live;
    this.#rows = new KeptReads({ clock: deps.api.clock, maxEntries: 1, freshMs: FRESH_MS, keptMs: KEPT_MS });
    this.#accountsPnl = new KeptReads({ clock: deps.api.clock, maxEntries: MAX_ACCOUNTS, freshMs: FRESH_MS });
  }

  /** The account's profit and loss; without a daily figure where IBKR, asked twice, has none yet. */
  async pnl(accountId: string, options: CallOptions): Promise<AccountPnl> {
    const account = await this.#accounts.find(accountId, options);
    return await this.#accountsPnl.read(accountId, options, async (shared) => {
      const [{ rows, asOf }, ledger] = await Promise.all([
        this.#streamed() ?? this.#rows.read("all", shared, (together) => this.#load(together)),
        this.#portfolio.cashLedger(accountId, shared),
      ]);
      return toPnl(rows, { account, ledger }, asOf);
    });
  }

  #streamed(): PnlAt | undefined {
    const told = this.#live?.read();
    return told === undefined ? undefined : { rows: readReply(pnlReply, { upnl: told.rows }, "the profit and loss").upnl, asOf: told.asOf };
  }

  async #load(options: CallOptions): Promise<PnlAt> {
    const { session, clock } = this.#api;
    const read = async (request: ApiRequest) => readReply(pnlReply, await this.#api.read(request, options), "the profit and loss").upnl;
    let rows = await read(PARTITIONED_PNL);
    const isFirst = this.#primedIn !== session.generation;
    this.#primedIn = session.generation;
    if (isFirst && Object.keys(rows).length === 0) {
      await clock.wait(PRIMING_PAUSE_MS, options.signal);
      rows = await read({ ...PARTITIONED_PNL, repeatsPriming: session.wasInitialized });
    }
    return { rows, asOf: clock.now() };
  }
}
