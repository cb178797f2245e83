import { describe, expect, it } from "vitest";

import { ORDER_STATUS_NAMES, type OrderTicket } from "../../broker/order.ts";
import { Decimal } from "../../lib/decimal.ts";
import * as wire from "./orders.ts";

const TICKET: OrderTicket = {
  accountId: "DU 1/2",
  conid: 265598,
  side: "BUY",
  quantity: Decimal.parse("0.10"),
  orderType: "LMT",
  limitPrice: Decimal.parse("230.10"),
  stopPrice: Decimal.parse("229.5"),
  timeInForce: "DAY",
  outsideRth: true,
  customerOrderId: "gw1-1",
};
const DOLLARS: wire.PriceUnit = { currency: "USD", magnifier: undefined };
const PENCE: wire.PriceUnit = { currency: "GBP", magnifier: Decimal.fromInteger(100) };
const NO_UNIT: wire.PriceUnit = { currency: undefined, magnifier: undefined };

/** The one order of a request, as it is written to IBKR. */
function written(change: Partial<OrderTicket>, unit = DOLLARS): unknown {
  const { body } = wire.placeRequest({ ...TICKET, ...change }, unit);
  return JSON.parse(JSON.stringify(body)).orders[0];
}

/** A value that JSON can show: decimals as text, absent members left out. */
const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

describe("the request of an order", () => {
  it("has the whole order and its cOID, in a list of one", () => {
    const request = wire.placeRequest(TICKET, DOLLARS);
    expect(plain(request)).toEqual({
      method: "POST",
      path: "/iserver/account/DU%201%2F2/orders",
      endpoint: "/iserver/account/{accountId}/orders",
      body: {
        orders: [
          {
            acctId: "DU 1/2",
            conid: 265598,
            orderType: "LMT",
            side: "BUY",
            quantity: 0.1,
            tif: "DAY",
            outsideRTH: true,
            price: 230.1,
            cOID: "gw1-1",
          },
        ],
      },
    });
  });

  it("is a what-if without the cOID, which IBKR would take for used", () => {
    const { path, endpoint, body } = wire.whatIfRequest(TICKET, DOLLARS);
    expect([path, endpoint]).toEqual(["/iserver/account/DU%201%2F2/orders/whatif", "/iserver/account/{accountId}/orders/whatif"]);
    expect(plain(body)).toEqual({ orders: [expect.not.objectContaining({ cOID: expect.anything() })] });
  });

  it.each([
    ["MKT", { orderType: "MKT" }],
    ["LMT", { orderType: "LMT", price: 230.1 }],
    ["STP", { orderType: "STP", price: 229.5 }],
    ["STP_LIMIT", { orderType: "STOP_LIMIT", price: 230.1, auxPrice: 229.5 }],
  ] as const)("of type %s has its prices where IBKR reads them", (orderType, expected) => {
    const { price, auxPrice, ...rest } = { price: undefined, auxPrice: undefined, ...(written({ orderType }) as object) };
    expect(plain({ price, auxPrice, orderType: (rest as { orderType: string }).orderType })).toEqual(expected);
  });

  it("has prices in the unit in which the contract is quoted", () => {
    expect(written({ orderType: "STP_LIMIT" }, PENCE)).toMatchObject({ price: 23_010, auxPrice: 22_950 });
  });

  it("has decimals digit by digit, however long", () => {
    const { body } = wire.placeRequest({ ...TICKET, quantity: Decimal.parse("1234567890.123456789012") }, DOLLARS);
    expect(JSON.stringify(body)).toContain('"quantity":1234567890.123456789012');
  });
});

describe("the other requests", () => {
  it.each([true, false])("answers a question with %s", (confirmed) => {
    expect(wire.replyRequest("a/b", confirmed)).toEqual({
      method: "POST",
      path: "/iserver/reply/a%2Fb",
      endpoint: "/iserver/reply/{replyId}",
      body: { confirmed },
    });
  });

  it("cancels one order of one account", () => {
    expect(wire.cancelRequest("DU/1", "7/8")).toEqual({
      method: "DELETE",
      path: "/iserver/account/DU%2F1/order/7%2F8",
      endpoint: "/iserver/account/{accountId}/order/{orderId}",
    });
  });

  it("lists an account's orders, unfiltered, and refreshes them", () => {
    const list = { method: "GET", path: "/iserver/account/orders", endpoint: "/iserver/account/orders" };
    expect(wire.liveOrdersRequest("DU1")).toEqual({ ...list, query: { accountId: "DU1" } });
    expect(wire.refreshOrdersRequest("DU1")).toEqual({ ...list, query: { accountId: "DU1", force: "true" } });
  });

  it("reads one order's status", () => {
    expect(wire.orderStatusRequest("7/8")).toEqual({
      method: "GET",
      path: "/iserver/account/order/status/7%2F8",
      endpoint: "/iserver/account/order/status/{orderId}",
    });
  });
});

