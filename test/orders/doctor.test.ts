import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { type DoctorBench, type DoctorNetwork, type DoctorRequest, startDoctorBench } from "../support/doctor-bench.ts";
import { type DoctorResult, resumeTime } from "../../src/trading/doctor.ts";
import { type DoctorCase, type DoctorFinding, keepsAfterQuestion, parseDoctorReport } from "../../src/trading/doctor-findings.ts";
import { refuseRealMoney } from "../../src/trading/doctor-refusal.ts";

const HOUR_MS = 3_600_000;

let bench: DoctorBench;
beforeEach(async () => {
  bench = await startDoctorBench();
});
afterEach(() => bench.close());

const isOrder = ({ method, path }: DoctorRequest): boolean => method === "POST" && /\/account\/[^/]+\/orders$/.test(path);
const orders = (): readonly DoctorRequest[] => bench.sent.filter(isOrder);
const found = ({ report }: DoctorResult, name: DoctorCase): DoctorFinding | undefined =>
  report.findings.find((finding) => finding.case === name);
const kinds = (result: DoctorResult, name: DoctorCase) => [found(result, name)?.first?.kind, found(result, name)?.again?.kind];

/** The request of the doctor's run, as it is stored. */
async function turn() {
  const [row] = await bench.storage.db.selectFrom("order_requests").selectAll().execute();
  const [attempt] = await bench.storage.db.selectFrom("order_attempts").selectAll().execute();
  return { request: row?.state, attempt: attempt?.state, doubt: attempt?.doubt };
}

/** Nothing of the doctor works at IBKR, by the simulator's own list. */
async function expectClean(): Promise<void> {
  const states = [...(await bench.statesAtIbkr()).values()].flat();
  expect(states.filter((state) => state !== "Cancelled" && state !== "Inactive")).toEqual([]);
}

/** Gives each order that carries a `cOID` again another one, so that the broker takes it. */
function takesTwice(): DoctorNetwork {
  const seen = new Map<string, number>();
  return (request, pass) => {
    if (!isOrder(request)) return pass();
    const id = /"cOID":"([^"]+)"/.exec(request.body)?.[1] ?? "";
    const count = seen.get(id) ?? 0;
    seen.set(id, count + 1);
    // Of the same length, since the request's header names it.
    return pass(count === 0 ? request.body : request.body.replace(id, `${id.slice(0, 6)}${"zyxw"[count - 1]}${id.slice(7)}`));
  };
}

/** Refuses the second order with the `cOID` of this number as registered. */
function registers(number: number): DoctorNetwork {
  let count = 0;
  return (request, pass) => {
    if (!isOrder(request) || !request.body.includes(`-${number}"`)) return pass();
    count += 1;
    if (count === 1) return pass();
    return Promise.resolve(
      Response.json({ error: "Order couldn't be submitted: Local order ID=x is already registered." }, { status: 400 }),
    );
  };
}

