import { weekday } from "../market/calendar/civil-date.ts";
import { createZonedTime } from "../market/calendar/zoned-time.ts";

const newYork = createZonedTime("America/New_York");

/** IBKR's reset of a region's servers: at midnight of New York, and for a few minutes nobody can sign in. */
const DAILY_MINUTES = 5;
/** Saturday evening's maintenance, in minutes after midnight of New York. The hours are a guess; IBKR names the evening only. */
const WEEKEND_FROM = 20 * 60;
const SATURDAY = 6;

/** What keeps IBKR's servers from answering at an instant. */
export type MaintenanceWindow = "none" | "daily_reset" | "weekend";

/** IBKR's maintenance as a function of time alone. */
export interface Maintenance {
  readonly windowAt: (now: number) => MaintenanceWindow;
  /** Epoch ms of the latest instant at which every session ended; before all time where there is no maintenance. */
  readonly lastReset: (now: number) => number;
}

/** The maintenance of a simulator that is always there. */
export const NO_MAINTENANCE: Maintenance = { windowAt: () => "none", lastReset: () => Number.NEGATIVE_INFINITY };

/** IBKR's maintenance: the reset at each midnight in New York, and Saturday's evening until midnight. */
export const IBKR_MAINTENANCE: Maintenance = {
  windowAt: (now) => {
    const { day, minutes } = newYork.local(now);
    if (minutes < DAILY_MINUTES) return "daily_reset";
    return weekday(day) === SATURDAY && minutes >= WEEKEND_FROM ? "weekend" : "none";
  },
  lastReset: (now) => {
    const { day, minutes } = newYork.local(now);
    const weekend = weekday(day) === SATURDAY && minutes >= WEEKEND_FROM;
    return newYork.instant(day, weekend ? WEEKEND_FROM : 0);
  },
};
