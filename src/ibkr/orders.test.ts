import { beforeEach, describe, expect, it } from "vitest";

import type { ScriptedIbkr } from "../../test/support/scripted-ibkr.ts";
import { MINE, OTHER, type ScriptedOrders, scriptedOrders } from "../../test/support/scripted-orders.ts";
import type { Order, OrderList } from "../broker/order.ts";
import type { Orders } from "./orders.ts";

const call = { signal: new AbortController().signal, caller: "test" };
const ROW = { orderId: 7, account: MINE, conid: 1, side: "BUY", orderType: "Limit", status: "Submitted", totalSize: 10, filledQuantity: 0 };
const THEIRS = { ...ROW, orderId: 9, account: OTHER };
const STATUS = { order_id: 7, account: MINE, conid: 1, side: "B", order_type: "LIMIT", order_status: "Filled", total_size: "10" };
const LISTS = "/iserver/account/orders";
const STATUS_OF = "/iserver/account/order/status/";

let scripted: ScriptedOrders;
let ibkr: ScriptedIbkr;
let orders: Orders;
/** Rows of IBKR's list. */
let listed: readonly object[];

function start(hasStream: boolean): void {
  scripted = scriptedOrders({ hasStream, accounts: [MINE, OTHER] });
  ({ ibkr, orders } = scripted);
  listed = [ROW, THEIRS];
  ibkr.answers.set(LISTS, () => ({ orders: listed, snapshot: true }));
}

async function list(accountId: string = MINE): Promise<OrderList> {
  return await ibkr.settle(orders.list(accountId, call));
}

async function find(orderId = "7", accountId: string = MINE): Promise<Order | undefined> {
  return await ibkr.settle(orders.find(accountId, orderId, call));
}

function idsOf(answer: OrderList): readonly string[] {
  return answer.orders.map(({ orderId }) => orderId);
}

/** How often IBKR was asked for something. */
function countOf(path: string): number {
  return ibkr.sent.filter((request) => request.endsWith(` ${path}`)).length;
}

async function turnTo(time: number): Promise<void> {
  await ibkr.clock.advance(time - ibkr.clock.now());
}

describe("a list of orders", () => {
  beforeEach(() => start(false));

  it("has the whole rows of its own account, in their contracts' currency", async () => {
    listed = [
      ROW,
      { ...ROW, orderId: 8, account: undefined, acct: MINE },
      THEIRS,
      { ...THEIRS, orderId: 10, acct: MINE },
      { ...THEIRS, orderId: 11, account: undefined, acct: OTHER },
      { ...ROW, orderId: 12, conid: undefined },
    ];
    const { orders: own } = await list();
    expect(own.map(({ orderId, accountId, currency }) => [orderId, accountId, currency])).toEqual([
      ["7", MINE, "USD"],
      ["8", MINE, "USD"],
    ]);
  });

  it("is given for five seconds, with the time at which IBKR was asked", async () => {
    const first = await list();
    listed = [];
    await turnTo(first.asOf + 4999);
    expect(await list()).toEqual(first);
    expect(countOf(LISTS)).toBe(1);
    await turnTo(first.asOf + 5000);
    expect(idsOf(await list())).toEqual([]);
    expect(countOf(LISTS)).toBe(2);
  });

  it("is never another account's, be it kept or asked for at the same moment", async () => {
    const [mine, theirs] = await ibkr.settle(Promise.all([orders.list(MINE, call), orders.list(OTHER, call)]));
    expect([mine, theirs].map(idsOf)).toEqual([["7"], ["9"]]);
    await turnTo(mine.asOf + 100);
    expect(idsOf(await list(OTHER))).toEqual(["9"]);
    expect(idsOf(await list(MINE))).toEqual(["7"]);
  });

  it.each<readonly [string, () => Promise<unknown>]>([
    ["a cancellation", () => orders.cancel(MINE, "7", call)],
    ["a yes", () => orders.confirm(MINE, "q", call)],
    ["a no", () => orders.decline(MINE, "q", call)],
    ["another account's cancellation", () => orders.cancel(OTHER, "9", call)],
  ])("is read anew after %s, in any outcome", async (_name, send) => {
    await list();
    await ibkr.settle(send());
    listed = [];
    expect(idsOf(await list())).toEqual([]);
  });

  it("that can't be read is a failure, and one of an account that isn't there", async () => {
    ibkr.answers.set(LISTS, () => []);
    await expect(list()).rejects.toMatchObject({ code: "broker_error", message: "IBKR's answer about the orders cannot be read." });
    await expect(list("DU0000000")).rejects.toMatchObject({ code: "unknown_account" });
    expect(countOf(LISTS)).toBe(1);
  });
});

