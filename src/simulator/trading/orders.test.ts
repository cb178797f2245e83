import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { isRecord } from "../../lib/json.ts";
import { createMarket } from "../market/create-market.ts";
import { startSimulatorForTest } from "../test-client.ts";
import type { TestClient } from "../test-client.ts";
import { CONID, DU1, DU2 } from "./test-world.ts";

const SPX = 416904;
const NSUB = 68001003;

const SEED = "orders";
const market = createMarket({ seed: SEED, alwaysOpen: true });

type TestReply = Awaited<ReturnType<TestClient["call"]>>;

let client: TestClient;

beforeEach(async () => {
  client = await startSimulatorForTest({ seed: SEED });
  await client.login();
});

afterEach(() => client.close());

type Fields = Readonly<Record<string, unknown>>;

const LIMIT = { conid: CONID.AAPL, orderType: "LMT", side: "BUY", quantity: 5, tif: "GTC" };
const MARKET = { conid: CONID.AAPL, orderType: "MKT", side: "BUY", quantity: 5, tif: "DAY" };

const post = (path: string, body: unknown): Promise<TestReply> => client.call("POST", path, { body });
const place = (ticket: Fields, account = DU1): Promise<TestReply> => post(`/iserver/account/${account}/orders`, { orders: [ticket] });
const reply = (id: string, confirmed: boolean): Promise<TestReply> => post(`/iserver/reply/${id}`, { confirmed });

/** The rows of a list. */
function rowsOf(list: unknown): readonly Fields[] {
  return Array.isArray(list) ? list.filter(isRecord) : [];
}

/** The first row of an answer that is a list. */
function first(answer: TestReply): Fields {
  const [row] = rowsOf(answer.json);
  if (row === undefined) throw new Error(`no row: ${answer.text}`);
  return row;
}

const idOf = (answer: TestReply): string => String(first(answer)["order_id"] ?? first(answer)["id"]);

/** AAPL's last price, moved by a share and rounded to cents. */
function aapl(share = 1): string {
  const last = market.quote(CONID.AAPL, client.clock.now()).last.toApproximation();
  return (Math.round(last * share * 100) / 100).toFixed(2);
}

/** Calls a list that must be primed, twice. */
async function primed(path: string, query: Readonly<Record<string, string>> = {}): Promise<TestReply> {
  await client.call("GET", path, { query });
  client.clock.advance(5000);
  return client.call("GET", path, { query });
}

const ordersOf = (json: unknown): readonly Fields[] => (isRecord(json) ? rowsOf(json["orders"]) : []);

async function liveOrder(id: string): Promise<Fields | undefined> {
  const { json } = await primed("/iserver/account/orders");
  return ordersOf(json).find((row) => String(row["orderId"]) === id);
}

