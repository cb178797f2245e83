import type { Decimal } from "../../lib/decimal.ts";
import type { Line } from "./line.ts";
import type { SimBar, TimeRange, TradedRange } from "./market.ts";
import type { SeriesSlice } from "./prices/price-series.ts";
import { joinSlices } from "./prices/stretch.ts";

interface Found {
  readonly slice: SeriesSlice;
  readonly startsAt: number;
}

/** Low, high and volume of what traded in a stretch, or undefined when nothing did. */
export function tradedOver(line: Line, request: TimeRange): TradedRange | undefined {
  const bar = barOf(line, request);
  return bar === undefined ? undefined : { low: bar.low, high: bar.high, volume: bar.volume };
}

/** The trades of a stretch as one bar, which starts with the stretch or with its first session, whichever is later. */
export function barOf(line: Line, request: TimeRange): SimBar | undefined {
  const to = Math.min(request.to, line.endsAt - 1);
  let found: Found | undefined;
  let session = line.calendar.sessionAt(request.from);
  while (session.extendedOpensAt <= to) {
    const slice = line.series.slice({ session, from: request.from, to, extended: request.outsideRth });
    if (slice !== undefined) {
      const opens = request.outsideRth ? session.extendedOpensAt : session.opensAt;
      found =
        found === undefined ? { slice, startsAt: Math.max(opens, request.from) } : { ...found, slice: joinSlices(found.slice, slice) };
    }
    session = line.calendar.sessionAfter(session.extendedOpensAt);
  }
  if (found === undefined) return undefined;
  const values: { open: Decimal; high: Decimal; low: Decimal; close: Decimal; volume: Decimal } = line.decimals(found.slice);
  return { ...values, startsAt: found.startsAt };
}
