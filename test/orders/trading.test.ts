import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { cutConnection, failure, isOrderPost, type OrderBench, refusedConnection, startOrderBench } from "../support/order-bench.ts";
import { ENGINES } from "../support/storages.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { tool as cancelOrder } from "../../src/tools/cancel-order.ts";
import { tool as getOrderStatus } from "../../src/tools/get-order-status.ts";
import { tool as getOrders } from "../../src/tools/get-orders.ts";
import { tool as placeOrder } from "../../src/tools/place-order.ts";
import { tool as previewOrder } from "../../src/tools/preview-order.ts";

let bench: OrderBench;

async function confirmAll(answer: JsonObject): Promise<JsonObject> {
  let current = answer;
  while (current["status"] === "confirmation_required") {
    current = await bench.stack.complete(placeOrder, { confirm_token: current["confirm_token"] ?? "" });
  }
  return current;
}

describe.each(ENGINES)("on %s,", (engine) => {
  beforeAll(async () => {
    bench = await startOrderBench(engine);
  });

  afterAll(() => bench.stack.close());

  beforeEach(() => bench.begin());

  describe("an order", () => {
    test("is placed, and a repeat of its client_order_id gets the first answer", async () => {
      const first = await bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "one" });
      expect(first).toMatchObject({ mode: "simulated", account_id: bench.stack.simulator.accountIds[0], client_order_id: "one" });
      const again = await bench.stack.complete(placeOrder, {
        ...bench.market(),
        client_order_id: "one",
        quantity: Number(bench.market().quantity),
      });
      expect(again).toMatchObject({ order_id: first["order_id"], is_repeat: true, status: expect.stringMatching(/Submitted|Filled/) });
      expect(bench.placed()).toBe(1);
      const other = await failure(bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "one", quantity: "600" }));
      expect(other.code).toBe("idempotency_mismatch");
      expect(bench.placed()).toBe(1);
    });

    test("is sent once when twenty equal calls race", async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "race" })),
      );
      expect(new Set(answers.map((answer) => answer["order_id"])).size).toBe(1);
      expect(bench.placed()).toBe(1);
    });

    test("is sent once when equal calls race in several processes on one database", async () => {
      const peers = [await bench.stack.addPeer(), await bench.stack.addPeer()];
      const calls = Array.from({ length: 9 }, (_, index) => ({ peer: peers[index % 3] ?? -1 }));
      const answers = await Promise.all(
        calls.map((options) => bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "many" }, options)),
      );
      expect(new Set(answers.map((answer) => answer["order_id"])).size).toBe(1);
      expect(bench.placed()).toBe(1);
    });

    test("gets a client_order_id of ours when it has none, under which it is found", async () => {
      const order = await bench.stack.complete(placeOrder, bench.market());
      const status = await bench.stack.complete(getOrderStatus, { client_order_id: order["client_order_id"] ?? "" });
      expect(status["order_id"]).toBe(order["order_id"]);
      bench.stack.clock.jump(6_000);
      const { orders } = await bench.stack.complete(getOrders, {});
      const names = JSON.stringify(orders);
      expect(names).toContain(`"client_order_id":${JSON.stringify(order["client_order_id"])}`);
    });

    test("that can't leave is told so, and may be sent again with the same id", async () => {
      bench.stack.setNetwork(async (url, init, pass) => {
        if (isOrderPost(url, init)) throw refusedConnection();
        return pass();
      });
      const error = await failure(bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "stuck" }));
      expect([error.code, error.details?.["reason"], error.whatToDo]).toEqual([
        "not_sent",
        "upstream_unavailable",
        expect.stringContaining('same client_order_id "stuck"'),
      ]);
      bench.stack.setNetwork(undefined);
      expect(await bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "stuck" })).toHaveProperty("order_id");
    });

    test.each([
      [{ quantity: "0" }, "quantity must be greater than zero"],
      [{ quantity: "-5" }, "quantity must be greater than zero"],
      [{ order_type: "LMT" }, "needs limit_price"],
      [{ limit_price: "200" }, "takes no limit_price"],
      [{ order_type: "STP_LIMIT", limit_price: "200" }, "needs stop_price"],
      [{ order_type: "LMT", limit_price: "200.001" }, "not on the tick"],
      [{ outside_rth: true }, "outside regular hours"],
      [{ order_type: "STP", stop_price: "200", tif: "IOC" }, "can't be IOC"],
    ])("is refused before anything is sent: %j", async (change, words) => {
      const error = await failure(bench.stack.complete(placeOrder, { ...bench.market(), ...change }));
      expect([error.code, error.message]).toEqual(["invalid_arguments", expect.stringContaining(words)]);
      expect(bench.placed()).toBe(0);
    });

    test("names the nearest prices when its own is between ticks", async () => {
      const error = await failure(bench.stack.complete(placeOrder, { ...bench.market(), order_type: "LMT", limit_price: "200.013" }));
      expect(error.whatToDo).toContain("200.01, 200.02");
    });

    test("in anything but a stock is refused in words", async () => {
      for (const symbol of ["AAPL 2027-01-15 200 C", "EUR.USD", "SPX"]) {
        expect((await failure(bench.stack.complete(placeOrder, { ...bench.market(), symbol }))).code).toBe("not_supported");
      }
      expect(bench.placed()).toBe(0);
    });

    test("needs an account when there are several and none was chosen", async () => {
      const error = await failure(bench.stack.complete(placeOrder, bench.market(), { caller: { pinnedAccountId: undefined } }));
      expect([error.code, error.details]).toEqual(["account_required", { candidates: bench.stack.simulator.accountIds }]);
      const foreign = await failure(bench.stack.complete(placeOrder, { ...bench.market(), account_id: "All" }));
      expect(foreign.code).toBe("unknown_account");
    });

    test("that IBKR rejects says why, also when it is repeated, and is not sent again", async () => {
      const tooLarge = { ...bench.market(), quantity: "90000", client_order_id: "poor" };
      let error = await failure(bench.stack.complete(placeOrder, tooLarge));
      expect(error.code).toBe("broker_rejected");
      const posts = bench.placed();
      error = await failure(bench.stack.complete(placeOrder, tooLarge));
      expect(error.code).toBe("broker_rejected");
      expect(bench.placed()).toBe(posts);
    });
  });

  test("a preview whose time is up while IBKR works on it ends with timeout", async () => {
    const time = new AbortController();
    bench.stack.setNetwork(async (url, _init, pass) => {
      if (url.endsWith("/whatif")) time.abort(new DOMException("the call's time is up", "TimeoutError"));
      return pass();
    });
    const error = await failure(bench.stack.complete(previewOrder, bench.market(), { signal: time.signal }));
    expect([error.code, error.message]).toEqual(["timeout", expect.stringContaining("preview")]);
    expect(bench.placed()).toBe(0);
  });

  describe("a question of IBKR's", () => {
    test("is declined there, shown to the caller, and answered after its token comes back", async () => {
      const order = await bench.farLimit();
      const asked = await bench.stack.complete(placeOrder, { ...order, client_order_id: "far" });
      expect(asked).toMatchObject({ status: "confirmation_required", round: 1, questions: [{ message_id: "o163" }] });
      expect(bench.sent(/^POST \/iserver\/reply\//)).toBe(1);
      bench.stack.clock.jump(6_000);
      const before = await bench.stack.complete(getOrders, { status: "open" });
      expect(JSON.stringify(before)).not.toContain('"far"');
      const done = await bench.stack.complete(placeOrder, { confirm_token: asked["confirm_token"] ?? "" });
      expect(done).toMatchObject({ client_order_id: "far", status: expect.stringMatching(/Submitted/) });
      const used = await failure(bench.stack.complete(placeOrder, { confirm_token: asked["confirm_token"] ?? "" }));
      expect([used.code, used.message]).toEqual(["confirmation_expired", expect.stringContaining("used")]);
      expect(bench.placed()).toBe(2);
    });

    test("may be confirmed with the same arguments beside the token, and with no others", async () => {
      const order = await bench.farLimit();
      const asked = await bench.stack.complete(placeOrder, { ...order, client_order_id: "same" });
      const token = asked["confirm_token"] ?? "";
      for (const change of [{ quantity: "600" }, { client_order_id: "other" }, { account_id: bench.stack.simulator.accountIds[1] ?? "" }]) {
        const error = await failure(
          bench.stack.complete(placeOrder, { ...order, client_order_id: "same", ...change, confirm_token: token }),
        );
        expect(error.code).toBe("confirmation_mismatch");
      }
      const done = await bench.stack.complete(placeOrder, { ...order, client_order_id: "same", confirm_token: token });
      expect(done["order_id"]).toBeDefined();
    });

    test("can't be confirmed by another caller, by a made-up token, or after two minutes", async () => {
      const asked = await bench.stack.complete(placeOrder, await bench.farLimit());
      const confirm = { confirm_token: asked["confirm_token"] ?? "" };
      expect((await failure(bench.stack.complete(placeOrder, confirm, { caller: { id: "key_other" } }))).code).toBe(
        "confirmation_mismatch",
      );
      expect((await failure(bench.stack.complete(placeOrder, { confirm_token: "guess" }))).code).toBe("confirmation_mismatch");
      bench.stack.clock.jump(121_000);
      const late = await failure(bench.stack.complete(placeOrder, confirm));
      expect([late.code, late.message]).toEqual(["confirmation_expired", expect.stringContaining("expired")]);
      expect(bench.placed()).toBe(1);
    });

    test("is confirmed by one of many racing calls only", async () => {
      const asked = await bench.stack.complete(placeOrder, await bench.farLimit());
      const confirm = { confirm_token: asked["confirm_token"] ?? "" };
      const ends = await Promise.allSettled(Array.from({ length: 10 }, () => bench.stack.complete(placeOrder, confirm)));
      expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      expect(bench.placed()).toBe(2);
    });

    test("is asked anew when the order is repeated without its token, which is then void", async () => {
      const order = { ...(await bench.farLimit()), client_order_id: "anew" };
      const first = await bench.stack.complete(placeOrder, order);
      const second = await bench.stack.complete(placeOrder, order);
      expect(second["confirm_token"]).not.toBe(first["confirm_token"]);
      expect((await failure(bench.stack.complete(placeOrder, { confirm_token: first["confirm_token"] ?? "" }))).code).toBe(
        "confirmation_expired",
      );
      expect(await bench.stack.complete(placeOrder, { confirm_token: second["confirm_token"] ?? "" })).toHaveProperty("order_id");
    });

    test("leads to another round when IBKR asks something new, three at most", async () => {
      let asked = 0;
      bench.stack.setNetwork(async (url, init, pass) => {
        const response = await pass();
        if (!isOrderPost(url, init)) return response;
        asked += 1;
        const text = await response.text();
        return new Response(text.replaceAll(/Percentage constraint of 3%/g, `Percentage constraint of ${2 + asked}%`), response);
      });
      let answer = await bench.stack.complete(placeOrder, await bench.farLimit());
      for (const round of [1, 2, 3]) {
        expect(answer).toMatchObject({ status: "confirmation_required", round, max_rounds: 3 });
        if (round < 3) answer = await bench.stack.complete(placeOrder, { confirm_token: answer["confirm_token"] ?? "" });
      }
      const error = await failure(bench.stack.complete(placeOrder, { confirm_token: answer["confirm_token"] ?? "" }));
      expect(error.code).toBe("confirmation_limit");
    });

    test("whose confirmed answer can't leave is declined, and the order may be sent again", async () => {
      const asked = await bench.stack.complete(placeOrder, { ...(await bench.farLimit()), client_order_id: "mute" });
      let replies = 0;
      bench.stack.setNetwork(async (url, _init, pass) => {
        if (!url.includes("/iserver/reply/")) return pass();
        replies += 1;
        if (replies === 1) throw refusedConnection();
        return pass();
      });
      const error = await failure(bench.stack.complete(placeOrder, { confirm_token: asked["confirm_token"] ?? "" }));
      expect([error.code, error.message, replies]).toEqual(["not_sent", expect.stringContaining("not sent"), 2]);
      expect(await bench.stateOf("mute")).toBe("not_placed");
    });

    test("is put to the person by a form when the client can show one", async () => {
      const order = { ...(await bench.farLimit()), client_order_id: "form" };
      const asked = await bench.stack.run(placeOrder, order, { canElicitForm: true });
      if (asked.kind !== "input_required") throw new Error("not asked");
      expect(JSON.stringify(asked.inputRequests)).toContain("Percentage constraint");
      const answer = (content: JsonObject, requestState = asked.requestState) =>
        bench.stack.complete(placeOrder, order, {
          canElicitForm: true,
          inputResponse: { requestState, inputResponses: { confirm: content } },
        });
      expect((await failure(answer({ action: "accept", content: { confirm: true } }, "tampered"))).code).toBe("confirmation_mismatch");
      expect(await answer({ action: "accept", content: { confirm: true } })).toMatchObject({
        client_order_id: "form",
        order_id: expect.any(String),
      });
      expect((await failure(answer({ action: "accept", content: { confirm: true } }))).code).toBe("confirmation_expired");
    });

    test.each([{ action: "decline" }, { action: "cancel" }, { action: "accept", content: { confirm: false } }])(
      "that is answered %j leaves nothing placed",
      async (content) => {
        const order = { ...(await bench.farLimit()), client_order_id: `no ${bench.market().quantity}` };
        const asked = await bench.stack.run(placeOrder, order, { canElicitForm: true });
        if (asked.kind !== "input_required") throw new Error("not asked");
        const inputResponse = { requestState: asked.requestState, inputResponses: { confirm: content } };
        expect(await bench.stack.complete(placeOrder, order, { canElicitForm: true, inputResponse })).toMatchObject({ status: "declined" });
        expect(bench.placed()).toBe(1);
        expect(await bench.stack.complete(getOrderStatus, { client_order_id: `no ${bench.market().quantity}` })).toMatchObject({
          status: "declined",
        });
      },
    );

    test("whose answer meets a limit of IBKR's leaves the outcome unknown: IBKR may have taken it", async () => {
      const asked = await bench.stack.complete(placeOrder, { ...(await bench.farLimit()), client_order_id: "limited" });
      let replies = 0;
      bench.stack.setNetwork(async (url, _init, pass) => {
        if (!url.includes("/iserver/reply/")) return pass();
        replies += 1;
        return replies === 1 ? Response.json({ error: "Too Many Requests", statusCode: 429 }, { status: 429 }) : pass();
      });
      const error = await failure(bench.stack.complete(placeOrder, { confirm_token: asked["confirm_token"] ?? "" }));
      expect([error.code, replies]).toEqual(["outcome_unknown", 1]);
      expect(await bench.stateOf("limited")).toBe("unknown");
    });

    test("is shown whole before it can be confirmed, however long it is", async () => {
      const long = `${"Read this. ".repeat(300)}The end.`;
      bench.stack.setNetwork(async (url, init, pass) => {
        const response = await pass();
        return isOrderPost(url, init)
          ? new Response((await response.text()).replace("price exceeds", `${long} price exceeds`), response)
          : response;
      });
      const asked = await bench.stack.complete(placeOrder, await bench.farLimit());
      expect(JSON.stringify(asked["questions"])).toContain("The end. price exceeds");
    });

    test("too long to be shown whole is never answered with yes", async () => {
      bench.stack.setNetwork(async (url, init, pass) => {
        const response = await pass();
        return isOrderPost(url, init)
          ? new Response((await response.text()).replace("price exceeds", "x".repeat(5_000)), response)
          : response;
      });
      let answer = await bench.stack.complete(placeOrder, await bench.farLimit());
      for (const _round of [1, 2]) answer = await bench.stack.complete(placeOrder, { confirm_token: answer["confirm_token"] ?? "" });
      const error = await failure(bench.stack.complete(placeOrder, { confirm_token: answer["confirm_token"] ?? "" }));
      expect(error.code).toBe("confirmation_limit");
    });

    test("whose declining can't be told leaves the outcome unknown and gives no token", async () => {
      bench.stack.setNetwork(async (url, _init, pass) => {
        const response = await pass();
        if (!url.includes("/iserver/reply/")) return response;
        await response.arrayBuffer();
        throw cutConnection();
      });
      const error = await failure(bench.stack.complete(placeOrder, { ...(await bench.farLimit()), client_order_id: "open" }));
      expect([error.code, error.details?.["client_order_id"]]).toEqual(["outcome_unknown", "open"]);
    });
  });

  describe("a cancellation", () => {
    test("cancels by either id, and a second one says that it is done", async () => {
      const order = await confirmAll(await bench.stack.complete(placeOrder, { ...(await bench.farLimit()), client_order_id: "mine" }));
      expect(await bench.stack.complete(cancelOrder, { client_order_id: "mine" })).toMatchObject({
        status: "Cancelled",
        order_id: order["order_id"],
      });
      expect(await bench.stack.complete(cancelOrder, { order_id: order["order_id"] ?? "" })).toMatchObject({ status: "Cancelled" });
    });

    test("that IBKR refuses while the order works says that it works", async () => {
      await confirmAll(await bench.stack.complete(placeOrder, { ...(await bench.farLimit()), client_order_id: "works" }));
      bench.stack.setNetwork(async (_url, init, pass) =>
        init?.method === "DELETE" ? Response.json({ error: "Bad Request: try later" }, { status: 400 }) : pass(),
      );
      const error = await failure(bench.stack.complete(cancelOrder, { client_order_id: "works" }));
      expect([error.code, error.message]).toEqual(["broker_error", expect.stringMatching(/still \w*Submitted.*try later/)]);
      bench.stack.setNetwork(undefined);
      expect(await bench.stack.complete(cancelOrder, { client_order_id: "works" })).toMatchObject({ status: "Cancelled" });
    });

    test("of a filled, an unknown or an unplaced order is an error that says so", async () => {
      const filled = await bench.stack.complete(placeOrder, bench.market());
      await expect
        .poll(async () => (await bench.stack.complete(getOrderStatus, { order_id: filled["order_id"] ?? "" }))["status"], {
          timeout: 10_000,
        })
        .toBe("Filled");
      expect((await failure(bench.stack.complete(cancelOrder, { order_id: filled["order_id"] ?? "" }))).code).toBe("order_not_working");
      expect((await failure(bench.stack.complete(cancelOrder, { order_id: "42" }))).code).toBe("order_not_found");
      await bench.stack.complete(placeOrder, { ...(await bench.farLimit()), client_order_id: "asked" });
      expect((await failure(bench.stack.complete(cancelOrder, { client_order_id: "asked" }))).code).toBe("order_not_working");
    });
  });
});
