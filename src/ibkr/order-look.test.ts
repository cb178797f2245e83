import { beforeEach, describe, expect, it } from "vitest";

import type { ScriptedIbkr } from "../../test/support/scripted-ibkr.ts";
import { MINE, OTHER, scriptedOrders } from "../../test/support/scripted-orders.ts";
import type { ScriptedSockets } from "../../test/support/scripted-sockets.ts";
import type { OrderSightings } from "../broker/order.ts";
import type { Orders } from "./orders.ts";

const call = { signal: new AbortController().signal, caller: "test" };
const ROW = {
  orderId: 7,
  account: MINE,
  conid: 1,
  side: "BUY",
  orderType: "Limit",
  status: "Submitted",
  totalSize: 10,
  filledQuantity: 0,
  order_ref: "gw1",
};
const FILL = { execution_id: "e1", order_id: 7, order_ref: "gw1", account: MINE, conid: 1, size: 10, price: "5", side: "B" };
const COLD = { orders: [], snapshot: false };

let ibkr: ScriptedIbkr;
let sockets: ScriptedSockets;
let orders: Orders;
/** Requests for lists, each with its seconds since the first and its query. */
let asked: string[];
let startedAt: number | undefined;

beforeEach(() => {
  ({ ibkr, sockets, orders } = scriptedOrders());
  asked = [];
  startedAt = undefined;
  script({ lists: [{ orders: [ROW], snapshot: true }], trades: [[FILL]] });
});

/** IBKR's lists, one after the other; the last one stays, until a look that never ends has read too many. */
function script(answers: {
  readonly lists: readonly unknown[];
  readonly trades: readonly unknown[];
  readonly refresh?: () => unknown;
}): void {
  const note = (what: string, query: URLSearchParams) => {
    startedAt ??= ibkr.clock.now();
    asked.push(`${Math.round((ibkr.clock.now() - startedAt) / 1000)} ${what}?${query.toString()}`);
  };
  const next = (list: unknown[]) => (list.length > 1 ? list.shift() : list[0]);
  const lists = [...answers.lists];
  let readsLeft = 8;
  const trades = [...answers.trades];
  ibkr.answers.set("/iserver/account/orders", ({ query }) => {
    note("orders", query);
    if (query.get("force") === "true") return answers.refresh?.() ?? COLD;
    readsLeft -= 1;
    return readsLeft < 0 ? broken() : next(lists);
  });
  ibkr.answers.set("/iserver/account/trades", ({ query }) => {
    note("trades", query);
    return next(trades);
  });
}

function broken(): Response {
  return Response.json({ error: "Internal Error" }, { status: 500 });
}

async function look(days = 3): Promise<OrderSightings> {
  return await ibkr.settle(orders.lookFor(MINE, days, call));
}

function references({ orders: seen, trades }: OrderSightings): unknown {
  return [seen.map(({ customerOrderId }) => customerOrderId), trades.map(({ customerOrderId }) => customerOrderId)];
}