describe("placing", () => {
  test("accepts an ordinary market order without a question, and it fills", async () => {
    const placed = await place({ ...MARKET, cOID: "my-1" });
    expect(placed.json).toEqual([{ order_id: expect.any(String), order_status: "Submitted", encrypt_message: "1" }]);
    client.clock.advance(1000);
    const status = await client.call("GET", `/iserver/account/order/status/${idOf(placed)}`);
    expect(status.json).toMatchObject({
      order_id: Number(idOf(placed)),
      order_status: "Filled",
      order_ccp_status: "2",
      size: "0.0",
      total_size: "5.0",
      cum_fill: "5.0",
      side: "B",
      average_price: expect.stringMatching(/^\d+\.\d{2}$/),
      order_description_with_contract: "Bought 5 AAPL Market, Day",
    });
    const trades = await primed("/iserver/account/trades");
    expect(first(trades)).toMatchObject({ order_ref: "my-1", side: "B", size: "5.0", commission: "1.0", order_id: Number(idOf(placed)) });
  });

  test("takes a limit order near the market, bare array or wrapped, with numbers as text too", async () => {
    const bare = await post(`/iserver/account/${DU1}/orders`, [{ ...LIMIT, price: Number(aapl(0.99)) }]);
    expect(first(bare)["order_status"]).toBe("Submitted");
    const asText = await place({ ...LIMIT, price: aapl(0.99), quantity: "2", side: "buy" });
    expect(await liveOrder(idOf(asText))).toMatchObject({
      orderType: "Limit",
      origOrderType: "LIMIT",
      price: aapl(0.99),
      status: "Submitted",
      sizeAndFills: "0/2",
      remainingQuantity: "2.0",
      timeInForce: "GTC",
      side: "BUY",
      listingExchange: "NASDAQ.NMS",
      conid: CONID.AAPL,
      outsideRTH: false,
    });
  });

  test.each([
    [{ ...LIMIT, conid: undefined, price: 200 }, 400, "conid or conidex is required"],
    [{ ...LIMIT, side: "HOLD", price: 200 }, 400, "Invalid Side (must be 'BUY' or 'SELL')."],
    [{ ...LIMIT, orderType: "MAGIC" }, 400, "Unknown order type"],
    [{ ...LIMIT, price: 200, quantity: "many" }, 400, "orders request includes parameter with incorrect type"],
    [{ ...LIMIT, price: 200, quantity: null }, 400, "orders request includes parameter with incorrect type"],
    [{ ...LIMIT, price: 200, outsideRTH: "yes" }, 400, "orders request includes parameter with incorrect type"],
    [{ ...LIMIT, acctId: DU2, price: 200 }, 400, `Bad Request: accountId is not valid: ${DU2}`],
    [LIMIT, 200, "Invalid order price fields"],
    [{ ...LIMIT, price: -3 }, 200, "Invalid order price fields"],
    [{ ...LIMIT, orderType: "STP", auxPrice: 200 }, 200, "Invalid order price fields"],
    [{ ...LIMIT, orderType: "STOP_LIMIT", price: 200 }, 200, "Invalid order price fields"],
    [{ ...LIMIT, tif: undefined, price: 200 }, 200, "null time in force is not supported for this order"],
    [{ ...LIMIT, tif: "OVT", price: 200 }, 200, "OVT time in force is not supported for this order"],
    [{ ...LIMIT, conid: 1, price: 200 }, 200, "no sec defs returned for 1"],
    [{ ...LIMIT, conid: undefined, conidex: "265598@MOON", price: 200 }, 200, "no sec defs returned for 265598@MOON"],
    [{ ...LIMIT, orderType: "REL", price: 200 }, 200, "Order type REL is not supported for this instrument."],
    [{ ...LIMIT, orderType: "TRAIL", price: 200 }, 200, "Invalid order price fields"],
    [{ ...MARKET, fxQty: 500 }, 200, "invalid order attribute : fxQty is not supported"],
    [{ ...MARKET, allOrNone: true }, 200, "invalid order attribute : allOrNone is not supported"],
    [{ ...MARKET, outsideRTH: true }, 200, "invalid order attribute : Outside Regular Trading Hours"],
    [{ ...MARKET, quantity: 0 }, 200, "Order quantity must be greater than zero."],
    [{ ...MARKET, quantity: -3 }, 200, "Order quantity must be greater than zero."],
    [{ ...MARKET, quantity: "1e999" }, 400, "orders request includes parameter with incorrect type"],
    [{ ...MARKET, quantity: 1e60 }, 200, expect.stringContaining("insufficient")],
    [{ ...MARKET, quantity: 0.12345 }, 200, "Order quantity can have at most 4 decimals."],
    [{ ...MARKET, conid: CONID.VOD, quantity: 1.5 }, 200, "Fractional quantities can not be traded in this instrument."],
    [{ ...MARKET, conid: SPX }, 200, "No trading permissions. SPX is an index and can not be traded."],
  ])("refuses %j with %d %s", async (ticket, status, error) => {
    const refused = await place(ticket);
    expect([refused.status, isRecord(refused.json) ? refused.json["error"] : refused.text]).toEqual([status, error]);
  });

  test("refuses what is no order at all", async () => {
    const path = `/iserver/account/${DU1}/orders`;
    expect((await client.call("POST", path)).json).toEqual({ error: "Failed to parse body as JSON: body is empty", statusCode: 400 });
    expect((await post(path, { orders: 5 })).status).toBe(400);
    expect((await post(path, { orders: [] })).status).toBe(400);
    expect((await post(path, { orders: [MARKET, MARKET] })).json).toMatchObject({ error: expect.stringContaining("not supported") });
    expect((await place(MARKET, "DU9999999")).json).toEqual({ error: "Bad Request: accountId is not valid: DU9999999", statusCode: 400 });
  });

  test("refuses a price more than half away from the market, and one the account can't pay", async () => {
    expect((await place({ ...LIMIT, price: aapl(0.45) })).json).toEqual({
      error: expect.stringContaining(
        "We cannot accept an order at the limit price you selected. Please submit your order using a limit price that is closer to the current market price of ",
      ),
    });
    const poor = await place({ ...LIMIT, price: aapl(), quantity: 20_000 });
    expect(poor.json).toEqual({
      error: expect.stringMatching(/available funds are insufficient.*available [\d,.]+ USD, required [\d,.]+ USD/),
    });
  });

  test("refuses a cOID that was used within a day", async () => {
    await place({ ...LIMIT, price: aapl(0.99), cOID: "once" });
    const again = await place({ ...LIMIT, price: aapl(0.99), cOID: "once" });
    expect(again.json).toMatchObject({ error: "Order couldn't be submitted: Local order ID=once is already registered." });
    expect(first(await place({ ...LIMIT, acctId: DU2, price: aapl(0.99), cOID: "once" }, DU2))["order_id"]).toBeDefined();
  });

  test("wants /iserver/accounts first", async () => {
    await post("/iserver/auth/ssodh/init", { publish: true, compete: true });
    client.clock.advance(2000);
    const unprimed = { error: "Please query /accounts first", statusCode: 500 };
    expect((await place(MARKET)).json).toEqual(unprimed);
    expect((await client.call("GET", "/iserver/account/orders")).json).toEqual(unprimed);
    expect((await client.call("GET", "/iserver/account/trades")).json).toEqual(unprimed);
  });
});

