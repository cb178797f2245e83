import { describe, expect, test } from "vitest";

import { historyRange } from "./history-range.ts";

describe("a period", () => {
  test.each([
    ["1d", "5min"],
    ["1w", "1h"],
    ["1m", "1d"],
    ["1y", "1d"],
    ["5y", "1m"],
    ["30min", "1min"],
    ["4h", "5min"],
  ])("of %s has bars of %s unless others are asked for", (period, bar) => {
    expect(historyRange(period, undefined)).toEqual({ period, bar });
  });

  test.each([
    ["1D", "5 mins", "1d", "5min"],
    ["3 months", "daily", "", ""],
    ["1 year", "1 week", "1y", "1w"],
    ["month", "1D", "1m", "1d"],
  ])("may be written %s with bars %s", (period, bar, normalPeriod, normalBar) => {
    if (normalPeriod === "") expect(() => historyRange(period, bar)).toThrow("no daily bars");
    else expect(historyRange(period, bar)).toEqual({ period: normalPeriod, bar: normalBar });
  });

  test.each(["", "0d", "1001d", "16y", "31min", "9h", "ytd", "1.5d", "-1d", "d1"])(
    "of %j is refused in words that say what is allowed",
    (period) => {
      expect(() => historyRange(period, undefined)).toThrow(
        expect.objectContaining({ code: "invalid_arguments", whatToDo: expect.stringContaining("1–15y") }),
      );
    },
  );

  test("refuses bars that are too fine or too coarse for it, and names those that go with it", () => {
    expect(() => historyRange("1y", "1min")).toThrow(expect.objectContaining({ whatToDo: "Use one of 8h, 1d, 1w, 1m." }));
    expect(() => historyRange("1d", "1d")).toThrow(expect.objectContaining({ whatToDo: expect.stringContaining("1min") }));
  });
});
