const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

const newYork = new Intl.DateTimeFormat("en-CA", {
  timeZone: "America/New_York",
  hourCycle: "h23",
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

/** The brokerage's day: it begins at midnight in New York. `date` is `YYYYMMDD`; `startsAt` and `endsAt` are epoch ms. */
export interface TradingDay {
  readonly date: string;
  readonly startsAt: number;
  readonly endsAt: number;
}

/** Finds the trading day that an instant belongs to. */
export function tradingDay(at: number): TradingDay {
  const { date, sinceMidnightMs } = wallClock(at);
  const startsAt = midnight(at - sinceMidnightMs, date);
  const endsAt = midnight(startsAt + DAY_MS, wallClock(startsAt + DAY_MS + 12 * HOUR_MS).date);
  return { date, startsAt, endsAt };
}

/** Moves a guess, which a change of the clocks may have put an hour off, to the midnight that begins `date`. */
function midnight(guess: number, date: string): number {
  for (const candidate of [guess, guess - HOUR_MS, guess + HOUR_MS]) {
    const wall = wallClock(candidate);
    if (wall.date === date && wall.sinceMidnightMs === 0) return candidate;
  }
  throw new RangeError(`no midnight found for ${date}`);
}

function wallClock(at: number): { date: string; sinceMidnightMs: number } {
  const part: Record<string, string> = {};
  for (const { type, value } of newYork.formatToParts(at)) part[type] = value;
  const seconds = Number(part["hour"]) * 3600 + Number(part["minute"]) * 60 + Number(part["second"]);
  const millisecond = ((at % 1000) + 1000) % 1000;
  return { date: `${part["year"]}${part["month"]}${part["day"]}`, sinceMidnightMs: seconds * 1000 + millisecond };
}
