import { beforeEach, describe, expect, it } from "vitest";

import type { ScriptedIbkr } from "../../test/support/scripted-ibkr.ts";
import { MINE, scriptedOrders } from "../../test/support/scripted-orders.ts";
import type { ScriptedSockets } from "../../test/support/scripted-sockets.ts";
import type { Order } from "../broker/order.ts";
import type { LiveData } from "./live-data.ts";
import type { Orders } from "./orders.ts";

const call = { signal: new AbortController().signal, caller: "test" };
const ROW = {
  orderId: 7,
  account: MINE,
  acct: MINE,
  conid: 1,
  ticker: "T1",
  secType: "STK",
  side: "BUY",
  orderType: "Limit",
  origOrderType: "LIMIT",
  status: "Submitted",
  totalSize: 10,
  filledQuantity: 0,
  remainingQuantity: 10,
  price: "5.00",
  timeInForce: "DAY",
  order_ref: "ours",
};
let ibkr: ScriptedIbkr;
let sockets: ScriptedSockets;
let live: LiveData;
let orders: Orders;
/** What IBKR answers when it is asked for the orders. */
let listed: object[];

beforeEach(async () => {
  ({ ibkr, sockets, live, orders } = scriptedOrders());
  listed = [ROW];
  ibkr.answers.set("/iserver/account/orders", () => ({ orders: listed, snapshot: true }));
  ibkr.answers.set("/iserver/account/order/status/7", () => ({
    order_id: 7,
    conid: 1,
    account: MINE,
    order_status: statusOf(listed[0]),
    order_type: "LIMIT",
    total_size: "10",
    cum_fill: "0",
    side: "B",
  }));
  await ibkr.settle(orders.list(MINE, call));
  await ibkr.clock.advance(0);
  sockets.last().greet();
});

function statusOf(row: object | undefined): unknown {
  return row !== undefined && "status" in row ? row.status : undefined;
}

function tell(topic: "sor" | "str", ...rows: object[]): void {
  sockets.last().say({ topic, args: rows });
}

async function find(): Promise<Order | undefined> {
  return await ibkr.settle(orders.find(MINE, "7", call));
}

function asked(): number {
  return ibkr.sent.filter((request) => /account\/order/.test(request)).length;
}

