import { describe, expect, test } from "vitest";
import { ZodError } from "zod";

import { Decimal } from "../lib/decimal.ts";
import { draftDigest, draftFields, draftText, type OrderDraft, parseDraft } from "./order-draft.ts";

const draft: OrderDraft = {
  accountId: "DU1",
  conid: 265598,
  symbol: "AAPL",
  currency: "USD",
  side: "BUY",
  quantity: Decimal.parse("5.5"),
  orderType: "STP_LIMIT",
  limitPrice: Decimal.parse("230.10"),
  stopPrice: Decimal.parse("229.5"),
  timeInForce: "GTC",
  outsideRth: true,
};
const FIELDS = {
  account_id: "DU1",
  conid: 265598,
  symbol: "AAPL",
  currency: "USD",
  side: "BUY",
  quantity: "5.5",
  order_type: "STP_LIMIT",
  limit_price: "230.1",
  stop_price: "229.5",
  tif: "GTC",
  outside_rth: true,
};

describe("a stored order", () => {
  test("has each field under its own name, with decimals as text", () => {
    expect(JSON.parse(JSON.stringify(draftFields(draft)))).toEqual(FIELDS);
  });

  test("comes back as the same order", () => {
    expect(parseDraft(JSON.stringify(FIELDS))).toEqual(draft);
    const { limit_price: _limit, stop_price: _stop, ...market } = { ...FIELDS, order_type: "MKT", side: "SELL", tif: "IOC" };
    expect(parseDraft(JSON.stringify(market))).toEqual({
      ...draft,
      side: "SELL",
      orderType: "MKT",
      timeInForce: "IOC",
      limitPrice: undefined,
      stopPrice: undefined,
    });
  });

  test.each(["MKT", "LMT", "STP", "STP_LIMIT"])("may be of type %s", (order_type) => {
    expect(parseDraft(JSON.stringify({ ...FIELDS, order_type })).orderType).toBe(order_type);
  });

  test.each(["DAY", "GTC", "IOC"])("may be valid for %s", (tif) => {
    expect(parseDraft(JSON.stringify({ ...FIELDS, tif })).timeInForce).toBe(tif);
  });

  test.each(Object.keys(FIELDS).filter((key) => !key.endsWith("_price")))("without %s is no order", (key) => {
    expect(() => parseDraft(JSON.stringify({ ...FIELDS, [key]: undefined }))).toThrow(ZodError);
  });

  test.each([{ side: "HOLD" }, { order_type: "" }, { tif: "" }, { quantity: 5 }])("with %j is no order", (change) => {
    expect(() => parseDraft(JSON.stringify({ ...FIELDS, ...change }))).toThrow(ZodError);
  });
});

describe("the digest of an order", () => {
  test("changes with each field that IBKR gets, and not with names that the contract's id implies", () => {
    const changes: readonly Partial<OrderDraft>[] = [
      { accountId: "DU2" },
      { conid: 1 },
      { side: "SELL" },
      { quantity: Decimal.parse("5.6") },
      { orderType: "LMT" },
      { limitPrice: undefined },
      { stopPrice: Decimal.parse("229.51") },
      { timeInForce: "DAY" },
      { outsideRth: false },
    ];
    const digests = changes.map((change) => draftDigest({ ...draft, ...change }));
    expect(new Set([draftDigest(draft), ...digests]).size).toBe(changes.length + 1);
    expect(draftDigest({ ...draft, symbol: "Apple", currency: "usd" })).toBe(draftDigest(draft));
  });
});

test.each<readonly [Partial<OrderDraft>, string]>([
  [{}, "BUY 5.5 AAPL STP_LIMIT limit 230.1 USD stop 229.5 USD GTC, outside regular hours too"],
  [{ orderType: "LMT", stopPrice: undefined, outsideRth: false }, "BUY 5.5 AAPL LMT limit 230.1 USD GTC"],
  [{ orderType: "STP", limitPrice: undefined, outsideRth: false }, "BUY 5.5 AAPL STP stop 229.5 USD GTC"],
  [{ orderType: "MKT", limitPrice: undefined, stopPrice: undefined, outsideRth: false }, "BUY 5.5 AAPL MKT GTC"],
])("an order with %j reads %s", (change, text) => {
  expect(draftText({ ...draft, ...change })).toBe(text);
});
