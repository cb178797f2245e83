import type { TradingCalendar, TradingSession } from "../calendar/trading-calendar.ts";
import { createDayShapes } from "./day-shapes.ts";
import { tradeAt, type UnitBar } from "./price-tree.ts";
import { joinSlices, sliceOf, stretchesOf, type Stretch } from "./stretch.ts";

/** A bar with its volume; prices in whole units of the instrument's finest increment. */
export interface VolumeBar extends UnitBar {
  readonly volume: number;
}

/** The trades of a stretch of time, with the time of the last one. */
export interface SeriesSlice extends VolumeBar {
  readonly lastAt: number;
}

/** Part of a session. */
export interface SliceRequest {
  readonly session: TradingSession;
  /** Both ends included. */
  readonly from: number;
  readonly to: number;
  /** With the trades before and after regular hours. */
  readonly extended: boolean;
}

/** The whole past and future of one instrument's trades. */
export interface PriceSeries {
  /** The regular hours of a trading day, as they will have been at its end. */
  day(day: number): VolumeBar;
  /** The trades in part of a session, or undefined when there are none. */
  slice(request: SliceRequest): SeriesSlice | undefined;
  /** The last trade of a session up to an instant, extended hours included. */
  lastTrade(session: TradingSession, at: number): { readonly price: number; readonly at: number } | undefined;
}

/** How an instrument trades within the day. */
export type TradingStyle = "continuous" | "halted_after_open" | "closing_auction";

export interface PriceSeriesOptions {
  readonly seed: string;
  readonly pathKey: string;
  /** Catalogue price in units. */
  readonly basePrice: number;
  readonly volatility: number;
  readonly marketShare: number;
  readonly yearlyTrend: number;
  /** Shares (or units) in an average day. */
  readonly averageVolume: number;
  /** Time between two trades; it divides a minute. */
  readonly stepMs: number;
  readonly style: TradingStyle;
  /** Rounds units to the price increment; it never changes the order of two prices. */
  readonly round: (units: number) => number;
  readonly calendar: TradingCalendar;
  /** True where a day begins where the day before ended, without a gap. */
  readonly continuousDays: boolean;
}

/** Makes the series of an instrument with prices of its own: every trade follows from seed, path key and time. */
export function createPriceSeries(options: PriceSeriesOptions): PriceSeries {
  const shapes = createDayShapes(options);
  // Most questions are about the same day as the one before.
  let latest: { readonly day: number; readonly stretches: readonly Stretch[] } | undefined;

  function stretches(session: TradingSession): readonly Stretch[] {
    if (latest?.day !== session.day) latest = { day: session.day, stretches: stretchesOf(session, shapes, options) };
    return latest.stretches;
  }

  function rounded<T extends VolumeBar>(bar: T): T {
    const { open, high, low, close } = bar;
    return { ...bar, open: options.round(open), high: options.round(high), low: options.round(low), close: options.round(close) };
  }

  return {
    day: (day) => rounded(shapes.regular(day)),
    slice: (request) => {
      let joined: SeriesSlice | undefined;
      for (const stretch of stretches(request.session)) {
        if (stretch.extended && !request.extended) continue;
        const part = sliceOf(stretch, request.from, request.to);
        if (part !== undefined) joined = joined === undefined ? part : joinSlices(joined, part);
      }
      return joined === undefined ? undefined : rounded(joined);
    },
    lastTrade: (session, at) => {
      for (const stretch of stretches(session).toReversed()) {
        if (at < stretch.from) continue;
        const index = Math.min(stretch.prices.intervals, Math.floor((at - stretch.from) / stretch.stepMs));
        return { price: options.round(tradeAt(stretch.prices, index)), at: stretch.from + index * stretch.stepMs };
      }
      return undefined;
    },
  };
}
