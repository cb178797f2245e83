import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import {
  answerLost,
  cutConnection,
  failure,
  isOrderPost,
  type OrderBench,
  requestLost,
  startOrderBench,
} from "../../test/support/order-bench.ts";
import { ENGINES } from "../../test/support/storages.ts";
import { tool as getOrderStatus } from "../tools/get-order-status.ts";
import { tool as placeOrder } from "../tools/place-order.ts";

let bench: OrderBench;

describe.each(ENGINES)("on %s,", (engine) => {
  beforeAll(async () => {
    bench = await startOrderBench(engine);
  });

  afterAll(() => bench.stack.close());

  beforeEach(() => bench.begin());

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
      expect(await bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "lost" })).toHaveProperty("order_id");
      expect(bench.placed()).toBe(1);
    });

    test("is settled in the background too", async () => {
      bench.stack.setNetwork(answerLost);
      await failure(bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "quiet" }));
      bench.stack.setNetwork(undefined);
      await expect.poll(() => bench.stateOf("quiet"), { timeout: 10_000 }).toBe("accepted");
      expect(bench.placed()).toBe(1);
    });

    test("keeps an identical order back while it is open", async () => {
      bench.stack.setNetwork(requestLost);
      await failure(bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "first" }));
      const twin = await failure(bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "second" }));
      expect([twin.code, twin.details]).toEqual(["outcome_unknown", { client_order_id: "first" }]);
      bench.stack.setNetwork(undefined);
      expect(await bench.stack.complete(placeOrder, { ...bench.market(), quantity: "1", client_order_id: "third" })).toHaveProperty(
        "order_id",
      );
    });

    test("keeps an identical order back that was asked about or not sent before", async () => {
      const order = await bench.farLimit();
      const asked = await bench.stack.complete(placeOrder, { ...order, client_order_id: "asked before" });
      bench.stack.setNetwork(requestLost);
      await failure(bench.stack.complete(placeOrder, { ...order, client_order_id: "then lost" }));
      bench.stack.setNetwork(undefined);
      for (const args of [{ confirm_token: asked["confirm_token"] ?? "" }, { ...order, client_order_id: "asked before" }]) {
        const twin = await failure(bench.stack.complete(placeOrder, args));
        expect([twin.code, twin.details]).toEqual(["outcome_unknown", { client_order_id: "then lost" }]);
      }
      expect(bench.placed()).toBe(2);
    });

    test("to the declining of a question keeps the outcome open for half an hour, since the order may go live late", async () => {
      bench.stack.setNetwork(async (url, _init, pass) => {
        if (url.includes("/iserver/reply/")) throw cutConnection();
        return pass();
      });
      const error = await failure(bench.stack.complete(placeOrder, { ...(await bench.farLimit()), client_order_id: "undeclined" }));
      expect(error.code).toBe("outcome_unknown");
      bench.stack.setNetwork(undefined);
      for (let look = 0; look < 4; look += 1) {
        bench.stack.clock.jump(120_000);
        expect(await bench.stack.complete(getOrderStatus, { client_order_id: "undeclined" })).toMatchObject({ status: "unknown" });
      }
      bench.stack.clock.jump(1_800_000);
      expect(await bench.untilSettled("undeclined")).toMatchObject({ status: "not_sent" });
    });

    test("stays open when IBKR lists no orders at all, which it also does when it has some", async () => {
      bench.stack.setNetwork(requestLost);
      await failure(bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "hidden" }));
      bench.stack.setNetwork(async (url, _init, pass) =>
        url.includes("/iserver/account/orders?") ? Response.json({ orders: [], snapshot: true }) : pass(),
      );
      for (let look = 0; look < 6; look += 1) {
        bench.stack.clock.jump(60_000);
        expect(await bench.stack.complete(getOrderStatus, { client_order_id: "hidden" })).toMatchObject({ status: "unknown" });
      }
      bench.stack.clock.jump(900_000);
      expect(await bench.untilSettled("hidden")).toMatchObject({ status: "not_sent" });
    });

    test("of more than six days ago can't be settled any more: IBKR lists no executions of that time", async () => {
      bench.stack.setNetwork(requestLost);
      await failure(bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "ancient" }));
      bench.stack.setNetwork(undefined);
      bench.stack.clock.jump(8 * 86_400_000);
      for (let look = 0; look < 5; look += 1) {
        bench.stack.clock.jump(12_000);
        expect(await bench.stack.complete(getOrderStatus, { client_order_id: "ancient" })).toMatchObject({ status: "unknown" });
      }
      const again = await failure(bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "ancient" }));
      expect([again.code, bench.placed()]).toEqual(["outcome_unknown", 1]);
    });

    test("of an order that never arrived is proven after minutes and several looks, and the id is free again", async () => {
      bench.stack.setNetwork(requestLost);
      await failure(bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "gone" }));
      bench.stack.setNetwork(undefined);
      bench.stack.clock.jump(60_000);
      expect(await bench.stack.complete(getOrderStatus, { client_order_id: "gone" })).toMatchObject({ status: "unknown" });
      expect(await bench.untilSettled("gone")).toMatchObject({ status: "not_sent" });
      expect(await bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "gone" })).toHaveProperty("order_id");
    });
  });

  test("an order that IBKR takes after it was proven absent (its process had been suspended) is placed, not lost", async () => {
    const reached = Promise.withResolvers<void>();
    const resumed = Promise.withResolvers<void>();
    bench.stack.setNetwork(async (url, init, pass) => {
      if (!isOrderPost(url, init)) return pass();
      reached.resolve();
      await resumed.promise;
      return pass();
    });
    const placing = bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "suspended" });
    await reached.promise;
    bench.stack.clock.jump(120_000);
    expect(await bench.untilSettled("suspended")).toMatchObject({ status: "not_sent" });
    resumed.resolve();
    expect(await placing).toMatchObject({ order_id: expect.any(String) });
    expect(await bench.stateOf("suspended")).toBe("accepted");
  });

  describe("a crash", () => {
    test("between the POST and its answer is settled after a restart", async () => {
      const taken = Promise.withResolvers<void>();
      bench.stack.setNetwork(async (url, init, pass) => {
        const response = await pass();
        if (!isOrderPost(url, init)) return response;
        taken.resolve();
        return new Promise<never>(() => undefined);
      });
      void bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "killed" }).catch(() => undefined);
      await taken.promise;
      bench.stack.crash();
      bench.stack.setNetwork(undefined);
      await bench.stack.trading().reconcile();
      expect(await bench.untilSettled("killed")).toMatchObject({ status: expect.stringMatching(/Submitted|Filled/) });
      expect(bench.placed()).toBe(1);
    });

    test("between the row and the POST is proven absent after a restart, and the order may be sent", async () => {
      const reached = Promise.withResolvers<void>();
      bench.stack.setNetwork((url, init, pass) => {
        if (!isOrderPost(url, init)) return pass();
        reached.resolve();
        return new Promise<never>(() => undefined);
      });
      void bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "early" }).catch(() => undefined);
      await reached.promise;
      bench.stack.crash();
      bench.stack.setNetwork(undefined);
      await bench.stack.trading().reconcile();
      expect(await bench.untilSettled("early")).toMatchObject({ status: "not_sent" });
      expect(await bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "early" })).toHaveProperty("order_id");
    });
  });

  describe("a caller that hangs up", () => {
    test("leaves its order to run to its end", async () => {
      const gone = new AbortController();
      bench.stack.setNetwork(async (url, init, pass) => {
        if (isOrderPost(url, init)) gone.abort(new Error("hung up"));
        return pass();
      });
      const answer = await bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "away" }, { signal: gone.signal });
      expect(["pending", "Submitted", "Filled"]).toContain(answer["status"]);
      await expect.poll(() => bench.stateOf("away"), { timeout: 10_000 }).toBe("accepted");
      expect(bench.placed()).toBe(1);
    });
  });
});
