import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { failure, isOrderPost, type OrderBench, requestLost, startOrderBench, takeBody } from "../support/order-bench.ts";
import { ENGINES } from "../support/storages.ts";
import type { GatewayError } from "../../src/lib/errors.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { tool as cancelOrder } from "../../src/tools/cancel-order.ts";
import { tool as getOrderStatus } from "../../src/tools/get-order-status.ts";
import { tool as placeOrder } from "../../src/tools/place-order.ts";

let bench: OrderBench;

const place = (args: JsonObject, options = {}) => bench.stack.complete(placeOrder, args, options);
const codesOf = (ends: readonly PromiseSettledResult<unknown>[]): readonly string[] =>
  ends.map((end) => (end.status === "fulfilled" ? "placed" : (end.reason as GatewayError).code));

/** Holds each order's POST after its body has left, until it is let go. */
function holdOrders(): { readonly reached: Promise<void>; release(): void } {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  bench.stack.setNetwork(async (url, init, pass) => {
    if (!isOrderPost(url, init)) return await pass();
    const response = await pass();
    reached.resolve();
    await released.promise;
    return response;
  });
  return { reached: reached.promise, release: () => released.resolve() };
}

describe.each(ENGINES)("on %s,", (engine) => {
  let peer: number;

  beforeAll(async () => {
    bench = await startOrderBench(engine);
    peer = await bench.stack.addPeer();
  });

  afterAll(() => bench.stack.close());

  beforeEach(() => bench.begin());

  describe("a retry without an id", () => {
    test("while the first is being sent is refused and names it, in this process and another (D1.a, D1.c)", async () => {
      const hold = holdOrders();
      const gone = new AbortController();
      const first = place(bench.market(), { signal: gone.signal });
      await hold.reached;
      gone.abort(new Error("hung up"));
      for (const options of [{}, { peer }]) {
        const retry = await failure(place({ ...bench.market(), quantity: Number(bench.market().quantity) }, options));
        expect(retry).toMatchObject({
          code: "possible_duplicate",
          details: { status: "sending", client_order_id: expect.stringMatching(/^auto-/) },
        });
        expect(retry.whatToDo).toContain("client_order_id of its own");
      }
      hold.release();
      await first;
      await expect.poll(() => bench.sent(/orders$/), { timeout: 10_000 }).toBeGreaterThan(0);
      expect(bench.placed()).toBe(1);
    });

    test("within a minute after the first was placed is refused; two ids make two orders", async () => {
      const first = await place(bench.market());
      expect(await failure(place(bench.market()))).toMatchObject({
        code: "possible_duplicate",
        details: { client_order_id: first["client_order_id"], status: "placed" },
      });
      bench.stack.clock.jump(61_000);
      expect(await place(bench.market())).toHaveProperty("order_id");
      await Promise.all([place({ ...bench.market(), client_order_id: "w1" }), place({ ...bench.market(), client_order_id: "w2" })]);
      expect(bench.placed()).toBe(4);
    });

    test("ten at the same time place one order (D1.b)", async () => {
      const calls = Array.from({ length: 10 }, (_, index) => place(bench.market(), index % 2 === 0 ? {} : { peer }));
      const ends = codesOf(await Promise.allSettled(calls));
      expect(ends.toSorted()).toEqual(["placed", ...Array.from({ length: 9 }, () => "possible_duplicate")].toSorted());
      expect(bench.placed()).toBe(1);
    });
  });

  test("a question about an order without an id is not confirmed beside an equal order that was just placed", async () => {
    bench.stack.simulator.faults.add({ kind: "order_question", count: 1 });
    const asked = await place(bench.market());
    expect(asked).toHaveProperty("confirm_token");
    expect(await place(bench.market())).toHaveProperty("order_id");
    const confirm = () => place({ confirm_token: asked["confirm_token"] ?? "" });
    expect(await failure(confirm())).toMatchObject({ code: "possible_duplicate", details: { status: "placed" } });
    bench.stack.clock.jump(61_000);
    expect(await confirm()).toHaveProperty("order_id");
    expect(bench.placed()).toBe(3);
  });

  test("twenty repeats of an id over two processes place one order, and twenty other orders under it are refused", async () => {
    const calls = Array.from({ length: 20 }, (_, index) =>
      place({ ...bench.market(), client_order_id: "twenty" }, index % 2 === 0 ? {} : { peer }),
    );
    expect(new Set((await Promise.all(calls)).map((answer) => answer["order_id"])).size).toBe(1);
    expect(bench.placed()).toBe(1);
    const others = Array.from({ length: 20 }, (_, index) =>
      place({ ...bench.market(), quantity: String(1_000 + index), client_order_id: "twenty" }, { peer }),
    );
    expect(new Set(codesOf(await Promise.allSettled(others)))).toEqual(new Set(["idempotency_mismatch"]));
    expect(bench.placed()).toBe(1);
  });

  test.each([144_000, -144_000])("a wall clock that is set by %i ms while an order is being sent decides nothing (D2.a)", async (ms) => {
    const hold = holdOrders();
    const order = { ...bench.market(), client_order_id: `clock ${ms}` };
    const first = place(order);
    await hold.reached;
    bench.stack.clock.shiftWall(ms);
    try {
      expect((await failure(place(bench.market()))).code).toBe("possible_duplicate");
      expect((await failure(place(bench.market(), { peer }))).code).toBe("possible_duplicate");
      expect(await bench.stateOf(`clock ${ms}`)).toBe("sending");
      hold.release();
      expect(await first).toHaveProperty("order_id");
      expect(await place(order)).toMatchObject({ is_repeat: true });
    } finally {
      bench.stack.clock.shiftWall(-ms);
    }
    expect(bench.placed()).toBe(1);
  });

  test("a repeat a day later gets the order and its state then", async () => {
    const order = { ...bench.market(), client_order_id: "yesterday" };
    const first = await place(order);
    bench.stack.clock.jump(86_400_000);
    expect(await place(order)).toMatchObject({ order_id: first["order_id"], is_repeat: true });
    expect(bench.placed()).toBe(1);
  });

  test("an id belongs to its key: under another key it names another order", async () => {
    const order = { ...bench.market(), client_order_id: "mine" };
    const first = await place(order);
    const other = { caller: { id: "key_second", nameSpace: "key_second" } };
    const second = await place({ ...order, quantity: "77" }, other);
    expect(second["order_id"]).not.toBe(first["order_id"]);
    expect(await place(order)).toMatchObject({ order_id: first["order_id"], is_repeat: true });
    const found = await bench.stack.complete(getOrderStatus, { client_order_id: "mine" }, other);
    expect(found["order_id"]).toBe(second["order_id"]);
  });

  test("an app keeps its ids when its approval is renewed", async () => {
    const order = { ...bench.market(), client_order_id: "the app's" };
    const app = (id: string) => ({ caller: { id, source: "oauth" as const, nameSpace: "https://app.test/client" } });
    const first = await place(order, app("grant_old"));
    expect(await place(order, app("grant_new"))).toMatchObject({ order_id: first["order_id"], is_repeat: true });
    expect(bench.placed()).toBe(1);
  });

  describe("an order whose permission ends while it waits (D4.a, D4.b)", () => {
    const end = async (id: string, source: "apikey" | "oauth", values: Record<string, string | number | null>) =>
      await bench.stack.storage.db
        .updateTable(source === "apikey" ? "api_keys" : "app_grants")
        .set(values)
        .where("id", "=", id)
        .execute();

    test.each([
      ["a revoked key", "apikey", { revoked_at: 1 }],
      ["an expired key", "apikey", { expires_at: 1 }],
      ["a key that lost writing", "apikey", { scope: "read" }],
      ["a key that lost the account", "apikey", { allowed_account_ids: '["DU0"]' }],
      ["a revoked grant", "oauth", { revoked_at: 1 }],
      ["a grant whose app's registration is gone", "oauth", { client_identity: "registered" }],
    ] as const)("is not sent for %s", async (name, source, values) => {
      const hold = holdOrders();
      const first = place({ ...bench.market(), client_order_id: `${name} first` });
      await hold.reached;
      const id = `caller of ${name}`;
      const waiting = place({ ...bench.market(), quantity: "3", client_order_id: name }, { caller: { id, source, nameSpace: id } });
      await expect.poll(() => bench.stateOf(name), { timeout: 10_000 }).toBe("received");
      await end(id, source, values);
      hold.release();
      await first;
      const error = await failure(waiting);
      expect(error).toMatchObject({ code: "not_sent", details: { reason: "caller_revoked" } });
      expect(error.whatToDo).not.toContain("Send it again");
      expect([bench.placed(), await bench.stateOf(name)]).toEqual([1, "not_placed"]);
    });

    test("is not sent on a connection that was paused, and says why", async () => {
      const hold = holdOrders();
      const first = place({ ...bench.market(), client_order_id: "before the pause" });
      await hold.reached;
      const waiting = place({ ...bench.market(), quantity: "3", client_order_id: "paused" }, { peer });
      await expect.poll(() => bench.stateOf("paused"), { timeout: 10_000 }).toBe("received");
      const pause = (at: number | null) => bench.stack.storage.db.updateTable("connections").set({ paused_at: at }).execute();
      await pause(1);
      try {
        hold.release();
        await first;
        expect(await failure(waiting)).toMatchObject({ code: "not_sent", details: { reason: "connection_paused" } });
      } finally {
        await pause(null);
      }
      expect(bench.placed()).toBe(1);
    });
  });

  test("each sending has its row: who allowed it, by what, and how it ended", async () => {
    await place({ ...bench.market(), client_order_id: "recorded" });
    const rows = await bench.stack.storage.db
      .selectFrom("order_sends")
      .innerJoin("order_attempts", "order_attempts.id", "order_sends.attempt_id")
      .innerJoin("order_requests", "order_requests.id", "order_attempts.request_id")
      .selectAll("order_sends")
      .where("order_requests.client_order_id", "=", "recorded")
      .execute();
    expect(rows).toMatchObject([
      { caller_id: "key_test", source: "apikey", ended_by: "placed", process_id: expect.stringMatching(/^prc_/) },
    ]);
    expect(JSON.parse(rows[0]?.permission ?? "")).toEqual({
      scope: "write",
      accounts: "all",
      mode: "simulated",
      live_trading_enabled_at: null,
    });
    expect(rows[0]?.broker_at).toEqual(expect.any(Number));
  });

  test("one order of an account is on its way at a time, over all processes", async () => {
    const hold = holdOrders();
    const first = place({ ...bench.market(), client_order_id: "in turn 1" });
    await hold.reached;
    const second = place({ ...bench.market(), quantity: "2", client_order_id: "in turn 2" }, { peer });
    await expect.poll(() => bench.stateOf("in turn 2"), { timeout: 10_000 }).toBe("received");
    expect(bench.placed()).toBe(1);
    hold.release();
    await Promise.all([first, second]);
    expect(bench.placed()).toBe(2);
  });

  test("a repeat of an unknown order that is kept back is not told that nothing was placed", async () => {
    const order = { ...bench.market(), client_order_id: "kept back" };
    const id = "caller of a kept back repeat";
    const caller = { id, nameSpace: id };
    bench.stack.setNetwork(requestLost);
    expect((await failure(place(order, { caller }))).code).toBe("outcome_unknown");
    await bench.stack.storage.db.updateTable("api_keys").set({ revoked_at: 1 }).where("id", "=", id).execute();
    const error = await failure(place(order, { caller }));
    expect(error.code).toBe("outcome_unknown");
    expect(error.whatToDo).not.toContain("Nothing was placed");
  });

  test("a caller whose time is up before its turn is told that nothing was sent, and nothing is", async () => {
    const hold = holdOrders();
    const first = place({ ...bench.market(), client_order_id: "slow" });
    await hold.reached;
    const gone = new AbortController();
    const waiting = place({ ...bench.market(), quantity: "2", client_order_id: "impatient" }, { signal: gone.signal });
    await expect.poll(() => bench.stateOf("impatient"), { timeout: 10_000 }).toBe("received");
    gone.abort(new DOMException("the call's time is up", "TimeoutError"));
    expect(await failure(waiting)).toMatchObject({ code: "not_sent", details: { reason: "timeout" } });
    hold.release();
    await first;
    expect([bench.placed(), await bench.stateOf("impatient")]).toEqual([1, "not_placed"]);
    expect(await place({ ...bench.market(), quantity: "2", client_order_id: "impatient" })).toHaveProperty("order_id");
  });

  test("a cancellation that races the fill says what became of the order", async () => {
    const order = await place({ ...bench.market(), client_order_id: "raced" });
    const end = await bench.stack.complete(cancelOrder, { order_id: order["order_id"] ?? "" }).then(
      (answer) => answer["status"],
      (error: GatewayError) => error.code,
    );
    expect(["Cancelled", "PendingCancel", "Filled", "order_not_working"]).toContain(end);
    expect(bench.placed()).toBe(1);
  });

  test("a body that was taken and then cut is unknown, one that was never taken was not sent", async () => {
    const cut = new TypeError("fetch failed", { cause: Object.assign(new Error("socket hang up"), { code: "ECONNRESET" }) });
    bench.stack.setNetwork(async (url, init, pass) => {
      if (!isOrderPost(url, init)) return await pass();
      throw cut;
    });
    expect((await failure(place({ ...bench.market(), client_order_id: "untaken" }))).code).toBe("not_sent");
    bench.stack.setNetwork(async (url, init, pass) => {
      if (!isOrderPost(url, init)) return await pass();
      await takeBody(init);
      throw cut;
    });
    expect((await failure(place({ ...bench.market(), client_order_id: "taken" }))).code).toBe("outcome_unknown");
  });
});
