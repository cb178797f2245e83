import { sql } from "kysely";
import { describe, expect, test } from "vitest";

import type { RowChanges } from "../../test/support/order-rows.ts";
import { OWN_PROCESS, pipelineBench } from "../../test/support/pipeline-bench.ts";
import { listedOrder, listedTrade } from "../../test/support/listed-orders.ts";
import type { Broker, CallOptions } from "../broker/broker.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;
const ACCOUNT = "DU1234567";

const bench = pipelineBench();

/** An order of unknown outcome that this process sent. */
const store = async ({ request = {}, attempt = {} }: RowChanges = {}) =>
  await bench.rows.store({
    request: { state: "unknown", client_order_id: "c1", name_space: "key_bench", owner_process: OWN_PROCESS, ...request },
    attempt: { state: "unknown", doubt: 1, looks: 0, looked_at: null, owner_process: OWN_PROCESS, ...attempt },
  });
const state = async (id: string) => {
  const { request, attempt } = await bench.rows.read(id);
  return [request.state, attempt.state];
};
const looks = () => bench.script.asked.filter((line) => line.startsWith("look"));
const ask = async (clientOrderId = "c1") =>
  await bench.finish(bench.trading.findOrder({ accountId: ACCOUNT, orderId: undefined, clientOrderId }, bench.call()));
const warnings = () => bench.lines.filter(({ level }) => level === 40).map(({ msg }) => msg);

/** Seconds after now at which looks come, within so many. */
async function lookTimes(seconds: number): Promise<number[]> {
  const times: number[] = [];
  for (let second = 1; second <= seconds; second += 1) {
    const before = looks().length;
    await bench.clock.advance(1_000);
    if (looks().length > before) times.push(second);
  }
  return times;
}

