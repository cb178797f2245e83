import type { TradingSession } from "../calendar/trading-calendar.ts";
import type { DayShapes } from "./day-shapes.ts";
import { mix } from "./hash.ts";
import type { PriceSeriesOptions, SeriesSlice, VolumeBar } from "./price-series.ts";
import { extremesOf, tradeAt, type TreeRoot } from "./price-tree.ts";
import { volumeThrough, type VolumeRoot } from "./volume-tree.ts";

/** Trading without a pause: the regular hours of a day, its early morning or its evening. */
export interface Stretch {
  readonly extended: boolean;
  readonly from: number;
  readonly stepMs: number;
  readonly prices: TreeRoot;
  readonly volume: VolumeRoot;
}

/** A halted instrument, or one that trades once a day, has this long for it. */
const SHORT_TRADING_MS = 60_000;

/** The stretches of a session, in the order of time. */
export function stretchesOf(session: TradingSession, shapes: DayShapes, options: PriceSeriesOptions): readonly Stretch[] {
  const { day, opensAt, closesAt, extendedOpensAt, extendedClosesAt } = session;
  const make = (bar: VolumeBar, hours: Omit<StretchHours, "key" | "stepMs">): Stretch =>
    stretchOf(bar, { ...hours, key: shapes.key, stepMs: options.stepMs });
  const bar = shapes.regular(day);
  if (options.style === "closing_auction") {
    // The one trade of the day falls a minute before its end.
    const once = { from: closesAt - SHORT_TRADING_MS, to: closesAt, part: 0, key: shapes.key, stepMs: SHORT_TRADING_MS };
    return [stretchOf(bar, once)];
  }
  if (options.style === "halted_after_open") return [make(bar, { from: opensAt, to: opensAt + SHORT_TRADING_MS, part: 0 })];
  const regular = make(bar, { from: opensAt, to: closesAt, part: 0 });
  if (extendedOpensAt === opensAt && extendedClosesAt === closesAt) return [regular];
  const morning = make(shapes.morning(day), { from: extendedOpensAt, to: opensAt, part: 1 });
  const evening = make(shapes.evening(day), { from: closesAt, to: extendedClosesAt, part: 2 });
  return [morning, regular, evening];
}

interface StretchHours {
  readonly from: number;
  readonly to: number;
  /** 0 for regular hours, 1 for the morning, 2 for the evening. */
  readonly part: number;
  readonly key: number;
  readonly stepMs: number;
}

function stretchOf(bar: VolumeBar, { from, to, part, key, stepMs }: StretchHours): Stretch {
  const intervals = Math.max(0, Math.floor((to - from) / stepMs) - 1);
  const own = mix(mix(key, part), bar.close ^ Math.floor(from / 60_000));
  // A busy instrument trades something at each step.
  const atLeast = bar.volume >= 2 * (intervals + 1) ? 1 : 0;
  const extra = bar.volume - atLeast * (intervals + 1);
  return {
    extended: part !== 0,
    from,
    stepMs,
    prices: { ...bar, key: own, intervals },
    volume: { key: mix(own, 17), intervals, atLeast, extra },
  };
}

/** The trades of a stretch between two instants, both included; undefined when there are none. */
export function sliceOf(stretch: Stretch, from: number, to: number): SeriesSlice | undefined {
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

/** Puts two slices that follow each other together. */
export function joinSlices(earlier: SeriesSlice, later: SeriesSlice): SeriesSlice {
  return {
    open: earlier.open,
    high: Math.max(earlier.high, later.high),
    low: Math.min(earlier.low, later.low),
    close: later.close,
    volume: earlier.volume + later.volume,
    lastAt: later.lastAt,
  };
}