describe("a run on the simulator", () => {
  it("shows each case, sets the mark, cancels what it placed and stores the report", async () => {
    await bench.storage.db.updateTable("connections").set({ duplicate_refusals_proven_at: null }).execute();
    const cases: string[] = [];
    const result = await bench.run({ onCase: (name) => void cases.push(name) });
    expect(result.failure).toBeUndefined();
    expect(cases).toEqual(["working", "cancelled", "refused", "declined", "unanswered"]);
    expect(kinds(result, "working")).toEqual(["accepted", "registered"]);
    expect(kinds(result, "cancelled")).toEqual([undefined, "registered"]);
    expect(kinds(result, "refused")).toEqual(["refused", "accepted"]);
    expect(kinds(result, "declined")).toEqual(["declined", "accepted"]);
    expect(kinds(result, "unanswered")).toEqual(["open", "accepted"]);
    expect(found(result, "working")?.again?.said).toContain("already registered");
    expect(result.report.left).toEqual([]);
    const row = await bench.connection();
    expect(row.duplicate_refusals_proven_at).not.toBeNull();
    expect(parseDoctorReport(row.doctor_report)).toEqual(result.report);
    expect(keepsAfterQuestion(row)).toBe(true);
    await expectClean();
    expect(await turn()).toMatchObject({ request: "placed", attempt: "placed", doubt: 0 });
    const sends = await bench.storage.db.selectFrom("order_sends").selectAll().execute();
    expect(sends).toHaveLength(orders().length);
    expect(sends.filter(({ ended_at: at, source }) => at === null || source !== "doctor")).toEqual([]);
    const audits = await bench.storage.db.selectFrom("audit_log").selectAll().execute();
    expect(audits).toMatchObject([{ tool: "connection.doctor", outcome: "ok", connection_id: "con_test" }]);
    expect(orders().every(({ body }) => body.includes('"cOID":"gwdoc-'))).toBe(true);
  });

  it("is resumed after 25 hours by the broker's time, not before and not by the wall clock", async () => {
    const { report } = await bench.run();
    const before = orders().length;
    const sentAt = report.sentBrokerAt ?? Number.NaN;
    bench.clock.jump(24.9 * HOUR_MS);
    await expect(bench.run({ isResume: true })).rejects.toThrow(`Too early. Resume at ${resumeTime(sentAt)}.`);
    expect(orders()).toHaveLength(before);
    bench.clock.jump(0.2 * HOUR_MS);
    const marked = (await bench.connection()).duplicate_refusals_proven_at;
    const resumed = await bench.run({ isResume: true });
    expect(resumed.failure).toBeUndefined();
    expect(orders()).toHaveLength(before + 1);
    expect(found(resumed, "next_day")).toMatchObject({ customerOrderId: report.customerOrderId, again: { kind: "accepted" } });
    expect(resumed.report.findings).toHaveLength(6);
    expect((await bench.connection()).duplicate_refusals_proven_at).toBe(marked);
    await expectClean();
    await expect(bench.run({ isResume: true })).rejects.toThrow("Too early.");
  });

  it("is not resumed where there was none", async () => {
    await expect(bench.run({ isResume: true })).rejects.toThrow("There is no run to resume.");
    expect(bench.sent).toEqual([]);
  });

  it("does not set a mark on --resume that was cleared since", async () => {
    await bench.run();
    await bench.storage.db.updateTable("connections").set({ duplicate_refusals_proven_at: null }).execute();
    bench.clock.jump(26 * HOUR_MS);
    await bench.run({ isResume: true });
    expect((await bench.connection()).duplicate_refusals_proven_at).toBeNull();
  });
});

describe("a broker with other habits", () => {
  it("clears the mark when it takes a cOID twice", async () => {
    expect((await bench.connection()).duplicate_refusals_proven_at).not.toBeNull();
    bench.setNetwork(takesTwice());
    const result = await bench.run();
    expect(kinds(result, "working")).toEqual(["accepted", "accepted"]);
    expect(found(result, "working")?.orders).toBe(2);
    const row = await bench.connection();
    expect(row.duplicate_refusals_proven_at).toBeNull();
    expect(keepsAfterQuestion(row)).toBe(false);
    await expectClean();
  });

  it("keeps the mark, and gives confirmed orders another cOID, when a question registers it", async () => {
    bench.setNetwork(registers(3));
    const result = await bench.run();
    expect(kinds(result, "declined")).toEqual(["declined", "registered"]);
    const row = await bench.connection();
    expect(row.duplicate_refusals_proven_at).not.toBeNull();
    expect(keepsAfterQuestion(row)).toBe(false);
  });
});

describe("a connection that is not for the doctor", () => {
  it.each([["live"], ["unheard-of"]])("is refused in mode %s and nothing is sent, not even a login", async (mode) => {
    await bench.update({ mode });
    await expect(bench.run()).rejects.toThrow(
      "The doctor places orders, so it runs on paper and simulated connections only. Nothing was sent.",
    );
    expect(bench.sent).toEqual([]);
  });

  it("is refused when only the broker calls it live", () => {
    expect(() => refuseRealMoney("paper", "live")).toThrow("Nothing was sent.");
    expect(() => refuseRealMoney("live", "paper")).toThrow("Nothing was sent.");
    expect(() => refuseRealMoney("paper", "paper")).not.toThrow();
    expect(() => refuseRealMoney("simulated", "simulated")).not.toThrow();
  });

  it.each([
    ["paused", { paused_at: 1 }],
    ["frozen", { frozen_at: 1 }],
    ["stopped", { orders_stopped_at: 1 }],
  ])("is refused while it is %s, and no order is sent", async (_name, values) => {
    await bench.update(values);
    await expect(bench.run()).rejects.toThrow();
    expect(orders()).toEqual([]);
  });

  it.each(["received", "sending", "unknown", "unresolved"])("is refused while an order of it is %s", async (state) => {
    await insertRequest(state);
    await expect(bench.run()).rejects.toThrow("is on its way or has an unknown outcome. Nothing was sent.");
    expect(orders()).toEqual([]);
    expect((await bench.connection()).doctor_report).toBeNull();
  });
});

