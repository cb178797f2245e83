import { Decimal } from "../../../lib/decimal.ts";

const THOUSAND = Decimal.fromInteger(1000);
const SHORTENED_FROM = Decimal.fromInteger(10_000);
const SUFFIXES = ["", "K", "M", "B", "T"];

/** A whole number with thousands commas: `1,200`. A fraction keeps its decimals. */
export function withCommas(value: Decimal): string {
  const [whole = "0", fraction] = value.toString().split(".");
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** A large number in thousands, millions, billions or trillions with at most one decimal: `45.3M`; with commas under ten thousand. */
export function shortened(value: Decimal): string {
  if (value.lessThan(SHORTENED_FROM)) return withCommas(value);
  let rest = value;
  let suffix = 0;
  while (!rest.round(1).lessThan(THOUSAND) && suffix < SUFFIXES.length - 1) {
    rest = rest.dividedBy(THOUSAND, 6);
    suffix += 1;
  }
  return `${rest.round(1).toString()}${SUFFIXES[suffix] ?? ""}`;
}

/** A number with its sign, `+1.22`; zero has none. */
export function signed(value: Decimal, decimals: number): string {
  const rounded = value.round(decimals);
  return rounded.isPositive() ? `+${rounded.toFixed(decimals)}` : rounded.toFixed(decimals);
}
