import { compactDate, dayNumber, weekday } from "../calendar/civil-date.ts";
import type { TradingCalendar, TradingSession } from "../calendar/trading-calendar.ts";
import { createZonedTime } from "../calendar/zoned-time.ts";

/** Days of exceptions that are told ahead. */
const DAYS_AHEAD = 35;
/** Days in the newer schedule endpoint. */
const SCHEDULE_DAYS = 10;
/** 1 January 2000 was a Saturday: the seven days from there are the templates of Saturday to Friday. */
const TEMPLATE_START = dayNumber(2000, 1, 1);

/** Opening and closing time of regular and of extended hours; empty on a day without trading. */
type Hours = readonly string[];

/** The `schedules` of `/trsrv/secdef/schedule`: a template for each weekday, then the dates that differ from theirs. */
export function weeklySchedule(calendar: TradingCalendar, now: number) {
  const today = calendar.sessionAt(now).day;
  const days = Array.from({ length: DAYS_AHEAD }, (_, ahead) => {
    const hours = hoursOf(calendar, today + ahead);
    return { day: today + ahead, hours, key: hours.join("-") };
  });
  const templates = Array.from({ length: 7 }, (_, index) => {
    const same = days.filter(({ day }) => weekday(day) === weekday(TEMPLATE_START + index));
    const key = mostCommon(same.map((each) => each.key));
    return same.find((each) => each.key === key) ?? { hours: [], key };
  });
  const exceptions = days.filter(({ day, key }) => key !== templates[(weekday(day) + 1) % 7]?.key);
  return [
    ...templates.map(({ hours }, index) => scheduleRow(TEMPLATE_START + index, hours)),
    ...exceptions.map(({ day, hours }) => scheduleRow(day, hours)),
  ];
}

function hoursOf(calendar: TradingCalendar, day: number): Hours {
  const session = calendar.session(day);
  if (session === undefined) return [];
  const clock = createLocalClock(calendar.zone, session);
  return [session.opensAt, session.closesAt, session.extendedOpensAt, session.extendedClosesAt].map(clock);
}

/** Writes instants as local `HHMM`; midnight at the day's end is `2400`. */
function createLocalClock(zone: string, session: TradingSession): (at: number) => string {
  const zoned = createZonedTime(zone);
  return (at) => {
    const { day, minutes } = zoned.local(at);
    if (day > session.day && minutes === 0) return "2400";
    return `${String(Math.floor(minutes / 60)).padStart(2, "0")}${String(minutes % 60).padStart(2, "0")}`;
  };
}

function mostCommon(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? "";
}

function scheduleRow(day: number, hours: Hours) {
  const tradingScheduleDate = compactDate(day);
  const [openingTime, closingTime, extendedOpens, extendedCloses] = hours;
  if (openingTime === undefined) return { clearingCycleEndTime: "0000", tradingScheduleDate, sessions: [], tradingtimes: [] };
  return {
    clearingCycleEndTime: "0000",
    tradingScheduleDate,
    sessions: [{ openingTime, closingTime, prop: "LIQUID" }],
    tradingtimes: [{ openingTime: extendedOpens, closingTime: extendedCloses, cancelDayOrders: "Y" }],
  };
}

/** The answer of `/contract/trading-schedule`: the sessions of the coming days, in epoch seconds. */
export function tradingSchedule(calendar: TradingCalendar, now: number) {
  const today = calendar.sessionAt(now).day;
  const days = Array.from({ length: SCHEDULE_DAYS }, (_, ahead) => calendar.session(today + ahead));
  const rows = days.flatMap((session) => (session === undefined ? [] : [[compactDate(session.day), sessionRow(session)] as const]));
  return { exchange_time_zone: calendar.ibkrZone, schedules: Object.fromEntries(rows) };
}

function seconds(at: number): number {
  return Math.floor(at / 1000);
}

function sessionRow(session: TradingSession) {
  return {
    liquid_hours: [{ opening: seconds(session.opensAt), closing: seconds(session.closesAt) }],
    extended_hours: [{ cancel_daily_orders: true, opening: seconds(session.extendedOpensAt), closing: seconds(session.extendedClosesAt) }],
  };
}
