import { z } from "zod";

import type { Instrument } from "../../broker/instrument.ts";
import type { MarketHours, TradingSession } from "../../broker/research.ts";
import type { ApiRequest } from "../transport.ts";
import { addDays, type ZonedClock } from "../zoned-clock.ts";
import { isoDate } from "./codes.ts";
import { integer, listOf, text } from "./reply.ts";

type Day = MarketHours["days"][number];

/** `GET /contract/trading-schedule`: hours of the coming days. */
export function scheduleRequest(conid: number): ApiRequest {
  const path = "/contract/trading-schedule";
  return { method: "GET", path, endpoint: path, query: { conid: String(conid) } };
}

const stretches = listOf(z.looseObject({ opening: integer, closing: integer }));

/** Zone name such as `US/Eastern`, and hours in epoch seconds by date. */
export const scheduleReply = z.looseObject({
  exchange_time_zone: text,
  schedules: z.record(z.string(), z.looseObject({ liquid_hours: stretches, extended_hours: stretches })).catch({}),
});

/** Reads the hours of the days that IBKR told, ascending; days without trading aren't among them. */
export function toDays(reply: z.output<typeof scheduleReply>): Day[] {
  const days = Object.entries(reply.schedules).flatMap(([compact, hours]): Day[] => {
    const date = isoDate(compact);
    if (date === undefined) return [];
    const liquid = hours.liquid_hours.flatMap((stretch) => sessionOf(stretch, true));
    const extended = hours.extended_hours.flatMap((stretch) => sessionOf(stretch, false));
    return [{ date, sessions: inOrder([...liquid, ...extended]) }];
  });
  return days.toSorted((a, b) => a.date.localeCompare(b.date));
}

function sessionOf(stretch: { opening?: number | undefined; closing?: number | undefined }, isLiquidHours: boolean): TradingSession[] {
  const { opening, closing } = stretch;
  if (opening === undefined || closing === undefined || opening < 0 || closing <= opening) return [];
  const [opensAt, closesAt] = [epochMs(opening), epochMs(closing)];
  return closesAt > LAST_INSTANT_MS ? [] : [{ opensAt, closesAt, isLiquidHours }];
}

/** The end of the year 2199; what lies beyond is no time of a market. */
const LAST_INSTANT_MS = Date.UTC(2200, 0, 1) - 1;

/** Times come in seconds; some builds may send milliseconds, which are a thousand times as far away. */
function epochMs(time: number): number {
  return time < 100_000_000_000 ? time * 1000 : time;
}

/** `GET /trsrv/secdef/schedule`: the older form, by ticker, with a template for each weekday. */
export function weeklyScheduleRequest({ secType, symbol }: Instrument): ApiRequest {
  const path = "/trsrv/secdef/schedule";
  return { method: "GET", path, endpoint: path, query: { assetClass: secType, symbol } };
}

const times = listOf(z.looseObject({ openingTime: text, closingTime: text, prop: text }));

/** Venues with their hours; dates from 20000101 to 20000107 stand for Saturday to Friday, others are exceptions. */
export const weeklyScheduleReply = listOf(
  z.looseObject({
    exchange: text,
    timezone: text,
    schedules: listOf(z.looseObject({ tradingScheduleDate: text, sessions: times, tradingtimes: times })),
  }),
);

/** One venue's week. */
export type WeeklySchedule = z.output<typeof weeklyScheduleReply>[number];

const TEMPLATE_SATURDAY = 20_000_101;

/** Works out the hours of some days from a venue's week and its exceptions. */
export function toDaysOfWeek(venue: WeeklySchedule, clock: ZonedClock, about: { from: string; days: number }): Day[] {
  const rows = new Map(venue.schedules.map((row) => [row.tradingScheduleDate, row]));
  return Array.from({ length: about.days }, (_, ahead): Day => {
    const date = addDays(about.from, ahead);
    const sinceSaturday = (new Date(`${date}T00:00:00Z`).getUTCDay() + 1) % 7;
    const row = rows.get(date.replaceAll("-", "")) ?? rows.get(String(TEMPLATE_SATURDAY + sinceSaturday));
    const local = (stretch: { openingTime?: string | undefined; closingTime?: string | undefined }, isLiquidHours: boolean) => {
      const opens = minutesOf(stretch.openingTime);
      const closes = minutesOf(stretch.closingTime);
      if (opens === undefined || closes === undefined) return [];
      // Futures and currencies open on the evening before.
      const opensAt = clock.instantOf(date, opens < closes ? opens : opens - 1440);
      return [{ opensAt, closesAt: clock.instantOf(date, closes), isLiquidHours }];
    };
    const liquid = (row?.sessions ?? []).flatMap((stretch) => local(stretch, true));
    const extended = (row?.tradingtimes ?? []).flatMap((stretch) => local(stretch, false));
    return { date, sessions: inOrder([...liquid, ...extended]) };
  });
}

/** `0930` as minutes after midnight; `2400` is the end of the day. */
function minutesOf(time: string | undefined): number | undefined {
  const [, hours, minutes] = /^(\d{2})(\d{2})$/.exec(time?.padStart(4, "0") ?? "") ?? [];
  return hours === undefined ? undefined : Number(hours) * 60 + Number(minutes);
}

/** Ascending, and without extended hours that are the liquid ones again. */
function inOrder(sessions: readonly TradingSession[]): TradingSession[] {
  const isAgain = ({ isLiquidHours, opensAt, closesAt }: TradingSession) =>
    !isLiquidHours && sessions.some((each) => each.isLiquidHours && each.opensAt === opensAt && each.closesAt === closesAt);
  return sessions.filter((session) => !isAgain(session)).toSorted((a, b) => a.opensAt - b.opensAt || b.closesAt - a.closesAt);
}
