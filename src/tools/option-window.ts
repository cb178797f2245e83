import type { Decimal } from "../lib/decimal.ts";

/** When options expire, as a caller writes it: a month (`YYYY-MM`), perhaps with the day (`YYYY-MM-DD`). */
export interface ExpiryWords {
  readonly month: string;
  readonly day: string | undefined;
}

const MONTH_NAMES = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/** Reads `2027-01`, `202701`, `JAN27`, `2027-01-15` or `20270115`, or answers undefined. */
export function parseExpiry(text: string): ExpiryWords | undefined {
  const words = text.trim().toUpperCase();
  const [, name = "", shortYear] = /^([A-Z]{3})[A-Z]*[\s-]?(?:20)?(\d{2})$/.exec(words) ?? [];
  const named = MONTH_NAMES.indexOf(name) + 1;
  if (shortYear !== undefined)
    return named === 0 ? undefined : { month: `20${shortYear}-${String(named).padStart(2, "0")}`, day: undefined };
  const [, year, month, dayOfMonth] = /^(20\d{2})-?(0[1-9]|1[0-2])(?:-?(0[1-9]|[12]\d|3[01]))?$/.exec(words) ?? [];
  if (year === undefined || month === undefined) return undefined;
  return { month: `${year}-${month}`, day: dayOfMonth === undefined ? undefined : `${year}-${month}-${dayOfMonth}` };
}

/** The strikes nearest to the money: `each` below `price` and as many at it or above. Strikes ascend. */
export function strikesRound(strikes: readonly Decimal[], price: Decimal, each: number): readonly Decimal[] {
  const above = strikes.findIndex((strike) => !strike.lessThan(price));
  const middle = above === -1 ? strikes.length : above;
  return strikes.slice(Math.max(0, middle - each), middle + each);
}

/** All strikes of both rights, ascending, each once. */
export function allStrikes(...lists: readonly (readonly Decimal[])[]): readonly Decimal[] {
  const byText = new Map(lists.flat().map((strike) => [strike.toString(), strike]));
  return [...byText.values()].toSorted((a, b) => a.compare(b));
}
