import type { TradingCalendar, TradingSession } from "../calendar/trading-calendar.ts";
import { createDailyCloses } from "./daily-closes.ts";
import { hashText, mix, nearlyNormal } from "./hash.ts";
import { extremesOf, tradeAt, type TreeRoot, type UnitBar } from "./price-tree.ts";
import { volumeThrough, type VolumeRoot } from "./volume-tree.ts";

/** A bar with its volume; prices in whole units of the instrument's finest increment. */
export interface VolumeBar extends UnitBar {
  readonly volume: number;
}

/** The trades of a stretch of time, with the time of the last one. */
export interface SeriesSlice extends VolumeBar {
  readonly lastAt: number;
}

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

interface Stretch {
  readonly extended: boolean;
  readonly from: number;
  readonly stepMs: number;
  readonly prices: TreeRoot;
  readonly volume: VolumeRoot;
}

/** A halted instrument, or one that trades once a day, has this long for it. */
const SHORT_TRADING_MS = 60_000;
/** Share of a day's volume that trades before the open, and again after the close. */
const EXTENDED_VOLUME_SHARE = 0.02;

/** Makes the series of an instrument with prices of its own: every trade follows from seed, path key and time. */
export function createPriceSeries(options: PriceSeriesOptions): PriceSeries {
  const level = createDailyCloses({ ...options, isTradingDay: (day) => options.calendar.isTradingDay(day) });
  const key = hashText(`${options.seed}/day/${options.pathKey}`);
  const { calendar, volatility, round } = options;
  let latest: { readonly day: number; readonly stretches: readonly Stretch[] } | undefined;

  const unitsOf = (factor: number): number => Math.max(1, Math.round(options.basePrice * factor));

  /** The regular day before rounding to increments. */
  function shape(day: number): VolumeBar {
    const own = mix(key, day);
    const before = level(calendar.previousTradingDay(day));
    const closing = level(day);
    const volume = Math.round(options.averageVolume * Math.exp(0.3 * nearlyNormal(own, 4)));
    if (options.style === "closing_auction") {
      const only = unitsOf(closing);
      return { open: only, high: only, low: only, close: only, volume };
    }
    const gap = (options.continuousDays ? 0.02 : 0.35) * volatility * nearlyNormal(own, 1);
    const opening = before * Math.exp(gap);
    const open = unitsOf(opening);
    const close = unitsOf(closing);
    const above = Math.exp(0.4 * volatility * Math.abs(nearlyNormal(own, 2)));
    const below = Math.exp(-0.4 * volatility * Math.abs(nearlyNormal(own, 3)));
    const high = Math.max(open, close, unitsOf(Math.max(opening, closing) * above));
    const low = Math.min(open, close, unitsOf(Math.min(opening, closing) * below));
    return { open, high, low, close, volume };
  }

  const eveningEnd = (day: number): number => unitsOf(level(day) * Math.exp(0.12 * volatility * nearlyNormal(mix(key, day), 5)));

  function stretchOf(bar: VolumeBar, hours: { readonly from: number; readonly to: number; readonly part: number }): Stretch {
    const stepMs = Math.min(options.stepMs, hours.to - hours.from);
    const intervals = Math.max(0, Math.floor((hours.to - hours.from) / stepMs) - 1);
    const own = mix(mix(key, hours.part), bar.close ^ Math.floor(hours.from / 60_000));
    const atLeast = bar.volume >= 2 * (intervals + 1) ? 1 : 0;
    const extra = bar.volume - atLeast * (intervals + 1);
    return {
      extended: hours.part !== 0,
      from: hours.from,
      stepMs,
      prices: { ...bar, key: own, intervals },
      volume: { key: mix(own, 17), intervals, atLeast, extra },
    };
  }

  function makeStretches(session: TradingSession): readonly Stretch[] {
    const bar = shape(session.day);
    const { opensAt, closesAt } = session;
    if (options.style === "closing_auction") {
      const from = closesAt - SHORT_TRADING_MS;
      const volume = { key: 0, intervals: 0, atLeast: 0, extra: bar.volume };
      return [{ extended: false, from, stepMs: SHORT_TRADING_MS, prices: { ...bar, key: 0, intervals: 0 }, volume }];
    }
    if (options.style === "halted_after_open") return [stretchOf(bar, { from: opensAt, to: opensAt + SHORT_TRADING_MS, part: 0 })];
    const regular = stretchOf(bar, { from: opensAt, to: closesAt, part: 0 });
    if (session.extendedOpensAt === opensAt && session.extendedClosesAt === closesAt) return [regular];
    const quiet = (open: number, close: number): VolumeBar => {
      const wiggle = Math.round(0.1 * volatility * options.basePrice);
      const volume = Math.round(bar.volume * EXTENDED_VOLUME_SHARE);
      return { open, close, high: Math.max(open, close) + wiggle, low: Math.max(1, Math.min(open, close) - wiggle), volume };
    };
    const morning = quiet(eveningEnd(calendar.previousTradingDay(session.day)), bar.open);
    const evening = quiet(bar.close, eveningEnd(session.day));
    return [
      stretchOf(morning, { from: session.extendedOpensAt, to: opensAt, part: 1 }),
      regular,
      stretchOf(evening, { from: closesAt, to: session.extendedClosesAt, part: 2 }),
    ];
  }

  function stretches(session: TradingSession): readonly Stretch[] {
    if (latest?.day !== session.day) latest = { day: session.day, stretches: makeStretches(session) };
    return latest.stretches;
  }

  return {
    day: (day) => {
      const bar = shape(day);
      return { open: round(bar.open), high: round(bar.high), low: round(bar.low), close: round(bar.close), volume: bar.volume };
    },
    slice: (request) => {
      let joined: SeriesSlice | undefined;
      for (const stretch of stretches(request.session)) {
        if (stretch.extended && !request.extended) continue;
        const part = sliceOf(stretch, request.from, request.to);
        if (part !== undefined) joined = joined === undefined ? part : join(joined, part);
      }
      if (joined === undefined) return undefined;
      const { open, high, low, close } = joined;
      return { ...joined, open: round(open), high: round(high), low: round(low), close: round(close) };
    },
    lastTrade: (session, at) => {
      for (const stretch of stretches(session).toReversed()) {
        if (at < stretch.from) continue;
        const index = Math.min(stretch.prices.intervals, Math.floor((at - stretch.from) / stretch.stepMs));
        return { price: round(tradeAt(stretch.prices, index)), at: stretch.from + index * stretch.stepMs };
      }
      return undefined;
    },
  };
}

function sliceOf(stretch: Stretch, from: number, to: number): SeriesSlice | undefined {
  const first = Math.max(0, Math.ceil((from - stretch.from) / stretch.stepMs));
  const last = Math.min(stretch.prices.intervals, Math.floor((to - stretch.from) / stretch.stepMs));
  if (first > last) return undefined;
  return {
    ...extremesOf(stretch.prices, first, last),
    open: tradeAt(stretch.prices, first),
    close: tradeAt(stretch.prices, last),
    volume: volumeThrough(stretch.volume, last) - volumeThrough(stretch.volume, first - 1),
    lastAt: stretch.from + last * stretch.stepMs,
  };
}

function join(earlier: SeriesSlice, later: SeriesSlice): SeriesSlice {
  return {
    open: earlier.open,
    high: Math.max(earlier.high, later.high),
    low: Math.min(earlier.low, later.low),
    close: later.close,
    volume: earlier.volume + later.volume,
    lastAt: later.lastAt,
  };
}
