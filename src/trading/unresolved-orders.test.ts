import { describe, expect, test } from "vitest";

import type { RowChanges } from "../../test/support/order-rows.ts";
import { DRAFT, pipelineBench } from "../../test/support/pipeline-bench.ts";
import { seedOwner } from "../../test/support/seed-keys.ts";
import { draftDigest } from "./order-draft.ts";
import type { OrderVerdict } from "./unresolved-orders.ts";

const MINUTE = 60_000;
const NOT_UNRESOLVED = {
  code: "order_not_found",
  message: "This order is not unresolved, or no longer.",
  whatToDo: "Open the list of orders again to see its state.",
};

const bench = pipelineBench();

const store = async (state = "unresolved", { request = {}, attempt = {} }: RowChanges = {}) =>
  await bench.rows.store({ request: { state, ...request }, attempt: { state: "unknown", doubt: 1, ...attempt } });

const one = async (requestId: string, userId = bench.caller.userId) => await bench.trading.unresolvedOrder({ userId, requestId });
const decide = async (requestId: string, verdict: OrderVerdict, userId = bench.caller.userId) =>
  await bench.trading.decideOrder({ userId, requestId, verdict, words: "TWS, orders" });

/** Lets an order be shown for the first time, and so long pass. */
async function wait(requestId: string, ms: number): Promise<void> {
  await one(requestId);
  await bench.clock.advance(ms);
}

describe("an order of unknown outcome, as its owner sees it,", () => {
  test("has its names, terms, IBKR's words and the looks", async () => {
    const { request, attempt } = await store("unresolved", {
      attempt: { said: "Hm.", broker_order_id: "99", looks: 3, looked_at: 5_000, sent_at: 1_234 },
    });
    expect(await one(request.id)).toEqual({
      requestId: request.id,
      connectionId: request.connection_id,
      accountId: "DU1234567",
      callerId: "key_gone",
      clientOrderId: request.client_order_id,
      customerOrderId: attempt.customer_order_id,
      draft: expect.objectContaining({ symbol: "AAPL", accountId: "DU1234567" }),
      state: "unresolved",
      sentAt: 1_234,
      looks: 3,
      lookedAt: 5_000,
      said: "Hm.",
      brokerOrderId: "99",
      absentInMs: 30 * MINUTE,
    });
  });

  test("lacks what is not known", async () => {
    const { request } = await store("unknown", { attempt: { said: null, broker_order_id: null, looks: 0, looked_at: null } });
    expect(await one(request.id)).toMatchObject({
      state: "unknown",
      looks: 0,
      lookedAt: undefined,
      said: undefined,
      brokerOrderId: undefined,
    });
  });

  test("may be called absent half an hour after it was first shown", async () => {
    const { request } = await store();
    await wait(request.id, 29 * MINUTE);
    expect(await one(request.id)).toMatchObject({ absentInMs: MINUTE });
    await bench.clock.advance(2 * MINUTE);
    expect(await one(request.id)).toMatchObject({ absentInMs: 0 });
  });

  test("is in its owner's list, newest first, and in nobody else's", async () => {
    const older = await store("unknown", { request: { created_at: 1 } });
    const newer = await store("unresolved", { request: { created_at: 2 } });
    for (const state of ["received", "sending", "placed", "asked", "refused", "declined", "not_placed"])
      await bench.rows.store({ request: { state, account_id: `DU${state}` }, attempt: { state: "no" } });
    const listed = await bench.trading.unresolvedOrders(bench.caller.userId);
    expect(listed.map(({ requestId }) => requestId)).toEqual([newer.request.id, older.request.id]);
    const other = await seedOwner(bench.rows.storage);
    expect(await bench.trading.unresolvedOrders(other.userId)).toEqual([]);
    expect(await one(newer.request.id, other.userId)).toBeUndefined();
  });

  test.each(["placed", "sending", "not_placed"])("is none of those when it is %s", async (state) => {
    const { request } = await store(state);
    expect(await one(request.id)).toBeUndefined();
  });

  test("is none of those when no attempt of it is unknown", async () => {
    const { request } = await store("unresolved", { attempt: { state: "placed" } });
    expect(await one(request.id)).toBeUndefined();
    expect(await bench.trading.unresolvedOrders(bench.caller.userId)).toEqual([]);
    await expect(decide(request.id, { kind: "cancelled" })).rejects.toMatchObject(NOT_UNRESOLVED);
  });
});

