import { dayNumber } from "../calendar/civil-date.ts";
import { hashText, nearlyNormal } from "./hash.ts";

/** First day of every price history. */
export const FIRST_DAY = dayNumber(2010, 1, 1);

/** The day on which an instrument's price is its catalogue price; before and after it has wandered. */
const REFERENCE_DAY = dayNumber(2026, 11, 23);

/** Share of yesterday's distance from the trend that is kept: prices wander, but stay within about a factor of two for decades. */
const PERSISTENCE = 0.998;

export interface DailyClosesOptions {
  readonly seed: string;
  /** Instruments with the same key move together (an index and the fund that tracks it). */
  readonly pathKey: string;
  /** Standard deviation of a day's change, as a fraction. */
  readonly volatility: number;
  /** Correlation with the market as a whole, from 0 to 1. */
  readonly marketShare: number;
  /** Growth of the trend in a year, as a fraction. */
  readonly yearlyTrend: number;
  isTradingDay(day: number): boolean;
}

/**
 * Gives the level of a price at the end of a day, as a factor on its catalogue price: a mean-reverting random walk over the trading
 * days since 2010. Levels are kept from the first day on, one number a day.
 */
export function createDailyCloses(options: DailyClosesOptions): (day: number) => number {
  const ownKey = hashText(`${options.seed}/close/${options.pathKey}`);
  const marketKey = hashText(`${options.seed}/market`);
  const ownShare = Math.sqrt(1 - options.marketShare ** 2);
  const spread = options.volatility / Math.sqrt(1 - PERSISTENCE ** 2);
  const distances = [0.7 * spread * nearlyNormal(ownKey, FIRST_DAY)];

  function distanceAt(day: number): number {
    const wanted = Math.max(0, day - FIRST_DAY);
    for (let index = distances.length; index <= wanted; index += 1) {
      const before = distances[index - 1] ?? 0;
      const date = FIRST_DAY + index;
      const change = options.marketShare * nearlyNormal(marketKey, date) + ownShare * nearlyNormal(ownKey, date);
      distances.push(options.isTradingDay(date) ? before * PERSISTENCE + options.volatility * change : before);
    }
    return distances[wanted] ?? 0;
  }

  let atReference: number | undefined;
  return (day) => {
    atReference ??= distanceAt(REFERENCE_DAY);
    return Math.exp(distanceAt(day) - atReference + (options.yearlyTrend * (day - REFERENCE_DAY)) / 365);
  };
}
