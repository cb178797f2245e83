import { civilDate, DAY_MS, weekday } from "./civil-date.ts";
import type { ExchangeHours } from "./exchange-hours.ts";
import type { YearOfHolidays } from "./holidays.ts";
import { createZonedTime } from "./zoned-time.ts";

/** One trading day. All in epoch ms; without extended hours the outer times equal the regular ones. Ends are exclusive. */
export interface TradingSession {
  /** The trading date as a day number. */
  readonly day: number;
  readonly extendedOpensAt: number;
  readonly opensAt: number;
  readonly closesAt: number;
  readonly extendedClosesAt: number;
}

/** When an exchange trades. Days are day numbers of local dates. */
export interface TradingCalendar {
  readonly zone: string;
  readonly ibkrZone: string;
  isTradingDay(day: number): boolean;
  /** The session of a trading day, or undefined on any other day. */
  session(day: number): TradingSession | undefined;
  /** The latest session that has begun (extended hours included) at an instant. */
  sessionAt(at: number): TradingSession;
  /** The first session that begins after an instant. */
  sessionAfter(at: number): TradingSession;
  previousTradingDay(day: number): number;
  nextTradingDay(day: number): number;
}

/** Longest stretch without trading that is searched; no exchange here closes for more than five days. */
const MAX_DAYS_CLOSED = 14;

/**
 * Makes the calendar of an exchange. With `alwaysOpen` each local calendar date of the exchange's zone is one trading day,
 * midnight to midnight (23 or 25 hours when daylight saving changes), weekends and holidays included, all of it regular hours.
 */
export function createTradingCalendar(hours: ExchangeHours, alwaysOpen: boolean): TradingCalendar {
  const clock = createZonedTime(hours.zone);
  // Both maps hold one entry per year or day that somebody asked about: the dates of the price history and a little more.
  const years = new Map<number, { readonly closed: ReadonlySet<number>; readonly early: ReadonlyMap<number, number> }>();
  const sessions = new Map<number, TradingSession | undefined>();

  function yearOf(day: number) {
    const { year } = civilDate(day);
    const known = years.get(year);
    if (known !== undefined) return known;
    const table: YearOfHolidays = hours.holidays(year);
    const made = { closed: new Set(table.closed), early: new Map(table.early) };
    years.set(year, made);
    return made;
  }

  function isTradingDay(day: number): boolean {
    if (alwaysOpen) return true;
    return weekday(day) !== 0 && weekday(day) !== 6 && !yearOf(day).closed.has(day);
  }

  function makeSession(day: number): TradingSession {
    if (alwaysOpen) return sessionOf(day, { opensAt: clock.instant(day, 0), closesAt: clock.instant(day + 1, 0) });
    const earlyClose = yearOf(day).early.get(day);
    const regular = { opensAt: clock.instant(day, hours.opens), closesAt: clock.instant(day, earlyClose ?? hours.closes) };
    if (hours.extended === undefined) return sessionOf(day, regular);
    const evening = earlyClose === undefined ? hours.extended.closes : earlyClose + hours.extended.afterEarlyClose;
    const extendedOpensAt = clock.instant(day, hours.extended.opens);
    return { day, ...regular, extendedOpensAt, extendedClosesAt: clock.instant(day, evening) };
  }

  function session(day: number): TradingSession | undefined {
    if (sessions.has(day)) return sessions.get(day);
    const made = isTradingDay(day) ? makeSession(day) : undefined;
    sessions.set(day, made);
    return made;
  }

  function step(day: number, direction: 1 | -1): number {
    for (let steps = 1; steps <= MAX_DAYS_CLOSED; steps += 1) {
      if (isTradingDay(day + direction * steps)) return day + direction * steps;
    }
    throw new RangeError(`no trading day near day ${day}`);
  }

  function sessionAt(at: number): TradingSession {
    const latest = Math.floor(at / DAY_MS) + 1;
    for (let day = latest; day > latest - MAX_DAYS_CLOSED; day -= 1) {
      const candidate = session(day);
      if (candidate !== undefined && candidate.extendedOpensAt <= at) return candidate;
    }
    throw new RangeError(`no session before ${at}`);
  }

  return {
    zone: hours.zone,
    ibkrZone: hours.ibkrZone,
    isTradingDay,
    session,
    sessionAt,
    sessionAfter: (at) => {
      const next = session(step(sessionAt(at).day, 1));
      if (next === undefined) throw new RangeError(`no session after ${at}`);
      return next;
    },
    previousTradingDay: (day) => step(day, -1),
    nextTradingDay: (day) => step(day, 1),
  };
}

function sessionOf(day: number, regular: { readonly opensAt: number; readonly closesAt: number }): TradingSession {
  return { day, ...regular, extendedOpensAt: regular.opensAt, extendedClosesAt: regular.closesAt };
}
