import type { CallOptions } from "../broker/broker.ts";
import type { Transactions, TransactionsRequest } from "../broker/research.ts";
import type { Accounts } from "./accounts.ts";
import type { Api } from "./api.ts";
import type { Contracts } from "./contracts.ts";
import { readReply } from "./endpoints/reply.ts";
import { toTransactions, transactionsReply, transactionsRequest } from "./endpoints/transactions.ts";
import { KeptReads } from "./kept-reads.ts";
import { addDays } from "./zoned-clock.ts";

/** IBKR answers once in 15 minutes; an hour-old answer, which says its time, is better than none. */
const FRESH_MS = 900_000;
const KEPT_MS = 4 * FRESH_MS;
const SELDOM = "IBKR tells the transactions of one contract in 15 minutes, and was asked for another one within the last.";
/** Contracts whose transactions are kept. */
const MAX_CONTRACTS = 100;
/** What is asked for whatever the caller wants, so that the one answer in 15 minutes serves every caller. */
const ALL_DAYS = 365;
/** Accounts that are asked for together; an advisor with more gets each by itself. */
const MAX_TOGETHER = 20;

interface Answered {
  readonly reply: ReturnType<typeof transactionsReply.parse>;
  readonly asOf: number;
}

/** Past transactions by contract. One call brings a year of all accounts, because IBKR answers it so seldom. */
export class TransactionLists {
  readonly #api: Api;
  readonly #accounts: Accounts;
  readonly #contracts: Contracts;
  readonly #kept: KeptReads<Answered>;

  constructor(deps: { readonly api: Api; readonly accounts: Accounts; readonly contracts: Contracts }) {
    this.#api = deps.api;
    this.#accounts = deps.accounts;
    this.#contracts = deps.contracts;
    this.#kept = new KeptReads({ clock: deps.api.clock, maxEntries: MAX_CONTRACTS, freshMs: FRESH_MS, keptMs: KEPT_MS, seldom: SELDOM });
  }

  async transactions({ accountId, conid, days }: TransactionsRequest, options: CallOptions): Promise<Transactions> {
    await this.#accounts.find(accountId, options);
    const instrument = await this.#contracts.instrument(conid, options);
    const magnifier = await this.#contracts.magnifier(instrument, options);
    const accounts = await this.#accounts.list(options);
    const accountIds = accounts.length > MAX_TOGETHER ? [accountId] : accounts.map((account) => account.accountId);
    const { reply, asOf } = await this.#kept.read(`${conid} ${accountIds.join(" ")}`, options, async (shared) => {
      const request = transactionsRequest(accountIds, { conid, currency: instrument.currency, days: ALL_DAYS });
      const body = await this.#api.read(request, shared);
      return { reply: readReply(transactionsReply, body, "the transactions"), asOf: this.#api.clock.now() };
    });
    const today = new Date(asOf).toISOString().slice(0, 10);
    const found = toTransactions(reply, { accountId, instrument, magnifier, since: addDays(today, -days) });
    return { accountId, conid, days, currency: instrument.currency, ...found, asOf };
  }
}
