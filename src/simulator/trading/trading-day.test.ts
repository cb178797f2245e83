import { expect, test } from "vitest";
import { tradingDay } from "./trading-day.ts";

test("a trading day begins and ends at midnight in New York", () => {
  expect(tradingDay(Date.UTC(2026, 10, 23, 15))).toEqual({
    date: "20261123",
    startsAt: Date.UTC(2026, 10, 23, 5),
    endsAt: Date.UTC(2026, 10, 24, 5),
  });
  expect(tradingDay(Date.UTC(2026, 10, 24, 4, 59, 59, 999)).date).toBe("20261123");
  expect(tradingDay(Date.UTC(2026, 10, 24, 5)).date).toBe("20261124");
});

test("the days on which the clocks change have 23 and 25 hours", () => {
  const spring = tradingDay(Date.UTC(2026, 2, 8, 20));
  expect((spring.endsAt - spring.startsAt) / 3_600_000).toBe(23);
  const autumn = tradingDay(Date.UTC(2026, 10, 1, 20));
  expect((autumn.endsAt - autumn.startsAt) / 3_600_000).toBe(25);
  expect(tradingDay(Date.UTC(2026, 10, 1, 4)).startsAt).toBe(autumn.startsAt);
});
