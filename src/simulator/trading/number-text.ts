import type { Decimal } from "../../lib/decimal.ts";
import { rawNumber } from "../../lib/json.ts";

/** Digits with thousands commas: `"1,004,120"`, `"2,301.00"`. */
export function grouped(value: Decimal, decimals = 0): string {
  const [whole = "", fraction] = value.toFixed(decimals).split(".");
  const withCommas = whole.replace(/\B(?=(?:\d{3})+$)/g, ",");
  return fraction === undefined ? withCommas : `${withCommas}.${fraction}`;
}

/** A JSON number with exactly the value's digits, in the form of a float as IBKR writes it: `25.0`. */
export function number(value: Decimal): unknown {
  return rawNumber(withDecimal(value));
}

/** A JSON number of an amount of money, rounded to hundredths. */
export function money(value: Decimal): unknown {
  return number(value.round(2));
}

/** A number as text with at least one decimal, as order status prints sizes: `"5.0"`. */
export function withDecimal(value: Decimal): string {
  return value.isInteger() ? value.toFixed(1) : value.toString();
}