describe("the watch", () => {
  test("looks 5, 15, 35 and 75 seconds after it saw an order of unknown outcome, then each minute", async () => {
    await store();
    await bench.trading.reconcile();
    expect(looks()).toEqual([]);
    expect(await lookTimes(200)).toEqual([5, 15, 35, 75, 135, 195]);
    expect(new Set(bench.script.asked)).toEqual(new Set([`look ${ACCOUNT} 2`]));
    expect(new Set(bench.opened)).toEqual(new Set([bench.caller.connectionId]));
  });

  test("counts its looks on the row", async () => {
    const { request } = await store({ attempt: { looks: 4 } });
    await bench.trading.reconcile();
    await bench.clock.advance(5_000);
    const { attempt } = await bench.rows.read(request.id);
    expect([attempt.looks, attempt.looked_at, attempt.state]).toEqual([5, bench.clock.now(), "unknown"]);
  });

  test("finds an order among IBKR's orders, and stops looking", async () => {
    const { request, attempt } = await store();
    bench.script.sightings = { orders: [listedOrder({ customerOrderId: attempt.customer_order_id, orderId: "4711" })] };
    bench.script.time = 99;
    await bench.trading.reconcile();
    await bench.clock.advance(5_000);
    expect(await bench.rows.read(request.id)).toMatchObject({
      request: { state: "placed", result: '{"order_id":"4711","status":"Submitted"}' },
      attempt: { state: "placed", broker_order_id: "4711", placed_broker_at: 99 },
    });
    await bench.clock.advance(MINUTE);
    // What is left is the watch itself.
    expect([looks().length, bench.alarms, bench.clock.pending]).toEqual([1, [], 1]);
  });

  test("begins again with an order that is unknown again", async () => {
    const { attempt } = await store();
    const become = async (next: string) =>
      await bench.rows.storage.db.updateTable("order_attempts").set({ state: next }).where("id", "=", attempt.id).execute();
    await bench.trading.reconcile();
    expect(await lookTimes(40)).toEqual([5, 15, 35]);
    await become("sending");
    expect(await lookTimes(100)).toEqual([]);
    await become("unknown");
    expect((await lookTimes(45)).map((second, index, all) => second - (all[index - 1] ?? second))).toEqual([0, 10, 20]);
  });

  test("looks once at an order that is older than IBKR's lists", async () => {
    bench.script.time = 100 * DAY;
    await store({ attempt: { sent_broker_at: 93 * DAY } });
    await bench.trading.reconcile();
    await bench.clock.advance(30 * MINUTE);
    expect(looks()).toEqual([`look ${ACCOUNT} 7`]);
  });

  test("finds an order among IBKR's executions", async () => {
    const { request, attempt } = await store();
    bench.script.sightings = { trades: [listedTrade({ customerOrderId: attempt.customer_order_id, orderId: "4711" })] };
    await bench.trading.reconcile();
    await bench.clock.advance(5_000);
    expect(await state(request.id)).toEqual(["placed", "placed"]);
  });

  test("stops orders where IBKR shows two under one cOID", async () => {
    const { attempt } = await store();
    const customerOrderId = attempt.customer_order_id;
    bench.script.sightings = { orders: ["1", "2"].map((orderId) => listedOrder({ customerOrderId, orderId })) };
    await bench.trading.reconcile();
    await bench.clock.advance(5_000);
    expect(bench.alarms).toMatchObject([{ customerOrderId, because: "IBKR lists 2 orders under one cOID, which it must refuse twice." }]);
  });

  test.each(["PreSubmitted", "Submitted", "Filled", "PendingCancel", "PreCancelled"] as const)(
    "asks for the order whose id IBKR's answer named: %s places it",
    async (status) => {
      const { request } = await store({ attempt: { broker_order_id: "99" } });
      bench.script.orders.set("99", listedOrder({ orderId: "99", status }));
      await bench.trading.reconcile();
      await bench.clock.advance(5_000);
      expect(bench.script.asked).toEqual([`look ${ACCOUNT} 2`, `order ${ACCOUNT} 99`]);
      expect((await bench.rows.read(request.id)).request).toMatchObject({
        state: "placed",
        result: JSON.stringify({ order_id: "99", status }),
      });
    },
  );

  test.each(["Inactive", "Cancelled", "PendingSubmit", undefined] as const)(
    "takes an order of that id that is %s for no proof",
    async (status) => {
      const { request } = await store({ attempt: { broker_order_id: "99" } });
      if (status !== undefined) bench.script.orders.set("99", listedOrder({ orderId: "99", status }));
      await bench.trading.reconcile();
      await bench.clock.advance(5_000);
      expect(await state(request.id)).toEqual(["unknown", "unknown"]);
    },
  );

  test("looks at executions of as many days as the order is old, seven at the most", async () => {
    bench.script.time = 100 * DAY;
    await store({ attempt: { sent_broker_at: 97 * DAY - MINUTE } });
    await store({ request: { client_order_id: "c2" } });
    await bench.trading.reconcile();
    await bench.clock.advance(5_000);
    await bench.rows.storage.db
      .updateTable("order_attempts")
      .set({ sent_broker_at: 90 * DAY })
      .execute();
    await bench.clock.advance(10_000);
    // The first look learns IBKR's time.
    expect(looks()).toEqual([`look ${ACCOUNT} 5`, `look ${ACCOUNT} 7`]);
  });

  test("looks once for all orders of an account, and apart for each account", async () => {
    await store({ request: { account_id: "DU1" }, attempt: { account_id: "DU1" } });
    await store({ request: { account_id: "DU1", client_order_id: "c2" }, attempt: { account_id: "DU1" } });
    await store({ request: { account_id: "DU2" }, attempt: { account_id: "DU2" } });
    await bench.trading.reconcile();
    await bench.clock.advance(5_000);
    expect(looks().toSorted()).toEqual(["look DU1 2", "look DU2 2"]);
  });

  test("leaves what another living process sent to it, and adopts what a dead one sent", async () => {
    const [other, dead] = [
      await store({ attempt: { owner_process: "prc_alive" } }),
      await store({ request: { account_id: "DU2" }, attempt: { account_id: "DU2", owner_process: "prc_dead" } }),
    ];
    await bench.trading.reconcile();
    await bench.clock.advance(5_000);
    expect(looks()).toEqual(["look DU2 2"]);
    expect((await bench.rows.read(other.request.id)).attempt.owner_process).toBe("prc_alive");
    expect((await bench.rows.read(dead.request.id)).attempt.owner_process).toBe(OWN_PROCESS);
  });

  test("buries what a dead process was sending, and looks for it", async () => {
    const { request } = await bench.rows.store();
    await bench.trading.reconcile();
    await bench.clock.advance(10_000);
    expect(await state(request.id)).toEqual(["unknown", "unknown"]);
    expect(looks()).toHaveLength(1);
  });

  test("tries again each minute while IBKR can't be reached, with a new series when it can", async () => {
    await store();
    bench.setUnreachable(new Error("no session"));
    await bench.trading.reconcile();
    await bench.clock.advance(3 * MINUTE);
    expect(warnings()).toEqual(Array.from({ length: 3 }, () => "could not look for orders of unknown outcome"));
    bench.setUnreachable(undefined);
    const times = await lookTimes(180);
    expect(times.slice(1).map((second, index) => second - (times[index] ?? 0))).toEqual([10, 20, 40, 60]);
  });

  test("ends a look that takes a minute", async () => {
    await store();
    const { broker } = bench.script;
    const reached = Promise.withResolvers<AbortSignal>();
    Object.assign(broker, {
      lookForOrders: (_account: string, _days: number, { signal, caller }: CallOptions) => {
        expect(caller).toBe("order watch");
        reached.resolve(signal);
        return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
      },
    });
    await bench.trading.reconcile();
    await bench.clock.advance(5_000);
    const signal = await reached.promise;
    await bench.clock.advance(59_000);
    expect(signal.aborted).toBe(false);
    await bench.clock.advance(1_000);
    expect(signal.reason).toMatchObject({ message: "looking for orders took too long" });
    expect(warnings()).toEqual(["could not look for orders of unknown outcome"]);
  });

  test("ends with the pipeline, its look too, and starts no more", async () => {
    await store();
    const { broker } = bench.script;
    Object.assign(broker, {
      lookForOrders: (_account: string, _days: number, { signal }: { signal: AbortSignal }) =>
        new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
    });
    await bench.trading.reconcile();
    await bench.clock.advance(5_000);
    await bench.finish(bench.close());
    expect(bench.lines.at(-1)).toMatchObject({ err: { message: "the server is closing" } });
    const { length } = bench.lines;
    await bench.trading.reconcile();
    await bench.clock.advance(10 * MINUTE);
    expect([bench.lines.length, bench.clock.pending]).toEqual([length, 0]);
  });

  test("tells of a database that fails, and goes on", async () => {
    await store();
    await bench.trading.reconcile();
    await sql`alter table order_attempts rename to lost`.execute(bench.rows.storage.db);
    await bench.clock.advance(5_000);
    await sql`alter table lost rename to order_attempts`.execute(bench.rows.storage.db);
    expect(bench.lines).toContainEqual(expect.objectContaining({ msg: expect.stringContaining("looking for orders of unknown outcome") }));
    await bench.clock.advance(5_000);
    expect(looks()).toHaveLength(1);
  });
});