describe("its owner's word", () => {
  test.each([
    [{ kind: "there", orderId: "4711" }, { order_id: "4711" }, "4711"],
    [{ kind: "cancelled" }, { status: "Cancelled" }, "99"],
  ] as const)("%j is taken at any time", async (verdict, result, orderId) => {
    const { request } = await store("unresolved", { attempt: { broker_order_id: "99", placed_broker_at: 5 } });
    await decide(request.id, verdict);
    const after = await bench.rows.read(request.id);
    expect(after).toMatchObject({
      request: { state: "placed", updated_at: bench.clock.now() },
      attempt: {
        state: "placed",
        doubt: 0,
        ended_by: "placed",
        said: "TWS, orders",
        broker_order_id: orderId,
        placed_broker_at: null,
        updated_at: bench.clock.now(),
      },
    });
    expect(JSON.parse(after.request.result ?? "")).toEqual(result);
    expect(bench.lines).toEqual([expect.objectContaining({ request: request.id, verdict: verdict.kind, msg: "a user resolved an order" })]);
  });

  test("that it is there keeps an equal order without an id back for a minute from then on", async () => {
    const { request } = await store("unresolved", { request: { arguments_hash: draftDigest(DRAFT) } });
    await decide(request.id, { kind: "there", orderId: "4711" });
    await bench.clock.advance(MINUTE - 1);
    await expect(bench.place({ clientOrderId: undefined })).rejects.toMatchObject({ code: "possible_duplicate" });
    await bench.clock.advance(1);
    bench.script.answers.push({ kind: "accepted", orderId: "7", status: "Submitted" });
    expect(await bench.finish(bench.place({ clientOrderId: undefined }))).toMatchObject({ kind: "placed" });
  });

  test("that it is there is the start of that minute, also where nobody asked before", async () => {
    const { request } = await store("unresolved", { request: { arguments_hash: draftDigest(DRAFT) } });
    await decide(request.id, { kind: "there", orderId: "4711" });
    await bench.clock.advance(MINUTE);
    bench.script.answers.push({ kind: "accepted", orderId: "7", status: "Submitted" });
    expect(await bench.finish(bench.place({ clientOrderId: undefined }))).toMatchObject({ kind: "placed" });
  });

  test("that it is not there is taken after half an hour", async () => {
    const { request } = await store();
    await wait(request.id, 30 * MINUTE - 1);
    await expect(decide(request.id, { kind: "not_there" })).rejects.toMatchObject({
      code: "invalid_arguments",
      message: "It is too early to call this order absent: it may still go live.",
      whatToDo: "Wait until 30 minutes after it was sent, look at IBKR again, then decide.",
    });
    expect(await bench.rows.read(request.id)).toMatchObject({ request: { state: "unresolved" }, attempt: { state: "unknown" } });
    await bench.clock.advance(1);
    await decide(request.id, { kind: "not_there" });
    const after = await bench.rows.read(request.id);
    expect(after).toMatchObject({
      request: { state: "not_placed" },
      attempt: { state: "no", doubt: 0, ended_by: "person", said: "TWS, orders", broker_order_id: null },
    });
    expect(JSON.parse(after.request.result ?? "")).toEqual({ reason: "person" });
  });

  test("waits half an hour also for one that nobody had looked at", async () => {
    const { request } = await store();
    await expect(decide(request.id, { kind: "not_there" })).rejects.toMatchObject({ code: "invalid_arguments" });
    await bench.clock.advance(30 * MINUTE);
    await decide(request.id, { kind: "not_there" });
    expect(await bench.rows.read(request.id)).toMatchObject({ request: { state: "not_placed" } });
  });

  test("counts once, and of nobody else", async () => {
    const { request } = await store();
    const other = await seedOwner(bench.rows.storage);
    await expect(decide(request.id, { kind: "cancelled" }, other.userId)).rejects.toMatchObject(NOT_UNRESOLVED);
    await expect(decide("ord_none", { kind: "cancelled" })).rejects.toMatchObject(NOT_UNRESOLVED);
    await decide(request.id, { kind: "cancelled" });
    await expect(decide(request.id, { kind: "cancelled" })).rejects.toMatchObject(NOT_UNRESOLVED);
  });

  test("is not asked for while the gateway still looks alone", async () => {
    const { request } = await store("unknown");
    await expect(decide(request.id, { kind: "cancelled" })).rejects.toMatchObject(NOT_UNRESOLVED);
    expect(await bench.rows.read(request.id)).toMatchObject({ request: { state: "unknown" }, attempt: { state: "unknown" } });
  });
});
