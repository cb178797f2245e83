import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { type FakeClock, fakeClock } from "../../test/support/fake-clock.ts";
import { openOrderRows, type OrderRows, type RowChanges } from "../../test/support/order-rows.ts";
import { recordingLog } from "../../test/support/silent-log.ts";
import { Alarm, type ContradictingOrder } from "./alarm.ts";
import { AttemptAges } from "./attempt-ages.ts";
import { PlacedOrders } from "./placed-orders.ts";

let rows: OrderRows;
let clock: FakeClock;
let placed: PlacedOrders;
let ages: AttemptAges;
let alarms: ContradictingOrder[];
let lines: Record<string, unknown>[];

beforeAll(async () => {
  rows = await openOrderRows();
});

afterAll(() => rows.stop());

beforeEach(async () => {
  await rows.clear();
  clock = fakeClock();
  const recording = recordingLog();
  const { log } = recording;
  ({ lines } = recording);
  alarms = [];
  ages = new AttemptAges(clock);
  const alarm = new Alarm({ storage: rows.storage, clock, log, onAlarm: (order) => alarms.push(order) });
  placed = new PlacedOrders({ storage: rows.storage, clock, log, ages, alarm });
});

async function seen(changes: RowChanges, brokerAt: number | undefined = 77) {
  const stored = await rows.store(changes);
  await placed.record(stored.attempt, { orderId: "7", status: "Filled" }, brokerAt);
  return { stored, ...(await rows.read(stored.request.id)), sends: await rows.sends(stored.attempt.id) };
}

const switches = async () =>
  await rows.storage.db
    .selectFrom("connections")
    .select(["orders_stopped_at", "orders_stopped_because", "duplicate_refusals_proven_at"])
    .executeTakeFirst();

describe("an order that is seen at IBKR", () => {
  test.each([
    ["sending", "sending"],
    ["unknown", "unknown"],
    ["unresolved", "unknown"],
  ])("counts as placed where it was %s", async (request, attempt) => {
    const after = await seen({ request: { state: request }, attempt: { state: attempt, doubt: 1 } });
    expect(after).toMatchObject({
      request: { state: "placed", updated_at: clock.now() },
      attempt: { state: "placed", doubt: 0, ended_by: "placed", broker_order_id: "7", placed_broker_at: 77 },
      sends: [{ ended_by: "placed", ended_at: clock.now() }],
    });
    expect(JSON.parse(after.request.result ?? "")).toEqual({ order_id: "7", status: "Filled" });
    expect(alarms).toEqual([]);
    expect(lines).toEqual([
      expect.objectContaining({ attempt: after.attempt.id, status: "Filled", msg: "found an order of unknown outcome" }),
    ]);
    await clock.advance(5);
    expect(ages.sincePlaced(after.attempt)).toBe(5);
  });

  test("has no time of IBKR's where none is known", async () => {
    const stored = await rows.store({ request: { state: "unknown" }, attempt: { state: "unknown" } });
    await placed.record(stored.attempt, { orderId: "7", status: "Filled" }, undefined);
    expect((await rows.read(stored.request.id)).attempt.placed_broker_at).toBeNull();
  });

  test("changes nothing where it was known", async () => {
    const known = { state: "placed", broker_order_id: "5", ended_by: "placed" };
    const after = await seen({ request: { state: "placed" }, attempt: known });
    expect([after.attempt, after.request]).toEqual([after.stored.attempt, after.stored.request]);
    expect([lines, alarms, after.sends]).toEqual([[], [], [{ ended_by: null, ended_at: null }]]);
    ages.heard(after.attempt.connection_id, 100);
    expect(ages.sincePlaced({ ...after.attempt, placed_broker_at: 40 })).toBe(60);
  });

  test.each(["refused", "declined", "asked", "not_placed"])("stops orders where it was thought %s", async (state) => {
    const after = await seen({ request: { state }, attempt: { state: "no" } });
    expect(after).toMatchObject({ request: { state: "placed" }, attempt: { state: "placed" } });
    const { request, attempt } = after.stored;
    const because = `An order was found at IBKR that was known as ${state}.`;
    const names = { userId: request.user_id, connectionId: request.connection_id, accountId: request.account_id };
    expect(alarms).toEqual([{ ...names, requestId: request.id, customerOrderId: attempt.customer_order_id, because }]);
    expect(await switches()).toEqual({
      orders_stopped_at: clock.now(),
      orders_stopped_because: because,
      duplicate_refusals_proven_at: null,
    });
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 50,
        request: request.id,
        customerOrderId: attempt.customer_order_id,
        connection: request.connection_id,
        msg: `orders stopped: ${because}`,
      }),
    );
  });
});

test("several orders under one cOID stop orders", async () => {
  const { attempt } = await rows.store();
  await placed.several(attempt, 2);
  expect(alarms).toMatchObject([
    { requestId: attempt.request_id, because: "IBKR lists 2 orders under one cOID, which it must refuse twice." },
  ]);
});

test("an alarm that can't be stored is an error, so that the order is found again", async () => {
  const { storage } = rows;
  const { log } = recordingLog();
  const broken = { ...storage, db: storage.db.withSchema("nowhere") };
  const alarm = new Alarm({ storage: broken, clock, log, onAlarm: (order) => alarms.push(order) });
  const order = { ...rows.owner, accountId: "DU1", requestId: "ord_1", customerOrderId: "gw1", because: "x" };
  await expect(alarm.raise(order)).rejects.toThrow("nowhere");
  expect(alarms).toEqual([]);
  await new Alarm({ storage, clock, log }).raise(order);
  expect(await switches()).toMatchObject({ orders_stopped_because: "x" });
});
