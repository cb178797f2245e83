import { DatabaseSync } from "node:sqlite";

import { beforeEach, describe, expect, test } from "vitest";

import { createMarket } from "./create-market.ts";
import type { Market } from "./market.ts";
import { StoredSteering } from "./steering.ts";

const AAPL = 265598;
const NOW = Date.UTC(2026, 10, 23, 15, 30);
const MINUTE = 60_000;
const SEED = "steering";

let store: DatabaseSync;
let steering: StoredSteering;
let market: Market;
const untouched = createMarket({ seed: SEED, alwaysOpen: true });

beforeEach(() => {
  store = new DatabaseSync(":memory:");
  steering = new StoredSteering(store);
  market = createMarket({ seed: SEED, alwaysOpen: true, steering });
});

const last = (from: Market, at: number): number => from.quote(AAPL, at).last.toApproximation();

describe("a moved price", () => {
  beforeEach(() => steering.move(AAPL, 1.1, NOW));

  test("shows at once, also in the high, and stays", () => {
    expect(last(market, NOW) / last(untouched, NOW)).toBeCloseTo(1.1, 3);
    expect(last(market, NOW + 5 * MINUTE) / last(untouched, NOW + 5 * MINUTE)).toBeCloseTo(1.1, 3);
    const quote = market.quote(AAPL, NOW);
    expect(quote.high.lessThan(quote.last)).toBe(false);
    expect(quote.bid.greaterThan(quote.last)).toBe(false);
    expect(quote.ask.lessThan(quote.last)).toBe(false);
  });

  test("leaves everything before it as it was", () => {
    expect(market.quote(AAPL, NOW - 1)).toEqual(untouched.quote(AAPL, NOW - 1));
    expect(market.quote(AAPL, NOW).priorClose).toEqual(untouched.quote(AAPL, NOW).priorClose);
  });

  test("is in the history, which still agrees with the quotes", () => {
    const before = { from: NOW - MINUTE, to: NOW - 1, outsideRth: true };
    expect(market.bar(AAPL, before)).toEqual(untouched.bar(AAPL, before));
    const across = market.bar(AAPL, { from: NOW - MINUTE, to: NOW + MINUTE, outsideRth: true });
    expect(across?.open).toEqual(untouched.bar(AAPL, before)?.open);
    expect(across?.close).toEqual(market.quote(AAPL, NOW + MINUTE).last);
    const session = market.calendar(AAPL).sessionAt(NOW);
    const close = market.dayBar(AAPL, session.day)?.close;
    expect(close).toEqual(market.quote(AAPL, session.closesAt - 1).last);
    expect(market.quote(AAPL, session.closesAt + 1000).priorClose).toEqual(close);
  });

  test("moves its options, and is kept by the store", () => {
    const expiry = market.expiries(AAPL, NOW)[0] ?? "";
    const strike = market.strikes(AAPL)[0] ?? 0;
    const call = market.option({ underlyingConid: AAPL, expiry, right: "C", strike });
    if (call === undefined) throw new Error("no such option");
    expect(market.quote(call.conid, NOW + MINUTE).last.greaterThan(untouched.quote(call.conid, NOW + MINUTE).last)).toBe(true);
    const again = createMarket({ seed: SEED, alwaysOpen: true, steering: new StoredSteering(store) });
    expect(again.quote(AAPL, NOW + MINUTE)).toEqual(market.quote(AAPL, NOW + MINUTE));
  });
});

describe("a halted instrument", () => {
  test("stands still, trades nothing, and goes on when it is resumed", () => {
    expect(steering.halt(AAPL, NOW)).toBe(true);
    expect(steering.halt(AAPL, NOW)).toBe(false);
    expect([market.instrument(AAPL)?.halted, market.isOpen(AAPL, NOW, true)]).toEqual([true, false]);
    expect(last(market, NOW + 10 * MINUTE)).toBe(last(untouched, NOW));
    expect(market.traded(AAPL, NOW + 1, NOW + 10 * MINUTE, true)).toBeUndefined();
    expect(steering.resume(AAPL, NOW + 20 * MINUTE)).toBe(true);
    expect(steering.resume(AAPL, NOW + 20 * MINUTE)).toBe(false);
    expect(market.isOpen(AAPL, NOW + 21 * MINUTE, false)).toBe(true);
    expect(market.quote(AAPL, NOW + 21 * MINUTE).last).toEqual(untouched.quote(AAPL, NOW + 21 * MINUTE).last);
    expect(market.traded(AAPL, NOW + 1, NOW + 20 * MINUTE - 1, true)).toBeUndefined();
    expect(new StoredSteering(store).halts(AAPL)).toEqual(steering.halts(AAPL));
  });

  test("that stands all day closes where it stood", () => {
    steering.halt(AAPL, NOW);
    const { day } = market.calendar(AAPL).sessionAt(NOW);
    expect(market.dayBar(AAPL, day + 1)?.close).toEqual(market.quote(AAPL, NOW).last);
    expect(market.dayBar(AAPL, day + 1)?.volume.isZero()).toBe(true);
  });
});
