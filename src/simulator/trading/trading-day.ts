import { compactDate } from "../market/calendar/civil-date.ts";
import { createZonedTime } from "../market/calendar/zoned-time.ts";

const newYork = createZonedTime("America/New_York");

/** The brokerage's day: it begins at midnight in New York. `date` is `YYYYMMDD`; `startsAt` and `endsAt` are epoch ms. */
export interface TradingDay {
  readonly date: string;
  readonly startsAt: number;
  readonly endsAt: number;
}

/** Finds the trading day that an instant belongs to. */
export function tradingDay(at: number): TradingDay {
  const { day } = newYork.local(at);
  return { date: compactDate(day), startsAt: newYork.instant(day, 0), endsAt: newYork.instant(day + 1, 0) };
}
