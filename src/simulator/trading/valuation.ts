import { Decimal } from "../../lib/decimal.ts";
import type { Market, SimInstrument } from "../market/market.ts";
import type { AccountBook, Position } from "./account-book.ts";
import { currencyPriceOf, unitValueOf } from "./amounts.ts";
import type { DayStartPrices } from "./day-start-prices.ts";
import { BORROWED_CURRENCY, LEVERAGE, REGULATION_T, marginOf } from "./margin.ts";
import type { MarginInput } from "./margin.ts";
import type { SimAccount } from "./records.ts";
import { tradingDay } from "./trading-day.ts";

/** One position and its worth. Everything is in the instrument's currency. */
export interface Holding {
  readonly instrument: SimInstrument;
  readonly position: Position;
  /** Last price, in currency (not in pence), without the multiplier. */
  readonly price: Decimal;
  readonly value: Decimal;
  readonly unrealized: Decimal;
  /** Today's profit, realised or not: value now − value at the day's start − what was put in today. */
  readonly daily: Decimal;
  readonly margin: Decimal;
  /** True when options on it are listed. */
  readonly hasOptions: boolean;
  /** Units of the account's base currency for one of this currency. */
  readonly rate: Decimal;
}

/** Everything in one currency, or the account's total in its base currency. */
export interface CurrencyTotals {
  readonly currency: string;
  readonly rate: Decimal;
  readonly cash: Decimal;
  readonly settledCash: Decimal;
  readonly stockValue: Decimal;
  readonly optionValue: Decimal;
  readonly netLiquidation: Decimal;
  readonly unrealized: Decimal;
  readonly realizedToday: Decimal;
  readonly daily: Decimal;
}

/** An account at one instant. Margin figures and `total` are in the base currency. */
export interface AccountValuation {
  readonly account: SimAccount;
  readonly at: number;
  readonly holdings: readonly Holding[];
  readonly currencies: readonly CurrencyTotals[];
  readonly total: CurrencyTotals;
  /** Cash and stocks: what is lent against. Options don't count. */
  readonly equityWithLoan: Decimal;
  readonly grossPositionValue: Decimal;
  readonly initialMargin: Decimal;
  readonly maintenanceMargin: Decimal;
  readonly regulationTMargin: Decimal;
  readonly availableFunds: Decimal;
  readonly excessLiquidity: Decimal;
  readonly buyingPower: Decimal;
}

/** What a valuation looks prices up in. */
export interface ValuationContext {
  readonly market: Market;
  readonly priceAtDayStart: DayStartPrices;
  /** Epoch ms. */
  readonly at: number;
}

/** Values an account's book at an instant. The margin at the beginning of a position and later are the same here. */
export function valueAccount(account: SimAccount, book: AccountBook, context: ValuationContext): AccountValuation {
  const { market, at } = context;
  const rates = new Map<string, Decimal>();
  const rateOf = (currency: string): Decimal => {
    const rate = rates.get(currency) ?? market.rate(currency, account.baseCurrency, at);
    rates.set(currency, rate);
    return rate;
  };
  const dayStart = tradingDay(at).startsAt;
  const holdings = book.positions.flatMap((position): readonly Holding[] => {
    const instrument = market.instrument(position.conid);
    if (instrument === undefined) return [];
    return [holdingOf({ instrument, position, context, dayStart, rate: rateOf(position.currency) })];
  });
  const names = new Set([account.baseCurrency, ...book.cash.keys(), ...holdings.map(({ position }) => position.currency)]);
  const currencies = [...names].map((currency) => totalsOf(currency, { book, holdings, rate: rateOf(currency) }));
  const total = sumInBase(currencies);
  const borrowed = Decimal.sum(currencies.map(({ cash, rate }) => Decimal.max(Decimal.zero, cash.negated()).times(rate)));
  const margin = Decimal.sum(holdings.map((holding) => holding.margin.times(holding.rate))).plus(borrowed.times(BORROWED_CURRENCY));
  const gross = Decimal.sum(holdings.map((holding) => holding.value.abs().times(holding.rate)));
  const equityWithLoan = total.cash.plus(total.stockValue);
  const availableFunds = equityWithLoan.minus(margin);
  return {
    account,
    at,
    holdings,
    currencies,
    total,
    equityWithLoan,
    grossPositionValue: gross,
    initialMargin: margin,
    maintenanceMargin: margin,
    regulationTMargin: Decimal.sum(stocks(holdings).map((holding) => holding.value.abs().times(holding.rate))).times(REGULATION_T),
    availableFunds,
    excessLiquidity: equityWithLoan.minus(margin),
    buyingPower: Decimal.max(Decimal.zero, availableFunds.times(LEVERAGE)),
  };
}

