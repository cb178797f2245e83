import type { AccountSummary, CashLedger, Position } from "../broker/account.ts";
import type { CallOptions } from "../broker/broker.ts";
import { GatewayError } from "../lib/errors.ts";
import type { Accounts } from "./accounts.ts";
import type { Api } from "./api.ts";
import * as wire from "./endpoints/portfolio.ts";
import { readReply } from "./endpoints/reply.ts";
import { SharedReads } from "./shared-reads.ts";
import type { ApiRequest } from "./transport.ts";

/** What the accounts hold and are worth. */
export class Portfolio {
  readonly #api: Api;
  readonly #accounts: Accounts;
  readonly #positions = new SharedReads<readonly Position[]>();
  readonly #ledgers = new SharedReads<CashLedger>();
  readonly #summaries = new SharedReads<AccountSummary>();

  constructor(api: Api, accounts: Accounts) {
    this.#api = api;
    this.#accounts = accounts;
  }

  /** All positions, every page, as IBKR completes them on a second read. */
  async positions(accountId: string, options: CallOptions): Promise<readonly Position[]> {
    return await this.#positions.run(accountId, options, async (shared) => {
      await this.#accounts.openPortfolio(accountId, shared);
      return await this.#allPositions(accountId, shared);
    });
  }

  async cashLedger(accountId: string, options: CallOptions): Promise<CashLedger> {
    return await this.#ledgers.run(accountId, options, async (shared) => {
      const account = await this.#accounts.openPortfolio(accountId, shared);
      const body = await this.#read(wire.portfolioRequest(accountId, "ledger"), accountId, shared);
      const reply = readReply(wire.ledgerReply, body, "the cash ledger");
      return wire.toLedger(reply, { accountId, baseCurrency: account.baseCurrency ?? "BASE" }, this.#api.clock.now());
    });
  }

  async summary(accountId: string, options: CallOptions): Promise<AccountSummary> {
    return await this.#summaries.run(accountId, options, async (shared) => {
      const account = await this.#accounts.openPortfolio(accountId, shared);
      const body = await this.#read(wire.portfolioRequest(accountId, "summary"), accountId, shared);
      const reply = readReply(wire.summaryReply, body, "the account's figures");
      return wire.toSummary(reply, { accountId, baseCurrency: account.baseCurrency }, this.#api.clock.now());
    });
  }

  /** Reads what IBKR answers only in a session in which it has listed the accounts. */
  #read(request: ApiRequest, accountId: string, options: CallOptions): Promise<unknown> {
    return this.#api.read(request, options, { prepare: () => this.#accounts.openPortfolio(accountId, options) });
  }

  async #allPositions(accountId: string, options: CallOptions): Promise<readonly Position[]> {
    const rows: wire.PositionRow[] = [];
    for (let page = 0; page < wire.MAX_POSITION_PAGES; page += 1) {
      const found = await this.#positionsPage(accountId, page, options);
      if (found.length === 0) return rows.flatMap((row) => wire.toPosition(row) ?? []);
      rows.push(...found);
    }
    throw new GatewayError("broker_error", "IBKR lists more positions than this gateway reads (5,000).", {
      whatToDo: "Use an account with fewer positions.",
    });
  }

  async #positionsPage(accountId: string, page: number, options: CallOptions): Promise<wire.PositionRow[]> {
    const read = async () =>
      readReply(wire.positionsReply, await this.#read(wire.positionsRequest(accountId, page), accountId, options), "the positions");
    const rows = await read();
    return rows.every(wire.isEnriched) ? rows : await read();
  }
}
