/** Local dates and times of one time zone. */
export interface ZonedClock {
  /** The local date, `YYYY-MM-DD`, at an instant. */
  dateAt(at: number): string;
  /** When the clocks there show this time: minutes after midnight of a date (`YYYY-MM-DD`), also below zero and beyond a day. */
  instantOf(date: string, minutes: number): number;
}

const MINUTE_MS = 60_000;

/** Makes the clock of an IANA zone; undefined when there is no such zone. */
export function zonedClock(zone: string): ZonedClock | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-CA", {
      timeZone: zone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  const partsAt = (at: number) => Object.fromEntries(format.formatToParts(at).map((part) => [part.type, part.value]));
  const offsetAt = (at: number): number => {
    const { year, month, day, hour, minute } = partsAt(at);
    const local = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute));
    return local - Math.floor(at / MINUTE_MS) * MINUTE_MS;
  };
  return {
    dateAt: (at) => {
      const { year, month, day } = partsAt(at);
      return `${year}-${month}-${day}`;
    },
    instantOf: (date, minutes) => {
      const shown = Date.parse(`${date}T00:00:00Z`) + minutes * MINUTE_MS;
      // The offset near the instant may differ from the one at the first guess, on the day on which the clocks change.
      const guess = shown - offsetAt(shown);
      return shown - offsetAt(guess);
    },
  };
}

/** The date some days after a date (`YYYY-MM-DD`). */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** The same day some months before a date (`YYYY-MM-DD`), or that month's last day. */
export function monthsBefore(date: string, months: number): string {
  const [year = 0, month = 0, day = 0] = date.split("-").map(Number);
  const lastDay = new Date(Date.UTC(year, month - months, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 - months, Math.min(day, lastDay))).toISOString().slice(0, 10);
}
