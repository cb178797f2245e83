import { beforeEach, describe, expect, test } from "vitest";

import { pipelineBench } from "../../test/support/pipeline-bench.ts";
import { listedOrder } from "../../test/support/listed-orders.ts";
import type { CancelOutcome, Order, OrderStatusName } from "../broker/order.ts";
import { GatewayError } from "../lib/errors.ts";
import type { OrderName } from "./trading.ts";

const ACCOUNT = "DU1234567";

const bench = pipelineBench();

const begin = (name: Partial<OrderName> = { orderId: "7" }, call = bench.call()) =>
  bench.trading.cancelOrder({ accountId: ACCOUNT, orderId: undefined, clientOrderId: undefined, ...name }, call);
const cancel = (...args: Parameters<typeof begin>) => bench.finish(begin(...args));

/** What a caller sees of a failed cancellation. */
async function failed(work: Promise<unknown>): Promise<object> {
  const error: unknown = await work.catch((reason: unknown) => reason);
  if (!(error instanceof GatewayError)) throw new Error(`no GatewayError but ${JSON.stringify(error)}`);
  const { code, message, whatToDo, details, retryAfterSeconds } = error;
  return { code, message, whatToDo, details, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
}

const shows = (...states: readonly (OrderStatusName | undefined)[]): void => {
  bench.script.orders.set(
    "7",
    states.map((status) => (status === undefined ? undefined : listedOrder({ status }))),
  );
};

describe("a cancellation that IBKR took", () => {
  test.each([
    [["Cancelled"], "Cancelled", 250],
    [["Filled"], "Filled", 250],
    [["PendingCancel", "Cancelled"], "Cancelled", 750],
    [["PendingCancel", "PendingCancel", "PendingCancel", "Cancelled"], "Cancelled", 3_750],
    [["PendingCancel"], "PendingCancel", 3_750],
    [["PendingCancel", undefined], "PendingCancel", 3_750],
    [["Submitted"], "Submitted", 3_750],
  ] as const)("is watched while IBKR shows %j: it ends as %s after %i ms", async (states, status, ms) => {
    shows(...states);
    const before = bench.clock.now();
    expect(await cancel()).toMatchObject({ orderId: "7", clientOrderId: undefined, status, wasCancelled: false, order: { status } });
    expect(bench.clock.now() - before).toBeGreaterThanOrEqual(ms);
    expect(bench.clock.now() - before).toBeLessThan(ms + 250);
    expect(bench.script.asked[0]).toBe(`cancel ${ACCOUNT} 7`);
  });

  test("is pending where IBKR shows no order", async () => {
    expect(await cancel()).toEqual({
      orderId: "7",
      clientOrderId: undefined,
      status: "PendingCancel",
      order: undefined,
      wasCancelled: false,
    });
    expect(bench.script.asked.filter((line) => line.startsWith("order"))).toHaveLength(4);
  });

  test("stands when it can't be watched", async () => {
    bench.script.orders.set("7", new Error("cut"));
    expect(await cancel()).toMatchObject({ status: "PendingCancel", order: undefined });
    expect(bench.script.asked).toEqual([`cancel ${ACCOUNT} 7`, `order ${ACCOUNT} 7`]);
    expect(bench.lines).toEqual([expect.objectContaining({ msg: "could not watch a cancellation", err: expect.anything() })]);
  });
});

describe("a cancellation without a definite answer", () => {
  const cut = new Error("cut");
  beforeEach(() => {
    bench.script.cancel = { kind: "unknown", error: cut };
  });

  test.each(["Cancelled", "Filled", "PendingCancel", "PreCancelled"] as const)("is settled by the order that is %s", async (status) => {
    shows(status);
    expect(await cancel()).toMatchObject({ status });
  });

  test.each(["Submitted", undefined] as const)("is unknown while IBKR shows the order as %s", async (status) => {
    shows(status);
    const work = cancel();
    expect(await failed(work)).toEqual({
      code: "outcome_unknown",
      message: "IBKR gave no definite answer to the cancellation.",
      whatToDo: "Call get_order_status; cancelling again is safe.",
      details: { order_id: "7" },
    });
    await expect(work).rejects.toMatchObject({ cause: cut });
  });
});

describe("a cancellation that IBKR refused", () => {
  const refuse = (kind: "not_found" | "not_working"): CancelOutcome => ({ kind, message: "No." });

  test("because it knows no such order", async () => {
    bench.script.cancel = refuse("not_found");
    expect(await failed(cancel())).toEqual({
      code: "order_not_found",
      message: `Account ${ACCOUNT} has no order 7. IBKR says: No.`,
      whatToDo: "Call get_orders to see the orders of the account, or send the right account_id.",
      details: undefined,
    });
    expect(bench.script.asked).toEqual([`cancel ${ACCOUNT} 7`]);
  });

  test("because it is cancelled is done already", async () => {
    bench.script.cancel = refuse("not_working");
    shows("Cancelled");
    expect(await cancel()).toEqual({
      orderId: "7",
      clientOrderId: undefined,
      status: "Cancelled",
      order: listedOrder({ status: "Cancelled" }),
      wasCancelled: true,
    });
  });

  test.each(["PendingSubmit", "PreSubmitted", "Submitted"] as const)("although it is %s says that it still works", async (status) => {
    bench.script.cancel = refuse("not_working");
    shows(status);
    expect(await failed(cancel())).toEqual({
      code: "broker_error",
      message: `IBKR did not cancel the order, which is still ${status}. IBKR says: No.`,
      whatToDo: "The order still works. Cancel it again, or cancel it in IBKR's own apps.",
      details: { order_id: "7", status },
    });
  });

  test.each([
    ["Filled", "Filled", "It has been filled; to undo it, place an order on the other side."],
    ["Inactive", "Inactive", "Call get_order_status to see its state."],
    [undefined, "no longer working", "Call get_order_status to see its state."],
  ] as const)("because it is %s says so", async (status, words, whatToDo) => {
    bench.script.cancel = refuse("not_working");
    shows(status);
    expect(await failed(cancel())).toEqual({
      code: "order_not_working",
      message: `The order can't be cancelled: it is ${words}. IBKR says: No.`,
      whatToDo,
      details: { order_id: "7", ...(status === undefined ? {} : { status }) },
    });
  });
});

describe("an order that is named", () => {
  const store = async (state: string, { result, attempt = {} }: { result?: object; attempt?: object } = {}) =>
    await bench.rows.store({
      request: { state, client_order_id: "c1", name_space: "key_bench", result: result === undefined ? null : JSON.stringify(result) },
      attempt: { state: "no", ...attempt },
    });

  test("by an order id is cancelled without a look", async () => {
    shows("Cancelled");
    await cancel({ orderId: "7", clientOrderId: "mine" });
    expect(bench.script.asked).toEqual([`cancel ${ACCOUNT} 7`, `order ${ACCOUNT} 7`]);
    expect(await cancel({ orderId: "7", clientOrderId: "mine" })).toMatchObject({ clientOrderId: "mine" });
  });

  test("by an order id is looked up first for a caller who is limited to accounts", async () => {
    const limited = bench.call({ caller: { allowedAccountIds: [ACCOUNT] } });
    expect(await failed(cancel({ orderId: "7" }, limited))).toMatchObject({
      code: "order_not_found",
      message: `Account ${ACCOUNT} has no order 7.`,
    });
    expect(bench.script.asked).toEqual([`order ${ACCOUNT} 7`]);
    shows("Submitted", "Cancelled");
    expect(await cancel({ orderId: "7" }, limited)).toMatchObject({ status: "Cancelled" });
  });

  test("and cancelled is not cancelled again", async () => {
    shows("Cancelled");
    const limited = bench.call({ caller: { allowedAccountIds: [ACCOUNT] } });
    expect(await cancel({ orderId: "7" }, limited)).toMatchObject({ status: "Cancelled", wasCancelled: true, order: { orderId: "7" } });
    expect(bench.script.asked).toEqual([`order ${ACCOUNT} 7`]);
  });

  test("by its caller's id is cancelled by IBKR's", async () => {
    await store("placed", { result: { order_id: "7" }, attempt: { state: "placed" } });
    shows("Submitted", "Cancelled");
    expect(await cancel({ clientOrderId: "c1" })).toMatchObject({ orderId: "7", clientOrderId: "c1", status: "Cancelled" });
    expect(bench.script.asked).toContain(`cancel ${ACCOUNT} 7`);
  });

  test("by its caller's id is cancelled although IBKR does not show it", async () => {
    await store("placed", { result: { order_id: "7" }, attempt: { state: "placed" } });
    bench.script.orders.set("7", [undefined, listedOrder({ status: "Cancelled" })] satisfies (Order | undefined)[]);
    expect(await cancel({ clientOrderId: "c1" })).toMatchObject({ orderId: "7", clientOrderId: "c1", status: "Cancelled" });
  });

  test("and nowhere is not found", async () => {
    expect(await failed(cancel({ clientOrderId: "nobody's" }))).toMatchObject({
      code: "order_not_found",
      message: `Account ${ACCOUNT} has no order nobody's.`,
    });
  });

  test.each([
    ["received", "no"],
    ["sending", "sending"],
    ["unknown", "unknown"],
    ["unresolved", "unknown"],
  ])("and %s has an unknown outcome", async (state, attempt) => {
    await store(state, { attempt: { state: attempt, said: "Hm.", owner_process: "prc_alive" } });
    bench.script.sightings = new Error("not now");
    await bench.rows.storage.db.updateTable("order_requests").set({ owner_process: "prc_alive" }).execute();
    expect(await failed(cancel({ clientOrderId: "c1" }))).toMatchObject({
      code: "outcome_unknown",
      message: "IBKR gave no definite answer: the order may or may not have been placed. IBKR says: Hm.",
      details: { account_id: ACCOUNT, client_order_id: "c1" },
    });
    expect(bench.script.asked.filter((line) => line.startsWith("cancel"))).toEqual([]);
  });

  test.each(["refused", "declined", "not_placed", "asked"])("and %s was never placed", async (state) => {
    await store(state);
    expect(await failed(cancel({ clientOrderId: "c1" }))).toEqual({
      code: "order_not_working",
      message: `This order was never placed (${state}).`,
      whatToDo: "There is nothing to cancel.",
      details: { client_order_id: "c1" },
    });
  });
});

describe("a caller that hangs up", () => {
  test("before its turn has cancelled nothing", async () => {
    const held = Promise.withResolvers<CancelOutcome>();
    bench.script.cancel = () => held.promise;
    const first = begin({ orderId: "1" });
    const gone = new AbortController();
    const second = begin({ orderId: "2" }, bench.call({ signal: gone.signal }));
    await bench.clock.advance(0);
    gone.abort(new Error("hung up"));
    expect(await failed(second)).toEqual({
      code: "timeout",
      message: "The cancellation was not sent: its turn did not come in time.",
      whatToDo: "The order still works. Cancel it again, or in IBKR's own apps.",
      retryAfterSeconds: 5,
      details: { order_id: "2" },
    });
    held.resolve({ kind: "requested", message: "" });
    await bench.finish(first);
    expect(bench.script.asked.filter((line) => line.startsWith("cancel"))).toEqual([`cancel ${ACCOUNT} 1`]);
  });

  test("after its turn began is told that the outcome is unknown", async () => {
    const held = Promise.withResolvers<CancelOutcome>();
    bench.script.cancel = () => held.promise;
    const gone = new AbortController();
    const work = begin({ orderId: "1" }, bench.call({ signal: gone.signal }));
    await bench.clock.advance(0);
    gone.abort(new Error("hung up"));
    expect(await failed(work)).toMatchObject({ code: "outcome_unknown", details: { order_id: "1" } });
    held.resolve({ kind: "requested", message: "" });
  });

  test("orders of other accounts don't wait for", async () => {
    const held = Promise.withResolvers<CancelOutcome>();
    bench.script.cancel = () => held.promise;
    const first = begin({ accountId: "DU0", orderId: "1" });
    await bench.clock.advance(0);
    bench.script.cancel = { kind: "not_found", message: "No." };
    expect(await failed(cancel({ orderId: "2" }))).toMatchObject({ code: "order_not_found" });
    held.resolve({ kind: "requested", message: "" });
    await bench.finish(first);
  });
});
