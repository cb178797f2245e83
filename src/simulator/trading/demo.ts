import { Decimal } from "../../lib/decimal.ts";
import type { Market, SimInstrument } from "../market/market.ts";
import type { AccountBooks } from "./account-books.ts";
import { createAccountBooks } from "./account-books.ts";
import { amountOf, exchangedCurrencyOf, tickOf } from "./amounts.ts";
import { commissionOf } from "./commission.ts";
import { venueOf } from "./exchange.ts";
import { newOrder, nextOrderId } from "./new-order.ts";
import type { Execution, Side, SimOrder, Ticket } from "./records.ts";
import { tradingDay } from "./trading-day.ts";
import type { TradingStore } from "./trading-store.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** How long before the first start the demo accounts were opened. */
const ACCOUNT_AGE_DAYS = 180;
/** Half past ten in New York: American and European exchanges trade. */
const TRADING_HOUR_MS = 10.5 * HOUR_MS;
/** A day without trading moves a demo trade back, this far at most. */
const MAX_DAYS_BACK = 7;
/** When today's demo trades took place. */
const TODAYS_TRADES_AGO_MS = 2 * HOUR_MS;
const OPTION_LIFETIME_DAYS = 45;

const CONIDS = {
  AAPL: 265598,
  MSFT: 272093,
  KO: 8894,
  SPY: 756733,
  SAP: 14204,
  ASML: 11785,
  VOD: 29612193,
  VWCE: 75968005,
  SIE: 14094,
  MC: 29612151,
  SHEL: 171056981,
  NESN: 11011951,
};

interface DemoTrade {
  readonly conid: number;
  readonly side: Side;
  readonly quantity: number;
  readonly daysAgo: number;
}

interface DemoOrder {
  readonly conid: number;
  readonly side: Side;
  readonly quantity: number;
  readonly kind: "LMT" | "STP";
  /** Its price as a share of the market's. */
  readonly share: string;
}

interface DemoAccount {
  readonly id: string;
  readonly baseCurrency: string;
  readonly cash: Readonly<Record<string, string>>;
  readonly trades: readonly DemoTrade[];
  readonly today: readonly Omit<DemoTrade, "daysAgo">[];
  readonly working: readonly DemoOrder[];
}

/** Whose accounts a simulator holds: a paper user's, a live-like user's, or those of a (paper) advisor's clients. */
export type UserKind = "paper" | "live" | "advisor";

/** The account of a demo advisor, which holds nothing itself. */
export const MASTER_ACCOUNT_ID = "DF7200000";

const ACCOUNTS: readonly DemoAccount[] = [
  {
    id: "DU7100001",
    baseCurrency: "USD",
    cash: { USD: "250000", EUR: "60000", GBP: "25000", JPY: "1500000" },
    trades: [
      { conid: CONIDS.AAPL, side: "BUY", quantity: 120, daysAgo: 90 },
      { conid: CONIDS.MSFT, side: "BUY", quantity: 60, daysAgo: 75 },
      { conid: CONIDS.SPY, side: "BUY", quantity: 50, daysAgo: 60 },
      { conid: CONIDS.SAP, side: "BUY", quantity: 40, daysAgo: 45 },
      { conid: CONIDS.ASML, side: "BUY", quantity: 8, daysAgo: 40 },
      { conid: CONIDS.VOD, side: "BUY", quantity: 5000, daysAgo: 30 },
      { conid: CONIDS.MSFT, side: "SELL", quantity: 20, daysAgo: 20 },
    ],
    today: [
      { conid: CONIDS.KO, side: "BUY", quantity: 25 },
      { conid: CONIDS.AAPL, side: "SELL", quantity: 20 },
    ],
    working: [
      { conid: CONIDS.MSFT, side: "BUY", quantity: 10, kind: "LMT", share: "0.92" },
      { conid: CONIDS.SPY, side: "SELL", quantity: 50, kind: "STP", share: "0.9" },
    ],
  },
  {
    id: "DU7100002",
    baseCurrency: "EUR",
    cash: { EUR: "150000", USD: "45000", CHF: "12000", GBP: "8000" },
    trades: [
      { conid: CONIDS.VWCE, side: "BUY", quantity: 300, daysAgo: 120 },
      { conid: CONIDS.SIE, side: "BUY", quantity: 50, daysAgo: 80 },
      { conid: CONIDS.MC, side: "BUY", quantity: 6, daysAgo: 55 },
      { conid: CONIDS.SHEL, side: "BUY", quantity: 180, daysAgo: 35 },
      { conid: CONIDS.NESN, side: "BUY", quantity: 70, daysAgo: 28 },
      { conid: CONIDS.KO, side: "BUY", quantity: 100, daysAgo: 25 },
    ],
    today: [{ conid: CONIDS.SIE, side: "SELL", quantity: 10 }],
    working: [{ conid: CONIDS.SIE, side: "SELL", quantity: 20, kind: "LMT", share: "1.07" }],
  },
];

