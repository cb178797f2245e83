import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import {
  answerLost,
  cutConnection,
  failure,
  isOrderPost,
  type OrderBench,
  requestLost,
  startOrderBench,
  takeBody,
} from "../support/order-bench.ts";
import { ENGINES } from "../support/storages.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { setDuplicateRefusals } from "../../src/storage/order-permission.ts";
import { tool as getOrderStatus } from "../../src/tools/get-order-status.ts";
import { tool as getOrders } from "../../src/tools/get-orders.ts";
import { tool as placeOrder } from "../../src/tools/place-order.ts";

let bench: OrderBench;

const key = () => ({ connectionId: bench.stack.caller.connectionId, userId: bench.stack.caller.userId });
const status = async (clientOrderId: string) => (await bench.stack.complete(getOrderStatus, { client_order_id: clientOrderId }))["status"];
/** Places an order whose process is killed before it can tell anything; returns what would be told. */
function placeUnheard(args: JsonObject) {
  const told = vi.fn();
  bench.stack.complete(placeOrder, args).then(told, told);
  return told;
}
const lists = (url: string): boolean => /\/iserver\/account\/(?:orders\?|trades)/.test(url);

describe.each(ENGINES)("on %s,", (engine) => {
  beforeAll(async () => {
    bench = await startOrderBench(engine, { hasStream: false });
  });

  afterAll(() => bench.stack.close());

  beforeEach(async () => {
    bench.begin();
    await setDuplicateRefusals(bench.stack.storage, key(), null);
  });

  describe("a lost answer", () => {
    test("gives outcome_unknown, is never sent again, and is settled by looking", async () => {
      bench.stack.setNetwork(answerLost);
      const error = await failure(bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "lost" }));
      expect([error.code, error.whatToDo]).toEqual(["outcome_unknown", expect.stringContaining("Do NOT send it again")]);
      bench.stack.setNetwork(undefined);
      expect(await bench.untilSettled("lost")).toMatchObject({
        status: expect.stringMatching(/Submitted|Filled/),
        order_id: expect.any(String),
      });
      expect(await bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "lost" })).toMatchObject({ is_repeat: true });
      expect(bench.placed()).toBe(1);
    });

    test("is settled in the background too", async () => {
      bench.stack.setNetwork(answerLost);
      await failure(bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "quiet" }));
      bench.stack.setNetwork(undefined);
      await expect.poll(() => bench.stateOf("quiet"), { timeout: 20_000 }).toBe("placed");
      expect(bench.placed()).toBe(1);
    });

    test("keeps an equal order back while it is open, and no other", async () => {
      bench.stack.setNetwork(requestLost);
      await failure(bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "first" }));
      const twin = await failure(bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "second" }));
      expect([twin.code, twin.details]).toEqual(["possible_duplicate", { client_order_id: "first", status: "unknown" }]);
      expect(await bench.stateOf("second")).toBeUndefined();
      bench.stack.setNetwork(undefined);
      expect(await bench.stack.complete(placeOrder, { ...bench.market(), quantity: "1", client_order_id: "third" })).toHaveProperty(
        "order_id",
      );
    });

    test("keeps an equal order back that was asked about before", async () => {
      const order = await bench.farLimit();
      const asked = await bench.stack.complete(placeOrder, { ...order, client_order_id: "asked before" });
      bench.stack.setNetwork(requestLost);
      await failure(bench.stack.complete(placeOrder, { ...order, client_order_id: "then lost" }));
      bench.stack.setNetwork(undefined);
      for (const args of [{ confirm_token: asked["confirm_token"] ?? "" }, { ...order, client_order_id: "asked before" }]) {
        const twin = await failure(bench.stack.complete(placeOrder, args));
        expect([twin.code, twin.details]).toEqual(["possible_duplicate", { client_order_id: "then lost", status: "unknown" }]);
      }
      expect(bench.placed()).toBe(2);
    });
  });

  describe("an order that IBKR's lists don't show", () => {
    test("is never called absent, is put to its owner after five minutes, and is found whenever it shows (F2.a, F2.b, D3.a)", async () => {
      bench.stack.setNetwork(answerLost);
      const order = { ...bench.market(), client_order_id: "hidden" };
      await failure(bench.stack.complete(placeOrder, order));
      bench.stack.setNetwork(async (url, _init, pass) => {
        if (!lists(url)) return await pass();
        return Response.json(url.includes("trades") ? [] : { orders: [], snapshot: true });
      });
      for (let look = 0; look < 6; look += 1) {
        bench.stack.clock.jump(60_000);
        expect((await failure(bench.stack.complete(placeOrder, order))).code).toMatch(/^outcome_un(?:known|resolved)$/);
      }
      await expect.poll(() => bench.stateOf("hidden"), { timeout: 20_000 }).toBe("unresolved");
      const unresolved = await failure(bench.stack.complete(placeOrder, order));
      expect([unresolved.code, unresolved.link]).toEqual(["outcome_unresolved", expect.stringMatching(/^\/console\/orders\/ord_/)]);
      expect((await failure(bench.stack.complete(placeOrder, { ...bench.market() }))).code).toBe("possible_duplicate");
      bench.stack.setNetwork(undefined);
      bench.stack.clock.jump(6_000);
      expect(await status("hidden")).toMatch(/Submitted|Filled/);
      expect(bench.placed()).toBe(1);
    });

    test("is called not there by its owner only after half an hour, and is then sent under the same cOID", async () => {
      bench.stack.setNetwork(requestLost);
      const order = { ...bench.market(), client_order_id: "never arrived" };
      await failure(bench.stack.complete(placeOrder, order));
      bench.stack.setNetwork(undefined);
      bench.stack.clock.jump(360_000);
      await expect.poll(() => bench.stateOf("never arrived"), { timeout: 20_000 }).toBe("unresolved");
      const open = (await bench.stack.trading().unresolvedOrders(key().userId)).find((one) => one.clientOrderId === "never arrived");
      if (open === undefined) throw new Error("it is not listed");
      expect(open).toMatchObject({ state: "unresolved", customerOrderId: expect.stringMatching(/^gw[0-9a-f]{20}-1$/) });
      expect(open.absentInMs).toBeGreaterThan(0);
      const notThere = { userId: key().userId, requestId: open.requestId, verdict: { kind: "not_there" }, words: "TWS, orders" } as const;
      expect((await failure(bench.stack.trading().decideOrder(notThere))).code).toBe("invalid_arguments");
      expect((await failure(bench.stack.trading().decideOrder({ ...notThere, userId: "usr_other" }))).code).toBe("order_not_found");
      bench.stack.clock.jump(1_800_000);
      await bench.stack.trading().decideOrder(notThere);
      expect((await failure(bench.stack.trading().decideOrder(notThere))).code).toBe("order_not_found");
      expect(await status("never arrived")).toBe("not_sent");
      // Half an hour without a keep-alive has ended the session.
      await bench.stack.complete(getOrders, {});
      expect(await bench.stack.complete(placeOrder, order)).toHaveProperty("order_id");
      const sends = await bench.stack.storage.db
        .selectFrom("order_sends")
        .innerJoin("order_attempts", "order_attempts.id", "order_sends.attempt_id")
        .select(["order_attempts.customer_order_id", "order_sends.ended_by"])
        .where("order_attempts.request_id", "=", open.requestId)
        .orderBy("order_sends.sent_at")
        .execute();
      expect(sends.map((row) => row.ended_by)).toEqual(["unknown", "placed"]);
      expect(new Set(sends.map((row) => row.customer_order_id)).size).toBe(1);
    });

    test("is called there by its owner at any time, with IBKR's id", async () => {
      bench.stack.setNetwork(requestLost);
      await failure(bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "it is there" }));
      bench.stack.setNetwork(undefined);
      bench.stack.clock.jump(360_000);
      await expect.poll(() => bench.stateOf("it is there"), { timeout: 20_000 }).toBe("unresolved");
      const open = (await bench.stack.trading().unresolvedOrders(key().userId)).find((one) => one.clientOrderId === "it is there");
      await bench.stack.trading().decideOrder({
        userId: key().userId,
        requestId: open?.requestId ?? "",
        verdict: { kind: "there", orderId: "987654321" },
        words: "mobile app",
      });
      expect(await bench.stack.complete(getOrderStatus, { client_order_id: "it is there" })).toMatchObject({ order_id: "987654321" });
      expect(bench.placed()).toBe(1);
    });

    test("is not sent again by a repeat, until IBKR is proven to refuse a cOID twice; then under the same cOID", async () => {
      bench.stack.setNetwork(requestLost);
      const order = { ...bench.market(), client_order_id: "repeated" };
      await failure(bench.stack.complete(placeOrder, order));
      bench.stack.setNetwork(undefined);
      expect((await failure(bench.stack.complete(placeOrder, order))).code).toBe("outcome_unknown");
      expect(bench.placed()).toBe(1);
      await setDuplicateRefusals(bench.stack.storage, key(), bench.stack.clock.now());
      expect(await bench.stack.complete(placeOrder, order)).toHaveProperty("order_id");
      expect(bench.placed()).toBe(2);
    });

    test("is not sent again 20 hours after its first sending, whatever is proven", async () => {
      bench.stack.setNetwork(requestLost);
      const order = { ...bench.market(), client_order_id: "a day later" };
      await failure(bench.stack.complete(placeOrder, order));
      bench.stack.setNetwork(undefined);
      await setDuplicateRefusals(bench.stack.storage, key(), bench.stack.clock.now());
      bench.stack.clock.jump(20 * 3_600_000 + 1_000);
      expect((await failure(bench.stack.complete(placeOrder, order))).code).toMatch(/^outcome_un/);
      expect(bench.placed()).toBe(1);
    });

    test("stays unknown when a second sending of its cOID is refused as already registered, and is found", async () => {
      bench.stack.setNetwork(answerLost);
      const order = { ...bench.market(), client_order_id: "twice" };
      await failure(bench.stack.complete(placeOrder, order));
      await setDuplicateRefusals(bench.stack.storage, key(), bench.stack.clock.now());
      bench.stack.setNetwork(async (url, _init, pass) =>
        lists(url) ? Response.json(url.includes("trades") ? [] : { orders: [], snapshot: true }) : await pass(),
      );
      const again = await failure(bench.stack.complete(placeOrder, order));
      expect([again.code, again.message]).toEqual(["outcome_unknown", expect.stringContaining("already registered")]);
      bench.stack.setNetwork(undefined);
      expect(await bench.untilSettled("twice")).toMatchObject({ order_id: expect.any(String) });
    });
  });

  test("a question whose declining is lost keeps the outcome unknown, since the order may go live late", async () => {
    bench.stack.setNetwork(async (url, init, pass) => {
      if (!url.includes("/iserver/reply/")) return await pass();
      await takeBody(init);
      throw cutConnection();
    });
    const order = { ...(await bench.farLimit()), client_order_id: "undeclined" };
    expect((await failure(bench.stack.complete(placeOrder, order))).code).toBe("outcome_unknown");
    bench.stack.setNetwork(undefined);
    for (let look = 0; look < 3; look += 1) {
      bench.stack.clock.jump(120_000);
      expect(await status("undeclined")).toMatch(/^outcome_un/);
    }
    expect((await failure(bench.stack.complete(placeOrder, order))).code).toMatch(/^outcome_un/);
    expect(bench.placed()).toBe(1);
  });

  describe("a crash", () => {
    test("between the POST and its answer is settled after a restart", async () => {
      const taken = Promise.withResolvers<void>();
      bench.stack.setNetwork(async (url, init, pass) => {
        const response = await pass();
        if (!isOrderPost(url, init)) return response;
        taken.resolve();
        return await new Promise<never>(() => undefined);
      });
      const told = placeUnheard({ ...bench.market(), client_order_id: "killed" });
      await taken.promise;
      await bench.stack.crash();
      expect(told).not.toHaveBeenCalled();
      bench.stack.setNetwork(undefined);
      await bench.stack.trading().reconcile();
      expect(await bench.untilSettled("killed")).toMatchObject({ status: expect.stringMatching(/Submitted|Filled/) });
      expect(bench.placed()).toBe(1);
    });

    test("leaves an order unknown from the first moment, so that an equal one under another id is kept back (D8.a, D8.b)", async () => {
      const reached = Promise.withResolvers<void>();
      bench.stack.setNetwork(async (url, init, pass) => {
        if (!isOrderPost(url, init)) return await pass();
        await takeBody(init);
        reached.resolve();
        return await new Promise<never>(() => undefined);
      });
      const told = placeUnheard({ ...bench.market(), client_order_id: "early" });
      await reached.promise;
      await bench.stack.crash();
      expect(told).not.toHaveBeenCalled();
      bench.stack.setNetwork(undefined);
      for (const clientOrderId of ["another", undefined]) {
        const args = { ...bench.market(), ...(clientOrderId === undefined ? {} : { client_order_id: clientOrderId }) };
        const error = await failure(bench.stack.complete(placeOrder, args));
        expect([error.code, error.details]).toEqual(["possible_duplicate", { client_order_id: "early", status: "unknown" }]);
      }
      expect((await failure(bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "early" }))).code).toBe(
        "outcome_unknown",
      );
      expect(bench.placed()).toBe(1);
    });

    test("before anything was allowed leaves an order that was not placed, and may be sent", async () => {
      const reached = Promise.withResolvers<void>();
      bench.stack.setNetwork(async (url, init, pass) => {
        if (!isOrderPost(url, init)) return await pass();
        reached.resolve();
        return await new Promise<never>(() => undefined);
      });
      const told = placeUnheard({ ...bench.market(), client_order_id: "waiting" });
      await reached.promise;
      await bench.stack.crash();
      expect(told).not.toHaveBeenCalled();
      bench.stack.setNetwork(undefined);
      expect(await status("waiting")).toBe("not_sent");
      expect(await bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "waiting" })).toHaveProperty("order_id");
    });
  });

  test("a caller that hangs up leaves its order to run to its end", async () => {
    const gone = new AbortController();
    bench.stack.setNetwork(async (url, init, pass) => {
      const response = await pass();
      if (isOrderPost(url, init)) gone.abort(new Error("hung up"));
      return response;
    });
    const answer = await bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "away" }, { signal: gone.signal });
    expect(["pending", "Submitted", "Filled"]).toContain(answer["status"]);
    await expect.poll(() => bench.stateOf("away"), { timeout: 20_000 }).toBe("placed");
    expect(bench.placed()).toBe(1);
  });
});
