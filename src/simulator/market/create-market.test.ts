import { assert, constantFrom, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { Decimal } from "../../lib/decimal.ts";
import { seededRandom } from "../../lib/random.ts";
import { createMarket } from "./create-market.ts";
import { historyBars } from "./market-data/history-bars.ts";
import type { SimBar } from "./market.ts";

const AAPL = 265598;
const SPY = 756733;
const VODAFONE = 29612193;
const EUR_USD = 12087792;
const SUNDAY = Date.parse("2026-11-22T15:30:12.345Z");
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const open = createMarket({ seed: "demo", alwaysOpen: true });
const real = createMarket({ seed: "demo", alwaysOpen: false });
const printed = (value: unknown): string => JSON.stringify(value);
const option = open.option({ underlyingConid: AAPL, expiry: "20270115", right: "P", strike: 230 })?.conid ?? 0;
const conids = [...open.all().map(({ conid }) => conid), option];
const anyConid = constantFrom(...conids);
const anyInstant = integer({ min: Date.parse("2024-01-01"), max: Date.parse("2026-12-31") });
const anyMarket = constantFrom(open, real);

const monday = (time: string): number => Date.parse(`2026-11-23T${time}:00Z`);
const sumOf = (bars: readonly SimBar[]): string => Decimal.sum(bars.map((bar) => bar.volume)).toString();

describe("the simulated market", () => {
  it("lists at least 120 instruments, each once, with prices that keep their increments", () => {
    expect(open.all().length).toBeGreaterThanOrEqual(120);
    expect(new Set(conids).size).toBe(conids.length);
    assert(
      property(anyMarket, anyConid, anyInstant, (market, conid, at) => {
        const quote = market.quote(conid, at);
        for (const price of [quote.last, quote.bid, quote.ask, quote.high, quote.low, quote.open, quote.priorClose]) {
          expect(price.isPositive()).toBe(true);
          expect(price.isMultipleOf(market.priceIncrement(conid, price))).toBe(true);
        }
        expect(quote.bid.lessThan(quote.ask)).toBe(true);
        expect(quote.low.greaterThan(quote.high)).toBe(false);
        expect(quote.week52Low.greaterThan(quote.low)).toBe(false);
        expect(quote.week52High.lessThan(quote.high)).toBe(false);
        expect(quote.at).toBeLessThanOrEqual(at);
      }),
      { numRuns: 300, seed: 7 },
    );
  });

  it("gives the same market for the same seed, whatever was asked before, and another for another seed", () => {
    const again = createMarket({ seed: "demo", alwaysOpen: true });
    const other = createMarket({ seed: "other", alwaysOpen: true });
    for (const conid of conids.toReversed()) expect(printed(again.quote(conid, SUNDAY))).toBe(printed(open.quote(conid, SUNDAY)));
    expect(printed(other.quote(AAPL, SUNDAY))).not.toBe(printed(open.quote(AAPL, SUNDAY)));
  });

  it("gives day figures that are those of the trades so far", () => {
    assert(
      property(anyMarket, anyConid, anyInstant, (market, conid, at) => {
        const quote = market.quote(conid, at);
        const { day } = market.calendar(conid).sessionAt(at);
        const period = { count: 1, unit: "d" } as const;
        const request = { conid, period, until: at, outsideRth: false };
        const [today] = historyBars(market, { ...request, bar: "1d" });
        const session = market.calendar(conid).session(day);
        // Before the open, a quote speaks of the morning's trades, and history of the day before.
        if (today === undefined || session === undefined || at < session.opensAt) return;
        expect([today.open, today.high, today.low, today.volume].map(String)).toEqual(
          [quote.open, quote.high, quote.low, quote.volume].map(String),
        );
        if (at < session.closesAt) expect(today.close.toString()).toBe(quote.last.toString());
        const hours = historyBars(market, { ...request, bar: "1h" });
        expect(sumOf(hours)).toBe(today.volume.toString());
        expect(Decimal.max(today.low, ...hours.map((bar) => bar.high)).toString()).toBe(today.high.toString());
        expect(Decimal.min(today.high, ...hours.map((bar) => bar.low)).toString()).toBe(today.low.toString());
        expect(hours.at(-1)?.close.toString()).toBe(today.close.toString());
      }),
      { numRuns: 200, seed: 8 },
    );
  });

  it("gives minute bars that hold every trade of theirs and add up to the day", () => {
    for (const [market, conid] of [
      [open, AAPL],
      [real, AAPL],
      [real, VODAFONE],
      [open, EUR_USD],
      [open, option],
    ] as const) {
      const session = market.calendar(conid).sessionAt(Date.parse("2026-11-19T18:00:00Z"));
      const bars: SimBar[] = [];
      for (let start = session.opensAt; start < session.closesAt; start += 60_000) {
        const bar = market.bar(conid, { from: start, to: start + 59_999, outsideRth: false });
        if (bar !== undefined) bars.push(bar);
      }
      const day = market.dayBar(conid, session.day);
      expect(sumOf(bars)).toBe(day?.volume.toString());
      expect(Decimal.max(Decimal.zero, ...bars.map((bar) => bar.high)).toString()).toBe(day?.high.toString());
      expect(bars.at(-1)?.close.toString()).toBe(day?.close.toString());
      const [bar] = bars;
      for (let at = session.opensAt; at < session.opensAt + 60_000; at += 500) {
        const { last } = market.quote(conid, at);
        expect(last.greaterThan(bar?.high ?? Decimal.zero) || last.lessThan(bar?.low ?? Decimal.zero)).toBe(false);
      }
    }
  });

  it("resets volume daily and takes the last trade of yesterday as prior close", () => {
    const midnight = Date.parse("2026-11-22T05:00:00Z");
    const before = open.quote(AAPL, midnight - 1);
    const after = open.quote(AAPL, midnight);
    expect(after.priorClose.toString()).toBe(before.last.toString());
    expect(after.volume.lessThan(before.volume)).toBe(true);
    expect(after.open.toString()).toBe(after.last.toString());
  });

  it("moves from second to second, on a Sunday too", () => {
    const prices = new Set(Array.from({ length: 60 }, (_, second) => open.quote(AAPL, SUNDAY + second * 1000).last.toString()));
    expect(prices.size).toBeGreaterThan(3);
    expect(open.isOpen(AAPL, SUNDAY, false)).toBe(true);
    expect(real.isOpen(AAPL, SUNDAY, true)).toBe(false);
    expect(printed(real.quote(AAPL, SUNDAY))).toBe(printed(real.quote(AAPL, SUNDAY + HOUR_MS)));
  });

  it("tells what traded in a stretch from the same trades", () => {
    const range = open.traded(AAPL, SUNDAY, SUNDAY + 10_000, false);
    for (let at = SUNDAY + 1000; at <= SUNDAY + 10_000; at += 1000) {
      const { last } = open.quote(AAPL, at);
      expect(range !== undefined && !last.greaterThan(range.high) && !last.lessThan(range.low)).toBe(true);
    }
    expect(range?.volume.isPositive()).toBe(true);
    expect(real.traded(AAPL, SUNDAY, SUNDAY + HOUR_MS, true)).toBeUndefined();
    const week = real.traded(AAPL, SUNDAY - 7 * DAY_MS, SUNDAY, false);
    const days = historyBars(real, { conid: AAPL, period: { count: 5, unit: "d" }, bar: "1d", until: SUNDAY, outsideRth: false });
    expect(week?.volume.toString()).toBe(sumOf(days));
  });

  it("keeps real hours apart from extended ones", () => {
    expect([monday("08:59"), monday("09:00"), monday("14:29")].map((time) => real.isOpen(AAPL, time, true))).toEqual([false, true, true]);
    expect([monday("14:29"), monday("14:30"), monday("20:59"), monday("21:00")].map((time) => real.isOpen(AAPL, time, false))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(real.dayOrderExpiry(AAPL, monday("10:00"), false)).toBe(monday("21:00"));
    expect(real.dayOrderExpiry(AAPL, monday("21:30"), true)).toBe(Date.parse("2026-11-24T01:00:00Z"));
    expect(real.dayOrderExpiry(AAPL, SUNDAY, false)).toBe(monday("21:00"));
    expect(open.dayOrderExpiry(AAPL, SUNDAY, false)).toBe(monday("05:00"));
    const premarket = real.quote(AAPL, monday("12:00"));
    expect(premarket.tradedToday).toBe(true);
    expect(premarket.priorClose.toString()).toBe(real.dayBar(AAPL, real.calendar(AAPL).sessionAt(SUNDAY).day)?.close.toString());
  });

  it("moves options with their underlying, and knows them after they have expired", () => {
    const strikes = open.strikes(SPY);
    const [expiry = ""] = open.expiries(SPY, SUNDAY);
    const prices = strikes.map((strike) => {
      const call = open.option({ underlyingConid: SPY, expiry, right: "C", strike });
      return open.quote(call?.conid ?? 0, SUNDAY).last;
    });
    for (const [index, price] of prices.entries()) expect(price.greaterThan(prices[index - 1] ?? price)).toBe(false);
    const old = open.option({ underlyingConid: SPY, expiry: "20241220", right: "C", strike: 500 });
    expect(old?.expiry).toBe("20241220");
    expect(open.instrument(old?.conid ?? 0)?.strike?.toString()).toBe("500");
    expect(open.isOpen(old?.conid ?? 0, SUNDAY, true)).toBe(false);
    expect(printed(open.quote(old?.conid ?? 0, SUNDAY))).toBe(printed(open.quote(old?.conid ?? 0, SUNDAY + DAY_MS)));
    expect(open.option({ underlyingConid: SPY, expiry: "20241219", right: "C", strike: 500 })).toBeUndefined();
    expect(open.option({ underlyingConid: SPY, expiry, right: "C", strike: 501 })).toBeUndefined();
  });

  it("lists weekly, monthly and January expiries in the future", () => {
    const expiries = open.expiries(AAPL, Date.parse("2026-11-23T15:00:00Z"));
    expect(expiries).toEqual(
      expect.arrayContaining(["20261127", "20261204", "20261218", "20261224", "20261231", "20270115", "20270617", "20280121"]),
    );
    expect(open.expiries(VODAFONE, SUNDAY)).toEqual([]);
    expect(real.expiries(AAPL, Date.parse("2026-12-18T20:59:00Z"))).toContain("20261218");
    expect(real.expiries(AAPL, Date.parse("2026-12-18T21:00:00Z"))).not.toContain("20261218");
  });

  it("converts currencies without contradiction", () => {
    expect(open.rate("EUR", "USD", SUNDAY).toString()).toBe(open.quote(EUR_USD, SUNDAY).last.toString());
    expect(open.rate("CHF", "CHF", SUNDAY).toString()).toBe("1");
    const round = open
      .rate("EUR", "CHF", SUNDAY)
      .times(open.rate("CHF", "JPY", SUNDAY))
      .times(open.rate("JPY", "EUR", SUNDAY));
    expect(round.minus(Decimal.one).abs().lessThan(Decimal.parse("0.000001"))).toBe(true);
    expect(() => open.rate("EUR", "XXX", SUNDAY)).toThrow(RangeError);
    expect(() => open.quote(1, SUNDAY)).toThrow(RangeError);
  });

  it("answers a quote in well under a millisecond, and a year of days in a few", () => {
    const random = seededRandom("speed");
    open.quote(AAPL, SUNDAY);
    let started = performance.now();
    for (let count = 0; count < 2000; count += 1) open.quote(AAPL, SUNDAY + Math.floor(random.fraction() * HOUR_MS));
    expect((performance.now() - started) / 2000).toBeLessThan(1);
    started = performance.now();
    const year = { conid: SPY, period: { count: 1, unit: "y" }, bar: "1d", until: SUNDAY, outsideRth: false } as const;
    for (let count = 0; count < 10; count += 1) expect(historyBars(open, year)).toHaveLength(365);
    expect((performance.now() - started) / 10).toBeLessThan(100);
    started = performance.now();
    const day = { conid: SPY, period: { count: 1, unit: "d" }, bar: "1min", until: SUNDAY, outsideRth: false } as const;
    expect(historyBars(open, day).length).toBe(631);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
