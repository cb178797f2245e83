import { describe, expect, it } from "vitest";
import { compactDate, dayNumber, parseCompactDate } from "./civil-date.ts";
import { EXCHANGE_HOURS, type CalendarName } from "./exchange-hours.ts";
import { createTradingCalendar } from "./trading-calendar.ts";

const HOUR_MS = 3_600_000;
const real = (name: CalendarName) => createTradingCalendar(EXCHANGE_HOURS[name], false);
const dayOf = (text: string): number => parseCompactDate(text) ?? Number.NaN;

function holidaysOf(name: CalendarName, year: number): readonly string[] {
  const calendar = real(name);
  const days = Array.from({ length: 366 }, (_, index) => dayNumber(year, 1, 1) + index);
  const closed = days.filter((day) => !calendar.isTradingDay(day) && ![0, 6].includes(new Date(day * 24 * HOUR_MS).getUTCDay()));
  return closed.map(compactDate).filter((date) => date.startsWith(String(year)));
}

function earlyClosesOf(name: CalendarName, year: number): readonly string[] {
  const calendar = real(name);
  const usual = (EXCHANGE_HOURS[name].closes - EXCHANGE_HOURS[name].opens) * 60_000;
  const days = Array.from({ length: 366 }, (_, index) => dayNumber(year, 1, 1) + index);
  const short = days.filter((day) => {
    const session = calendar.session(day);
    return session !== undefined && session.closesAt - session.opensAt < usual;
  });
  return short.map(compactDate).filter((date) => date.startsWith(String(year)));
}

describe("the calendar of New York", () => {
  it("has the published holidays of 2024 to 2028", () => {
    expect(holidaysOf("US", 2024)).toEqual(
      "20240101 20240115 20240219 20240329 20240527 20240619 20240704 20240902 20241128 20241225".split(" "),
    );
    expect(holidaysOf("US", 2025)).toEqual(
      "20250101 20250109 20250120 20250217 20250418 20250526 20250619 20250704 20250901 20251127 20251225".split(" "),
    );
    expect(holidaysOf("US", 2026)).toEqual(
      "20260101 20260119 20260216 20260403 20260525 20260619 20260703 20260907 20261126 20261225".split(" "),
    );
    expect(holidaysOf("US", 2027)).toEqual(
      "20270101 20270118 20270215 20270326 20270531 20270618 20270705 20270906 20271125 20271224".split(" "),
    );
    expect(holidaysOf("US", 2028)).toEqual("20280117 20280221 20280414 20280529 20280619 20280704 20280904 20281123 20281225".split(" "));
  });

  it("closes early on the published days", () => {
    expect(earlyClosesOf("US", 2024)).toEqual(["20240703", "20241129", "20241224"]);
    expect(earlyClosesOf("US", 2025)).toEqual(["20250703", "20251128", "20251224"]);
    expect(earlyClosesOf("US", 2026)).toEqual(["20261127", "20261224"]);
    const session = real("US").session(dayOf("20261127"));
    expect(new Date(session?.closesAt ?? 0).toISOString()).toBe("2026-11-27T18:00:00.000Z");
    expect(new Date(session?.extendedClosesAt ?? 0).toISOString()).toBe("2026-11-27T22:00:00.000Z");
  });

  it("keeps its wall-clock hours when daylight saving changes", () => {
    const calendar = real("US");
    const opens = (date: string): string => new Date(calendar.session(dayOf(date))?.opensAt ?? 0).toISOString().slice(11, 16);
    expect([opens("20260306"), opens("20260309"), opens("20261030"), opens("20261102")]).toEqual(["14:30", "13:30", "13:30", "14:30"]);
  });
});

describe("the calendars of Europe and Canada", () => {
  it("have the published holidays", () => {
    expect(holidaysOf("LSE", 2026)).toEqual("20260101 20260403 20260406 20260504 20260525 20260831 20261225 20261228".split(" "));
    expect(holidaysOf("LSE", 2027)).toEqual("20270101 20270326 20270329 20270503 20270531 20270830 20271227 20271228".split(" "));
    expect(holidaysOf("XETRA", 2026)).toEqual("20260101 20260403 20260406 20260501 20261224 20261225 20261231".split(" "));
    expect(holidaysOf("PARIS", 2026)).toEqual("20260101 20260403 20260406 20260501 20261225".split(" "));
    expect(holidaysOf("SIX", 2026)).toEqual(
      "20260101 20260102 20260403 20260406 20260501 20260514 20260525 20261224 20261225 20261231".split(" "),
    );
    expect(holidaysOf("TORONTO", 2026)).toEqual(
      "20260101 20260216 20260403 20260518 20260701 20260803 20260907 20261012 20261225 20261228".split(" "),
    );
  });

  it("close early at the end of the year", () => {
    expect(earlyClosesOf("LSE", 2026)).toEqual(["20261224", "20261231"]);
    expect(earlyClosesOf("PARIS", 2026)).toEqual(["20261224", "20261231"]);
    expect(earlyClosesOf("XETRA", 2026)).toEqual(["20261230"]);
    expect(earlyClosesOf("TORONTO", 2026)).toEqual(["20261224"]);
  });
});

describe("the calendar of Tokyo", () => {
  it.each([
    [2026, "0101 0102 0112 0211 0223 0320 0429 0504 0505 0506 0720 0811 0921 0922 0923 1012 1103 1123 1231"],
    [2027, "0101 0111 0211 0223 0322 0429 0503 0504 0505 0719 0811 0920 0923 1011 1103 1123 1231"],
  ])("has the published holidays of %i", (year, days) => {
    expect(holidaysOf("TOKYO", year)).toEqual(days.split(" ").map((day) => `${year}${day}`));
  });
});

describe("the calendar of foreign exchange", () => {
  it("runs from Sunday 17:00 to Friday 17:00 in New York without a pause", () => {
    const calendar = real("FX");
    const monday = calendar.session(dayOf("20261123"));
    const friday = calendar.session(dayOf("20261127"));
    expect(new Date(monday?.opensAt ?? 0).toISOString()).toBe("2026-11-22T22:00:00.000Z");
    expect(calendar.session(dayOf("20261124"))?.opensAt).toBe(monday?.closesAt);
    expect(new Date(friday?.closesAt ?? 0).toISOString()).toBe("2026-11-27T22:00:00.000Z");
    expect(calendar.sessionAt(Date.parse("2026-11-28T12:00:00Z")).day).toBe(dayOf("20261127"));
  });
});

describe("a calendar that is always open", () => {
  const always = createTradingCalendar(EXCHANGE_HOURS.US, true);

  const lengthOf = (date: string): number => {
    const session = always.session(dayOf(date));
    return session === undefined ? 0 : (session.closesAt - session.opensAt) / HOUR_MS;
  };

  it("makes every local date one trading day, of 23 or 25 hours when daylight saving changes", () => {
    expect([lengthOf("20261122"), lengthOf("20261225"), lengthOf("20260308"), lengthOf("20261101")]).toEqual([24, 24, 23, 25]);
  });

  it("leaves no gap between two days", () => {
    for (let day = dayNumber(2026, 1, 1); day < dayNumber(2027, 1, 1); day += 1)
      expect(always.session(day + 1)?.opensAt).toBe(always.session(day)?.closesAt);
  });
});
