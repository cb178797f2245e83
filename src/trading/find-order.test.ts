import { describe, expect, test } from "vitest";

import type { RowChanges } from "../../test/support/order-rows.ts";
import { pipelineBench } from "../../test/support/pipeline-bench.ts";
import { listedOrder } from "../../test/support/listed-orders.ts";
import { seedOwner } from "../../test/support/seed-keys.ts";
import type { OrderName } from "./trading.ts";

const ACCOUNT = "DU1234567";

const bench = pipelineBench();

const find = async (name: Partial<OrderName>, call = bench.call()) =>
  await bench.finish(bench.trading.findOrder({ accountId: ACCOUNT, orderId: undefined, clientOrderId: undefined, ...name }, call));
const store = async ({ request = {}, attempt = {} }: RowChanges = {}) =>
  await bench.rows.store({
    request: { state: "placed", client_order_id: "c1", name_space: "key_bench", ...request },
    attempt: { state: "placed", broker_order_id: "7", ...attempt },
  });
const asked = (kind: string): number => bench.script.asked.filter((line) => line.startsWith(kind)).length;

describe("an order by IBKR's id", () => {
  test("is what IBKR shows, with the id that its caller gave it", async () => {
    await store();
    bench.script.orders.set("7", listedOrder());
    expect(await find({ orderId: "7" })).toEqual({ kind: "order", order: listedOrder(), clientOrderId: "c1" });
  });

  test("is recognized by its cOID where its id is not known yet", async () => {
    const { attempt, request } = await store({ request: { state: "unknown" }, attempt: { state: "unknown", broker_order_id: null } });
    const order = listedOrder({ customerOrderId: attempt.customer_order_id });
    bench.script.orders.set("7", order);
    expect(await find({ orderId: "7" })).toEqual({ kind: "order", order, clientOrderId: "c1" });
    expect(await bench.rows.read(request.id)).toMatchObject({ request: { state: "placed" }, attempt: { broker_order_id: "7" } });
  });

  test("of another program has that program's id", async () => {
    const order = listedOrder({ customerOrderId: "theirs" });
    bench.script.orders.set("7", order);
    expect(await find({ orderId: "7" })).toEqual({ kind: "order", order, clientOrderId: "theirs" });
    bench.script.orders.set("7", listedOrder());
    expect(await find({ orderId: "7" })).toMatchObject({ clientOrderId: undefined });
  });

  test("that IBKR does not show is our row of it", async () => {
    await store({ request: { result: '{"order_id":"7","status":"Filled"}' } });
    expect(await find({ orderId: "7" })).toMatchObject({
      kind: "request",
      clientOrderId: "c1",
      state: "placed",
      orderId: "7",
      status: "Filled",
    });
  });

  test("is not our row of another account or connection", async () => {
    await store({ request: { account_id: "DU9" }, attempt: { account_id: "DU9" } });
    expect(await find({ orderId: "7" })).toBeUndefined();
    const stranger = bench.call({ caller: await seedOwner(bench.rows.storage) });
    expect(await find({ orderId: "7", accountId: "DU9" }, stranger)).toBeUndefined();
    expect(await find({ orderId: "7", accountId: "DU9" })).toMatchObject({ clientOrderId: "c1" });
    expect(await find({ orderId: "8" })).toBeUndefined();
    expect(await find({})).toBeUndefined();
  });
});

