import type { TradingCalendar, TradingSession } from "../calendar/trading-calendar.ts";
import type { PriceMove, TradingHalt } from "../steering.ts";
import type { PriceSeries, SeriesSlice, SliceRequest } from "./price-series.ts";
import { joinSlices } from "./stretch.ts";

/** What a steered series is made of. */
export interface SteeredSeriesOptions {
  readonly series: PriceSeries;
  readonly calendar: TradingCalendar;
  readonly moves: () => readonly PriceMove[];
  readonly halts: () => readonly TradingHalt[];
  /** Rounds units to the price increment. */
  readonly round: (units: number) => number;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * Makes a series whose prices were moved and whose trading was halted from outside. A move shows at once, as a trade without
 * volume; nothing trades in a halt. What lies before the first intervention is exactly as without it.
 */
export function steerSeries({ series, calendar, moves, halts, round }: SteeredSeriesOptions): PriceSeries {
  const scaled = (units: number, at: number): number => {
    const factor = moves().reduce((product, move) => (move.at <= at ? product * move.factor : product), 1);
    return factor === 1 ? units : Math.max(1, round(units * factor));
  };

  /** One piece between two interventions: unhalted, and with one factor. */
  function piece(request: SliceRequest, { from, to }: Span): SeriesSlice | undefined {
    const found = series.slice({ ...request, from, to });
    if (found === undefined) return undefined;
    const at = (units: number): number => scaled(units, from);
    return { ...found, open: at(found.open), high: at(found.high), low: at(found.low), close: at(found.close) };
  }

  /** The trade that shows a move: the price then, without volume. */
  function jump(request: SliceRequest, at: number): SeriesSlice | undefined {
    if (isHalted(halts(), at) || !trades(request.session, at, request.extended)) return undefined;
    const last = series.lastTrade(request.session, at);
    if (last === undefined) return undefined;
    const price = scaled(last.price, at);
    return { open: price, high: price, low: price, close: price, volume: 0, lastAt: at };
  }

  function slice(request: SliceRequest): SeriesSlice | undefined {
    const jumps = moves().filter(({ at }) => at >= request.from && at <= request.to);
    const pauses = halts().filter(({ since, until }) => since < request.to && (until ?? Infinity) > request.from);
    if (jumps.length === 0 && pauses.length === 0) return piece(request, request);
    const cuts = [...jumps.map(({ at }) => at), ...pauses.flatMap(({ since, until }) => [since + 1, until ?? Infinity])];
    const inside = cuts.filter((at) => at > request.from && at <= request.to);
    const edges = [...new Set([request.from, ...inside])].toSorted((a, b) => a - b);
    let joined: SeriesSlice | undefined;
    for (const [index, from] of edges.entries()) {
      const to = (edges[index + 1] ?? request.to + 1) - 1;
      const moved = jumps.some(({ at }) => at === from) ? jump(request, from) : undefined;
      const found = isHalted(halts(), from) ? undefined : piece(request, { from, to });
      for (const part of [moved, found]) if (part !== undefined) joined = joined === undefined ? part : joinSlices(joined, part);
    }
    return joined;
  }

  /** The price at which it stands in a halt: that of the last trade before it. */
  function priceInHalt(instant: number): number {
    const at = halts().find((halt) => isHalted([halt], instant))?.since ?? instant;
    const session = calendar.sessionAt(at);
    const units = series.lastTrade(session, at)?.price ?? series.day(calendar.previousTradingDay(session.day)).close;
    return scaled(units, at);
  }

  return {
    day: (day) => {
      const session = calendar.session(day);
      if (session === undefined || !isTouched({ moves: moves(), halts: halts(), before: session.closesAt })) return series.day(day);
      const whole = slice({ session, from: session.opensAt, to: session.closesAt - 1, extended: false });
      if (whole !== undefined) return whole;
      const price = priceInHalt(session.opensAt);
      return { open: price, high: price, low: price, close: price, volume: 0 };
    },
    slice,
    lastTrade: (session, instant) => {
      const pause = halts().find((halt) => isHalted([halt], instant));
      const at = pause === undefined ? instant : pause.since;
      const last = series.lastTrade(session, at);
      if (last === undefined) return undefined;
      const move = moves().findLast((each) => each.at <= at && each.at > last.at);
      return { price: scaled(last.price, at), at: move === undefined ? last.at : move.at };
    },
  };
}

function isTouched({ moves, halts, before }: { moves: readonly PriceMove[]; halts: readonly TradingHalt[]; before: number }): boolean {
  return moves.some(({ at }) => at < before) || halts.some(({ since }) => since < before);
}

function isHalted(halts: readonly TradingHalt[], at: number): boolean {
  return halts.some(({ since, until }) => since < at && at < (until ?? Infinity));
}

function trades(session: TradingSession, at: number, extended: boolean): boolean {
  if (extended) return at >= session.extendedOpensAt && at < session.extendedClosesAt;
  return at >= session.opensAt && at < session.closesAt;
}
