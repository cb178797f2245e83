import { Decimal } from "../../../lib/decimal.ts";
import type { Market, SimBar, SimInstrument } from "../market.ts";

/** Whose past is looked at, and from when. */
export interface StatisticsSubject {
  readonly market: Market;
  readonly instrument: SimInstrument;
  readonly at: number;
}

/** Trading days before today that make an average volume. */
const VOLUME_DAYS = 90;
/** Trading days of a historical volatility. */
const VOLATILITY_DAYS = 30;
/** After this many times its length an exponential average has forgotten where it began. */
const WARM_UP = 3;

/** The whole trading days before the current one, latest first. */
function pastDays({ market, instrument, at }: StatisticsSubject, count: number): readonly SimBar[] {
  const calendar = market.calendar(instrument.conid);
  const bars: SimBar[] = [];
  let { day } = calendar.sessionAt(at);
  while (bars.length < count) {
    day = calendar.previousTradingDay(day);
    const bar = market.dayBar(instrument.conid, day);
    if (bar === undefined) break;
    bars.push(bar);
  }
  return bars;
}

/** Average daily volume of the past 90 trading days, whole. */
export function averageVolume(subject: StatisticsSubject): Decimal {
  const bars = pastDays(subject, VOLUME_DAYS);
  return Decimal.sum(bars.map((bar) => bar.volume)).dividedBy(Decimal.fromInteger(Math.max(1, bars.length)), 0);
}

/** Yearly volatility of the daily closes of the past 30 trading days, in per cent. */
export function historicalVolatility(subject: StatisticsSubject): number {
  const closes = pastDays(subject, VOLATILITY_DAYS + 1).map((bar) => bar.close.toApproximation());
  const changes = closes.slice(1).map((close, index) => Math.log((closes[index] ?? close) / close));
  const mean = changes.reduce((sum, change) => sum + change, 0) / changes.length;
  const variance = changes.reduce((sum, change) => sum + (change - mean) ** 2, 0) / (changes.length - 1);
  return Math.sqrt(variance * 252) * 100;
}

/** Exponential moving average of the daily closes over `days` trading days. */
export function exponentialAverage(subject: StatisticsSubject, days: number): Decimal {
  const closes = pastDays(subject, days * WARM_UP).map((bar) => bar.close.toApproximation());
  const weight = 2 / (days + 1);
  const average = closes.reduceRight((mean, close) => mean + weight * (close - mean), closes.at(-1) ?? 0);
  return Decimal.fromApproximation(average, 6);
}
