import { civilDate, nthWeekday, weekday } from "../calendar/civil-date.ts";
import { EXCHANGE_HOURS } from "../calendar/exchange-hours.ts";
import { createTradingCalendar } from "../calendar/trading-calendar.ts";

/** When options end. Days are day numbers. */
export interface Expiries {
  /** True for a Friday, or for the Thursday before a Friday without trading. */
  isExpiry(day: number): boolean;
  /** What is listed on a day, soonest first: six weeks, eight months, and the Januaries of two more years. */
  listedOn(day: number): readonly number[];
}

const FRIDAY = 5;
const WEEKS = 6;
const MONTHS = 8;
const FURTHER_JANUARIES = 2;

/** Makes the rule of expiries: the real exchange calendar decides, also in an always open market. */
export function createExpiries(): Expiries {
  const exchange = createTradingCalendar(EXCHANGE_HOURS.US_REGULAR, false);
  const onOrBefore = (friday: number): number => (exchange.isTradingDay(friday) ? friday : friday - 1);
  return {
    isExpiry: (day) => (weekday(day) === FRIDAY ? exchange.isTradingDay(day) : weekday(day) === 4 && onOrBefore(day + 1) === day),
    listedOn: (day) => {
      const { year, month } = civilDate(day);
      const firstFriday = day + ((FRIDAY - weekday(day) + 7) % 7);
      const fridays = Array.from({ length: WEEKS }, (_, week) => firstFriday + week * 7);
      // Date.UTC carries a month beyond 12 into the next year.
      for (let ahead = 0; ahead < MONTHS; ahead += 1) fridays.push(nthWeekday(year, month + ahead, { weekday: FRIDAY, nth: 3 }));
      for (let ahead = 1; ahead <= FURTHER_JANUARIES; ahead += 1) fridays.push(nthWeekday(year + ahead, 1, { weekday: FRIDAY, nth: 3 }));
      return [...new Set(fridays.map(onOrBefore))].filter((expiry) => expiry >= day).toSorted((a, b) => a - b);
    },
  };
}
