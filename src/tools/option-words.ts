import type { OptionRight } from "../broker/instrument.ts";
import { Decimal } from "../lib/decimal.ts";

/** An option as people write it: `AAPL 2027-01-15 200 C`. */
export interface OptionWords {
  readonly underlying: string;
  /** `YYYY-MM-DD`. */
  readonly expiry: string;
  readonly strike: Decimal;
  readonly right: OptionRight;
}

/** Two currencies as people write them: `EUR.USD`, `EUR/USD`. */
export interface CurrencyPair {
  readonly base: string;
  readonly quote: string;
}

const DATE = /^(\d{4})-?(\d{2})-?(\d{2})$/;
const STRIKE_AND_RIGHT = /^(\d+(?:\.\d+)?)(C|P)$/;

/** Reads the words of an option in any order after the ticker, or answers undefined when they aren't one. */
export function parseOptionWords(text: string): OptionWords | undefined {
  const [underlying, ...words] = text
    .trim()
    .toUpperCase()
    .split(/\s+/)
    .flatMap((word, index) => (index > 0 ? splitStrike(word) : [word]));
  if (underlying === undefined || words.length !== 3) return undefined;
  const expiry = words.map(dateOf).find((date) => date !== undefined);
  const right = words.map(rightOf).find((found) => found !== undefined);
  const strike = words.map((word) => (dateOf(word) === undefined ? Decimal.tryParsePlain(word) : undefined)).find(isDefined);
  if (expiry === undefined || right === undefined || strike === undefined || !strike.isPositive()) return undefined;
  return { underlying, expiry, strike, right };
}

function isDefined<T>(value: T | undefined): value is T {
  return value !== undefined;
}

function splitStrike(word: string): readonly string[] {
  const match = STRIKE_AND_RIGHT.exec(word);
  return match === null ? [word] : match.slice(1);
}

function rightOf(word: string): OptionRight | undefined {
  if (word === "C" || word === "CALL") return "C";
  return word === "P" || word === "PUT" ? "P" : undefined;
}

function dateOf(word: string): string | undefined {
  const match = DATE.exec(word);
  if (match === null) return undefined;
  const date = `${match[1]}-${match[2]}-${match[3]}`;
  const parsed = new Date(`${date}T00:00:00Z`);
  return Number.isNaN(parsed.getTime()) || parsed.toISOString().slice(0, 10) !== date ? undefined : date;
}

/** Reads a currency pair, or answers undefined when the text isn't one. */
export function parseCurrencyPair(text: string): CurrencyPair | undefined {
  const match = /^([A-Z]{3})[./]([A-Z]{3})$/.exec(text.trim().toUpperCase());
  const [, base, quote] = match ?? [];
  return base === undefined || quote === undefined ? undefined : { base, quote };
}