const askedBy = (answer: TestReply): unknown => first(answer)["messageIds"];
const textOf = (answer: TestReply): string => String(first(answer)["message"]).replaceAll("\n", "");

describe("questions", () => {
  test("a price more than 3 % away is asked about and placed when confirmed", async () => {
    const asked = await place({ ...LIMIT, price: aapl(0.9) });
    expect(first(asked)).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      message: [
        `The following order "BUY 5 AAPL NASDAQ.NMS @ ${aapl(0.9)}" price exceeds \nthe Percentage constraint of 3%.\nAre you sure you want to submit this order?`,
      ],
      isSuppressed: false,
      messageIds: ["o163"],
      messageOptions: ["Yes", "No"],
    });
    const accepted = await reply(idOf(asked), true);
    expect(first(accepted)).toMatchObject({ order_status: "Submitted", encrypt_message: "1" });
    expect((await reply(idOf(asked), true)).json).toEqual({ error: `reply id not found: '${idOf(asked)}'` });
  });

  test("a declined one places nothing", async () => {
    const asked = await place({ ...LIMIT, price: aapl(0.9), cOID: "declined" });
    expect((await reply(idOf(asked), false)).json).toEqual({ error: "Order not confirmed " });
    const { json } = await primed("/iserver/account/orders");
    expect(JSON.stringify(json)).not.toContain("declined");
  });

  test("come in a chain of at most three", async () => {
    const ticket = { ...LIMIT, conid: NSUB, price: 25.004, quantity: 600 };
    const chain: unknown[] = [];
    let answer = await place(ticket);
    const texts: string[] = [];
    while (first(answer)["id"] !== undefined) {
      chain.push(askedBy(answer));
      texts.push(textOf(answer));
      answer = await reply(idOf(answer), true);
    }
    expect(chain).toEqual([["o163"], ["o354"], ["o382", "o383", "o10153"]]);
    expect(texts.join()).toContain(
      "You are submitting an order without market data. We strongly recommend against this as it may result in erroneous and unexpected trades.",
    );
    expect(texts.join()).toContain("exceeds the Tick Size Limit of 0.01");
    expect(texts.join()).toContain("size exceeds the Size Limit of 500");
    expect(texts.join()).toContain("To avoid trading at a price that is not consistent with a fair and orderly market");
    expect((await liveOrder(idOf(answer)))?.["price"]).toBe("25.00");
  });

  test("are asked of stops, of stops that are reached, of large values and of market orders without data", async () => {
    const stop = { ...LIMIT, orderType: "STP", side: "SELL" };
    expect(askedBy(await place({ ...stop, price: aapl(0.95) }))).toEqual(["o10152"]);
    const reached = await place({ ...stop, price: aapl(1.02) });
    expect(askedBy(reached)).toEqual(["o403"]);
    expect(textOf(reached)).toContain("This order will most likely trigger and fill immediately.");
    const next = await reply(idOf(reached), true);
    expect(textOf(next)).toContain(
      "You are about to submit a stop order. Please be aware of the various stop order types available and the risks associated with each one.",
    );
    const large = await place({ ...LIMIT, price: aapl(), quantity: 450 });
    expect(askedBy(large)).toEqual(["o451"]);
    expect(textOf(large)).toContain("exceeds the Total Value Limit of 100,000 USD");
    expect(askedBy(await place({ ...MARKET, conid: NSUB }))).toEqual(["o354"]);
  });

  test("can be suppressed for the session, and asked again", async () => {
    expect((await post("/iserver/questions/suppress", { messageIds: ["o163", "unheard"] })).json).toEqual({ status: "submitted" });
    expect(first(await place({ ...LIMIT, price: aapl(0.9) }))["order_id"]).toBeDefined();
    await post("/iserver/questions/suppress/reset", {});
    expect(askedBy(await place({ ...LIMIT, price: aapl(0.9) }))).toEqual(["o163"]);
    expect((await post("/iserver/questions/suppress", { messageIds: [] })).status).toBe(500);
  });

  test("go stale when another order request of the account comes between", async () => {
    const asked = await place({ ...LIMIT, price: aapl(0.9) });
    const other = await place({ ...LIMIT, acctId: DU2, price: aapl(0.9) }, DU2);
    await place({ ...LIMIT, price: aapl(0.99) });
    const stale = await reply(idOf(asked), true);
    expect([stale.status, stale.json]).toEqual([503, { error: "Service Unavailable", statusCode: 503 }]);
    expect(first(await reply(idOf(other), true))["order_id"]).toBeDefined();
  });

  test("are forgotten with the session", async () => {
    const asked = await place({ ...LIMIT, price: aapl(0.9) });
    await post("/iserver/auth/ssodh/init", { publish: true, compete: true });
    client.clock.advance(2000);
    await client.call("GET", "/iserver/accounts");
    expect((await reply(idOf(asked), true)).status).toBe(400);
  });

  test("want a yes or a no", async () => {
    const asked = await place({ ...LIMIT, price: aapl(0.9) });
    expect((await post(`/iserver/reply/${idOf(asked)}`, {})).status).toBe(400);
    expect((await reply("nothing", true)).json).toEqual({ error: "reply id not found: 'nothing'" });
  });
});