/** Lets time pass while IBKR beats and says nothing else. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 5000) {
    await ibkr.clock.advance(5000);
    sockets.last().say({ topic: "system", hb: ibkr.clock.now() });
  }
}

describe("an order's state", () => {
  it("is what the stream told last: a whole row, then what changed", async () => {
    expect(sockets.last().sent).toEqual(["sor+{}", 'str+{"realtimeUpdatesOnly":false,"days":1}']);
    tell("sor", ROW);
    const before = asked();
    expect(await find()).toMatchObject({ status: "Submitted", customerOrderId: "ours" });
    tell("sor", { orderId: 7, status: "Filled", filledQuantity: 10, remainingQuantity: 0 });
    const filled = await find();
    expect(filled).toMatchObject({ status: "Filled", symbol: "T1" });
    expect(filled?.filledQuantity?.toString()).toBe("10");
    const { orders: list } = await ibkr.settle(orders.list(MINE, call));
    expect(list.map(({ status }) => status)).toEqual(["Filled"]);
    expect(asked()).toBe(before);
  });

  it("is asked for again after a minute in which the stream said nothing of it, since IBKR may have muted it", async () => {
    tell("sor", ROW);
    await pass(55_000);
    let before = asked();
    await find();
    expect(asked()).toBe(before);
    await pass(5000);
    before = asked();
    listed = [{ ...ROW, status: "Filled" }];
    expect(await find()).toMatchObject({ status: "Filled" });
    expect(asked()).toBeGreaterThan(before);
    // What contradicts what was asked for is not believed from here on.
    expect(live.orders.order(MINE, "7", -Infinity)).toBeUndefined();
  });

  it("that agrees with what IBKR answers is trusted for another minute", async () => {
    tell("sor", ROW);
    await pass(60_000);
    await find();
    const before = asked();
    await pass(50_000);
    await find();
    expect(asked()).toBe(before);
  });

  it.each([
    ["filled", { status: "Filled", filledQuantity: 10, remainingQuantity: 0 }],
    ["filled in part", { filledQuantity: 4, remainingQuantity: 6 }],
    ["cancelled", { status: "Cancelled" }],
  ])("is what IBKR answers when by that the order is %s, which the stream told nothing of a moment before", async (_name, further) => {
    await pass(60_000);
    tell("sor", ROW);
    await ibkr.clock.advance(2000);
    listed = [{ ...ROW, ...further }];
    const { orders: list } = await ibkr.settle(orders.list(MINE, call));
    const wanted = { status: statusOf(listed[0]), filledQuantity: String("filledQuantity" in further ? further.filledQuantity : 0) };
    expect(JSON.parse(JSON.stringify(list))).toMatchObject([wanted]);
    expect(live.orders.order(MINE, "7", -Infinity)).toBeUndefined();
  });

  it("is what the stream told when what IBKR answers is further behind", async () => {
    await pass(60_000);
    tell("sor", { ...ROW, status: "Filled", filledQuantity: 10, remainingQuantity: 0 });
    const { orders: list } = await ibkr.settle(orders.list(MINE, call));
    expect(list.map(({ status }) => status)).toEqual(["Filled"]);
  });

  it("is asked for when there are more orders than are kept: changes of those that were dropped would be missed", async () => {
    await pass(60_000);
    await ibkr.settle(orders.list(MINE, call));
    tell("sor", ROW, { ...ROW, orderId: 8, status: "Filled", filledQuantity: 10 });
    tell("sor", ...Array.from({ length: 2000 }, (_, index) => ({ ...ROW, orderId: 1000 + index })));
    await pass(10_000);
    listed = [{ ...ROW, status: "Cancelled" }];
    const { orders: list } = await ibkr.settle(orders.list(MINE, call));
    expect(list.map(({ status }) => status)).toEqual(["Cancelled"]);
  });

  it("that lags behind its executions is asked for", async () => {
    tell("sor", ROW);
    tell("str", { execution_id: "e1", order_id: 7, account: MINE, conid: 1, size: 4, price: "5", side: "B", trade_time_r: 1 });
    const before = asked();
    await find();
    expect(asked()).toBe(before + 1);
    tell("sor", { orderId: 7, filledQuantity: 4, remainingQuantity: 6 });
    const answer = await find();
    expect(answer?.filledQuantity?.toString()).toBe("4");
    expect(asked()).toBe(before + 1);
  });

  it("is not taken from changes of a row that never came whole, nor from another account's row", async () => {
    tell("sor", { orderId: 7, status: "Filled" });
    expect(await find()).toMatchObject({ status: "Submitted" });
    tell("sor", { ...ROW, account: "DU7654321", acct: "DU7654321", status: "Cancelled" });
    expect(await find()).toMatchObject({ status: "Submitted", accountId: MINE });
    expect(live.orders.ordersSince(MINE, 0)).toEqual([]);
    tell("sor", { ...ROW, orderId: 9 });
    tell("sor", { orderId: 9, account: "DU7654321", acct: "DU7654321" });
    expect(live.orders.ordersSince("DU7654321", 0).map(({ orderId }) => orderId)).toEqual(["7"]);
  });

  it("told before we sent something waits until IBKR has told of it", async () => {
    tell("sor", ROW);
    ibkr.answers.set("/iserver/account/DU1234567/order/7", () => ({ msg: "Request was submitted", order_id: 7 }));
    await ibkr.clock.advance(10);
    await ibkr.settle(orders.cancel(MINE, "7", call));
    const before = asked();
    await find();
    expect(asked()).toBe(before + 1);
    await ibkr.clock.advance(10);
    tell("sor", { orderId: 7, status: "Cancelled" });
    expect(await find()).toMatchObject({ status: "Cancelled" });
    expect(asked()).toBe(before + 1);
  });

  it("told by a stream that is gone is forgotten", async () => {
    tell("sor", ROW);
    sockets.last().cut();
    const before = asked();
    await find();
    expect(asked()).toBe(before + 1);
  });
});

describe("an execution", () => {
  const FIRST = {
    execution_id: "00025b49.6a4ffd74.01.01",
    symbol: "SPY",
    side: "B",
    trade_time: "20260702-17:45:51",
    trade_time_r: 1_783_014_351_000,
    size: 1,
    price: "740.90",
    account: MINE,
    accountCode: MINE,
    conid: 1,
    order_id: 345_375_760,
  };
  const FOLLOW_UP = {
    execution_id: FIRST.execution_id,
    symbol: "SPY",
    side: "B",
    size: 1,
    price: "740.90",
    order_ref: "x",
    exchange: "NASDAQ",
    commission: "1.0",
    net_amount: 740.9,
    account: MINE,
    accountCode: MINE,
    conid: 1,
  };
  const WHOLE = {
    executionId: FIRST.execution_id,
    orderId: "345375760",
    customerOrderId: "x",
    commission: "1",
    at: FIRST.trade_time_r,
    isTimeApproximate: false,
  };

  /** Executions as `get_trades` reads them; `rows` is IBKR's list. */
  async function trades(rows: readonly object[] = [], days = 7): Promise<unknown> {
    ibkr.answers.set("/iserver/account", () => ({ set: true }));
    ibkr.answers.set("/iserver/account/trades", () => rows);
    return JSON.parse(JSON.stringify(await ibkr.settle(orders.trades(MINE, days, call)))) as unknown;
  }

  beforeEach(() => ibkr.clock.advance(FIRST.trade_time_r + 60_000 - ibkr.clock.now()));

  it("C2: keeps its time and order when a follow-up adds commission and the client's id", async () => {
    tell("str", FIRST);
    expect(await trades()).toMatchObject([{ at: FIRST.trade_time_r, orderId: "345375760" }]);
    tell("str", FOLLOW_UP);
    expect(await trades()).toMatchObject([WHOLE]);
    tell("str", { ...FIRST, trade_time_r: FIRST.trade_time_r + 5000, commission: null, order_id: "" });
    expect(await trades()).toMatchObject([WHOLE]);
  });

  it("C2: is whole in any order of its frames, and takes its time as text", async () => {
    tell("str", FOLLOW_UP);
    tell("str", { ...FIRST, trade_time_r: undefined });
    expect(await trades()).toMatchObject([WHOLE]);
  });

  it("without any time has that of its first frame, marked as approximate", async () => {
    const heardAt = ibkr.clock.now();
    tell("str", FOLLOW_UP);
    await pass(5000);
    tell("str", FOLLOW_UP);
    expect(await trades()).toMatchObject([{ at: heardAt, isTimeApproximate: true }]);
    await pass(6000);
    expect(await trades([FOLLOW_UP])).toMatchObject([{ at: heardAt, isTimeApproximate: true }]);
  });

  it.each([
    ["the commission", { ...FIRST, order_ref: "x" }, [FIRST, FOLLOW_UP]],
    ["the order", { ...FOLLOW_UP, trade_time_r: FIRST.trade_time_r }, [FIRST]],
    ["what the stream lacks", { ...FIRST, ...FOLLOW_UP }, [FIRST]],
  ])("is not replaced by a list that lacks or has %s", async (_name, row, frames) => {
    for (const frame of frames) tell("str", frame);
    expect(await trades([row])).toMatchObject([WHOLE]);
  });

  it("stays in addition to a list without it, also when the stream is gone and minutes have passed", async () => {
    tell("str", { ...FIRST, ...FOLLOW_UP });
    await pass(120_000);
    expect(await trades()).toMatchObject([WHOLE]);
    sockets.last().cut();
    expect(await trades([], 6)).toMatchObject([WHOLE]);
    expect(await trades([{ ...FIRST, execution_id: "other" }], 5)).toMatchObject([{ executionId: "other" }, WHOLE]);
    await ibkr.clock.advance(86_400_000);
    expect(await trades([], 1)).toEqual([]);
  });

  it("of two accounts is never mixed", async () => {
    tell("str", { ...FIRST, ...FOLLOW_UP, account: "DU7654321", accountCode: "DU7654321" });
    tell("str", FIRST);
    expect(await trades()).toMatchObject([{ executionId: FIRST.execution_id }]);
    expect(await trades([], 6)).not.toMatchObject([{ commission: "1" }]);
  });
});

