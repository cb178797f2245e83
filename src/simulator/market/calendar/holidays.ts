import { dayNumber, easterSunday, nthWeekday, weekday } from "./civil-date.ts";

/** What is special in one year: days without trading, and days with an early close (minutes after local midnight). */
export interface YearOfHolidays {
  readonly closed: readonly number[];
  readonly early: readonly (readonly [day: number, closesAt: number])[];
}

const MONDAY = 1;
const THURSDAY = 4;
const SATURDAY = 6;
const SUNDAY = 0;

const isWeekend = (day: number): boolean => weekday(day) === SATURDAY || weekday(day) === SUNDAY;

/** A holiday on Saturday is kept on Friday, one on Sunday on Monday (United States). */
function observedNear(day: number): number {
  if (weekday(day) === SATURDAY) return day - 1;
  return weekday(day) === SUNDAY ? day + 1 : day;
}

/** A holiday at the weekend is kept on the next Monday (United Kingdom, Canada). */
function observedAfter(day: number): number {
  if (weekday(day) === SATURDAY) return day + 2;
  return weekday(day) === SUNDAY ? day + 1 : day;
}

/** Christmas and Boxing Day where a weekend moves both to the next free weekdays. */
function christmasDays(year: number): readonly number[] {
  const christmas = dayNumber(year, 12, 25);
  if (weekday(christmas) === SATURDAY) return [christmas + 2, christmas + 3];
  if (weekday(christmas) === SUNDAY) return [christmas + 1, christmas + 2];
  return weekday(christmas) === 5 ? [christmas, christmas + 3] : [christmas, christmas + 1];
}

const earlyOn = (days: readonly number[], closesAt: number): YearOfHolidays["early"] =>
  days.filter((day) => !isWeekend(day)).map((day) => [day, closesAt] as const);

/** The last weekday before `day`. */
function weekdayBefore(day: number): number {
  let candidate = day - 1;
  while (isWeekend(candidate)) candidate -= 1;
  return candidate;
}

/** New York: NYSE and Nasdaq. Early closes at 13:00. */
export function unitedStates(year: number): YearOfHolidays {
  const newYear = dayNumber(year, 1, 1);
  const thanksgiving = nthWeekday(year, 11, { weekday: THURSDAY, nth: 4 });
  const closed = [
    // A New Year's Day on a Saturday isn't kept on the Friday, which belongs to the old year.
    weekday(newYear) === SUNDAY ? newYear + 1 : newYear,
    nthWeekday(year, 1, { weekday: MONDAY, nth: 3 }),
    nthWeekday(year, 2, { weekday: MONDAY, nth: 3 }),
    easterSunday(year) - 2,
    nthWeekday(year, 5, { weekday: MONDAY, nth: -1 }),
    ...(year >= 2022 ? [observedNear(dayNumber(year, 6, 19))] : []),
    observedNear(dayNumber(year, 7, 4)),
    nthWeekday(year, 9, { weekday: MONDAY, nth: 1 }),
    thanksgiving,
    observedNear(dayNumber(year, 12, 25)),
    // Day of mourning for President Carter.
    ...(year === 2025 ? [dayNumber(2025, 1, 9)] : []),
  ];
  const early = [dayNumber(year, 7, 3), thanksgiving + 1, dayNumber(year, 12, 24)].filter((day) => !closed.includes(day));
  return { closed, early: earlyOn(early, 13 * 60) };
}

/** London Stock Exchange. Early closes at 12:30 on the last trading days before Christmas and New Year. */
export function unitedKingdom(year: number): YearOfHolidays {
  const easter = easterSunday(year);
  const closed = [
    observedAfter(dayNumber(year, 1, 1)),
    easter - 2,
    easter + 1,
    nthWeekday(year, 5, { weekday: MONDAY, nth: 1 }),
    nthWeekday(year, 5, { weekday: MONDAY, nth: -1 }),
    nthWeekday(year, 8, { weekday: MONDAY, nth: -1 }),
    ...christmasDays(year),
  ];
  const early = [weekdayBefore(dayNumber(year, 12, 25)), weekdayBefore(dayNumber(year + 1, 1, 1))];
  return { closed, early: earlyOn(early, 12 * 60 + 30) };
}

/** Xetra. The last trading day of the year ends at 14:00. */
export function germany(year: number): YearOfHolidays {
  const easter = easterSunday(year);
  const closed = [
    dayNumber(year, 1, 1),
    easter - 2,
    easter + 1,
    dayNumber(year, 5, 1),
    ...[24, 25, 26, 31].map((day) => dayNumber(year, 12, day)),
  ];
  return { closed, early: earlyOn([weekdayBefore(dayNumber(year, 12, 31))], 14 * 60) };
}