describe("the preview", () => {
  test("answers text only, and places nothing", async () => {
    const before = await primed("/iserver/account/orders");
    const preview = await post(`/iserver/account/${DU1}/orders/whatif`, { orders: [{ ...LIMIT, price: 200, quantity: 10 }] });
    const change = {
      current: expect.stringMatching(/^[\d,]+$/),
      change: expect.stringMatching(/^-?[\d,]+$/),
      after: expect.stringMatching(/^[\d,]+$/),
    };
    expect(preview.json).toEqual({
      amount: { amount: "2,000.00 USD (10 Shares)", commission: "1 USD", total: "2,001.00 USD" },
      equity: { ...change, change: "-1" },
      initial: change,
      maintenance: change,
      position: { current: "100", change: "10", after: "110" },
      warn: null,
      error: null,
    });
    client.clock.advance(5000);
    expect((await client.call("GET", "/iserver/account/orders")).text).toBe(before.text);
  });

  test("warns of missing data and tells why an order would be refused", async () => {
    const path = `/iserver/account/${DU1}/orders/whatif`;
    expect((await post(path, { orders: [{ ...MARKET, conid: NSUB }] })).json).toMatchObject({
      warn: expect.stringMatching(/^21\/You are/),
    });
    const poor = await post(path, { orders: [{ ...LIMIT, price: aapl(), quantity: 20_000 }] });
    expect(poor.json).toMatchObject({ error: expect.stringContaining("insufficient") });
    expect((await post(path, { orders: [{ ...MARKET, conid: 1 }] })).status).toBe(400);
    expect((await post(path, { orders: [{ ...LIMIT, orderType: "STP" }] })).status).toBe(500);
  });
});