const THIRD_CLIENT: DemoAccount = {
  id: "DU7100003",
  baseCurrency: "USD",
  cash: { USD: "75000" },
  trades: [{ conid: CONIDS.SPY, side: "BUY", quantity: 20, daysAgo: 15 }],
  today: [],
  working: [],
};

/** How account ids begin: a live account's with `U`, a paper one's with `DU`. */
const ID_PREFIXES: Readonly<Record<UserKind, string>> = { paper: "DU71", live: "U71", advisor: "DU72" };

function accountsOf(kind: UserKind): readonly DemoAccount[] {
  const accounts = kind === "advisor" ? [...ACCOUNTS, THIRD_CLIENT] : ACCOUNTS;
  return accounts.map((account) => renamed(account, account.id.replace(/^DU71/, ID_PREFIXES[kind])));
}

function renamed(account: DemoAccount, id: string): DemoAccount {
  return { ...account, id };
}

/** True when these are the ids of the accounts that such a user has. */
export function belongTo(kind: UserKind, accountIds: readonly string[]): boolean {
  return accountIds.every((id) => id.startsWith(ID_PREFIXES[kind]));
}

/** Options of the first demo account, by their underlying: bought calls and a sold put. */
const OPTIONS = [
  { conid: CONIDS.SPY, right: "C", side: "BUY", quantity: 2, daysAgo: 12 },
  { conid: CONIDS.AAPL, right: "P", side: "SELL", quantity: 1, daysAgo: 8 },
] as const;

/**
 * Opens the demo: two paper accounts of Ada Example, one of them not in USD, with cash in several currencies, stocks, funds and
 * options bought earlier at the prices of then, a few working orders, and trades of today where the market was open.
 */
export function openDemoAccounts(store: TradingStore, market: Market, { now, kind = "paper" }: DemoOptions): void {
  const accounts = accountsOf(kind);
  const openedAt = now - ACCOUNT_AGE_DAYS * DAY_MS;
  for (const { id, baseCurrency, cash } of accounts) {
    store.addAccount({ id, title: "Ada Example", baseCurrency, openedAt });
    for (const [currency, amount] of Object.entries(cash))
      store.addDeposit({ accountId: id, currency, amount: Decimal.parse(amount), at: openedAt });
  }
  const demo = { store, market, now, books: createAccountBooks(store, store.accounts()) };
  for (const account of accounts) tradeBefore(demo, { account, withOptions: account === accounts[0] });
  for (const account of accounts) {
    for (const trade of account.today) tradeToday(demo, account.id, trade);
    for (const order of account.working) placeWorking(demo, account.id, order);
  }
}

/** When and for whom the demo is opened. */
export interface DemoOptions {
  /** Epoch ms. */
  readonly now: number;
  readonly kind?: UserKind | undefined;
}

interface Demo {
  readonly store: TradingStore;
  readonly market: Market;
  readonly now: number;
  readonly books: AccountBooks;
}

function tradeBefore({ market, now, books }: Demo, { account, withOptions }: { account: DemoAccount; withOptions: boolean }): void {
  const record = (instrument: SimInstrument | undefined, { side, quantity, daysAgo }: Omit<DemoTrade, "conid">): void => {
    if (instrument === undefined) throw new RangeError("the demo holds an instrument that the market doesn't have");
    const at = tradingTime(market, instrument, now - daysAgo * DAY_MS);
    books.record(executed({ accountId: account.id, instrument, side, quantity, at, market }));
  };
  for (const each of account.trades) record(market.instrument(each.conid), each);
  if (withOptions) for (const each of OPTIONS) record(demoOption(market, each, now), each);
}

