import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { ENGINES, startEngine } from "../../test/support/storages.ts";
import { storeOrder } from "../../test/support/stored-order.ts";
import { insertConnection } from "./connections.ts";
import { countOpenOrders } from "./order-requests.ts";
import { leavingOrders } from "./order-sends.ts";
import type { Storage } from "./storage.ts";
import { insertUser } from "./users.ts";

const AT = 1_795_000_000_000;

describe.each(ENGINES)("on %s,", (engineName) => {
  let engine: Awaited<ReturnType<typeof startEngine>>;
  let storage: Storage;

  beforeAll(async () => {
    engine = await startEngine(engineName);
    storage = await (await engine.createDatabase()).open();
    for (const [userId, connectionIds] of [
      ["usr_a", ["con_a", "con_b"]],
      ["usr_z", ["con_z"]],
    ] as const) {
      await insertUser(storage, { id: userId, display_name: "Test", is_demo: 0, created_at: AT });
      for (const id of connectionIds) {
        const kind = { kind: "simulator", label: id, mode: "simulated", settings: "{}", sealed_secrets: null };
        await insertConnection(storage, { ...kind, id, user_id: userId, created_at: AT });
      }
    }
  });

  afterAll(() => engine.stop());

  test("orders that left have no definite end while they are sent or unknown; others' are never named", async () => {
    const key = { connectionId: "con_a", callerId: "key_a" };
    const sending = await storeOrder(storage, { ...key, state: "sending", sentAt: AT });
    const unknown = await storeOrder(storage, { ...key, state: "unknown", sentAt: AT + 1 });
    const unresolved = await storeOrder(storage, { ...key, sentAt: AT + 2 });
    const placed = await storeOrder(storage, { ...key, state: "unknown", sentAt: AT + 3 });
    await storage.db.updateTable("order_attempts").set({ state: "placed" }).where("request_id", "=", placed).execute();
    const elsewhere = await storeOrder(storage, { connectionId: "con_b", callerId: "key_b", sentAt: AT });
    await storeOrder(storage, { connectionId: "con_z", callerId: "key_a", sentAt: AT });
    const of = (senders: Parameters<typeof leavingOrders>[1]["senders"], limit = 10) =>
      leavingOrders(storage.db, { userId: "usr_a", senders, limit });
    expect(await of({ callerIds: ["key_a"] })).toEqual([unresolved, unknown, sending]);
    expect(await of({ callerIds: ["key_a"] }, 2)).toEqual([unresolved, unknown]);
    expect(await of({ callerIds: ["key_b"] })).toEqual([elsewhere]);
    expect(await of({ callerIds: [] })).toEqual([]);
    expect(await of({ connectionId: "con_a" })).toEqual([unresolved, unknown, sending]);
    expect(await of({ connectionId: "con_z" })).toEqual([]);
    await storage.db.updateTable("order_requests").set({ state: "placed" }).where("id", "=", placed).execute();
    expect(await countOpenOrders(storage.db, "usr_a")).toEqual(
      new Map([
        ["con_a", { unknown: 1, unresolved: 1 }],
        ["con_b", { unknown: 0, unresolved: 1 }],
      ]),
    );
  });
});
