import { expect, it } from "vitest";

import { marketStateAt } from "./market-session.ts";

const at = (time: string) => Date.parse(`2026-11-${time}:00Z`);
const session = (opens: string, closes: string, isLiquidHours: boolean) => ({ opensAt: at(opens), closesAt: at(closes), isLiquidHours });
const STOCK = {
  days: [
    { date: "2026-11-23", sessions: [session("23T09:00", "24T01:00", false), session("23T14:30", "23T21:00", true)] },
    { date: "2026-11-24", sessions: [session("24T09:00", "25T01:00", false), session("24T14:30", "24T21:00", true)] },
  ],
};

it("is regular, extended or closed, and tells what comes next", () => {
  expect(marketStateAt(STOCK, at("23T14:30"))).toEqual({ session: "regular", regularClosesAt: at("23T21:00"), regularOpensAt: undefined });
  expect(marketStateAt(STOCK, at("23T21:00"))).toEqual({ session: "extended", regularClosesAt: undefined, regularOpensAt: at("24T14:30") });
  expect(marketStateAt(STOCK, at("23T08:59"))).toMatchObject({ session: "closed", regularOpensAt: at("23T14:30") });
});

it("knows no next opening beyond the days that were told", () => {
  expect(marketStateAt(STOCK, at("26T12:00"))).toEqual({ session: "closed", regularClosesAt: undefined, regularOpensAt: undefined });
  expect(marketStateAt({ days: [] }, at("26T12:00")).session).toBe("closed");
});

it("takes every session for regular where none is marked", () => {
  const pair = { days: [{ date: "2026-11-23", sessions: [session("22T22:15", "23T22:00", false)] }] };
  expect(marketStateAt(pair, at("23T03:00"))).toMatchObject({ session: "regular", regularClosesAt: at("23T22:00") });
});
