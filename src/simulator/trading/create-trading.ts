import type { DatabaseSync } from "node:sqlite";
import type { Random } from "../../lib/random.ts";
import { Faults } from "../control/faults.ts";
import type { Market } from "../market/market.ts";
import { createAccountBooks } from "./account-books.ts";
import { DeskFaults } from "./desk-faults.ts";
import { createDayStartPrices } from "./day-start-prices.ts";
import { belongTo, openDemoAccounts } from "./demo.ts";
import type { UserKind } from "./demo.ts";
import { Exchange } from "./exchange.ts";
import { createOrderDesk } from "./order-desk.ts";
import { createTradingStore } from "./trading-store.ts";
import type { Trading } from "./trading.ts";
import { valueAccount } from "./valuation.ts";
import type { AccountValuation } from "./valuation.ts";

export interface TradingDeps {
  readonly market: Market;
  readonly random: Random;
  /** Where everything is kept; it stays the caller's to close. */
  readonly store: DatabaseSync;
  /** Epoch ms at which the simulation starts, or goes on. */
  readonly now: number;
  /** What is made to go wrong on purpose; nothing by default. */
  readonly faults?: Faults;
}

export interface TradingOptions {
  /** How long a cancellation is under way; until then a fill can still win. At once, with the next request, by default. */
  readonly cancelDelayMs?: number | undefined;
  /** Share of confirmations that came too late whose order goes live all the same, 0 to 1. A quarter by default. */
  readonly lateOrderShare?: number | undefined;
  /** Whose accounts an empty store is filled with; a paper user's by default. */
  readonly user?: UserKind | undefined;
}

const LATE_ORDER_SHARE = 0.25;

/** Opens the simulated brokerage over its database, and fills an empty one with the demo accounts. */
export function createTrading(
  { market, random, store: database, now, faults = new Faults() }: TradingDeps,
  options: TradingOptions = {},
): Trading {
  const store = createTradingStore(database);
  if (store.accounts().length === 0) store.atomically(() => openDemoAccounts(store, market, { now, kind: options.user }));
  const accounts = store.accounts();
  const ids = accounts.map(({ id }) => id);
  if (!belongTo(options.user ?? "paper", ids))
    throw new Error(`the state file holds the accounts of another kind of user: ${ids.join(", ")}`);
  const books = createAccountBooks(store, accounts);
  const exchange = new Exchange({ market, store, books, now, cancelDelayMs: options.cancelDelayMs ?? 0 });
  // What happened while the simulator was stopped, or since the last write before a crash.
  exchange.advance(now);
  const priceAtDayStart = createDayStartPrices(market);
  const valuation = (accountId: string, at: number): AccountValuation => {
    const account = accounts.find(({ id }) => id === accountId);
    if (account === undefined) throw new RangeError(`unknown account: ${accountId}`);
    return valueAccount(account, books.of(accountId), { market, priceAtDayStart, at });
  };
  const lateOrderShare = options.lateOrderShare ?? LATE_ORDER_SHARE;
  const desk = createOrderDesk({ market, random, store, exchange, lateOrderShare, faults: new DeskFaults(faults, store), valuation });
  return {
    accountIds: accounts.map((account) => account.id),
    desk,
    account: (accountId) => accounts.find((account) => account.id === accountId),
    valuation,
    order: (orderId) => store.order(orderId),
    orders: (accountId, since) => store.orders(accountId, since),
    executions: (accountId, since) => store.executions(accountId, since),
    history: (accountId) => ({ deposits: store.deposits(accountId), executions: [...store.everyExecution(accountId)] }),
    advance: (at) => {
      exchange.advance(at);
      desk.advance(at);
    },
    sessionEnded: (userName) => desk.sessionEnded(userName),
    close: () => exchange.save(),
  };
}
