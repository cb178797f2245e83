import { Decimal } from "../../lib/decimal.ts";
import type { TradingSession } from "./calendar/trading-calendar.ts";
import type { Line } from "./line.ts";
import type { SimQuote } from "./market.ts";
import { fraction, mix } from "./prices/hash.ts";
import type { SeriesSlice } from "./prices/price-series.ts";

/** Quotes of lines, and the last price alone where that is enough. */
export interface Quotes {
  quote(line: Line, at: number): SimQuote;
  last(line: Line, at: number): Decimal;
}

/** Days of the range that the 52-week high and low cover. */
const YEAR_DAYS = 364;

interface YearRange {
  readonly day: number;
  readonly high: number;
  readonly low: number;
}

/** Makes the quoting part of a market; it keeps one 52-week range for each line that was asked about. */
export function createQuotes(): Quotes {
  const years = new WeakMap<Line, YearRange>();

  /** High and low of the regular days of the 52 weeks before a trading day. */
  function yearBefore(line: Line, day: number): YearRange {
    const known = years.get(line);
    if (known?.day === day) return known;
    let high = Number.NEGATIVE_INFINITY;
    let low = Number.POSITIVE_INFINITY;
    for (let past = day - YEAR_DAYS; past < day; past += 1) {
      if (!line.calendar.isTradingDay(past)) continue;
      const bar = line.series.day(past);
      if (bar.high > high) high = bar.high;
      if (bar.low < low) low = bar.low;
    }
    const made = { day, high, low };
    years.set(line, made);
    return made;
  }

  function quote(line: Line, instant: number): SimQuote {
    const at = Math.min(instant, line.endsAt - 1);
    const session = line.calendar.sessionAt(at);
    const before = line.calendar.previousTradingDay(session.day);
    const priorClose = line.series.day(before).close;
    const today = dayUntil(line, session, at);
    const last = line.series.lastTrade(session, at);
    const units = last?.price ?? priorClose;
    const lastAt = last?.at ?? (line.calendar.session(before)?.closesAt ?? session.opensAt) - 1;
    const year = yearBefore(line, session.day);
    const { grid } = line;
    return {
      last: grid.price(units),
      tradedToday: last !== undefined,
      ...bidAndAsk(line, units, lastAt),
      open: grid.price(today?.open ?? priorClose),
      high: grid.price(today?.high ?? priorClose),
      low: grid.price(today?.low ?? priorClose),
      priorClose: grid.price(priorClose),
      volume: Decimal.fromInteger(today?.volume ?? 0),
      week52High: grid.price(Math.max(year.high, today?.high ?? year.high)),
      week52Low: grid.price(Math.min(year.low, today?.low ?? year.low)),
      at: lastAt,
    };
  }

  return {
    quote,
    last: (line, instant) => {
      const at = Math.min(instant, line.endsAt - 1);
      const session = line.calendar.sessionAt(at);
      const last = line.series.lastTrade(session, at);
      return line.grid.price(last?.price ?? line.series.day(line.calendar.previousTradingDay(session.day)).close);
    },
  };
}

/** The day so far: regular trades once there are any, before that those since the early morning. */
function dayUntil(line: Line, session: TradingSession, at: number): SeriesSlice | undefined {
  const regular = line.series.slice({ session, from: session.opensAt, to: at, extended: false });
  return regular ?? line.series.slice({ session, from: session.extendedOpensAt, to: at, extended: true });
}

/** Bid and ask around the last trade, which took place at or between them; both sizes change with each trade. */
function bidAndAsk(line: Line, last: number, lastAt: number): Pick<SimQuote, "bid" | "ask" | "bidSize" | "askSize"> {
  const key = mix(mix(line.instrument.conid, Math.floor(lastAt / 1000)), lastAt % 1000);
  const step = line.grid.stepAt(last);
  const below = Math.floor(fraction(key, 1) * (line.spread + 1));
  const bid = Math.max(line.grid.stepAt(0), last - below * step);
  const ask = bid + line.spread * step;
  const lot = line.depth >= 1000 ? 100 : 1;
  const size = (value: number): Decimal =>
    Decimal.fromInteger(Math.max(1, Math.round((line.depth * (0.2 + 1.6 * fraction(key, value))) / lot)) * lot);
  return { bid: line.grid.price(bid), ask: line.grid.price(line.grid.round(ask)), bidSize: size(2), askSize: size(3) };
}
