import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { openOrderRows, type OrderRows, type RowChanges } from "../../test/support/order-rows.ts";
import { blockingInTurn, blockingOnArrival, DUPLICATE_WINDOW_MS, equalInTurn, equalOnArrival, type GuardedOrder } from "./guard.ts";

test("an order without an id is kept back by every equal order that is on its way or unknown", () => {
  expect(blockingOnArrival(false)).toEqual(["received", "sending", "unknown", "unresolved"]);
  expect(blockingInTurn(false)).toEqual(["sending", "unknown", "unresolved"]);
});

test("an order with an id of its own is kept back by unknown ones only", () => {
  expect(blockingOnArrival(true)).toEqual(["unknown", "unresolved"]);
  expect(blockingInTurn(true)).toEqual(["unknown", "unresolved"]);
});

describe("an equal order", () => {
  let rows: OrderRows;
  let age: number;

  beforeAll(async () => {
    rows = await openOrderRows();
  });

  afterAll(() => rows.stop());

  beforeEach(async () => {
    await rows.clear();
    age = 0;
  });

  /** Whether a stored order keeps back an equal one: when its call arrives, and in its turn. */
  async function keepsBack(changes: RowChanges, isNamed: boolean, other: Partial<GuardedOrder> = {}): Promise<readonly boolean[]> {
    const { request } = await rows.store({ ...changes, request: { arguments_hash: "same", ...changes.request } });
    const key = { ...rows.owner, accountId: request.account_id, argumentsHash: "same" };
    const order: GuardedOrder = { ...key, isNamed, ages: { sincePlaced: () => age }, ...other };
    const found = [await equalOnArrival(rows.storage.db, order), await equalInTurn(rows.storage.db, order)];
    for (const row of found) if (row !== undefined) expect(row.id).toBe(request.id);
    await rows.clear();
    return found.map((row) => row !== undefined);
  }

  test.each([
    ["received", [true, false], [false, false]],
    ["sending", [true, true], [false, false]],
    ["unknown", [true, true], [true, true]],
    ["unresolved", [true, true], [true, true]],
    ["asked", [false, false], [false, false]],
    ["refused", [false, false], [false, false]],
    ["declined", [false, false], [false, false]],
    ["not_placed", [false, false], [false, false]],
  ])("that is %s keeps back one without an id: %j, and one with: %j", async (state, unnamed, named) => {
    const changes = { request: { state }, attempt: { state: "unknown" } };
    expect([await keepsBack(changes, false), await keepsBack(changes, true)]).toEqual([unnamed, named]);
  });

  test("that was placed less than a minute ago keeps back one without an id", async () => {
    const changes = { request: { state: "placed" }, attempt: { state: "placed" } };
    age = DUPLICATE_WINDOW_MS - 1;
    expect([await keepsBack(changes, false), await keepsBack(changes, true)]).toEqual([
      [true, true],
      [false, false],
    ]);
    age = DUPLICATE_WINDOW_MS;
    expect(await keepsBack(changes, false)).toEqual([false, false]);
  });

  test("that was placed by an attempt that is not found keeps it back at any age", async () => {
    age = 10 * DUPLICATE_WINDOW_MS;
    expect(await keepsBack({ request: { state: "placed" }, attempt: { state: "no" } }, false)).toEqual([true, true]);
  });

  test.each<Partial<GuardedOrder>>([{ argumentsHash: "other" }, { accountId: "DU2" }, { connectionId: "con_2" }, { userId: "usr_2" }])(
    "keeps back none with %j",
    async (other) => {
      expect(await keepsBack({ request: { state: "unknown" } }, false, other)).toEqual([false, false]);
    },
  );
});