const ROW = {
  orderId: 7,
  account: "DU1",
  conid: 265598,
  ticker: "AAPL",
  secType: "STK",
  side: "BUY",
  orderType: "Limit",
  origOrderType: "LIMIT",
  status: "Submitted",
  orderDesc: "Bought 1",
  totalSize: 10,
  filledQuantity: "4",
  remainingQuantity: 6,
  price: "230.10",
  avgPrice: "229.9",
  timeInForce: "GTC",
  outsideRTH: true,
  order_ref: "gw1-1",
  lastExecutionTime_r: 1_700_000_000_000,
};

/** A live order's row, read. */
function live(change: object, unit = DOLLARS) {
  const [row] = wire.liveOrdersReply.parse({ orders: [{ ...ROW, ...change }] }).orders;
  return row === undefined ? undefined : wire.toOrder(row, unit);
}

describe("a live order", () => {
  it("is read whole", () => {
    expect(plain(live({}))).toEqual({
      orderId: "7",
      accountId: "DU1",
      conid: 265598,
      symbol: "AAPL",
      secType: "STK",
      side: "BUY",
      orderType: "LMT",
      status: "Submitted",
      statusDescription: "Bought 1",
      quantity: "10",
      filledQuantity: "4",
      remainingQuantity: "6",
      limitPrice: "230.1",
      averagePrice: "229.9",
      currency: "USD",
      timeInForce: "GTC",
      outsideRth: true,
      customerOrderId: "gw1-1",
      lastUpdateAt: 1_700_000_000_000,
    });
    expect(wire.LIVE_ORDER_FIELDS).toEqual(expect.arrayContaining(Object.keys(ROW)));
  });

  it.each([{ orderId: undefined }, { conid: undefined }, { account: undefined }])("with %j is none", (change) => {
    expect(live(change)).toBeUndefined();
  });

  it("names its account in either way", () => {
    expect(live({ account: undefined, acct: "DU2" })?.accountId).toBe("DU2");
    expect(live({ acct: "DU2" })?.accountId).toBe("DU1");
  });

  it.each([
    [{ origOrderType: "STOP", orderType: "Limit" }, "STP"],
    [{ origOrderType: undefined, orderType: "Stop Limit" }, "STP_LIMIT"],
    [{ origOrderType: "TRAIL", orderType: "Limit" }, "LMT"],
    [{ origOrderType: undefined, orderType: "Trail" }, "Trail"],
    [{ origOrderType: undefined, orderType: undefined }, ""],
  ])("with %j is of type %s", (change, orderType) => {
    expect(live(change)?.orderType).toBe(orderType);
  });

  it.each([
    ["LIMIT", { price: 5, auxPrice: 4, stop_price: 3 }, { limitPrice: "5" }],
    ["MARKET", { price: 5, auxPrice: 4, stop_price: 3 }, {}],
    ["STOP", { price: 5, auxPrice: 4, stop_price: 3 }, { stopPrice: "3" }],
    ["STOP", { price: 5, auxPrice: 4 }, { stopPrice: "4" }],
    ["STOP", { price: 5 }, { stopPrice: "5" }],
    ["STOP_LIMIT", { price: 5, auxPrice: 4 }, { limitPrice: "5", stopPrice: "4" }],
    ["STOP_LIMIT", { price: 5 }, { limitPrice: "5" }],
  ])("of type %s with %j has the prices %j", (origOrderType, prices, expected) => {
    const order = live({ origOrderType, ...prices });
    expect(plain({ limitPrice: order?.limitPrice, stopPrice: order?.stopPrice })).toEqual(expected);
  });

  it("has its prices in the contract's currency, not in the unit of the quote", () => {
    const order = live({ origOrderType: "STOP_LIMIT", price: 500, auxPrice: 400, avgPrice: 450 }, PENCE);
    expect(plain([order?.limitPrice, order?.stopPrice, order?.averagePrice, order?.currency])).toEqual(["5", "4", "4.5", "GBP"]);
  });

  it("of the day is listed as CLOSE once it is filled", () => {
    expect([live({ timeInForce: "CLOSE" })?.timeInForce, live({ timeInForce: undefined })?.timeInForce]).toEqual(["DAY", undefined]);
  });
});

const STATUS = {
  order_id: 7,
  account: "DU1",
  conid: 265598,
  symbol: "AAPL",
  sec_type: "STK",
  side: "S",
  order_type: "STOP_LIMIT",
  order_status: "pre_submitted",
  order_status_description: "Order Submitted",
  total_size: "10",
  cum_fill: "4",
  size: "6",
  limit_price: "230.10",
  stop_price: "229.5",
  average_price: "229.9",
  currency: "USD",
  tif: "GTC",
  outside_rth: false,
  order_ref: "gw1-1",
  order_time: "261123151542",
};
const status = (change: object, unit = NO_UNIT) => wire.toOrderOfStatus(wire.orderStatusReply.parse({ ...STATUS, ...change }), unit);