describe("an order that stays unknown", () => {
  test("is put to its owner after five minutes, once, and looked for still", async () => {
    const { request } = await store();
    await bench.trading.reconcile();
    await bench.clock.advance(5 * MINUTE - 1);
    expect([bench.unresolved, await state(request.id)]).toEqual([[], ["unknown", "unknown"]]);
    await bench.clock.advance(1);
    expect([bench.unresolved, await state(request.id)]).toEqual([[request.id], ["unresolved", "unknown"]]);
    const before = looks().length;
    await bench.clock.advance(10 * MINUTE);
    expect(bench.unresolved).toEqual([request.id]);
    expect(looks().length - before).toBe(10);
  });

  test("is put to its owner also while IBKR can't be reached", async () => {
    const { request } = await store();
    bench.setUnreachable(new Error("no session"));
    await bench.trading.reconcile();
    await bench.clock.advance(5 * MINUTE);
    expect(bench.unresolved).toEqual([request.id]);
  });

  test("is put to its owner by IBKR's time where another process sent it", async () => {
    bench.script.time = 10 * DAY;
    const { request } = await store({ attempt: { owner_process: "prc_dead", sent_broker_at: 10 * DAY - 5 * MINUTE } });
    await bench.trading.reconcile();
    await bench.clock.advance(5_000);
    expect(bench.unresolved).toEqual([request.id]);
  });
});

describe("a question about an order of unknown outcome", () => {
  test("looks at once, and shares the look with others of the moment", async () => {
    const { request } = await store();
    const both = await bench.finish(Promise.all([ask(), ask(), ask()]));
    expect(both.map((found) => found?.kind)).toEqual(["request", "request", "request"]);
    expect(looks()).toEqual([`look ${ACCOUNT} 2`]);
    expect(await state(request.id)).toEqual(["unknown", "unknown"]);
  });

  test("starts the watch", async () => {
    await store();
    await ask();
    await bench.clock.advance(15_000);
    expect(looks().length).toBeGreaterThan(1);
  });

  test("looks for orders of an account one after the other", async () => {
    await store();
    const second = await store({ request: { client_order_id: "c2" } });
    const { broker } = bench.script;
    let [running, most] = [0, 0];
    const look: Broker["lookForOrders"] = broker.lookForOrders.bind(broker);
    Object.assign(broker, {
      lookForOrders: async (...args: Parameters<typeof look>) => {
        running += 1;
        most = Math.max(most, running);
        await bench.clock.wait(5_000);
        running -= 1;
        return await look(...args);
      },
    });
    bench.script.sightings = { orders: [listedOrder({ customerOrderId: second.attempt.customer_order_id })] };
    await bench.finish(Promise.all([ask("c1"), ask("c2")]));
    expect([looks().length, most]).toEqual([2, 1]);
    expect(await state(second.request.id)).toEqual(["placed", "placed"]);
  });

  test("leaves its state as it is when IBKR can't be asked", async () => {
    const { request } = await store();
    bench.script.sightings = new Error("cut");
    expect(await ask()).toMatchObject({ kind: "request", state: "unknown" });
    expect(await state(request.id)).toEqual(["unknown", "unknown"]);
    expect(bench.lines).toContainEqual(
      expect.objectContaining({ msg: "could not look for an order of unknown outcome", request: request.id, err: expect.anything() }),
    );
  });

  test("asks nothing about an order without an unknown attempt", async () => {
    await store({ attempt: { state: "no" } });
    expect(await ask()).toMatchObject({ kind: "request", state: "unknown" });
    expect(looks()).toEqual([]);
  });

  test("buries what a dead process was sending first", async () => {
    const { request } = await store({
      request: { state: "sending", owner_process: "prc_dead" },
      attempt: { state: "sending", owner_process: "prc_dead" },
    });
    expect(await ask()).toMatchObject({ state: "unknown" });
    expect(looks()).toHaveLength(1);
    expect(await state(request.id)).toEqual(["unknown", "unknown"]);
  });
});