/** Euronext and Madrid. Early closes at about 14:00 on 24 and 31 December. */
export function euronext(year: number): YearOfHolidays {
  const easter = easterSunday(year);
  const closed = [dayNumber(year, 1, 1), easter - 2, easter + 1, dayNumber(year, 5, 1), dayNumber(year, 12, 25), dayNumber(year, 12, 26)];
  return { closed, early: earlyOn([dayNumber(year, 12, 24), dayNumber(year, 12, 31)], 14 * 60 + 5) };
}

/** SIX Swiss Exchange. */
export function switzerland(year: number): YearOfHolidays {
  const easter = easterSunday(year);
  const closed = [
    dayNumber(year, 1, 1),
    dayNumber(year, 1, 2),
    easter - 2,
    easter + 1,
    dayNumber(year, 5, 1),
    easter + 39,
    easter + 50,
    dayNumber(year, 8, 1),
    ...[24, 25, 26, 31].map((day) => dayNumber(year, 12, day)),
  ];
  return { closed, early: [] };
}

/** Toronto Stock Exchange. Early close at 13:00 on Christmas Eve. */
export function canada(year: number): YearOfHolidays {
  const victoria = dayNumber(year, 5, 24);
  const closed = [
    observedAfter(dayNumber(year, 1, 1)),
    nthWeekday(year, 2, { weekday: MONDAY, nth: 3 }),
    easterSunday(year) - 2,
    victoria - ((weekday(victoria) + 6) % 7),
    observedAfter(dayNumber(year, 7, 1)),
    nthWeekday(year, 8, { weekday: MONDAY, nth: 1 }),
    nthWeekday(year, 9, { weekday: MONDAY, nth: 1 }),
    nthWeekday(year, 10, { weekday: MONDAY, nth: 2 }),
    ...christmasDays(year),
  ];
  return { closed, early: earlyOn([dayNumber(year, 12, 24)], 13 * 60) };
}

/** Tokyo. A holiday on Sunday moves to the next free day. A Tuesday between two September holidays is one, too. */
export function japan(year: number): YearOfHolidays {
  const spring = dayNumber(year, 3, equinoxDay(20.8431, year));
  const autumn = dayNumber(year, 9, equinoxDay(23.2488, year));
  const aged = nthWeekday(year, 9, { weekday: MONDAY, nth: 3 });
  const named = [
    dayNumber(year, 1, 1),
    nthWeekday(year, 1, { weekday: MONDAY, nth: 2 }),
    dayNumber(year, 2, 11),
    dayNumber(year, 2, 23),
    spring,
    dayNumber(year, 4, 29),
    ...[3, 4, 5].map((day) => dayNumber(year, 5, day)),
    nthWeekday(year, 7, { weekday: MONDAY, nth: 3 }),
    dayNumber(year, 8, 11),
    aged,
    ...(autumn - aged === 2 ? [aged + 1] : []),
    autumn,
    nthWeekday(year, 10, { weekday: MONDAY, nth: 2 }),
    dayNumber(year, 11, 3),
    dayNumber(year, 11, 23),
  ];
  const moved = named.filter((day) => weekday(day) === SUNDAY).map((day) => firstFree(day + 1, named));
  return { closed: [...named, ...moved, dayNumber(year, 1, 2), dayNumber(year, 1, 3), dayNumber(year, 12, 31)], early: [] };
}

/** Day of the month of an equinox in Japan, by the usual approximation for 1980 to 2099. */
function equinoxDay(in1980: number, year: number): number {
  return Math.floor(in1980 + 0.242194 * (year - 1980) - Math.floor((year - 1980) / 4));
}

function firstFree(day: number, taken: readonly number[]): number {
  return taken.includes(day) ? firstFree(day + 1, taken) : day;
}

/** Foreign exchange: only Christmas and New Year are without trading. */
export function foreignExchange(year: number): YearOfHolidays {
  return { closed: [dayNumber(year, 1, 1), dayNumber(year, 12, 25)], early: [] };
}

/** Futures in Chicago: closed on three holidays, until noon on those on which only New York's stocks rest, 12:15 on its early closes. */
export function chicagoFutures(year: number): YearOfHolidays {
  const stocks = unitedStates(year);
  const christmas = observedNear(dayNumber(year, 12, 25));
  const newYear = stocks.closed[0] ?? dayNumber(year, 1, 1);
  const closed = [newYear, easterSunday(year) - 2, christmas];
  const halfDays = stocks.closed.filter((day) => !closed.includes(day));
  const early = stocks.early.map(([day]) => [day, 12 * 60 + 15] as const);
  return { closed, early: [...earlyOn(halfDays, 12 * 60), ...early] };
}