/** Writes a request of another order whose process lives. */
async function insertRequest(state: string): Promise<void> {
  await bench.storage.db
    .insertInto("order_requests")
    .values({
      id: "ord_other",
      user_id: "usr_test",
      connection_id: "con_test",
      account_id: "DU0000000",
      caller_id: "key",
      name_space: "key",
      client_order_id: "other",
      is_named: 1,
      arguments_hash: "hash",
      ticket: "{}",
      reason: null,
      state,
      result: null,
      owner_process: bench.neighbor,
      created_at: 1,
      updated_at: 1,
    })
    .execute();
}

describe("a run that ends early", () => {
  it("cancels what it placed when its connection is paused meanwhile, and keeps no order back for later", async () => {
    bench.setNetwork(async (request, pass) => {
      const response = await pass();
      if (request.path.includes("/reply/")) await bench.update({ paused_at: 1 });
      return response;
    });
    const result = await bench.run();
    expect(result.failure).toMatchObject({ code: "connection_paused" });
    expect(orders()).toHaveLength(1);
    expect(result.report.left).toEqual([]);
    expect((await bench.connection()).duplicate_refusals_proven_at).toBeNull();
    await bench.update({ paused_at: null });
    await expectClean();
    expect((await turn()).request).not.toBe("sending");
  });

  it("cancels the order that works when a user stops it right after the order was taken", async () => {
    const stop = new AbortController();
    bench.setNetwork(async (request, pass) => {
      const response = await pass();
      if (request.path.includes("/reply/")) stop.abort(new Error("Stopped."));
      return response;
    });
    const result = await bench.run({ stop: stop.signal });
    expect(result.failure).toMatchObject({ message: "Stopped." });
    expect(orders()).toHaveLength(1);
    expect([...(await bench.statesAtIbkr()).values()]).toEqual([["Cancelled"]]);
  });

  it.each(["working", "cancelled", "unanswered"] as const)("cancels what it placed when a user stops it in the case %s", async (name) => {
    const stop = new AbortController();
    const result = await bench.run({
      stop: stop.signal,
      onCase: (current) => {
        if (current === name) stop.abort(new Error("Stopped."));
      },
    });
    expect(result.failure).toMatchObject({ message: "Stopped." });
    expect(result.report.left).toEqual([]);
    await expectClean();
  });

  it("says what is left when a cancellation fails, and leaves an unknown order for a user", async () => {
    bench.setNetwork((request, pass) =>
      request.method === "DELETE" ? Promise.resolve(Response.json({ error: "internal error" }, { status: 500 })) : pass(),
    );
    const result = await bench.run();
    expect(result.report.left[0]).toMatch(/^Order \d+ \(gwdoc-[0-9a-f]+-1\) is not cancelled yet\. Cancel it in IBKR's app\.$/);
    expect(await turn()).toEqual({ request: "unknown", attempt: "unknown", doubt: 1 });
    expect(found(result, "cancelled")).toMatchObject({ skipped: expect.stringContaining("is not cancelled") });
    expect((await bench.connection()).duplicate_refusals_proven_at).toBeNull();
  });

  it("says so when the outcome of a sending is unknown", async () => {
    bench.setNetwork((request, pass) =>
      isOrder(request) ? Promise.reject(Object.assign(new TypeError("fetch failed"), { cause: new Error("socket hang up") })) : pass(),
    );
    const { report } = await bench.run();
    expect(report.left).toContainEqual(expect.stringMatching(/^The outcome of gwdoc-\S+-1 is unknown\./));
    expect(await turn()).toEqual({ request: "unknown", attempt: "unknown", doubt: 1 });
  });
});
