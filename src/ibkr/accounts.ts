import type { Account } from "../broker/account.ts";
import type { CallOptions } from "../broker/broker.ts";
import { GatewayError } from "../lib/errors.ts";
import type { Api } from "./api.ts";
import { PORTFOLIO_ACCOUNTS, portfolioAccountsReply, type PortfolioAccount } from "./endpoints/portfolio.ts";
import { readReply } from "./endpoints/reply.ts";
import { ownAccountIds, selectRequest } from "./endpoints/session.ts";
import { SelectedAccount } from "./selected-account.ts";
import { SharedReads } from "./shared-reads.ts";

/** The connection's sub-accounts; which of them IBKR has selected in the user's session is never seen outside. */
export class Accounts {
  readonly #api: Api;
  readonly #reads = new SharedReads<readonly PortfolioAccount[]>();
  readonly #selection: () => SelectedAccount;
  #portfolio: { readonly generation: number; readonly rows: readonly PortfolioAccount[] } | undefined;
  #list: { readonly generation: number; readonly accounts: readonly Account[] } | undefined;
  #selectedIn = -1;

  /** `selection` is shared by all links of the user; asked for at each use, since the user may become known late. */
  constructor(api: Api, selection?: () => SelectedAccount) {
    this.#api = api;
    const own = new SelectedAccount(api.clock);
    this.#selection = selection ?? (() => own);
  }

  /** The sub-accounts in IBKR's order, without `All` and groups. */
  list(options: CallOptions): Promise<readonly Account[]> {
    const { session } = this.#api;
    if (session.isReady && this.#list?.generation === session.generation) return Promise.resolve(this.#list.accounts);
    return this.#load(options);
  }

  /** The account with this id. Throws `unknown_account` when it isn't one of this connection. */
  async find(accountId: string, options: CallOptions): Promise<Account> {
    const accounts = await this.list(options);
    const account = accounts.find((candidate) => candidate.accountId === accountId);
    if (account !== undefined) return account;
    throw new GatewayError("unknown_account", `This connection has no account ${accountId}.`, {
      whatToDo: "Use one of the connection's accounts; get_accounts lists them.",
      details: { accounts: accounts.map((candidate) => candidate.accountId) },
    });
  }

  /** Makes sure that IBKR answers `/portfolio` reads in this session, and that the account is one of the connection. */
  async openPortfolio(accountId: string, options: CallOptions): Promise<Account> {
    await this.#portfolioAccounts(options);
    return await this.find(accountId, options);
  }

  /**
   * Runs a read that IBKR answers for the selected account only: selects the account where another one is or may be, and
   * lets none of the user's links select another meanwhile.
   */
  async withSelected<T>(accountId: string, options: CallOptions, read: () => Promise<T>): Promise<T> {
    await this.find(accountId, options);
    const { session } = this.#api;
    if (session.accounts?.accounts.length === 1) return await read();
    const select = async () => void (await this.#api.read(selectRequest(accountId), options));
    await session.ready(options.signal);
    const selection = this.#selection();
    if (this.#selectedIn !== session.generation) selection.forget();
    this.#selectedIn = session.generation;
    return await selection.run(accountId, { select, read }, options.signal);
  }

  async #load(options: CallOptions): Promise<readonly Account[]> {
    const rows = await this.#portfolioAccounts(options);
    const { session } = this.#api;
    const byId = new Map(rows.map((row) => [row.accountId, row]));
    const accounts = ownAccountIds(session.accounts).map((accountId): Account => {
      const row = byId.get(accountId);
      return { accountId, title: row?.accountTitle ?? row?.displayName, type: row?.type, baseCurrency: row?.currency };
    });
    this.#list = { generation: session.generation, accounts };
    return accounts;
  }

  async #portfolioAccounts(options: CallOptions): Promise<readonly PortfolioAccount[]> {
    await this.#api.session.ready(options.signal);
    const { generation } = this.#api.session;
    if (this.#portfolio?.generation === generation) return this.#portfolio.rows;
    return await this.#reads.run(`accounts of session ${generation}`, options, async (shared) => {
      const body = await this.#api.read(PORTFOLIO_ACCOUNTS, shared);
      const rows = readReply(portfolioAccountsReply, body, "the accounts");
      this.#portfolio = { generation: this.#api.session.generation, rows };
      return rows;
    });
  }
}