describe("the list of orders", () => {
  it("has what the stream told since, under the time at which IBKR was asked", async () => {
    tell("sor", ROW);
    const { asOf } = await ibkr.settle(orders.list(MINE, call));
    await pass(20_000);
    tell("sor", { ...ROW, orderId: 8, order_ref: "another" });
    const before = asked();
    const list = await ibkr.settle(orders.list(MINE, call));
    expect(list.orders.map(({ orderId }) => orderId)).toEqual(["7", "8"]);
    expect([list.asOf, asked()]).toEqual([asOf, before]);
    await pass(40_000);
    await ibkr.settle(orders.list(MINE, call));
    expect(asked()).toBe(before + 1);
  });
});

describe("subscriptions to orders", () => {
  it("end when nobody asks for ten minutes", async () => {
    tell("sor", ROW);
    for (let minutes = 0; minutes < 11; minutes += 1) {
      live.stream.need();
      await pass(60_000);
    }
    expect(sockets.last().sent).toEqual(expect.arrayContaining(["uor+{}", "utr"]));
    expect([live.orders.isCurrent, live.orders.subscriptions]).toEqual([false, 0]);
  });
});

describe("profit and loss", () => {
  it("is what the stream tells, all rows and then what changed, until it is too old", async () => {
    expect(live.pnl.read()).toBeUndefined();
    expect(sockets.last().sent).toContain("spl+{}");
    sockets.last().say({ topic: "spl", args: { "DU1234567.Core": { dpl: -12.5, nl: 100.1 }, "DU7654321.Core": { dpl: 1 } } });
    sockets.last().say({ topic: "spl", args: { "DU1234567.Core": { dpl: -13.5 } } });
    expect(live.pnl.read()).toEqual({
      rows: { "DU1234567.Core": { dpl: "-13.5", nl: "100.1" }, "DU7654321.Core": { dpl: 1 } },
      asOf: ibkr.clock.now(),
    });
    await pass(250_000);
    expect(sockets.last().sent.filter((frame) => frame === "spl+{}")).toHaveLength(2);
    await pass(50_000);
    expect(live.pnl.read()).toBeUndefined();
  });
});
