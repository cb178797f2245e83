import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { DOCTOR_DRAFT, doctorDesk } from "../../test/support/doctor-desk.ts";
import { openOrderRows, type OrderRows } from "../../test/support/order-rows.ts";
import { question } from "../../test/support/doctor-broker.ts";
import type { Order, OrderStatusName, SubmitOutcome } from "../broker/order.ts";
import { Decimal } from "../lib/decimal.ts";
import { DoctorCases } from "./doctor-cases.ts";
import type { DoctorCase, DoctorFinding } from "./doctor-findings.ts";
import { DoctorRefusal } from "./doctor-refusal.ts";

const { symbol: _symbol, currency: _currency, ...ticket } = DOCTOR_DRAFT;
const PAUSE_MS = 120_000;

let rows: OrderRows;
let bench: Awaited<ReturnType<typeof doctorDesk>>;
let stop: AbortController;
let started: DoctorCase[];
let findings: DoctorFinding[];
let cases: DoctorCases;

beforeAll(async () => {
  rows = await openOrderRows();
});
afterAll(() => rows.stop());
beforeEach(async () => {
  await rows.clear();
  bench = await doctorDesk(rows);
  stop = new AbortController();
  started = [];
  findings = [];
  const { desk, clock } = bench;
  cases = new DoctorCases({
    desk,
    clock,
    stop: stop.signal,
    ticket,
    run: "gwdoc-1",
    onCase: (name) => {
      started.push(name);
      bench.ibkr.asked.push(`case ${name}`);
    },
    onFinding: async (finding) => {
      findings.push(finding);
      await Promise.resolve(bench.ibkr.asked.push(`found ${finding.case}`));
    },
  });
});

const run = () => bench.clock.until(cases.run());
const found = (name: DoctorCase) => findings.find((finding) => finding.case === name);
const steps = () => bench.ibkr.asked.filter((call) => !/^(?:look|status)/.test(call));
const questions = ["Is the price right?"];
const accepted = (orderId: string) => ({ kind: "accepted", said: "Submitted", status: "Submitted", orderId, questions });
const registered = (id: string) => ({ kind: "registered", said: `${id} is already registered.`, questions: [] });

