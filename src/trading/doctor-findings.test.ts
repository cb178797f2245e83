import { describe, expect, it } from "vitest";

import {
  type DoctorCase,
  type DoctorFinding,
  type DoctorReply,
  keepsAfterQuestion,
  parseDoctorReport,
  verdictOf,
} from "./doctor-findings.ts";

const reply = (kind: DoctorReply["kind"]): DoctorReply => ({ kind, said: "", questions: [] });

function finding(name: DoctorCase, again: DoctorReply["kind"] | undefined, over: Partial<DoctorFinding> = {}): DoctorFinding {
  return { case: name, customerOrderId: "gwdoc1", orders: 1, ...(again === undefined ? {} : { again: reply(again) }), ...over };
}

const proven = [finding("working", "registered"), finding("cancelled", "registered")];
const freed = finding("declined", "accepted", { first: reply("declined") });

describe("the mark", () => {
  it("is set when IBKR refused the cOID while the order worked and after its cancellation", () => {
    expect(verdictOf(proven).refusesDuplicates).toBe(true);
  });

  it.each([
    ["nothing was seen", []],
    ["one case is missing", [finding("working", "registered")]],
    ["the other case is missing", [finding("cancelled", "registered")]],
    ["a case was not tried to its end", [finding("working", "registered"), finding("cancelled", undefined)]],
    ["IBKR took it while the order worked", [finding("working", "accepted"), finding("cancelled", "registered")]],
    ["IBKR took it after the cancellation", [finding("working", "registered"), finding("cancelled", "accepted")]],
    ["IBKR refused in other words", [finding("working", "refused"), finding("cancelled", "registered")]],
    ["the outcome is unknown", [finding("working", "registered"), finding("cancelled", "unknown")]],
    ["IBKR said no but lists two orders", [finding("working", "registered", { orders: 2 }), finding("cancelled", "registered")]],
    ["another case shows two orders under one cOID", [...proven, finding("unanswered", "accepted", { orders: 2 })]],
    ["a later finding of the case differs", [...proven, finding("working", "accepted")]],
  ])("is not set when %s", (_name, findings) => {
    expect(verdictOf(findings).refusesDuplicates).toBe(false);
  });

  it.each(["next_day", "refused"] as const)("does not depend on the case %s, in which a second order is none too many", (name) => {
    expect(verdictOf([...proven, finding(name, "accepted", { orders: 2 })]).refusesDuplicates).toBe(true);
  });
});

describe("a declined question", () => {
  it("leaves its cOID free when IBKR took the no, and then an order with the same cOID", () => {
    expect(verdictOf([...proven, freed]).declinedRegistersNothing).toBe(true);
  });

  it.each([
    ["it was not seen", proven],
    ["IBKR refused the cOID afterwards", [...proven, { ...freed, again: reply("registered") }]],
    ["IBKR's answer to the no was unclear", [...proven, { ...freed, first: reply("unknown") }]],
    ["IBKR takes cOIDs twice anyway", [freed]],
    ["it was not asked", [...proven, { ...freed, first: undefined }]],
    ["nothing was sent after it", [...proven, { ...freed, again: undefined }]],
    ["both orders are there", [...proven, { ...freed, orders: 2 }]],
  ])("proves nothing when %s", (_name, findings) => {
    expect(verdictOf(findings).declinedRegistersNothing).toBe(false);
  });

  it("counts only while the mark holds", () => {
    const report = { run: "r", accountId: "a", symbol: "s", at: 0, customerOrderId: "c", sentBrokerAt: null, left: [] };
    const doctor_report = JSON.stringify({ ...report, findings: [...proven, freed] });
    expect(keepsAfterQuestion({ duplicate_refusals_proven_at: 1, doctor_report })).toBe(true);
    expect(keepsAfterQuestion({ duplicate_refusals_proven_at: null, doctor_report })).toBe(false);
    expect(keepsAfterQuestion({ duplicate_refusals_proven_at: 1, doctor_report: null })).toBe(false);
  });
});

describe("a stored report", () => {
  it.each(["", "{", "null", "[]", '{"run":1}'])("that can't be read proves nothing: %s", (text) => {
    expect(parseDoctorReport(text)).toBeUndefined();
    expect(keepsAfterQuestion({ duplicate_refusals_proven_at: 1, doctor_report: text })).toBe(false);
  });
});
