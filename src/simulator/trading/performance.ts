import { Decimal } from "../../lib/decimal.ts";
import { civilDate, compactDate, dayNumber, parseCompactDate } from "../market/calendar/civil-date.ts";
import type { DayValue } from "./net-asset-values.ts";
import { money, number } from "./number-text.ts";

/** Periods that IBKR takes. */
export const PERIODS = ["1D", "7D", "MTD", "1M", "YTD", "1Y"] as const;

/** The days of a period, and what the account was worth before it. */
export interface PeriodValues {
  readonly start: Pick<DayValue, "date" | "value">;
  readonly days: readonly DayValue[];
  /** Time-weighted return from the start to each day, as a fraction. */
  readonly cumulative: readonly Decimal[];
}

const RETURN_DECIMALS = 6;

/** Cuts a period that ends with the last day out of an account's values. Undefined for a period that IBKR does not take. */
export function periodValues(values: readonly DayValue[], period: string): PeriodValues | undefined {
  const last = values.at(-1);
  const lastDay = parseCompactDate(last?.date ?? "");
  const first = lastDay === undefined ? undefined : firstDay(period, lastDay);
  if (last === undefined || first === undefined) return undefined;
  const from = compactDate(first);
  const inside = values.filter(({ date }) => date >= from);
  const days = inside.length === 0 ? [last] : inside;
  const before = values.findLast(({ date }) => date < from);
  // An account that is younger than the period starts with what was paid in first.
  const start = before ?? { date: days[0]?.date ?? last.date, value: days[0]?.flow ?? Decimal.zero };
  return { start, days, cumulative: cumulativeReturns(start.value, days, before === undefined) };
}

function firstDay(period: string, last: number): number | undefined {
  const { year, month, day } = civilDate(last);
  switch (period) {
    case "1D":
      return last;
    case "7D":
      return last - 6;
    case "MTD":
      return dayNumber(year, month, 1);
    case "1M":
      return dayNumber(year, month - 1, day) + 1;
    case "YTD":
      return dayNumber(year, 1, 1);
    case "1Y":
      return dayNumber(year - 1, month, day) + 1;
    default:
      return undefined;
  }
}

/** Compounds the days' returns; money that came in or went out is no return. */
function cumulativeReturns(start: Decimal, days: readonly DayValue[], opened: boolean): readonly Decimal[] {
  let factor = Decimal.one;
  let before = start;
  return days.map(({ value, flow }, index) => {
    // What opened the account is already in the start.
    const paidIn = opened && index === 0 ? Decimal.zero : flow;
    if (!before.isZero()) factor = factor.times(value.minus(paidIn)).dividedBy(before, 20);
    before = value;
    return factor.minus(Decimal.one);
  });
}

/** A return as IBKR writes it: a fraction. */
export function returnNumber(value: Decimal): unknown {
  return number(value.round(RETURN_DECIMALS));
}

/** The `startNAV` of a period. */
export function startValue({ start }: PeriodValues): Readonly<Record<string, unknown>> {
  return { date: start.date, val: money(start.value) };
}

/** The return of each calendar month within the period. */
export function monthlyReturns({ days, cumulative }: PeriodValues): ReadonlyMap<string, Decimal> {
  const returns = new Map<string, Decimal>();
  let base = Decimal.one;
  let month: string | undefined;
  for (const [index, { date }] of days.entries()) {
    const before = cumulative[index - 1];
    if (month !== date.slice(0, 6)) base = Decimal.one.plus(before ?? Decimal.zero);
    month = date.slice(0, 6);
    const factor = Decimal.one.plus(cumulative[index] ?? Decimal.zero);
    returns.set(month, base.isZero() ? Decimal.zero : factor.dividedBy(base, 20).minus(Decimal.one));
  }
  return returns;
}