describe("an order's status", () => {
  it("is read whole", () => {
    expect(plain(status({}))).toEqual({
      orderId: "7",
      accountId: "DU1",
      conid: 265598,
      symbol: "AAPL",
      secType: "STK",
      side: "SELL",
      orderType: "STP_LIMIT",
      status: "PreSubmitted",
      statusDescription: "Order Submitted",
      quantity: "10",
      filledQuantity: "4",
      remainingQuantity: "6",
      limitPrice: "230.1",
      stopPrice: "229.5",
      averagePrice: "229.9",
      currency: "USD",
      timeInForce: "GTC",
      outsideRth: false,
      customerOrderId: "gw1-1",
      lastUpdateAt: Date.UTC(2026, 10, 23, 15, 15, 42),
    });
  });

  it.each([{ order_id: undefined }, { conid: undefined }, { account: undefined }, { order_status: undefined }])(
    "with %j is incomplete",
    (change) => {
      expect(status(change)).toBeUndefined();
    },
  );

  it.each([
    ["STOP", undefined],
    ["MARKET", undefined],
    ["LIMIT", "230.1"],
    ["TRAIL", "230.1"],
  ])("of type %s has the limit price %s", (order_type, price) => {
    expect(status({ order_type })?.limitPrice?.toString()).toBe(price);
  });

  it("keeps IBKR's name of a type that has none here", () => {
    expect([status({ order_type: "TRAIL" })?.orderType, status({ order_type: undefined })?.orderType]).toEqual(["TRAIL", ""]);
  });

  it("has its prices in the contract's currency", () => {
    const order = status({ limit_price: 500, stop_price: 400, average_price: 450 }, PENCE);
    expect(plain([order?.limitPrice, order?.stopPrice, order?.averagePrice, order?.currency])).toEqual(["5", "4", "4.5", "GBP"]);
    expect(status({ average_price: undefined }, PENCE)?.averagePrice).toBeUndefined();
  });

  it.each(["26112315154", "2611231515420", "x261123151542", "261123151542x", "soon", undefined])("has no time in %j", (order_time) => {
    expect(status({ order_time })?.lastUpdateAt).toBeUndefined();
  });
});

describe("a what-if", () => {
  const preview = (reply: object) => plain(wire.toPreview(wire.whatIfReply.parse(reply)));
  const change = (current: string) => ({ current, change: "1", after: "2" });

  it("is read whole", () => {
    expect(
      preview({
        amount: { amount: "1,234.50 USD", commission: "0.7 … 1 USD", total: "1,235.50 USD" },
        equity: change("10"),
        initial: change("11"),
        maintenance: change("12"),
        position: change("13"),
        warn: "Mind\nthis.",
        warns: ["Mind this.", " And that. "],
        error: "No.",
        errors: ["Never."],
      }),
    ).toEqual({
      amount: "1234.5",
      amountCurrency: "USD",
      commission: "0.7 … 1 USD",
      total: "1235.5",
      equity: change("10"),
      initialMargin: change("11"),
      maintenanceMargin: change("12"),
      position: change("13"),
      warnings: ["Mind this.", "And that."],
      error: "No.",
    });
  });

  it("has decimals and texts whichever way IBKR writes them", () => {
    expect(preview({ amount: { commission: 1 }, equity: { current: "1,000.50", change: 1, after: "+2" } })).toMatchObject({
      commission: "1",
      equity: { current: "1000.5", change: "1", after: "2" },
    });
  });

  it("takes the currency of the total, and the first of several errors, where there is no other", () => {
    expect(preview({ amount: { total: "5 EUR" }, errors: [{}, "Never.", "No."] })).toMatchObject({
      amountCurrency: "EUR",
      total: "5",
      error: "Never.",
    });
  });

  it.each([{}, { amount: "?", equity: "?", initial: null, warns: "?", errors: "?" }])("of %j has nothing in it", (reply) => {
    const nothing = { equity: {}, initialMargin: {}, maintenanceMargin: {}, position: {}, warnings: [] };
    expect(preview(reply)).toEqual(nothing);
  });
});

describe("IBKR's spellings", () => {
  it("of a state are read in any case, with spaces or underscores", () => {
    for (const name of ORDER_STATUS_NAMES) expect(wire.statusOf(name)).toBe(name);
    expect(["pre_submitted", "PENDING CANCEL", "filled"].map(wire.statusOf)).toEqual(["PreSubmitted", "PendingCancel", "Filled"]);
    expect([wire.statusOf("Pondering"), wire.statusOf(""), wire.statusOf(undefined)]).toEqual(["Unknown", "Unknown", "Unknown"]);
  });

  it("of a side begin with its letter", () => {
    expect(["B", "buy", "S", "Sell", "SSHORT"].map(wire.sideOf)).toEqual(["BUY", "BUY", "SELL", "SELL", "SELL"]);
    expect([wire.sideOf("X"), wire.sideOf(""), wire.sideOf(undefined)]).toEqual([undefined, undefined, undefined]);
  });

  it("of a text lose their line breaks", () => {
    expect(wire.oneLine(" a\n\n b\t c ")).toBe("a b c");
  });
});