describe("an order by its caller's id", () => {
  test("is what IBKR shows of it", async () => {
    await store({ request: { result: '{"order_id":"7"}' } });
    bench.script.orders.set("7", listedOrder());
    expect(await find({ clientOrderId: "c1" })).toEqual({ kind: "order", order: listedOrder(), clientOrderId: "c1" });
    expect(bench.script.asked).toEqual([`order ${ACCOUNT} 7`]);
  });

  test("goes before the id that IBKR gave", async () => {
    await store({ request: { result: '{"order_id":"7"}' } });
    bench.script.orders.set("7", listedOrder());
    expect(await find({ clientOrderId: "c1", orderId: "8" })).toMatchObject({ order: { orderId: "7" } });
  });

  test.each([
    ["received", undefined],
    ["sending", undefined],
    ["not_placed", '{"reason":"timeout"}'],
    ["refused", '{"reason":"No."}'],
    ["declined", "{}"],
    ["asked", null],
    ["placed", '{"order_id":"7"}'],
  ])("is our row of it where it is %s", async (state, result) => {
    const attempt = { state: state === "placed" ? "placed" : "no", broker_order_id: null, said: "Hm.", owner_process: "prc_alive" };
    const { request } = await store({ request: { state, result: result ?? null, owner_process: "prc_alive" }, attempt });
    const stored = JSON.parse(result ?? "{}") as { reason?: string; order_id?: string };
    expect(await find({ clientOrderId: "c1" })).toEqual({
      kind: "request",
      requestId: request.id,
      clientOrderId: "c1",
      draft: expect.objectContaining({ symbol: "AAPL" }),
      state,
      orderId: stored.order_id,
      status: undefined,
      reason: stored.reason,
      said: "Hm.",
      canConfirm: false,
    });
    expect([asked("look"), asked("order")]).toEqual([0, state === "placed" ? 1 : 0]);
  });

  test.each(["unknown", "unresolved"])("is looked for where it is %s, and found", async (state) => {
    const { attempt } = await store({ request: { state }, attempt: { state: "unknown", broker_order_id: null } });
    const order = listedOrder({ customerOrderId: attempt.customer_order_id });
    bench.script.sightings = { orders: [order] };
    bench.script.orders.set("7", order);
    expect(await find({ clientOrderId: "c1" })).toEqual({ kind: "order", order, clientOrderId: "c1" });
    expect(asked("look")).toBe(1);
  });

  test("is looked for, and stays unknown with the id and words that IBKR gave", async () => {
    await store({ request: { state: "unknown" }, attempt: { state: "unknown", broker_order_id: "99", said: "Hm." } });
    expect(await find({ clientOrderId: "c1" })).toMatchObject({ kind: "request", state: "unknown", orderId: "99", said: "Hm." });
    expect(asked("look")).toBe(1);
  });

  test.each([
    [{ consumed_at: null, expires_at: 1 }, true],
    [{ consumed_at: 1, expires_at: 1 }, false],
    [{ consumed_at: null, expires_at: 0 }, false],
  ])("can be confirmed by its token while that is good: %j", async ({ consumed_at, expires_at }, canConfirm) => {
    const { request } = await store({ request: { state: "asked" }, attempt: { state: "no", broker_order_id: null, said: null } });
    await bench.rows.storage.db
      .insertInto("order_confirmations")
      .values({
        token_hash: "hash",
        request_id: request.id,
        user_id: request.user_id,
        caller_id: "key_bench",
        questions: "[]",
        round: 1,
        expires_at: bench.clock.now() + expires_at,
        consumed_at,
        created_at: 1,
      })
      .execute();
    expect(await find({ clientOrderId: "c1" })).toMatchObject({ canConfirm, said: undefined });
  });

  test("is one's own before another's, and another's where it is the only one", async () => {
    const others = { name_space: "key_other", arguments_hash: "other" };
    const other = await store({ request: { ...others, state: "not_placed" }, attempt: { state: "no" } });
    expect(await find({ clientOrderId: "c1" })).toMatchObject({ requestId: other.request.id });
    await store({ request: { name_space: "key_third", state: "not_placed" }, attempt: { state: "no" } });
    expect(await find({ clientOrderId: "c1" })).toBeUndefined();
    const own = await store({ request: { state: "not_placed" }, attempt: { state: "no" } });
    expect(await find({ clientOrderId: "c1" })).toMatchObject({ requestId: own.request.id });
  });

  test("of another account is another order", async () => {
    await store({ request: { account_id: "DU9", name_space: "key_other", state: "not_placed" }, attempt: { state: "no" } });
    expect(await find({ clientOrderId: "c1" })).toBeUndefined();
    const mine = await store({ request: { name_space: "key_third", state: "not_placed" }, attempt: { state: "no" } });
    expect(await find({ clientOrderId: "c1" })).toMatchObject({ requestId: mine.request.id });
  });

  test("that no row knows is found by its cOID among IBKR's orders", async () => {
    const order = listedOrder({ customerOrderId: "theirs" });
    bench.script.orders.set("7", order);
    bench.script.orders.set("8", listedOrder({ orderId: "8", customerOrderId: "another" }));
    expect(await find({ clientOrderId: "theirs" })).toEqual({ kind: "order", order, clientOrderId: "theirs" });
    expect(await find({ clientOrderId: "nobody's" })).toBeUndefined();
    expect(asked("orders")).toBe(2);
  });
});

