import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { answerLost, failure, isOrderPost, type OrderBench, startOrderBench } from "../support/order-bench.ts";
import { resumeOrders } from "../../src/storage/order-permission.ts";
import { tool as getOrderStatus } from "../../src/tools/get-order-status.ts";
import { tool as getOrders } from "../../src/tools/get-orders.ts";
import { tool as placeOrder } from "../../src/tools/place-order.ts";

let bench: OrderBench;

beforeAll(async () => {
  bench = await startOrderBench("sqlite", { hasStream: false });
});
afterAll(() => bench.stack.close());
beforeEach(() => bench.begin());

const database = () => bench.stack.storage.db;

/** Makes writes of this kind fail as a full disk does. */
async function breakWrites(when: string): Promise<void> {
  await sql`create trigger broken before ${sql.raw(when)} begin select raise(abort, 'database or disk is full'); end`.execute(database());
}
const repairWrites = () => sql`drop trigger if exists broken`.execute(database());
afterEach(repairWrites);

describe("a database that fails", () => {
  test.each([
    ["when the call arrives", "insert on order_requests"],
    ["when the order is allowed", "insert on order_sends"],
    ["when its attempt is written", "insert on order_attempts"],
  ])("%s keeps the order back and says so (D11.a)", async (name, when) => {
    const order = { ...bench.market(), client_order_id: name };
    await breakWrites(when);
    const error = await failure(bench.stack.complete(placeOrder, order));
    expect(error).toMatchObject({ code: "storage_unavailable", message: expect.stringContaining("Nothing was sent") });
    expect(error.whatToDo).toContain("same client_order_id");
    expect(bench.placed()).toBe(0);
    await repairWrites();
    expect(await bench.stack.complete(placeOrder, order)).toHaveProperty("order_id");
    expect(bench.placed()).toBe(1);
  });

  test("after IBKR accepted the order says that it is placed, and stores it as soon as it can (D11.c)", async () => {
    await breakWrites("update on order_attempts when new.state = 'placed'");
    const order = { ...bench.market(), client_order_id: "answer in memory" };
    const placed = await bench.stack.complete(placeOrder, order);
    expect(placed).toMatchObject({ order_id: expect.any(String), is_repeat: false });
    expect(await bench.stateOf("answer in memory")).toBe("sending");
    expect((await failure(bench.stack.complete(placeOrder, bench.market()))).code).toBe("possible_duplicate");
    await repairWrites();
    await expect.poll(() => bench.stateOf("answer in memory"), { timeout: 10_000 }).toBe("placed");
    expect(await bench.stack.complete(placeOrder, order)).toMatchObject({ order_id: placed["order_id"], is_repeat: true });
    expect(bench.placed()).toBe(1);
  });

  test("after IBKR refused the order says that it is refused, and stores it as soon as it can", async () => {
    await breakWrites("update on order_attempts when new.state = 'no'");
    const order = { ...bench.market(), quantity: "90000", client_order_id: "refusal in memory" };
    expect((await failure(bench.stack.complete(placeOrder, order))).code).toBe("broker_rejected");
    await repairWrites();
    await expect.poll(() => bench.stateOf("refusal in memory"), { timeout: 10_000 }).toBe("refused");
  });

  test("when a question could not be stored gives no token, says that nothing is placed, and asks again later", async () => {
    await breakWrites("insert on order_confirmations");
    const order = { ...(await bench.farLimit()), client_order_id: "question in memory" };
    const error = await failure(bench.stack.complete(placeOrder, order));
    expect(error).toMatchObject({ code: "storage_unavailable", message: expect.stringContaining("Percentage constraint") });
    expect(error.whatToDo).toContain("Nothing was placed");
    await repairWrites();
    await expect.poll(() => bench.stateOf("question in memory"), { timeout: 10_000 }).toBe("asked");
    expect(await bench.stack.complete(placeOrder, order)).toMatchObject({ status: "confirmation_required" });
  });

  test("before a question is answered has it declined, and leaves the outcome unknown", async () => {
    await breakWrites("update on order_attempts when new.said is not null and new.state = 'sending'");
    const error = await failure(bench.stack.complete(placeOrder, { ...(await bench.farLimit()), client_order_id: "unstored question" }));
    expect([error.code, bench.sent(/\/reply\//)]).toEqual(["outcome_unknown", 1]);
  });

  test("and a process that ends then leave the order unknown, never wrong", async () => {
    await breakWrites("update on order_attempts when new.state = 'placed'");
    await bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "forgotten" });
    await bench.stack.crash();
    await repairWrites();
    expect(await bench.untilSettled("forgotten")).toMatchObject({ order_id: expect.any(String) });
    expect(bench.placed()).toBe(1);
  });
});

test("an order that shows after its owner called it not there stops orders on the connection until they resume", async () => {
  const lists = (url: string): boolean => /\/iserver\/account\/(?:orders\?|trades)/.test(url);
  bench.stack.setNetwork(async (url, init, pass) => {
    if (lists(url)) return Response.json(url.includes("trades") ? [] : { orders: [], snapshot: true });
    return isOrderPost(url, init) ? await answerLost(url, init, pass) : await pass();
  });
  const { userId, connectionId } = bench.stack.caller;
  await failure(bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "resurrected" }));
  bench.stack.clock.jump(360_000);
  await expect.poll(() => bench.stateOf("resurrected"), { timeout: 20_000 }).toBe("unresolved");
  bench.stack.clock.jump(1_800_000);
  const open = (await bench.stack.trading().unresolvedOrders(userId)).find(({ clientOrderId }) => clientOrderId === "resurrected");
  const requestId = open?.requestId ?? "";
  await bench.stack.trading().decideOrder({ userId, requestId, verdict: { kind: "not_there" }, words: "TWS" });
  bench.stack.setNetwork(undefined);
  bench.stack.clock.jump(6_000);
  const { orders } = await bench.stack.complete(getOrders, {});
  expect(JSON.stringify(orders)).toContain('"client_order_id":"resurrected"');
  expect(await bench.stack.complete(getOrderStatus, { client_order_id: "resurrected" })).toHaveProperty("order_id");
  const stopped = await failure(bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "after the alarm" }));
  expect([stopped.code, stopped.link]).toEqual(["orders_stopped", `/console/connections/${connectionId}`]);
  const row = await database().selectFrom("connections").select("duplicate_refusals_proven_at").executeTakeFirstOrThrow();
  expect(row.duplicate_refusals_proven_at).toBeNull();
  expect(await resumeOrders(bench.stack.storage, { userId, connectionId })).toBe(true);
  bench.stack.clock.jump(61_000);
  expect(await bench.stack.complete(placeOrder, { ...bench.market(), client_order_id: "after the alarm" })).toHaveProperty("order_id");
});
