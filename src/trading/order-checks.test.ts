import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { TradingRules } from "../broker/instrument.ts";
import { Decimal } from "../lib/decimal.ts";
import { GatewayError } from "../lib/errors.ts";
import { checkOrderRules, orderNotices } from "./order-checks.ts";
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
  orderTypesOutsideRth: ["STP_LIMIT"],
  priceIncrements: [
    { lowerEdge: Decimal.zero, increment: Decimal.parse("0.0005") },
    { lowerEdge: Decimal.one, increment: Decimal.parse("0.002") },
  ],
  sizeIncrement: Decimal.one,
  fractionTypes: undefined,
  fractionPlaces: undefined,
};
/** Everything that IBKR may leave out. */
const nothingListed = { orderTypes: undefined, orderTypesOutsideRth: undefined, priceIncrements: undefined, sizeIncrement: undefined };

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
  });

  test.each([1, 5, 25, 150])("C1.a–c: leave %i shares to IBKR at any step of its order ticket", (quantity) => {
    for (const step of [40, 100, 1000])
      expect(refusal({ quantity: Decimal.fromInteger(quantity) }, { sizeIncrement: Decimal.fromInteger(step) })).toBeUndefined();
  });

  test("C1.d: leave fractions to IBKR, listed or not", () => {
    for (const fractionTypes of [undefined, ["MKT"], ["LMT"]] as const)
      expect(refusal({ quantity: Decimal.parse("1.23456") }, { fractionTypes, fractionPlaces: 4 })).toBeUndefined();
  });

  test.each(["MKT", "LMT", "STP", "STP_LIMIT"] as const)("C1.e: leave a %s order to IBKR where nothing is listed", (orderType) => {
    expect(refusal({ orderType, outsideRth: true, limitPrice: Decimal.parse("0.88531") }, nothingListed)).toBeUndefined();
  });

  test("refuse in words that name what is allowed", () => {
    expect(refusal({ orderType: "STP" })).toContain("Use one of LMT, MKT.");
    expect(refusal({ outsideRth: true })).toContain("can't be filled outside regular hours. Order types that can: STP_LIMIT.");
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

describe("the notices of a preview", () => {
  const notices = (quantity: string, changedRules: Partial<TradingRules> = {}) =>
    orderNotices({ ...draft, quantity: Decimal.parse(quantity) }, { ...rules, ...changedRules }).join(" ");

  test("name the step of IBKR's order ticket", () => {
    const spy = { sizeIncrement: Decimal.fromInteger(40) };
    expect(notices("1", spy)).toBe("IBKR lists VOD in steps of 40. IBKR may take 1 as an odd lot or refuse it.");
    expect([notices("80", spy), notices("1"), notices("7", { sizeIncrement: undefined })]).toEqual(["", "", ""]);
    expect(notices("3", { sizeIncrement: Decimal.parse("0.0001") })).toBe("");
  });

  test("name what IBKR lists for fractions", () => {
    expect(notices("0.5")).toContain("lists no fractions for VOD");
    expect(notices("0.5", { fractionTypes: ["MKT", "STP"] })).toContain("for MKT, STP. IBKR may refuse LMT.");
    expect(notices("0.12345", { fractionTypes: ["LMT"], fractionPlaces: 4 })).toContain("at most 4 decimals");
    expect(notices("0.1234", { fractionTypes: ["LMT"], fractionPlaces: 4 })).toBe("");
    expect(notices("0.12345", { fractionTypes: ["LMT"] })).toBe("");
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
