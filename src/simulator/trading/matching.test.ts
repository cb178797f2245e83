import { describe, expect, test } from "vitest";

import { Decimal } from "../../lib/decimal.ts";
import type { SimQuote } from "../market/market.ts";
import { matchOrder } from "./matching.ts";
import type { MarketLook } from "./matching.ts";
import type { SimOrder } from "./records.ts";
import { ticketOf } from "./test-world.ts";
import type { Terms } from "./test-world.ts";

const D = (text: string): Decimal => Decimal.parse(text);

/** A look at a market with bid 99.9 and ask 100.1. */
function look(range: readonly [string, string] | undefined, open = true): MarketLook {
  const one = Decimal.one;
  const quote: SimQuote = {
    last: D("100"),
    tradedToday: true,
    bid: D("99.9"),
    ask: D("100.1"),
    bidSize: one,
    askSize: one,
    open: one,
    high: one,
    low: one,
    priorClose: one,
    volume: one,
    week52High: one,
    week52Low: one,
    at: 0,
  };
  const traded = range === undefined ? undefined : { low: D(range[0]), high: D(range[1]), volume: D("1000") };
  return { open, quote: () => quote, range: traded };
}

function order(terms: Terms, progress: Partial<SimOrder> = {}): SimOrder {
  const fresh = { triggered: false, arrived: false, filled: Decimal.zero, filledValue: Decimal.zero, commission: Decimal.zero };
  const times = { placedAt: 0, activeFrom: 0, updatedAt: 0, expiresAt: undefined, cancelRequestedAt: undefined };
  return { ...ticketOf(terms), id: 1, state: "working", ...fresh, ...times, ...progress };
}

const priceOf = (each: SimOrder, at: MarketLook): string | undefined => matchOrder(each, at).price?.toString();
const limit = (price: string): Terms => ({ kind: "LMT", limitPrice: D(price) });

const waiting = (price: string, side: "BUY" | "SELL" = "BUY"): SimOrder => order({ ...limit(price), side }, { arrived: true });

describe("an order that comes to an open market", () => {
  test("takes the touch when it may", () => {
    expect(priceOf(order({}), look(undefined))).toBe("100.1");
    expect(priceOf(order({ side: "SELL" }), look(undefined))).toBe("99.9");
    expect(priceOf(order(limit("100.1")), look(undefined))).toBe("100.1");
    expect(priceOf(order({ ...limit("99.9"), side: "SELL" }), look(undefined))).toBe("99.9");
    expect(priceOf(order(limit("100.09")), look(undefined))).toBeUndefined();
  });

  test("has not arrived while the market is closed", () => {
    expect(matchOrder(order({}), look(undefined, false))).toMatchObject({ arrived: false, price: undefined });
    expect(matchOrder(order({}), look(undefined))).toMatchObject({ arrived: true, takesShown: true });
  });
});

describe("a limit order that waits", () => {
  test("fills at its limit when the market trades through it", () => {
    expect(priceOf(waiting("98"), look(["97", "101"]))).toBe("98");
    expect(priceOf(waiting("98"), look(["98", "101"]))).toBe("98");
    expect(priceOf(waiting("98"), look(["98.01", "101"]))).toBeUndefined();
    expect(priceOf(waiting("103", "SELL"), look(["99", "104"]))).toBe("103");
    expect(priceOf(waiting("103", "SELL"), look(["99", "102.9"]))).toBeUndefined();
  });

  test("fills better when every trade was better", () => {
    expect(priceOf(waiting("98"), look(["95", "96"]))).toBe("96");
    expect(priceOf(waiting("103", "SELL"), look(["105", "106"]))).toBe("105");
  });

  test("doesn't take the touch a second time without a trade", () => {
    expect(priceOf(waiting("105"), look(undefined))).toBeUndefined();
  });
});

describe("a stop", () => {
  test("triggers when the price is reached, and then takes the touch", () => {
    const sale = order({ kind: "STP", stopPrice: D("98"), side: "SELL" });
    expect(matchOrder(sale, look(["98.01", "101"]))).toMatchObject({ triggered: false, price: undefined });
    expect(priceOf(sale, look(["98", "101"]))).toBe("99.9");
    const purchase = order({ kind: "STP", stopPrice: D("102") });
    expect(matchOrder(purchase, look(["98", "101.9"])).triggered).toBe(false);
    expect(priceOf(purchase, look(["98", "102"]))).toBe("100.1");
  });

  test("that is reached already triggers at once", () => {
    expect(priceOf(order({ kind: "STP", stopPrice: D("101"), side: "SELL" }), look(undefined))).toBe("99.9");
    expect(matchOrder(order({ kind: "STP", stopPrice: D("99") }), look(undefined, false)).triggered).toBe(false);
  });

  test("with a limit isn't filled by what traded before it was reached", () => {
    const purchase = order({ kind: "STOP_LIMIT", stopPrice: D("102"), limitPrice: D("99") });
    expect(matchOrder(purchase, look(["98", "102"]))).toMatchObject({ triggered: true, price: undefined });
    const triggered = order({ kind: "STOP_LIMIT", stopPrice: D("102"), limitPrice: D("99") }, { triggered: true, arrived: true });
    expect(priceOf(triggered, look(["98", "102"]))).toBe("99");
  });
});
