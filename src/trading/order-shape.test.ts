import { describe, expect, test } from "vitest";

import { Decimal } from "../lib/decimal.ts";
import { GatewayError } from "../lib/errors.ts";
import { checkOrderRules, checkOrderShape } from "./order-checks.ts";
import type { OrderDraft } from "./order-draft.ts";

const draft: OrderDraft = {
  accountId: "DU1",
  conid: 1,
  symbol: "VOD",
  currency: "GBP",
  side: "BUY",
  quantity: Decimal.fromInteger(10),
  orderType: "LMT",
  limitPrice: Decimal.one,
  stopPrice: undefined,
  timeInForce: "DAY",
  outsideRth: false,
};
const NONE = { limitPrice: undefined, stopPrice: undefined };
const STOP = { limitPrice: undefined, stopPrice: Decimal.one };

/** The words of a refusal; undefined where there is none. */
function refusalOf(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return `${error.code}: ${error.message} ${error.whatToDo}`;
  }
}
const shape = (change: Partial<OrderDraft>) => refusalOf(() => checkOrderShape({ ...draft, ...change }));

describe("the shape of an order", () => {
  test.each<Partial<OrderDraft>>([
    {},
    { orderType: "MKT", ...NONE },
    { orderType: "STP", ...STOP },
    { orderType: "STP_LIMIT", stopPrice: Decimal.one },
    { timeInForce: "IOC" },
    { outsideRth: true },
    { orderType: "STP", ...STOP, outsideRth: true },
    { orderType: "STP", ...STOP, timeInForce: "GTC" },
    { orderType: "MKT", ...NONE, timeInForce: "IOC" },
  ])("is right with %j", (change) => {
    expect(shape(change)).toBeUndefined();
  });

  test.each<readonly [Partial<OrderDraft>, string]>([
    [{ quantity: Decimal.zero }, "quantity must be greater than zero. Send a positive quantity; the side says buy or sell."],
    [{ quantity: Decimal.parse("-1") }, "quantity must be greater than zero. Send a positive quantity; the side says buy or sell."],
    [{ limitPrice: undefined }, "A LMT order needs limit_price. Send limit_price."],
    [{ orderType: "STP", ...NONE }, "A STP order needs stop_price. Send stop_price."],
    [{ orderType: "STP_LIMIT" }, "A STP_LIMIT order needs stop_price. Send stop_price."],
    [{ orderType: "STP_LIMIT", ...STOP }, "A STP_LIMIT order needs limit_price. Send limit_price."],
    [{ orderType: "MKT" }, "A MKT order takes no limit_price. Leave limit_price out, or choose another order_type."],
    [{ orderType: "MKT", ...STOP }, "A MKT order takes no stop_price. Leave stop_price out, or choose another order_type."],
    [{ stopPrice: Decimal.one }, "A LMT order takes no stop_price. Leave stop_price out, or choose another order_type."],
    [{ limitPrice: Decimal.zero }, "limit_price must be greater than zero. Send a positive limit_price."],
    [{ orderType: "STP", ...STOP, stopPrice: Decimal.zero }, "stop_price must be greater than zero. Send a positive stop_price."],
    [{ orderType: "STP", ...STOP, timeInForce: "IOC" }, "A STP order can't be IOC: it waits for its stop price. Use tif DAY or GTC."],
    [
      { orderType: "MKT", ...NONE, outsideRth: true },
      "A MKT order can't be filled outside regular hours. Use order_type LMT with a limit_price, or outside_rth false.",
    ],
  ])("is refused with %j", (change, words) => {
    expect(shape(change)).toBe(`invalid_arguments: ${words}`);
  });
});

describe("the refusals of an instrument's rules", () => {
  const rules = {
    conid: 1,
    orderTypes: ["LMT", "MKT"],
    orderTypesOutsideRth: ["STP", "STP_LIMIT"],
    priceIncrements: [{ lowerEdge: Decimal.zero, increment: Decimal.parse("0.5") }],
    sizeIncrement: Decimal.one,
    fractionTypes: undefined,
    fractionPlaces: undefined,
  } as const;
  const refused = (change: Partial<OrderDraft>, other = {}) =>
    refusalOf(() => checkOrderRules({ ...draft, ...change }, { ...rules, ...other }));

  test.each<readonly [Partial<OrderDraft>, string | undefined]>([
    [{ orderType: "STP", ...STOP }, "IBKR takes no STP orders for VOD. Use one of LMT, MKT."],
    [
      { outsideRth: true },
      "A LMT order in VOD can't be filled outside regular hours. Order types that can: STP, STP_LIMIT. Or send outside_rth false.",
    ],
    [
      { limitPrice: Decimal.parse("1.2") },
      "limit_price 1.2 is not on the tick of VOD, which is 0.5 GBP there. Nearest valid prices: 1, 1.5.",
    ],
    [{ stopPrice: Decimal.parse("0.2") }, "stop_price 0.2 is not on the tick of VOD, which is 0.5 GBP there. Nearest valid prices: 0.5."],
    [{ limitPrice: Decimal.parse("1.5"), stopPrice: Decimal.parse("2") }, undefined],
  ])("of %j name what is allowed", (change, words) => {
    expect(refused(change)).toBe(words === undefined ? undefined : `invalid_arguments: ${words}`);
  });

  test.each([
    [{ priceIncrements: [] }],
    [{ priceIncrements: [{ lowerEdge: Decimal.zero, increment: Decimal.zero }] }],
    [{ priceIncrements: [{ lowerEdge: Decimal.fromInteger(5), increment: Decimal.one }] }],
  ])("need a tick at that price: %j", (other) => {
    expect(refused({ limitPrice: Decimal.parse("1.2") }, other)).toBeUndefined();
  });
});