/** What the margin of an instrument is computed from at an instant. */
export function marginInput(market: Market, instrument: SimInstrument, at: number): MarginInput {
  const underlying = instrument.underlyingConid === undefined ? undefined : market.instrument(instrument.underlyingConid);
  const underlyingPrice = underlying === undefined ? undefined : market.quote(underlying.conid, at).last;
  return { instrument, price: market.quote(instrument.conid, at).last, underlying, underlyingPrice };
}

interface HoldingInput {
  readonly instrument: SimInstrument;
  readonly position: Position;
  readonly context: ValuationContext;
  readonly dayStart: number;
  readonly rate: Decimal;
}

function holdingOf({ instrument, position, context, dayStart, rate }: HoldingInput): Holding {
  const { quantity, quantityAtDayStart, cost, investedToday } = position;
  const input = marginInput(context.market, instrument, context.at);
  const value = unitValueOf(instrument, input.price).times(quantity);
  const priceBefore = quantityAtDayStart.isZero() ? Decimal.zero : context.priceAtDayStart(instrument.conid, dayStart);
  const valueBefore = unitValueOf(instrument, priceBefore).times(quantityAtDayStart);
  return {
    instrument,
    position,
    price: currencyPriceOf(instrument, input.price),
    value,
    unrealized: value.minus(cost),
    daily: value.minus(valueBefore).minus(investedToday),
    margin: marginOf(input, quantity),
    hasOptions: context.market.strikes(instrument.conid).length > 0,
    rate,
  };
}

function stocks(holdings: readonly Holding[]): readonly Holding[] {
  return holdings.filter(({ instrument }) => instrument.secType !== "OPT");
}

interface TotalsInput {
  readonly book: AccountBook;
  readonly holdings: readonly Holding[];
  readonly rate: Decimal;
}

function totalsOf(currency: string, { book, holdings, rate }: TotalsInput): CurrencyTotals {
  const own = holdings.filter(({ position }) => position.currency === currency);
  const cash = book.cash.get(currency) ?? Decimal.zero;
  const stockValue = Decimal.sum(stocks(own).map(({ value }) => value));
  const value = Decimal.sum(own.map((holding) => holding.value));
  return {
    currency,
    rate,
    cash,
    settledCash: cash.minus(book.unsettledCash.get(currency) ?? Decimal.zero),
    stockValue,
    optionValue: value.minus(stockValue),
    netLiquidation: cash.plus(value),
    unrealized: Decimal.sum(own.map(({ unrealized }) => unrealized)),
    realizedToday: Decimal.sum(own.map(({ position }) => position.realizedToday)),
    daily: Decimal.sum(own.map(({ daily }) => daily)),
  };
}

function sumInBase(currencies: readonly CurrencyTotals[]): CurrencyTotals {
  const sum = (figure: (totals: CurrencyTotals) => Decimal): Decimal =>
    Decimal.sum(currencies.map((totals) => figure(totals).times(totals.rate)));
  return {
    currency: "BASE",
    rate: Decimal.one,
    cash: sum(({ cash }) => cash),
    settledCash: sum(({ settledCash }) => settledCash),
    stockValue: sum(({ stockValue }) => stockValue),
    optionValue: sum(({ optionValue }) => optionValue),
    netLiquidation: sum(({ netLiquidation }) => netLiquidation),
    unrealized: sum(({ unrealized }) => unrealized),
    realizedToday: sum(({ realizedToday }) => realizedToday),
    daily: sum(({ daily }) => daily),
  };
}
