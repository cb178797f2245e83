import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { openOrderRows, type OrderRows } from "../../test/support/order-rows.ts";
import { registered } from "../../test/support/doctor-broker.ts";
import { scriptedDoctor } from "../../test/support/scripted-doctor.ts";
import { resumeTime } from "./doctor.ts";
import type { DoctorFinding, DoctorReport } from "./doctor-findings.ts";
import { DoctorRefusal } from "./doctor-refusal.ts";

const DAY_MS = 25 * 3_600_000;

let rows: OrderRows;
let doctor: Awaited<ReturnType<typeof scriptedDoctor>>;

beforeAll(async () => {
  rows = await openOrderRows();
});
afterAll(() => rows.stop());
beforeEach(async () => {
  doctor = await scriptedDoctor(rows);
});

describe("resuming", () => {
  const SENT_AT = Date.UTC(2026, 10, 22, 14, 0, 0);
  const working: DoctorFinding = { case: "working", customerOrderId: "gwdoc-0-1", orders: 1 };
  const earlier: DoctorReport = {
    run: "gwdoc-0",
    accountId: "DU2",
    symbol: "AAPL",
    at: 5,
    customerOrderId: "gwdoc-0-1",
    sentBrokerAt: SENT_AT,
    findings: [working],
    left: ["an order"],
  };
  const store = (report: Partial<DoctorReport>) => doctor.change({ doctor_report: JSON.stringify({ ...earlier, ...report }) });
  const atIbkr = (now: number | undefined) => doctor.ibkr.does({ time: () => now });
  const refused = async (message: string) => {
    const before = await doctor.connection();
    await expect(doctor.run({ isResume: true })).rejects.toEqual(new DoctorRefusal(message));
    expect([doctor.orders(), await doctor.attempts(), await doctor.connection()]).toEqual([[], [], before]);
  };

  test.each([
    ["no report", null],
    ["a report that can't be read", "{"],
    ["a report of a run that ended before its first case", JSON.stringify({ ...earlier, findings: [] })],
    ["a report without that case", JSON.stringify({ ...earlier, findings: [{ ...working, case: "refused" }] })],
  ])("is refused where there is %s", async (_name, doctor_report) => {
    await doctor.change({ doctor_report });
    await refused(`There is no run to resume. Run ibkr-gateway doctor --paper ${rows.owner.connectionId} first.`);
    expect(doctor.opened).toEqual([]);
  });

  test("is refused before 25 hours have passed at IBKR, to the millisecond", async () => {
    await store({});
    atIbkr(SENT_AT + DAY_MS - 1);
    await refused("Too early. Resume at 2026-11-23 15:00 UTC. Nothing was sent.");
    atIbkr(SENT_AT + DAY_MS);
    expect((await doctor.run({ isResume: true })).failure).toBeUndefined();
  });

  test.each([
    ["now", { sentBrokerAt: SENT_AT }, undefined],
    ["then", { sentBrokerAt: null }, SENT_AT + 2 * DAY_MS],
  ])("is refused where IBKR sends no time %s", async (_name, report, now) => {
    await store(report);
    atIbkr(now);
    await refused("IBKR sends no time, so 25 hours can't be proven. Nothing was sent.");
  });

  test("is refused where the account of the run is gone", async () => {
    await store({ accountId: "DU9" });
    atIbkr(SENT_AT + DAY_MS);
    await refused("The connection has no account for the doctor. Nothing was sent.");
  });

  test("sends the cOID again once in the same account, adds the finding and leaves the mark", async () => {
    await store({});
    const now = SENT_AT + DAY_MS;
    atIbkr(now);
    const cases: string[] = [];
    const { report } = await doctor.run({ isResume: true, onCase: (name) => void cases.push(name) });
    expect([cases, doctor.orders()]).toEqual([["next_day"], ["order gwdoc-0-1"]]);
    expect(doctor.ibkr.tickets).toMatchObject([{ accountId: "DU2" }]);
    const next = { case: "next_day", customerOrderId: "gwdoc-0-1", again: { kind: "accepted" }, orders: 1 };
    expect(report).toMatchObject({ ...earlier, sentBrokerAt: now, findings: [working, next], left: [] });
    expect(await doctor.stored()).toEqual(JSON.parse(JSON.stringify(report)));
    expect((await doctor.connection()).duplicate_refusals_proven_at).toBe(1);
    expect(doctor.ibkr.orders.get("1")?.status).toBe("Cancelled");
    expect(await doctor.audited()).toMatchObject({ arguments: expect.stringContaining('"resume":true'), outcome: "ok" });
  });

  test("replaces the finding of a former resuming", async () => {
    await store({ findings: [{ ...working, case: "next_day" }, working] });
    atIbkr(SENT_AT + DAY_MS);
    doctor.ibkr.does({ submitOrder: async ({ customerOrderId }) => registered(customerOrderId) });
    const { report } = await doctor.run({ isResume: true });
    expect(report.findings.map(({ case: name, again }) => [name, again?.kind])).toEqual([
      ["working", undefined],
      ["next_day", "registered"],
    ]);
  });

  test.each([
    [SENT_AT, "2026-11-23 15:00 UTC"],
    [SENT_AT + 1, "2026-11-23 15:01 UTC"],
    [SENT_AT + 60_000, "2026-11-23 15:01 UTC"],
  ])("of %i is shown with a time that is never too early", (sentAt, text) => {
    expect(resumeTime(sentAt)).toBe(text);
  });
});