describe("changing and cancelling", () => {
  test("changes price and size of a working order", async () => {
    const placed = await place({ ...LIMIT, price: aapl(0.98) });
    const path = `/iserver/account/${DU1}/order/${idOf(placed)}`;
    expect(first(await post(path, { ...LIMIT, price: aapl(0.99), quantity: 7 }))["order_id"]).toBe(idOf(placed));
    expect(await liveOrder(idOf(placed))).toMatchObject({ price: aapl(0.99), sizeAndFills: "0/7" });
    expect((await post(path, { ...LIMIT, side: "SELL", price: aapl(0.99) })).json).toEqual({ error: "Order's side can not be changed." });
    const larger = await post(path, { ...LIMIT, price: aapl(0.99), quantity: 50 });
    expect(String(first(larger)["message"]).replaceAll("\n", "")).toContain("size modification exceeds the size modification limit");
    const asked = await post(path, { ...LIMIT, price: aapl(0.9) });
    expect(first(asked)["messageIds"]).toEqual(["o163"]);
    expect(first(await reply(idOf(asked), true))["order_id"]).toBe(idOf(placed));
    expect((await post(`/iserver/account/${DU1}/order/1`, { ...LIMIT, price: 200 })).json).toMatchObject({
      error: "OrderID 1 doesn't exist",
    });
  });

  test("cancels a working order, whose end the status tells", async () => {
    const placed = await place({ ...LIMIT, price: aapl(0.98) });
    const path = `/iserver/account/${DU1}/order/${idOf(placed)}`;
    const cancelled = await client.call("DELETE", path);
    expect(cancelled.json).toEqual({ msg: "Request was submitted", order_id: Number(idOf(placed)), conid: CONID.AAPL, account: DU1 });
    const status = await client.call("GET", `/iserver/account/order/status/${idOf(placed)}`);
    expect(status.json).toMatchObject({ order_status: "Cancelled", cannot_cancel_order: true });
    expect((await client.call("DELETE", path)).json).toEqual({ error: "Order is inactive", statusCode: 400 });
    expect((await post(path, { ...LIMIT, price: aapl(0.99) })).json).toEqual({ error: "Order is inactive", statusCode: 400 });
    for (const id of ["1", "abc", "1e300"]) {
      const unknown = { error: `OrderID ${id} doesn't exist`, statusCode: 400 };
      expect((await client.call("DELETE", `/iserver/account/${DU1}/order/${id}`)).json).toEqual(unknown);
      expect((await post(`/iserver/account/${DU1}/order/${id}`, { ...LIMIT, price: 200 })).json).toEqual(unknown);
    }
  });

  test("cancels everything of an account", async () => {
    expect((await client.call("DELETE", `/iserver/account/${DU1}/order/-1`)).status).toBe(200);
    const { text } = await primed("/iserver/account/orders", { filters: "submitted,pre_submitted" });
    expect(text).toBe('{"orders":[],"snapshot":true}');
    const other = await client.call("GET", "/iserver/account/order/status/1234567005");
    expect(other.status).toBe(503);
  });
});

describe("lists", () => {
  test("live orders are empty at first and after force, and filtered on request", async () => {
    const notReady = { orders: [], snapshot: false };
    expect((await client.call("GET", "/iserver/account/orders")).json).toEqual(notReady);
    client.clock.advance(5000);
    const all = await client.call("GET", "/iserver/account/orders");
    expect(JSON.stringify(all.json)).toContain('"status":"PreSubmitted"');
    client.clock.advance(5000);
    expect((await client.call("GET", "/iserver/account/orders", { query: { force: true } })).json).toEqual(notReady);
    client.clock.advance(5000);
    const filtered = await client.call("GET", "/iserver/account/orders", { query: { filters: "PreSubmitted,SortByTime" } });
    const rows = ordersOf(filtered.json);
    expect(rows.map((row) => row["status"])).toEqual(["PreSubmitted"]);
    expect(rows[0]).toMatchObject({
      orderType: "Stop",
      origOrderType: "STOP",
      price: "",
      auxPrice: expect.stringMatching(/^\d+\.\d\d$/),
      ticker: "SPY",
    });
  });

  test("are of the selected account unless another is named", async () => {
    const named = await primed("/iserver/account/orders", { accountId: DU2 });
    expect(JSON.stringify(named.json)).toContain(DU2);
    expect(JSON.stringify(named.json)).not.toContain(DU1);
    client.clock.advance(5000);
    await post("/iserver/account", { acctId: DU2 });
    const trades = await primed("/iserver/account/trades", { days: "7" });
    expect(first(trades)).toMatchObject({ account: DU2, symbol: "SIE", trade_time: expect.stringMatching(/^\d{8}-\d\d:\d\d:\d\d$/) });
    client.clock.advance(5000);
    expect((await client.call("GET", "/iserver/account/orders", { query: { accountId: "DU0" } })).status).toBe(400);
  });

  test("know no order that doesn't exist", async () => {
    expect((await client.call("GET", "/iserver/account/order/status/1")).status).toBe(400);
    expect((await client.call("GET", "/iserver/account/order/status/abc")).status).toBe(400);
  });
});

test("an order prompt is answered with a plain word, and only when the answer is whole", async () => {
  const answer = { orderId: 987654, reqId: "12345", text: "Yes" };
  expect(await post("/iserver/notification", answer)).toMatchObject({ status: 200, text: "Success" });
  for (const name of Object.keys(answer)) expect((await post("/iserver/notification", { ...answer, [name]: null })).status).toBe(400);
  expect((await post("/iserver/notification", [])).status).toBe(400);
});