describe("a look for orders", () => {
  it("refreshes, reads the whole list of the account, then the executions of all days", async () => {
    expect(references(await look())).toEqual([["gw1"], ["gw1"]]);
    expect(asked).toEqual([`0 orders?accountId=${MINE}&force=true`, `5 orders?accountId=${MINE}`, "5 trades?days=3"]);
  });

  it("reads a list that is not ready again, each time in its own turn, and at most three times", async () => {
    script({ lists: [COLD, COLD, { orders: [ROW], snapshot: false }], trades: [[FILL]] });
    expect(references(await look())).toEqual([["gw1"], ["gw1"]]);
    expect(asked.filter((line) => line.includes("orders"))).toEqual([
      `0 orders?accountId=${MINE}&force=true`,
      ...[5, 10, 15].map((second) => `${second} orders?accountId=${MINE}`),
    ]);
    asked = [];
    script({ lists: [COLD, COLD, COLD, { orders: [ROW], snapshot: true }], trades: [[FILL]] });
    expect(references(await look())).toEqual([[], ["gw1"]]);
    expect(asked.filter((line) => line.includes("orders"))).toHaveLength(4);
  });

  it("believes a list with orders at once, ready or not", async () => {
    script({ lists: [{ orders: [ROW], snapshot: false }], trades: [[FILL]] });
    expect(references(await look())).toEqual([["gw1"], ["gw1"]]);
    expect(asked.filter((line) => line.includes("orders"))).toHaveLength(2);
  });

  it("fails with a list that can't be read", async () => {
    script({ lists: [[]], trades: [[FILL]] });
    await expect(look()).rejects.toMatchObject({ code: "broker_error", message: "IBKR's answer about the orders cannot be read." });
  });

  it("believes a snapshot without orders after one read, and reads empty executions twice", async () => {
    script({ lists: [{ orders: [], snapshot: true }], trades: [[], [FILL]] });
    expect(references(await look())).toEqual([[], ["gw1"]]);
    expect(asked.map((line) => line.split("?")[0])).toEqual(["0 orders", "5 orders", "5 trades", "10 trades"]);
  });

  it("reads empty executions twice in a session whose executions were read before", async () => {
    script({ lists: [{ orders: [], snapshot: true }], trades: [[]] });
    await ibkr.settle(orders.trades(MINE, 3, call));
    asked = [];
    expect(references(await look())).toEqual([[], []]);
    expect(asked.filter((line) => line.includes("trades"))).toHaveLength(2);
  });

  it.each([
    [9, 7],
    [7, 7],
    [0, 1],
  ])("over %i days asks for %i", async (days, sent) => {
    await look(days);
    expect(asked.at(-1)).toContain(`trades?days=${sent}`);
  });

  it("takes nothing from a cache, and tells when IBKR listed the orders", async () => {
    await ibkr.settle(orders.list(MINE, call));
    await ibkr.settle(orders.trades(MINE, 3, call));
    script({
      lists: [{ orders: [{ ...ROW, order_ref: "gw2" }], snapshot: true }],
      trades: [[{ ...FILL, execution_id: "e2", order_ref: "gw2" }]],
    });
    const before = ibkr.clock.now();
    const seen = await look();
    expect(references(seen)).toEqual([["gw2"], ["gw2"]]);
    expect(seen.asOf).toBeGreaterThan(before + 2000);
    expect(seen.asOf).toBeLessThanOrEqual(ibkr.clock.now());
  });

  it("counts what the stream told, however long ago, where the lists lie", async () => {
    await ibkr.settle(orders.list(MINE, call));
    await ibkr.clock.advance(0);
    sockets.last().greet();
    sockets.last().say({ topic: "sor", args: [{ ...ROW, orderId: 8, order_ref: "gw8" }] });
    sockets
      .last()
      .say({ topic: "str", args: [{ ...FILL, execution_id: "e9", order_id: 9, order_ref: "gw9", trade_time_r: ibkr.clock.now() }] });
    for (let passed = 0; passed < 120_000; passed += 5000) {
      await ibkr.clock.advance(5000);
      sockets.last().say({ topic: "system", hb: ibkr.clock.now() });
    }
    script({ lists: [{ orders: [], snapshot: true }], trades: [[]] });
    expect(references(await look())).toEqual([["gw8"], ["gw9"]]);
  });

  it("takes a listed row for newer than what the stream told earlier, and what it tells later for newer still", async () => {
    await ibkr.settle(orders.list(MINE, call));
    await ibkr.clock.advance(0);
    sockets.last().greet();
    sockets.last().say({ topic: "sor", args: [{ ...ROW, status: "PreSubmitted" }] });
    await ibkr.clock.advance(1000);
    expect((await look()).orders).toMatchObject([{ orderId: "7", status: "Submitted" }]);
    ibkr.answers.set("/iserver/account/trades", () => {
      sockets.last().say({ topic: "sor", args: [{ ...ROW, status: "Filled" }] });
      return [FILL];
    });
    expect((await look()).orders).toMatchObject([{ orderId: "7", status: "Filled" }]);
  });

  it("needs no stream, and shows whole orders in their contracts' currency", async () => {
    ({ ibkr, orders } = scriptedOrders({ hasStream: false }));
    script({ lists: [{ orders: [ROW, { ...ROW, orderId: 8, conid: undefined }], snapshot: true }], trades: [[FILL]] });
    expect((await look()).orders).toEqual([expect.objectContaining({ orderId: "7", accountId: MINE, currency: "USD" })]);
  });

  it("shows nothing of another account", async () => {
    const foreign = { account: OTHER };
    script({ lists: [{ orders: [{ ...ROW, ...foreign }], snapshot: true }], trades: [[{ ...FILL, ...foreign }]] });
    expect(references(await look())).toEqual([[], []]);
  });

  it("goes on when only the refresh fails, and fails with a list", async () => {
    script({ lists: [{ orders: [ROW], snapshot: true }], trades: [[FILL]], refresh: broken });
    expect(references(await look())).toEqual([["gw1"], ["gw1"]]);
    ibkr.answers.set("/iserver/account/trades", broken);
    await expect(look()).rejects.toMatchObject({ code: "broker_error" });
  });

  it("is shared by callers of the same moment", async () => {
    const both = Promise.all([orders.lookFor(MINE, 3, call), orders.lookFor(MINE, 3, { ...call, caller: "other" })]);
    expect((await ibkr.settle(both)).map(references)).toEqual([
      [["gw1"], ["gw1"]],
      [["gw1"], ["gw1"]],
    ]);
    expect(asked).toHaveLength(3);
  });

  it.each([
    ["over other days", MINE, 1, "gw1"],
    ["for another account", OTHER, 3, "gw2"],
  ])("is not shared by one %s", async (_name, account, days, reference) => {
    ({ ibkr, orders } = scriptedOrders({ hasStream: false, accounts: [MINE, OTHER] }));
    const rows = [ROW, { ...ROW, account: OTHER, order_ref: "gw2" }];
    script({
      lists: [{ orders: rows, snapshot: true }],
      trades: [[FILL, { ...FILL, execution_id: "e2", account: OTHER, order_ref: "gw2" }]],
    });
    const both = Promise.all([orders.lookFor(MINE, 3, call), orders.lookFor(account, days, call)]);
    expect((await ibkr.settle(both)).map(references)).toEqual([
      [["gw1"], ["gw1"]],
      [[reference], [reference]],
    ]);
    expect(asked.filter((line) => line.includes("trades?days=3"))).toHaveLength(account === MINE ? 1 : 2);
  });
});