describe("listed orders", () => {
  const recognize = async (...seen: Parameters<typeof bench.trading.recognize>[0][number][]) =>
    await bench.trading.recognize(seen, bench.call());

  test.each(["PreSubmitted", "Submitted", "Filled", "PendingCancel", "PreCancelled", undefined] as const)(
    "place an order of unknown outcome that is %s",
    async (status) => {
      const { request, attempt } = await store({ request: { state: "unknown" }, attempt: { state: "unknown", broker_order_id: null } });
      bench.script.time = 88;
      const id = attempt.customer_order_id;
      const names = await recognize({ customerOrderId: id, orderId: "7", ...(status === undefined ? {} : { status }) });
      expect([...names]).toEqual([[id, "c1"]]);
      const after = await bench.rows.read(request.id);
      expect(after).toMatchObject({ request: { state: "placed" }, attempt: { broker_order_id: "7", placed_broker_at: 88 } });
      expect(JSON.parse(after.request.result ?? "")).toEqual({ order_id: "7", status: status ?? "Filled" });
    },
  );

  test.each(["Inactive", "PendingSubmit", "Cancelled", "WarnState", "Unknown"] as const)(
    "prove nothing of one that is %s",
    async (status) => {
      const { request, attempt } = await store({ request: { state: "unknown" }, attempt: { state: "unknown" } });
      await recognize({ customerOrderId: attempt.customer_order_id, orderId: "7", status });
      expect(await bench.rows.read(request.id)).toMatchObject({ request: { state: "unknown" } });
    },
  );

  test("prove nothing without an id of IBKR's, nor while its call is under way", async () => {
    const { request, attempt } = await store({ request: { state: "unknown" }, attempt: { state: "unknown" } });
    await recognize({ customerOrderId: attempt.customer_order_id, orderId: undefined, status: "Filled" });
    expect(await bench.rows.read(request.id)).toMatchObject({ request: { state: "unknown" } });
    const other = await store({ request: { account_id: "DU9", state: "sending" }, attempt: { account_id: "DU9", state: "sending" } });
    await recognize({ customerOrderId: other.attempt.customer_order_id, orderId: "8", status: "Filled" });
    expect(await bench.rows.read(other.request.id)).toMatchObject({ request: { state: "sending" } });
  });

  test("contradict a no, which raises the alarm", async () => {
    const { request, attempt } = await store({ request: { state: "refused" }, attempt: { state: "no" } });
    await recognize({ customerOrderId: attempt.customer_order_id, orderId: "7", status: "Submitted" });
    expect(await bench.rows.read(request.id)).toMatchObject({ request: { state: "placed" } });
    expect(bench.alarms).toHaveLength(1);
  });

  test("have names of their own connection only; those without a cOID have none", async () => {
    const { attempt } = await store();
    const stranger = bench.call({ caller: await seedOwner(bench.rows.storage) });
    const seen = [{ customerOrderId: attempt.customer_order_id, orderId: "7" }];
    expect(await bench.trading.recognize(seen, stranger)).toEqual(new Map());
    expect(await recognize({ customerOrderId: undefined, orderId: "7" })).toEqual(new Map());
    expect(await recognize()).toEqual(new Map());
  });
});

describe("the accounts of a name", () => {
  const accounts = async (name: Omit<OrderName, "accountId">) => await bench.trading.accountsOf(name, bench.caller);

  test("are those of the caller's own orders, else of all", async () => {
    await store({ request: { account_id: "DU8", name_space: "key_other" }, attempt: { account_id: "DU8" } });
    await store({ request: { account_id: "DU8", name_space: "key_third" }, attempt: { account_id: "DU8" } });
    expect(await accounts({ clientOrderId: "c1", orderId: undefined })).toEqual(["DU8"]);
    await store({ request: { account_id: "DU9" }, attempt: { account_id: "DU9" } });
    expect(await accounts({ clientOrderId: "c1", orderId: "7" })).toEqual(["DU9"]);
  });

  test("are that of IBKR's id", async () => {
    await store();
    expect(await accounts({ clientOrderId: undefined, orderId: "7" })).toEqual([ACCOUNT]);
    expect(await accounts({ clientOrderId: undefined, orderId: "8" })).toEqual([]);
    expect(await accounts({ clientOrderId: undefined, orderId: undefined })).toEqual([]);
  });
});
