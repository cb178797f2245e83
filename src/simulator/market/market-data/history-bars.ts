import { Decimal } from "../../../lib/decimal.ts";
import { civilDate, dayNumber, weekday } from "../calendar/civil-date.ts";
import type { TradingSession } from "../calendar/trading-calendar.ts";
import type { Market, SimBar } from "../market.ts";
import { FIRST_DAY } from "../prices/daily-closes.ts";
import { BAR_SECONDS, periodSeconds, type Period } from "./history-period.ts";

/** What part of an instrument's past is wanted. */
export interface HistoryRequest {
  readonly conid: number;
  readonly period: Period;
  readonly bar: string;
  /** The last instant that is covered. */
  readonly until: number;
  readonly outsideRth: boolean;
}

/** Longest answer: of more bars the oldest are cut off. */
export const MAX_BARS = 1000;

/**
 * The bars of a period, oldest first, at most 1000, of which the last one may still be growing. Bars without a trade are left out.
 * Days are trading days: a period of `5d` is the latest five of them; weeks, months and years go by the calendar. A period of minutes
 * or hours is trading time, and so are the bars, which begin with the session.
 */
export function historyBars(market: Market, wanted: HistoryRequest): readonly SimBar[] {
  const request = { ...wanted, until: lastCovered(market, wanted) };
  switch (request.bar) {
    case "1d":
      return dailyBars(market, request).slice(-MAX_BARS);
    case "1w":
      return joined(dailyBars(market, request), (day) => day - ((weekday(day) + 6) % 7)).slice(-MAX_BARS);
    case "1m":
      return joined(dailyBars(market, request), monthStart).slice(-MAX_BARS);
    default:
      return intradayBars(market, request);
  }
}

/** Before the regular open, regular hours end with the day before. */
function lastCovered(market: Market, { conid, until, outsideRth }: HistoryRequest): number {
  const session = market.calendar(conid).sessionAt(until);
  return outsideRth || until >= session.opensAt ? until : session.extendedOpensAt - 1;
}

interface DailyBar extends SimBar {
  readonly day: number;
}

function monthStart(day: number): number {
  const { year, month } = civilDate(day);
  return dayNumber(year, month, 1);
}

/** The first trading date that a period of days or more reaches back to. */
function firstDay(market: Market, { conid, period, until }: HistoryRequest): number {
  const calendar = market.calendar(conid);
  const last = calendar.sessionAt(until).day;
  const { year, month, day } = civilDate(last);
  if (period.unit === "w") return last - 7 * period.count + 1;
  if (period.unit === "m") return dayNumber(year, month - period.count, day) + 1;
  if (period.unit === "y") return dayNumber(year - period.count, month, day) + 1;
  let first = last;
  const days = period.unit === "d" ? period.count : 1;
  for (let count = 1; count < days && first > FIRST_DAY; count += 1) first = calendar.previousTradingDay(first);
  return first;
}

function dailyBars(market: Market, request: HistoryRequest): readonly DailyBar[] {
  const { conid, until, outsideRth } = request;
  const calendar = market.calendar(conid);
  const bars: DailyBar[] = [];
  const latest = calendar.sessionAt(until).day;
  for (let day = Math.max(FIRST_DAY + 1, firstDay(market, request)); day <= latest; day += 1) {
    const session = calendar.session(day);
    if (session === undefined) continue;
    const whole = !outsideRth && until >= session.closesAt - 1;
    const bar = whole ? market.dayBar(conid, day) : partOfDay(market, request, session);
    if (bar !== undefined) bars.push({ ...bar, day });
  }
  return bars;
}

/** A day that is still under way, or one with its extended hours; it starts with the session whatever traded first. */
function partOfDay(market: Market, { conid, until, outsideRth }: HistoryRequest, session: TradingSession): SimBar | undefined {
  const from = outsideRth ? session.extendedOpensAt : session.opensAt;
  const end = outsideRth ? session.extendedClosesAt : session.closesAt;
  const bar = market.bar(conid, { from, to: Math.min(until, end - 1), outsideRth });
  return bar === undefined ? undefined : { ...bar, startsAt: from };
}

/** Puts the days of each group together into one bar. */
function joined(days: readonly DailyBar[], groupOf: (day: number) => number): readonly SimBar[] {
  const groups = Map.groupBy(days, (bar) => groupOf(bar.day));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    const last = group.at(-1);
    if (first === undefined || last === undefined) return [];
    return {
      startsAt: first.startsAt,
      open: first.open,
      high: Decimal.max(first.high, ...group.map((bar) => bar.high)),
      low: Decimal.min(first.low, ...group.map((bar) => bar.low)),
      close: last.close,
      volume: Decimal.sum(group.map((bar) => bar.volume)),
    };
  });
}

/** Bars of minutes or hours, looked for backwards from the end until the period is full. */
function intradayBars(market: Market, request: HistoryRequest): readonly SimBar[] {
  const { conid, period, until, outsideRth } = request;
  const lengthMs = (BAR_SECONDS[request.bar] ?? 60) * 1000;
  const inTradingTime = period.unit === "min" || period.unit === "h";
  const most = inTradingTime ? Math.max(1, Math.ceil((periodSeconds(period) * 1000) / lengthMs)) : MAX_BARS;
  const calendar = market.calendar(conid);
  // A few minutes or hours never reach back further than the days that hold them, holidays included.
  const earliest = inTradingTime ? calendar.sessionAt(until).day - 30 : firstDay(market, request);
  const bars: SimBar[] = [];
  let session = calendar.sessionAt(until);
  while (session.day >= Math.max(earliest, FIRST_DAY + 1)) {
    const opens = outsideRth ? session.extendedOpensAt : session.opensAt;
    const end = Math.min(until, (outsideRth ? session.extendedClosesAt : session.closesAt) - 1);
    for (let start = opens + Math.floor((end - opens) / lengthMs) * lengthMs; start >= opens; start -= lengthMs) {
      const bar = market.bar(conid, { from: start, to: Math.min(end, start + lengthMs - 1), outsideRth });
      if (bar !== undefined) bars.push({ ...bar, startsAt: start });
      if (bars.length === most) return bars.toReversed();
    }
    session = calendar.sessionAt(session.extendedOpensAt - 1);
  }
  return bars.toReversed();
}