/** The option nearest to the money that ends soonest after the demo option's lifetime. */
function demoOption(market: Market, { conid, right }: { conid: number; right: "C" | "P" }, now: number): SimInstrument | undefined {
  const soonest = tradingDay(now + OPTION_LIFETIME_DAYS * DAY_MS).date;
  const expiry = market.expiries(conid, now).find((each) => each >= soonest);
  const spot = market.quote(conid, now).last.toApproximation();
  const strike = market.strikes(conid).reduce((best, each) => (Math.abs(each - spot) < Math.abs(best - spot) ? each : best));
  return expiry === undefined ? undefined : market.option({ underlyingConid: conid, expiry, right, strike });
}

/** Half past ten in New York of that day, or of the nearest day before on which the instrument trades then. */
function tradingTime(market: Market, instrument: SimInstrument, near: number): number {
  const candidates = Array.from({ length: MAX_DAYS_BACK }, (_, back) => tradingDay(near - back * DAY_MS).startsAt + TRADING_HOUR_MS);
  return candidates.find((at) => market.isOpen(instrument.conid, at, false)) ?? near;
}

interface TradeInput {
  readonly accountId: string;
  readonly instrument: SimInstrument;
  readonly side: Side;
  readonly quantity: number;
  readonly at: number;
  readonly market: Market;
}

function executed({ accountId, instrument, side, quantity, at, market }: TradeInput): Omit<Execution, "executionId"> {
  const quote = market.quote(instrument.conid, at);
  const price = side === "BUY" ? quote.ask : quote.bid;
  const shares = Decimal.fromInteger(quantity);
  const amount = amountOf(instrument, price, shares);
  return {
    accountId,
    orderId: undefined,
    clientOrderId: undefined,
    conid: instrument.conid,
    side,
    quantity: shares,
    price,
    amount,
    commission: commissionOf(instrument, shares, amount),
    currency: instrument.currency,
    exchangedCurrency: exchangedCurrencyOf(instrument),
    exchange: venueOf(instrument),
    at,
  };
}

/** A market order that was filled today; none where the market was closed then. */
function tradeToday(demo: Demo, accountId: string, { conid, side, quantity }: Omit<DemoTrade, "daysAgo">): void {
  const { store, market, now, books } = demo;
  const instrument = market.instrument(conid);
  const dayStart = tradingDay(now).startsAt;
  const at = Math.max(now - TODAYS_TRADES_AGO_MS, Math.floor((dayStart + now) / 2));
  if (instrument === undefined || !market.isOpen(conid, at, false)) return;
  const execution = executed({ accountId, instrument, side, quantity, at, market });
  const order = {
    ...blankOrder(demo, { accountId, conid, side, quantity }),
    kind: "MKT",
    tif: "DAY",
    placedAt: at,
    activeFrom: at,
  } as const;
  books.record({ ...execution, orderId: order.id, clientOrderId: order.clientOrderId });
  const filledValue = execution.price.times(execution.quantity);
  const { quantity: filled, commission } = execution;
  store.saveOrder({ ...order, state: "filled", arrived: true, filled, filledValue, commission, updatedAt: at });
}

function placeWorking(demo: Demo, accountId: string, { conid, side, quantity, kind, share }: DemoOrder): void {
  const instrument = demo.market.instrument(conid);
  if (instrument === undefined) throw new RangeError(`the market doesn't have the demo's conid ${conid}`);
  const wanted = demo.market.quote(conid, demo.now).last.times(Decimal.parse(share));
  const price = wanted.roundToStep(tickOf(instrument, wanted));
  const blank = blankOrder(demo, { accountId, conid, side, quantity });
  const prices = kind === "LMT" ? { limitPrice: price } : { stopPrice: price };
  demo.store.saveOrder({ ...blank, kind, ...prices });
}

function blankOrder({ store, now }: Demo, terms: Pick<DemoTrade, "conid" | "side" | "quantity"> & { accountId: string }): SimOrder {
  const id = nextOrderId(store);
  const ticket: Ticket = {
    ...terms,
    quantity: Decimal.fromInteger(terms.quantity),
    kind: "LMT",
    limitPrice: undefined,
    stopPrice: undefined,
    tif: "GTC",
    outsideRth: false,
    clientOrderId: `demo-${id}`,
  };
  return newOrder(ticket, id, now);
}