describe("one order", () => {
  beforeEach(() => start(false));

  it("is its status, in its contract's currency", async () => {
    ibkr.answers.set(`${STATUS_OF}7`, () => STATUS);
    expect(await find()).toMatchObject({ orderId: "7", accountId: MINE, status: "Filled", currency: "USD" });
    expect(countOf(LISTS)).toBe(0);
  });

  it.each<readonly [string, () => unknown]>([
    ["refused", () => Response.json({ error: "Unknown order" }, { status: 400 })],
    ["not served, and not asked for twice", () => Response.json(STATUS, { status: 503 })],
    ["another account's", () => ({ ...STATUS, account: OTHER })],
    ["without an account", () => ({ ...STATUS, account: undefined })],
    ["incomplete", () => ({ ...STATUS, order_status: undefined })],
    ["no object", () => new Response("gone")],
  ])("whose status is %s is its row in the list", async (_name, status) => {
    listed = [THEIRS, { ...ROW, orderId: 6 }, ROW, { ...ROW, orderId: 8 }];
    ibkr.answers.set(`${STATUS_OF}7`, status);
    expect(await find()).toMatchObject({ orderId: "7", status: "Submitted" });
    expect([countOf(`${STATUS_OF}7`), countOf(LISTS)]).toEqual([1, 1]);
  });

  it("that has no status and no row of its account is none", async () => {
    expect([await find("9"), await find("70")]).toEqual([undefined, undefined]);
  });

  it.each([
    [401, "session_lost"],
    [429, "rate_limited"],
  ])("is not looked for in the list after a %i", async (status, code) => {
    ibkr.answers.set(`${STATUS_OF}7`, () => Response.json(STATUS, { status }));
    await expect(find()).rejects.toMatchObject({ code });
    expect(countOf(LISTS)).toBe(0);
  });

  it("is never another one that is asked for at the same moment", async () => {
    for (const id of [7, 8]) ibkr.answers.set(`${STATUS_OF}${id}`, () => ({ ...STATUS, order_id: id }));
    const asked = [orders.find(MINE, "7", call), orders.find(MINE, "8", call), orders.find(OTHER, "7", call)];
    const found = await ibkr.settle(Promise.all(asked));
    expect(found.map((order) => order?.orderId)).toEqual(["7", "8", undefined]);
  });
});

describe("with a stream", () => {
  beforeEach(async () => {
    start(true);
    await list();
    await ibkr.clock.advance(0);
    scripted.sockets.last().greet();
  });

  function tell(...rows: readonly object[]): void {
    scripted.sockets.last().say({ topic: "sor", args: rows });
  }

  /** Lets time pass in which the stream lives. */
  async function pass(seconds: number): Promise<void> {
    for (let passed = 0; passed < seconds; passed += 5) {
      await ibkr.clock.advance(5000);
      scripted.sockets.last().say({ topic: "system", hb: ibkr.clock.now() });
    }
  }

  it("a list has its news: changed rows in their place, then rows that came since", async () => {
    const { asOf } = await list();
    tell({ ...ROW, orderId: 8 }, { ...ROW, status: "Filled" }, { ...THEIRS, orderId: 10 }, { orderId: 11, account: MINE });
    const answer = await list();
    expect(answer).toMatchObject({
      orders: [
        { orderId: "7", status: "Filled", currency: "USD" },
        { orderId: "8", status: "Submitted", currency: "USD" },
      ],
      asOf,
    });
    expect(idsOf(answer)).toEqual(["7", "8"]);
    expect(countOf(LISTS)).toBe(1);
  });

  it("a list serves for a minute once its rows are told", async () => {
    await pass(10);
    await list();
    expect(countOf(LISTS)).toBe(2);
    tell(ROW);
    await pass(50);
    await list();
    expect(countOf(LISTS)).toBe(2);
    await pass(10);
    await list();
    expect(countOf(LISTS)).toBe(3);
  });

  it("a list of an earlier session serves no longer than without one", async () => {
    tell(ROW);
    ibkr.session.lost(ibkr.session.generation, "brokerage");
    await ibkr.settle(ibkr.session.ready(call.signal));
    await pass(10);
    expect(scripted.sockets.all).toHaveLength(2);
    scripted.sockets.last().greet();
    tell(ROW);
    listed = [{ ...ROW, orderId: 8 }];
    expect(scripted.live.orders.isCurrent).toBe(true);
    await list();
    expect(countOf(LISTS)).toBe(2);
  });

  it("one order is as it was told last, in its contract's currency", async () => {
    tell({ ...ROW, status: "PreSubmitted" });
    expect(await find()).toMatchObject({ orderId: "7", status: "PreSubmitted", currency: "USD" });
    expect(countOf(`${STATUS_OF}7`)).toBe(0);
  });

  it("one order with an incomplete status is its row in the list", async () => {
    ibkr.answers.set(`${STATUS_OF}7`, () => ({ ...STATUS, order_status: undefined }));
    expect(await find()).toMatchObject({ orderId: "7", status: "Submitted" });
  });
});
