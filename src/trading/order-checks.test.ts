import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { TradingRules } from "../broker/instrument.ts";
import { Decimal } from "../lib/decimal.ts";
import { GatewayError } from "../lib/errors.ts";
import { checkOrderRules } from "./order-checks.ts";
import { draftDigest, draftFields, type OrderDraft, parseDraft } from "./order-draft.ts";

const draft: OrderDraft = {
  accountId: "DU1",
  conid: 1,
  symbol: "VOD",
  currency: "GBP",
  side: "BUY",
  quantity: Decimal.fromInteger(10),
  orderType: "LMT",
  limitPrice: Decimal.parse("0.885"),
  stopPrice: undefined,
  timeInForce: "DAY",
  outsideRth: false,
};

const rules: TradingRules = {
  conid: 1,
  orderTypes: ["LMT", "MKT"],
  orderTypesOutsideRth: [],
  priceIncrements: [
    { lowerEdge: Decimal.zero, increment: Decimal.parse("0.0005") },
    { lowerEdge: Decimal.one, increment: Decimal.parse("0.002") },
  ],
  sizeIncrement: Decimal.one,
  fractionsAllowed: false,
};

function refusal(change: Partial<OrderDraft>, changedRules: Partial<TradingRules> = {}): string | undefined {
  try {
    checkOrderRules({ ...draft, ...change }, { ...rules, ...changedRules });
    return undefined;
  } catch (error) {
    if (error instanceof GatewayError) return `${error.message} ${error.whatToDo}`;
    throw error;
  }
}

describe("an instrument's rules", () => {
  test("pass an order that keeps them", () => {
    expect(refusal({})).toBeUndefined();
    expect(refusal({ quantity: Decimal.parse("0.5") }, { fractionsAllowed: true })).toBeUndefined();
  });

  test("refuse in words that name what is allowed", () => {
    expect(refusal({ orderType: "STP" })).toContain("Use one of LMT, MKT.");
    expect(refusal({ outsideRth: true })).toContain("can't be filled outside regular hours");
    expect(refusal({ quantity: Decimal.parse("1.5") })).toContain("such as 2");
    expect(refusal({ quantity: Decimal.fromInteger(150) }, { sizeIncrement: Decimal.fromInteger(100) })).toContain(
      "Nearest quantities: 100, 200.",
    );
    expect(refusal({ limitPrice: Decimal.parse("0.8853") })).toContain("Nearest valid prices: 0.885, 0.8855.");
    expect(refusal({ limitPrice: Decimal.parse("1.001") })).toContain("which is 0.002 GBP there. Nearest valid prices: 1, 1.002.");
    expect(refusal({ limitPrice: Decimal.parse("0.0001") })).toContain("Nearest valid prices: 0.0005.");
  });

  test("name neighbours that are valid themselves", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30_000 }), (units) => {
        const told = refusal({ limitPrice: Decimal.fromInteger(units).times(Decimal.parse("0.0001")) });
        for (const price of /prices: (.*)\.$/.exec(told ?? "")?.[1]?.split(", ") ?? []) {
          expect(refusal({ limitPrice: Decimal.parse(price) })).toBeUndefined();
        }
      }),
    );
  });
});

test("a stored order comes back as it was, and equal orders have equal digests however they are written", () => {
  const stored = JSON.stringify(draftFields(draft));
  expect(JSON.stringify(draftFields(parseDraft(stored)))).toBe(stored);
  expect(draftDigest(parseDraft(stored))).toBe(draftDigest(draft));
  expect(draftDigest({ ...draft, limitPrice: Decimal.parse("0.8850") })).toBe(draftDigest(draft));
  expect(draftDigest({ ...draft, side: "SELL" })).not.toBe(draftDigest(draft));
  expect(draftDigest({ ...draft, limitPrice: undefined, stopPrice: draft.limitPrice })).not.toBe(draftDigest(draft));
});
