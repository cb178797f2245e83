import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { failure, isOrderPost, type OrderBench, refusedConnection, startOrderBench } from "../support/order-bench.ts";
import { ENGINES } from "../support/storages.ts";
import { setLiveTrading } from "../../src/storage/live-trading.ts";
import { tool as cancelOrder } from "../../src/tools/cancel-order.ts";
import { tool as getAccounts } from "../../src/tools/get-accounts.ts";
import { tool as placeOrder } from "../../src/tools/place-order.ts";
import { tool as previewOrder } from "../../src/tools/preview-order.ts";

let bench: OrderBench;
const key = () => ({ connectionId: bench.stack.caller.connectionId, userId: bench.stack.caller.userId });

/** Makes the connection one to real money; its link goes on as it was. */
async function becomes(mode: "live" | "simulated"): Promise<void> {
  await bench.stack.storage.db.updateTable("connections").set({ mode }).where("id", "=", key().connectionId).execute();
}

describe.each(ENGINES)("a connection to real money on %s", (engine) => {
  beforeAll(async () => {
    bench = await startOrderBench(engine);
    // Opens its link, which proves the simulator.
    await bench.stack.complete(getAccounts, {});
  });

  afterAll(() => bench.stack.close());

  beforeEach(async () => {
    bench.begin();
    await becomes("live");
    await setLiveTrading(bench.stack.storage, key(), null);
  });

  it.each(["apikey", "oauth"] as const)(
    "refuses orders of an %s caller until its owner enables trading, and nothing reaches the broker",
    async (source) => {
      const error = await failure(bench.stack.complete(placeOrder, bench.market(), { caller: { source } }));
      expect(error).toMatchObject({
        code: "live_trading_disabled",
        message: expect.stringContaining("real money"),
        whatToDo: expect.stringContaining("owner"),
        link: `/console/connections/${key().connectionId}`,
      });
      expect(bench.sent(/\/orders$|\/whatif$|\/reply\//)).toBe(0);
      const rows = await bench.stack.storage.db.selectFrom("order_requests").select("id").execute();
      await setLiveTrading(bench.stack.storage, key(), bench.stack.clock.now());
      expect(await bench.stack.complete(placeOrder, bench.market(), { caller: { source } })).toHaveProperty("order_id");
      expect(await bench.stack.storage.db.selectFrom("order_requests").select("id").execute()).toHaveLength(rows.length + 1);
      await setLiveTrading(bench.stack.storage, key(), null);
      expect((await failure(bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: source }))).code).toBe(
        "live_trading_disabled",
      );
      expect(bench.placed()).toBe(1);
    },
  );

  it("still answers previews, cancels, and repeats of what was placed before", async () => {
    await setLiveTrading(bench.stack.storage, key(), 1);
    const resting = { ...(await bench.farLimit()), client_order_id: "resting" };
    let order = await bench.stack.complete(placeOrder, resting);
    while (order["status"] === "confirmation_required")
      order = await bench.stack.complete(placeOrder, { confirm_token: order["confirm_token"] ?? "" });
    await setLiveTrading(bench.stack.storage, key(), null);
    const placed = bench.placed();
    expect(await bench.stack.complete(previewOrder, bench.market())).toHaveProperty("mode");
    expect(await bench.stack.complete(placeOrder, resting)).toMatchObject({ order_id: order["order_id"] });
    expect(await bench.stack.complete(cancelOrder, { order_id: order["order_id"] ?? "" })).toHaveProperty("status");
    expect(bench.placed()).toBe(placed);
  });

  it("refuses to confirm what was asked before trading was disabled, and the token stays good", async () => {
    await setLiveTrading(bench.stack.storage, key(), 1);
    const asked = await bench.stack.complete(placeOrder, await bench.farLimit());
    expect(asked["status"]).toBe("confirmation_required");
    await setLiveTrading(bench.stack.storage, key(), null);
    const placed = bench.placed();
    const confirm = () => bench.stack.complete(placeOrder, { confirm_token: asked["confirm_token"] ?? "" });
    expect((await failure(confirm())).code).toBe("live_trading_disabled");
    expect(bench.placed()).toBe(placed);
    await setLiveTrading(bench.stack.storage, key(), 2);
    expect((await confirm())["status"]).not.toBe(undefined);
  });

  it("confirms nothing any more once trading is disabled, also while an order is on its way through IBKR's questions", async () => {
    await setLiveTrading(bench.stack.storage, key(), 1);
    const asked = await bench.stack.complete(placeOrder, await bench.farLimit());
    const answered = bench.sent(/\/reply\//);
    bench.stack.setNetwork(async (url, init, pass) => {
      const answer = await pass();
      if (isOrderPost(url, init)) await setLiveTrading(bench.stack.storage, key(), null);
      return answer;
    });
    const confirm = bench.stack.complete(placeOrder, { confirm_token: asked["confirm_token"] ?? "" });
    expect(await failure(confirm)).toMatchObject({ code: "not_sent", details: { reason: "live_trading_disabled" } });
    // Which declines the question.
    expect(bench.sent(/\/reply\//)).toBe(answered + 1);
  });

  it("refuses to send anew what never left, once trading is disabled", async () => {
    await setLiveTrading(bench.stack.storage, key(), 1);
    bench.stack.setNetwork(async (url, init, pass) => {
      if (isOrderPost(url, init)) throw refusedConnection();
      return pass();
    });
    const order = { ...bench.market(), client_order_id: "never-left" };
    expect((await failure(bench.stack.complete(placeOrder, order))).code).toBe("not_sent");
    bench.stack.setNetwork(undefined);
    await setLiveTrading(bench.stack.storage, key(), null);
    const placed = bench.placed();
    expect((await failure(bench.stack.complete(placeOrder, order))).code).toBe("live_trading_disabled");
    expect(bench.placed()).toBe(placed);
  });

  it.each([
    ["connection_paused", { paused_at: 1 }],
    ["connection_frozen", { frozen_at: 1, frozen_because: "It was made for a paper account." }],
  ])("sends nothing over a link that another process knows to be stopped: %s", async (code, stopped) => {
    await setLiveTrading(bench.stack.storage, key(), 1);
    const write = (values: typeof stopped | { paused_at: null; frozen_at: null }) =>
      bench.stack.storage.db.updateTable("connections").set(values).where("id", "=", key().connectionId).execute();
    const asked = await bench.stack.complete(placeOrder, await bench.farLimit());
    const placed = bench.placed();
    await write(stopped);
    try {
      expect((await failure(bench.stack.complete(placeOrder, bench.market()))).code).toBe(code);
      expect((await failure(bench.stack.complete(placeOrder, { confirm_token: asked["confirm_token"] ?? "" }))).code).toBe(code);
      expect(bench.placed()).toBe(placed);
    } finally {
      await write({ paused_at: null, frozen_at: null });
    }
  });

  it("is told from one to invented money, which needs no leave", async () => {
    await becomes("simulated");
    expect(await bench.stack.complete(placeOrder, bench.market())).toHaveProperty("order_id");
  });
});
