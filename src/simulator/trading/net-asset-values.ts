import { Decimal } from "../../lib/decimal.ts";
import { compactDate, parseCompactDate, weekday } from "../market/calendar/civil-date.ts";
import type { Market } from "../market/market.ts";
import { AccountBook } from "./account-book.ts";
import { unitValueOf } from "./amounts.ts";
import type { Deposit, Execution, SimAccount } from "./records.ts";
import { tradingDay } from "./trading-day.ts";

/** Everything that ever happened in an account, oldest first. */
export interface AccountHistory {
  readonly deposits: readonly Deposit[];
  readonly executions: readonly Execution[];
}

/** What an account was worth at the end of a day, in its base currency. */
export interface DayValue {
  /** `YYYYMMDD` in New York. */
  readonly date: string;
  readonly value: Decimal;
  /** Money paid in that day (out, when negative): no profit. */
  readonly flow: Decimal;
}

/** Whose value is asked for, from which day on. */
export interface NetAssetValuesRequest {
  readonly account: SimAccount;
  readonly history: AccountHistory;
  readonly market: Market;
  readonly now: number;
  /** Net liquidation value at `now`: the last day's value. */
  readonly present: Decimal;
}

/**
 * Values an account at the end of each weekday since it was opened, by the closing prices of these days; the last value is the present one.
 * Deposits and executions are counted on the day in which they took place.
 */
export function netAssetValues({ account, history, market, now, present }: NetAssetValuesRequest): readonly DayValue[] {
  const book = new AccountBook();
  const deposits = [...history.deposits].toSorted((a, b) => a.at - b.at);
  const executions = [...history.executions];
  const today = dayOf(tradingDay(now).date);
  const values: DayValue[] = [];
  for (let day = dayOf(tradingDay(account.openedAt).date); day <= today; day += 1) {
    const isLast = day === today;
    if (!isLast && (weekday(day) === 0 || weekday(day) === 6)) continue;
    const end = isLast ? now : tradingDay(dayMiddle(day)).endsAt - 1;
    let flow = Decimal.zero;
    for (let next = deposits[0]; next !== undefined && next.at <= end; next = deposits[0]) {
      book.deposit(next);
      flow = flow.plus(next.amount.times(market.rate(next.currency, account.baseCurrency, end)));
      deposits.shift();
    }
    for (let next = executions[0]; next !== undefined && next.at <= end; next = executions[0]) {
      book.apply(next);
      executions.shift();
    }
    values.push({ date: compactDate(day), value: isLast ? present : valueOf(book, { account, market, day, end }), flow });
  }
  return values;
}

interface Closing {
  readonly account: SimAccount;
  readonly market: Market;
  readonly day: number;
  readonly end: number;
}

function valueOf(book: AccountBook, { account, market, day, end }: Closing): Decimal {
  const inBase = (currency: string, amount: Decimal): Decimal => amount.times(market.rate(currency, account.baseCurrency, end));
  const cash = Decimal.sum([...book.cash].map(([currency, amount]) => inBase(currency, amount)));
  const held = book.positions.flatMap(({ conid, currency, quantity }) => {
    const instrument = market.instrument(conid);
    if (instrument === undefined || quantity.isZero()) return [];
    return inBase(currency, unitValueOf(instrument, closeOn(market, conid, { day, end })).times(quantity));
  });
  return cash.plus(Decimal.sum(held));
}

function closeOn(market: Market, conid: number, { day, end }: Pick<Closing, "day" | "end">): Decimal {
  const calendar = market.calendar(conid);
  const traded = calendar.isTradingDay(day) ? day : calendar.previousTradingDay(day);
  return market.dayBar(conid, traded)?.close ?? market.quote(conid, end).last;
}

function dayOf(date: string): number {
  return parseCompactDate(date) ?? 0;
}

/** Some instant of a date in New York: 17:00 UTC is noon or one there. */
function dayMiddle(day: number): number {
  return day * 86_400_000 + 17 * 3_600_000;
}
