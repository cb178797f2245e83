import { Decimal } from "../lib/decimal.ts";

const SCALES: Readonly<Record<string, string>> = { K: "1000", M: "1000000", B: "1000000000" };
const NO_VALUE = new Set(["", "-", "--", "NONE", "N/A", "NA", "NULL", "NAN", "INF", "INFINITY", "C", "H"]);
/** An optional price flag, the digits, an optional scale or percent sign, then an optional currency and a note in brackets. */
const WRITTEN = /^[CH]?\s*([+-]?)\s*\$?([\d,]*\.?\d*(?:E[+-]?\d{1,2})?)\s*([KMB])?\s*%?(?:\s+[A-Z]{3})?(?:\s*\(.*\))?$/;

/**
 * Reads any of IBKR's ways of writing a number: a JSON number, digits as text, thousands commas, `45.3M`, `+0.53%`,
 * `3,649,600 USD`, `C233.10`. Undefined where IBKR says "no value" (`""`, `None`, `N/A`, null) and for anything else.
 */
export function parseNumber(value: unknown): Decimal | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? parseText(String(value)) : undefined;
  return typeof value === "string" ? parseText(value) : undefined;
}

/** Reads a whole number that fits a JavaScript number: a conid, an order id, an epoch time. */
export function parseInteger(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : undefined;
  const number = parseNumber(value);
  if (number === undefined || !number.isInteger()) return undefined;
  const integer = Number(number.toString());
  return Number.isSafeInteger(integer) ? integer : undefined;
}

/** The currency that stands behind an amount: `USD` in `"2,300.00 USD (10 Shares)"`. */
export function currencyOf(value: unknown): string | undefined {
  return typeof value === "string" ? /\d[KMB]?\s+([A-Z]{3})\b/.exec(value)?.[1] : undefined;
}

/** Undefined for a zero, where IBKR writes `0` for "has none": a stock's strike or multiplier. */
export function unlessZero(value: Decimal | undefined): Decimal | undefined {
  return value === undefined || value.isZero() ? undefined : value;
}

function parseText(text: string): Decimal | undefined {
  const written = text.trim().toUpperCase();
  if (written.length > 80 || NO_VALUE.has(written)) return undefined;
  const [, sign = "", digits = "", scale] = WRITTEN.exec(written) ?? [];
  if (!/\d/.test(digits)) return undefined;
  try {
    const number = Decimal.parse(sign + digits.replaceAll(",", ""));
    const factor = scale === undefined ? undefined : SCALES[scale];
    return factor === undefined ? number : number.times(Decimal.parse(factor));
  } catch (error) {
    // Only the range is refused here (a number of over sixty characters): IBKR writes 1.7976931348623157E308 for "no value".
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
