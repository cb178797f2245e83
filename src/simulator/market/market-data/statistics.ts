import { Decimal } from "../../../lib/decimal.ts";
import type { Market, SimBar } from "../market.ts";

/** The whole trading days before an instant, latest first: at most as many as asked for. */
export type PastDays = (count: number) => readonly SimBar[];

/** Trading days before today that make an average volume. */
const VOLUME_DAYS = 90;
/** Trading days of a historical volatility. */
const VOLATILITY_DAYS = 30;
/** After this many times its length an exponential average has forgotten where it began. */
const WARM_UP = 3;

/** Looks at an instrument's past before `at`; each day is read once, however many figures need it. */
export function createPastDays(market: Market, conid: number, at: number): PastDays {
  const calendar = market.calendar(conid);
  const bars: SimBar[] = [];
  let { day } = calendar.sessionAt(at);
  return (count) => {
    while (bars.length < count) {
      day = calendar.previousTradingDay(day);
      const bar = market.dayBar(conid, day);
      if (bar === undefined) break;
      bars.push(bar);
    }
    return bars.slice(0, count);
  };
}

/** Average daily volume of the past 90 trading days, whole. */
export function averageVolume(past: PastDays): Decimal {
  const bars = past(VOLUME_DAYS);
  return Decimal.sum(bars.map((bar) => bar.volume)).dividedBy(Decimal.fromInteger(Math.max(1, bars.length)), 0);
}

/** Yearly volatility of the daily closes of the past 30 trading days, in per cent. */
export function historicalVolatility(past: PastDays): number {
  const closes = past(VOLATILITY_DAYS + 1).map((bar) => bar.close.toApproximation());
  const changes = closes.slice(1).map((close, index) => Math.log((closes[index] ?? close) / close));
  const mean = changes.reduce((sum, change) => sum + change, 0) / changes.length;
  const variance = changes.reduce((sum, change) => sum + (change - mean) ** 2, 0) / (changes.length - 1);
  return Math.sqrt(variance * 252) * 100;
}

/** Exponential moving average of the daily closes over `days` trading days. */
export function exponentialAverage(past: PastDays, days: number): Decimal {
  const closes = past(days * WARM_UP).map((bar) => bar.close.toApproximation());
  const weight = 2 / (days + 1);
  const average = closes.reduceRight((mean, close) => mean + weight * (close - mean), closes.at(-1) ?? 0);
  return Decimal.fromApproximation(average, 6);
}
