import type { Account } from "../broker/account.ts";
import type { CallOptions } from "../broker/broker.ts";
import type { Performance, PerformancePeriod } from "../broker/research.ts";
import { GatewayError } from "../lib/errors.ts";
import type { Accounts } from "./accounts.ts";
import type { Api } from "./api.ts";
import * as wire from "./endpoints/performance.ts";
import { readReply } from "./endpoints/reply.ts";
import { KeptReads } from "./kept-reads.ts";

/** IBKR answers once in 15 minutes; an hour-old answer, which says its time, is better than none. */
const FRESH_MS = 900_000;
const KEPT_MS = 4 * FRESH_MS;
const SELDOM = "IBKR tells performance once in 15 minutes, and was asked within the last ones.";
/** Accounts that are asked for together; an advisor with more gets each by itself. */
const MAX_TOGETHER = 20;
/** Answers about single accounts and periods. */
const MAX_SINGLE = 200;
/** What an answer about all periods may fail with, while one about a single period may still come. */
const MAY_BE_SINGLE = new Set(["broker_rejected", "broker_error", "rate_limited"]);

/** Value and returns over time. One call brings all periods of all accounts, because IBKR answers it so seldom. */
export class Performances {
  readonly #api: Api;
  readonly #accounts: Accounts;
  readonly #all: KeptReads<{ readonly reply: Readonly<Record<string, unknown>>; readonly asOf: number }>;
  readonly #single: KeptReads<Performance>;

  constructor(api: Api, accounts: Accounts) {
    this.#api = api;
    this.#accounts = accounts;
    this.#all = new KeptReads({ clock: api.clock, maxEntries: MAX_TOGETHER, freshMs: FRESH_MS, keptMs: KEPT_MS });
    this.#single = new KeptReads({ clock: api.clock, maxEntries: MAX_SINGLE, freshMs: FRESH_MS, keptMs: KEPT_MS, seldom: SELDOM });
  }

  async performance(accountId: string, period: PerformancePeriod, options: CallOptions): Promise<Performance> {
    const account = await this.#accounts.find(accountId, options);
    const kept = this.#single.fresh(`${accountId} ${period}`);
    if (kept !== undefined) return kept;
    return (await this.#ofAll(account, period, options)) ?? (await this.#ofOne(account, period, options));
  }

  /** Undefined where IBKR's answer about all periods doesn't come or lacks this one. */
  async #ofAll(account: Account, period: PerformancePeriod, options: CallOptions): Promise<Performance | undefined> {
    const accounts = await this.#accounts.list(options);
    const accountIds = accounts.length > MAX_TOGETHER ? [account.accountId] : accounts.map(({ accountId }) => accountId);
    try {
      const { reply, asOf } = await this.#all.read(accountIds.join(" "), options, async (shared) => {
        const body = await this.#api.read(wire.allPeriodsRequest(accountIds), shared);
        return { reply: readReply(wire.allPeriodsReply, body, "the performance"), asOf: this.#api.clock.now() };
      });
      const series = wire.seriesOfPeriods(reply, account.accountId, wire.wirePeriod(period));
      return series === undefined ? undefined : wire.toPerformance(series, { account, period, asOf });
    } catch (error) {
      if (error instanceof GatewayError && MAY_BE_SINGLE.has(error.code)) return undefined;
      throw error;
    }
  }

  async #ofOne(account: Account, period: PerformancePeriod, options: CallOptions): Promise<Performance> {
    const { accountId } = account;
    return await this.#single.read(`${accountId} ${period}`, options, async (shared) => {
      const body = await this.#api.read(wire.performanceRequest(accountId, wire.wirePeriod(period)), shared);
      const series = wire.seriesOfPerformance(readReply(wire.performanceReply, body, "the performance"), accountId);
      const none = { currency: undefined, startDate: undefined, startValue: undefined, points: [] };
      return wire.toPerformance(series ?? none, { account, period, asOf: this.#api.clock.now() });
    });
  }
}
