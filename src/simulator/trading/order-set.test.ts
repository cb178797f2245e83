import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { Decimal } from "../../lib/decimal.ts";
import { isRecord } from "../../lib/json.ts";
import { startSimulatorForTest } from "../test-client.ts";
import type { TestClient, TestReply } from "../test-client.ts";
import { orderStatus } from "./order-status.ts";
import type { DeskReply, OrderSet } from "./order-desk.ts";
import { CONID, DU1, UNASKED, createTestWorld, ticketOf } from "./test-world.ts";
import type { TestWorld } from "./test-world.ts";

const SECOND = 1000;
const D = (text: string): Decimal => Decimal.parse(text);
const GTC = { conid: CONID.MSFT, tif: "GTC", quantity: "10" } as const;

function price(world: TestWorld, share: string): Decimal {
  return world.market.quote(CONID.MSFT, world.now).last.times(D(share)).round(2);
}

function bracket(world: TestWorld, entry: string): OrderSet {
  return {
    first: ticketOf({ ...GTC, kind: "LMT", limitPrice: price(world, entry), clientOrderId: "parent" }),
    others: [
      ticketOf({ ...GTC, side: "SELL", kind: "LMT", limitPrice: price(world, "1.004") }),
      ticketOf({ ...GTC, side: "SELL", kind: "STP", stopPrice: price(world, "0.996") }),
    ],
    kind: "bracket",
  };
}

function idsOf(reply: DeskReply): readonly number[] {
  if (reply.kind !== "accepted") throw new Error(`not accepted: ${reply.kind}`);
  return [reply.order.id, ...(reply.others ?? []).map((each) => ("failure" in each ? -1 : each.id))];
}

const statuses = (world: TestWorld, ids: readonly number[]): readonly string[] =>
  ids.map((id) => orderStatus(world.order(id), world.market, world.now));

describe("a bracket", () => {
  test("holds its children until the parent fills, and then one of them ends the other", () => {
    const world = createTestWorld();
    const ids = idsOf(world.trading.desk.placeSet(bracket(world, "1.002"), UNASKED, world.now));
    expect(statuses(world, ids)).toEqual(["Submitted", "PreSubmitted", "PreSubmitted"]);
    expect(world.order(ids[1] ?? 0)).toMatchObject({ held: true, parentOrderId: ids[0] });
    world.pass(5 * SECOND);
    expect(statuses(world, ids)).toEqual(["Filled", "Submitted", "PreSubmitted"]);
    for (let step = 0; step < 20_000 && statuses(world, ids).every((each) => each !== "Cancelled"); step += 1)
      world.pass(10 * SECOND, 10 * SECOND);
    expect(statuses(world, ids.slice(1)).toSorted()).toEqual(["Cancelled", "Filled"]);
    const closed = world.trading.executions(DU1, 0).filter(({ orderId }) => orderId === ids[1] || orderId === ids[2]);
    expect(Decimal.sum(closed.map((each) => each.quantity)).toString()).toBe("10");
  });

  test("ends with a parent that is cancelled unfilled", () => {
    const world = createTestWorld();
    const ids = idsOf(world.trading.desk.placeSet(bracket(world, "0.9"), UNASKED, world.now));
    world.trading.desk.cancel(DU1, ids[0] ?? 0, world.now);
    world.pass(2 * SECOND);
    expect(statuses(world, ids)).toEqual(["Cancelled", "Cancelled", "Cancelled"]);
  });

  test("outlives a restart, also between parent and children", () => {
    const world = createTestWorld();
    const waiting = idsOf(world.trading.desk.placeSet(bracket(world, "0.9"), UNASKED, world.now));
    world.crash();
    expect(statuses(world, waiting)).toEqual(["Submitted", "PreSubmitted", "PreSubmitted"]);
    expect(world.order(waiting[1] ?? 0)).toMatchObject({ held: true, parentOrderId: waiting[0] });
  });
});

test("of a set of which one cancels all, the others end when one fills", () => {
  const world = createTestWorld();
  const sale = (share: string) => ticketOf({ ...GTC, side: "SELL", kind: "LMT", limitPrice: price(world, share) });
  const ids = idsOf(
    world.trading.desk.placeSet({ first: sale("1.05"), others: [sale("0.999"), sale("1.06")], kind: "oca" }, UNASKED, world.now),
  );
  world.pass(2 * SECOND);
  expect(statuses(world, ids)).toEqual(["Cancelled", "Filled", "Cancelled"]);
});

