/** Milliseconds in a day of a clock without daylight saving. */
export const DAY_MS = 86_400_000;

/** The number of a calendar date: days since 1970-01-01. `month` is 1 to 12; a day beyond the month's end runs into the next. */
export function dayNumber(year: number, month: number, day: number): number {
  return Date.UTC(year, month - 1, day) / DAY_MS;
}

/** Year, month (1 to 12) and day of a day number. */
export function civilDate(day: number): { readonly year: number; readonly month: number; readonly day: number } {
  const date = new Date(day * DAY_MS);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

/** Day of the week: 0 is Sunday, 6 is Saturday. */
export function weekday(day: number): number {
  return (((day + 4) % 7) + 7) % 7;
}

/** A day number as `YYYYMMDD`. */
export function compactDate(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10).replaceAll("-", "");
}

/** The day number of `YYYYMMDD`, or undefined when the text isn't a date. */
export function parseCompactDate(text: string): number | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})$/.exec(text);
  if (match === null) return undefined;
  const day = dayNumber(Number(match[1]), Number(match[2]), Number(match[3]));
  return compactDate(day) === text ? day : undefined;
}

/** The `nth` (from 1) given weekday of a month; −1 is the last one. */
export function nthWeekday(year: number, month: number, which: { readonly weekday: number; readonly nth: number }): number {
  if (which.nth > 0) {
    const first = dayNumber(year, month, 1);
    return first + ((which.weekday - weekday(first) + 7) % 7) + (which.nth - 1) * 7;
  }
  const last = dayNumber(year, month + 1, 1) - 1;
  return last - ((weekday(last) - which.weekday + 7) % 7);
}

/** Easter Sunday in the Gregorian calendar (the anonymous algorithm of Meeus, Jones and Butcher). */
export function easterSunday(year: number): number {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const d = (19 * a + b - Math.floor(b / 4) - Math.floor((b - Math.floor((b + 8) / 25) + 1) / 3) + 15) % 30;
  const e = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - d - (c % 4)) % 7;
  const f = d + e - 7 * Math.floor((a + 11 * d + 22 * e) / 451) + 114;
  return dayNumber(year, Math.floor(f / 31), (f % 31) + 1);
}