describe("the cases", () => {
  test("send each cOID twice, in their order, store each finding and cancel what was placed", async () => {
    const began = bench.clock.monotonic();
    await run();
    expect(steps()).toEqual([
      "case working",
      "order gwdoc-1-1",
      "yes DU1 gwdoc-1-1",
      "order gwdoc-1-1",
      "found working",
      "case cancelled",
      "cancel DU1 1",
      "order gwdoc-1-1",
      "found cancelled",
      "case refused",
      "order gwdoc-1-2",
      "order gwdoc-1-2",
      "yes DU1 gwdoc-1-2",
      "found refused",
      "cancel DU1 2",
      "case declined",
      "order gwdoc-1-3",
      "no DU1 gwdoc-1-3",
      "order gwdoc-1-3",
      "yes DU1 gwdoc-1-3",
      "found declined",
      "cancel DU1 3",
      "case unanswered",
      "order gwdoc-1-4",
      "order gwdoc-1-4",
      "yes DU1 gwdoc-1-4",
      "found unanswered",
      "cancel DU1 4",
    ]);
    expect(started).toEqual(["working", "cancelled", "refused", "declined", "unanswered"]);
    expect(findings).toEqual([
      { case: "working", customerOrderId: "gwdoc-1-1", first: accepted("1"), again: registered("gwdoc-1-1"), orders: 1 },
      { case: "cancelled", customerOrderId: "gwdoc-1-1", again: registered("gwdoc-1-1"), orders: 1 },
      {
        case: "refused",
        customerOrderId: "gwdoc-1-2",
        first: { kind: "refused", said: "Too many shares.", questions: [] },
        again: accepted("2"),
        orders: 1,
      },
      {
        case: "declined",
        customerOrderId: "gwdoc-1-3",
        first: { kind: "declined", said: "Order not confirmed", questions },
        again: accepted("3"),
        orders: 1,
      },
      {
        case: "unanswered",
        customerOrderId: "gwdoc-1-4",
        first: { kind: "open", said: "Is the price right?", questions },
        again: accepted("4"),
        orders: 1,
      },
    ]);
    // Two minutes for the question that is left open, and nothing else takes time.
    expect(bench.clock.monotonic() - began).toBe(PAUSE_MS);
  });

  test("say yes to each question of a broker that asks and takes every time", async () => {
    const { ibkr } = bench;
    ibkr.does({ submitOrder: async ({ customerOrderId }) => question(customerOrderId, "Right?") });
    await run();
    const yes = ibkr.asked.filter((call) => call.startsWith("yes"));
    const sent = ibkr.tickets.map(({ customerOrderId }) => customerOrderId.replace("gwdoc-", ""));
    expect(sent).toEqual(["1-1", "1-1", "1-1", "1-2", "1-3", "1-3", "1-4", "1-4"]);
    expect(yes).toEqual(["1-1", "1-1", "1-1", "1-2", "1-3", "1-4"].map((id) => `yes DU1 gwdoc-${id}`));
    expect(findings.map(({ case: name, orders }) => [name, orders])).toEqual([
      ["working", 2],
      ["cancelled", 3],
      ["refused", 1],
      ["declined", 1],
      ["unanswered", 1],
    ]);
  });

  test("send the same order each time, but for the one that IBKR shall refuse", async () => {
    await run();
    const { tickets } = bench.ibkr;
    expect(tickets.map(({ customerOrderId, quantity }) => `${customerOrderId} ${quantity.toString()}`)).toEqual([
      ...["1", "1", "1"].map((quantity) => `gwdoc-1-1 ${quantity}`),
      "gwdoc-1-2 10000000",
      "gwdoc-1-2 1",
      "gwdoc-1-3 1",
      "gwdoc-1-3 1",
      "gwdoc-1-4 1",
      "gwdoc-1-4 1",
    ]);
    for (const { customerOrderId: _id, quantity: _quantity, ...rest } of tickets)
      expect({ ...rest, quantity: Decimal.one }).toEqual(ticket);
  });

  test.each<OrderStatusName>(["PendingSubmit", "PreSubmitted", "Submitted"])("take an order for working that is %s", async (status) => {
    bench.ibkr.does({ order: async (_accountId, id) => shown(id, status) });
    await run();
    expect(found("working")?.skipped).toBeUndefined();
    expect(found("working")?.again).toEqual(registered("gwdoc-1-1"));
  });

  test.each<readonly [OrderStatusName | undefined, string]>([
    ["Filled", "No order works: Filled"],
    ["Inactive", "No order works: Inactive"],
    ["Unknown", "No order works: Unknown"],
    [undefined, "No order works: Submitted"],
  ])("skip the first two where the order is %s", async (status, skipped) => {
    bench.ibkr.does({ order: async (_accountId, id) => shown(id, status) });
    await run();
    expect(findings.slice(0, 2)).toEqual([
      { case: "working", customerOrderId: "gwdoc-1-1", first: accepted("1"), orders: 1, skipped },
      { case: "cancelled", customerOrderId: "gwdoc-1-1", orders: 1, skipped: "No order worked before." },
    ]);
    expect(started).toHaveLength(5);
  });

  test.each<readonly [SubmitOutcome, string]>([
    [{ kind: "rejected", reason: "No." }, "No order works: No."],
    [{ kind: "unknown", error: new Error("cut"), orderId: "8" }, "No order works: Submitted"],
  ])("skip the first two where the order's outcome is %j", async (outcome, skipped) => {
    bench.ibkr.place({ orderId: "8", customerOrderId: "gwdoc-1-1" });
    bench.ibkr.does({ submitOrder: async () => outcome });
    await run();
    expect(found("working")).toMatchObject({ skipped });
    expect(found("cancelled")).toMatchObject({ skipped: "No order worked before." });
    expect(found("cancelled")?.again).toBeUndefined();
    expect(bench.ibkr.asked).not.toContain("status DU1 undefined");
  });

  test("skip the second where the order can't be cancelled", async () => {
    bench.ibkr.does({ cancelOrder: async () => ({ kind: "not_working", message: "" }) });
    await run();
    expect(found("cancelled")).toEqual({
      case: "cancelled",
      customerOrderId: "gwdoc-1-1",
      orders: 1,
      skipped: "Order 1 (gwdoc-1-1) is not cancelled yet. Cancel it in IBKR's app.",
    });
  });

  test("skip the second sending where the first did not end as it should", async () => {
    const { ibkr, clock } = bench;
    ibkr.does({ submitOrder: async ({ customerOrderId }) => ibkr.place({ orderId: customerOrderId, customerOrderId }) });
    const began = clock.monotonic();
    await run();
    const first = (id: string) => ({ ...accepted(id), questions: [] });
    const expected = (name: DoctorCase, id: string, skipped: string) => ({
      case: name,
      customerOrderId: id,
      first: first(id),
      orders: 1,
      skipped,
    });
    expect(findings.slice(2)).toEqual([
      expected("refused", "gwdoc-1-2", "IBKR did not refuse the order."),
      expected("declined", "gwdoc-1-3", "IBKR asked no question, or did not take the no."),
      expected("unanswered", "gwdoc-1-4", "IBKR asked no question."),
    ]);
    expect(clock.monotonic()).toBe(began);
    expect([...ibkr.orders.values()].filter(({ status }) => status !== "Cancelled")).toEqual([]);
  });

  test("send a cOID of an earlier day again, once, and cancel what comes of it", async () => {
    await cases.nextDay("gwdoc-0-1");
    expect(started).toEqual(["next_day"]);
    expect(steps()).toEqual(["case next_day", "order gwdoc-0-1", "yes DU1 gwdoc-0-1", "found next_day", "cancel DU1 1"]);
    expect(findings).toEqual([{ case: "next_day", customerOrderId: "gwdoc-0-1", again: accepted("1"), orders: 1 }]);
  });
});