describe("a set over HTTP", () => {
  let client: TestClient;
  let last: number;

  beforeEach(async () => {
    client = await startSimulatorForTest();
    await client.login();
    const query = { conids: CONID.MSFT, fields: "31" };
    await client.call("GET", "/iserver/marketdata/snapshot", { query });
    const { json } = await client.call("GET", "/iserver/marketdata/snapshot", { query });
    last = Number(Array.isArray(json) && isRecord(json[0]) ? json[0]["31"] : Number.NaN);
    const messageIds = ["o163", "o403", "o10152", "o10164"];
    await client.call("POST", "/iserver/questions/suppress", { body: { messageIds } });
  });

  afterEach(() => client.close());

  const at = (share: number): number => Number((last * share).toFixed(2));
  const ticket = (more: object): object => ({ conid: CONID.MSFT, side: "SELL", quantity: 5, tif: "GTC", orderType: "LMT", ...more });
  const place = (orders: readonly object[]): Promise<TestReply> =>
    client.call("POST", `/iserver/account/${DU1}/orders`, { body: { orders } });

  test("answers a row for each leg, and shows who belongs to whom", async () => {
    const parent = ticket({ side: "BUY", cOID: "entry", price: at(0.97) });
    const placed = await place([
      parent,
      ticket({ parentId: "entry", price: at(1.02) }),
      ticket({ parentId: "entry", orderType: "STP", price: at(0.95) }),
    ]);
    const parentId = Array.isArray(placed.json) && isRecord(placed.json[0]) ? String(placed.json[0]["order_id"]) : "";
    const child = { order_id: expect.any(String), order_status: "PreSubmitted", parent_order_id: parentId };
    expect(placed.json).toEqual([
      expect.objectContaining({ order_id: parentId, order_status: "Submitted" }),
      ...[child, child].map((row) => expect.objectContaining(row)),
    ]);
    await client.call("GET", "/iserver/account/orders");
    const { json } = await client.call("GET", "/iserver/account/orders");
    const rows: readonly unknown[] = isRecord(json) && Array.isArray(json["orders"]) ? json["orders"] : [];
    expect(rows.filter((row) => isRecord(row) && row["parentId"] === Number(parentId))).toHaveLength(2);
    const later = await place([ticket({ parentId, price: at(1.03) })]);
    expect(later.json).toEqual([expect.objectContaining({ order_status: "PreSubmitted", parent_order_id: parentId })]);
  });

  test("tells of a child that was refused beside a parent that was taken", async () => {
    const placed = await place([ticket({ side: "BUY", cOID: "entry", price: at(0.97) }), ticket({ parentId: "entry", price: at(2) })]);
    expect(placed.json).toEqual([
      expect.objectContaining({ order_status: "Submitted" }),
      { order_id: "-1", order_status: "Failed", text: expect.stringContaining("We cannot accept an order"), warning_message: null },
    ]);
  });

  test("refuses orders that don't belong together, and a parent that isn't there", async () => {
    const refused = { error: expect.stringContaining("not supported") };
    expect((await place([ticket({ price: at(1.02) }), ticket({ price: at(1.03) })])).json).toEqual(refused);
    expect((await place([ticket({ price: at(1.02), cOID: "a" }), ticket({ price: at(1.03), parentId: "b" })])).json).toEqual(refused);
    expect((await place([ticket({ price: at(1.02), parentId: "nobody" })])).json).toEqual({ error: "Parent order nobody not found." });
  });

  test("turns a cash quantity into whole shares, and refuses too little", async () => {
    const cash = { conid: CONID.MSFT, side: "BUY", tif: "DAY", orderType: "MKT" };
    const placed = await place([{ ...cash, cashQty: Math.ceil(last * 3.5) }]);
    expect(placed.json).toEqual([expect.objectContaining({ order_id: expect.any(String) })]);
    await client.call("GET", "/iserver/account/orders");
    expect((await client.call("GET", "/iserver/account/orders")).text).toContain('"totalSize":3');
    expect((await place([{ ...cash, cashQty: 1 }])).json).toEqual({ error: "The cash quantity is less than the price of one share." });
    expect((await place([{ ...cash, cashQty: 1000, quantity: 1 }])).json).toEqual({
      error: "invalid order attribute : either quantity or cashQty",
    });
  });
});
