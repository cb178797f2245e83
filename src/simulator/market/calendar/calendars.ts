import { EXCHANGE_HOURS, type CalendarName } from "./exchange-hours.ts";
import { createTradingCalendar, type TradingCalendar } from "./trading-calendar.ts";

/** The calendars of one market, each made once, by the name that an instrument holds. */
export type Calendars = Readonly<Record<CalendarName, TradingCalendar>>;

/** Makes all calendars, for real hours or for a market that is always open. */
export function createCalendars(alwaysOpen: boolean): Calendars {
  const make = (name: CalendarName): TradingCalendar => createTradingCalendar(EXCHANGE_HOURS[name], alwaysOpen);
  return {
    US: make("US"),
    US_REGULAR: make("US_REGULAR"),
    LSE: make("LSE"),
    XETRA: make("XETRA"),
    AMSTERDAM: make("AMSTERDAM"),
    PARIS: make("PARIS"),
    MADRID: make("MADRID"),
    SIX: make("SIX"),
    TORONTO: make("TORONTO"),
    TOKYO: make("TOKYO"),
    CME: make("CME"),
    FX: make("FX"),
  };
}