/** An order as IBKR shows it in a state; undefined where it shows none. A cancelled order stays so. */
function shown(id: string, status: OrderStatusName | undefined): Order | undefined {
  const order = bench.ibkr.orders.get(id);
  if (order === undefined || order.status === "Cancelled") return order;
  return status === undefined ? undefined : { ...order, status };
}

describe("a run that the user stops", () => {
  test("sends nothing more", async () => {
    stop.abort();
    const reason = await cases.run().catch((error: unknown) => error);
    expect(reason).toEqual(new DoctorRefusal("Stopped."));
    expect(reason).toMatchObject({ name: "DoctorRefusal" });
    expect([bench.ibkr.asked, findings]).toEqual([["case working"], []]);
  });

  test("sends no order of an earlier day either", async () => {
    stop.abort();
    await expect(cases.nextDay("gwdoc-0-1")).rejects.toThrow("Stopped.");
    expect([bench.ibkr.asked, findings]).toEqual([["case next_day"], []]);
  });

  test("sends nothing more with a cOID whose first sending was under way", async () => {
    let orders = 0;
    bench.ibkr.does({
      submitOrder: async () => {
        orders += 1;
        if (orders === 2) stop.abort(new Error("Stopped by Ctrl-C."));
        return { kind: "rejected", reason: "No." };
      },
    });
    await expect(run()).rejects.toEqual(new DoctorRefusal("Stopped."));
    expect(steps()).toEqual([
      "case working",
      "order gwdoc-1-1",
      "found working",
      "case cancelled",
      "found cancelled",
      "case refused",
      "order gwdoc-1-2",
    ]);
  });

  test("does not wait for a question to become stale", async () => {
    const { clock } = bench;
    void clock.wait(PAUSE_MS / 2).then(() => stop.abort(new Error("Stopped by Ctrl-C.")));
    const began = clock.monotonic();
    await expect(run()).rejects.toThrow("Stopped by Ctrl-C.");
    expect(clock.monotonic() - began).toBe(PAUSE_MS / 2);
    expect(found("unanswered")).toBeUndefined();
  });
});
