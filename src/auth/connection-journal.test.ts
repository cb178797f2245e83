import { describe, expect, it } from "vitest";

import { fakeClock } from "../../test/support/fake-clock.ts";
import { systemRandom } from "../lib/random.ts";
import type { AuditEnd, AuditStart } from "../storage/audit-log.ts";
import { createConnectionJournal } from "./connection-journal.ts";

const CONNECTION = { connectionId: "con_1", userId: "usr_1", label: "Mine", mode: "paper", kind: "ibkr-oauth" };
const FACTS = { userId: "usr_1", requestId: "req_1", address: "192.0.2.7" };

function recorded() {
  const rows: (AuditStart & AuditEnd)[] = [];
  const audit = { record: (start: AuditStart, end: AuditEnd) => void rows.push({ ...start, ...end }) };
  return { rows, journal: createConnectionJournal({ audit, clock: fakeClock(), random: systemRandom }) };
}

describe("what happens to a connection", () => {
  it("is on record with who did it, from where, and the name that the connection had", () => {
    const { rows, journal } = recorded();
    journal.note("connection.renamed", { ...CONNECTION, label: "New" }, { ...FACTS, summary: "Mine → New" });
    const who = { userId: "usr_1", callerId: "usr_1", source: "person", requestId: "req_1", address: "192.0.2.7" };
    expect(rows).toMatchObject([{ ...who, connectionId: "con_1", tool: "connection.renamed", outcome: "ok", summary: "Mine → New" }]);
    expect(JSON.parse(rows[0]?.arguments ?? "")).toEqual({ connection: "New", mode: "paper", kind: "ibkr-oauth" });
  });

  it("keeps further facts, but nothing of the connection that wasn't asked for", () => {
    const { rows, journal } = recorded();
    const known = { ...CONNECTION, sealed_secrets: "never" };
    journal.note("connection.deleted", known, { ...FACTS, details: { api_keys: 2 } });
    expect(JSON.parse(rows[0]?.arguments ?? "")).toEqual({ connection: "Mine", mode: "paper", kind: "ibkr-oauth", api_keys: 2 });
  });

  it("says of a freezing that the gateway did it, and why, in a request of its own", () => {
    const { rows, journal } = recorded();
    journal.noteByGateway("connection.frozen", CONNECTION, { because: "The broker says that this is a live account." });
    journal.noteByGateway("connection.frozen", CONNECTION, { because: "Again." });
    const what = { source: "gateway", tool: "connection.frozen", userId: "usr_1", address: undefined };
    expect(rows[0]).toMatchObject({ ...what, summary: "The broker says that this is a live account." });
    expect(rows[0]?.requestId).toMatch(/^req_/);
    expect(rows[0]?.requestId).not.toBe(rows[1]?.requestId);
  });

  it("counts what the gateway found wrong as a failure, by its code", () => {
    const { rows, journal } = recorded();
    journal.noteByGateway("order.unresolved", CONNECTION, { because: "BUY 5 KO", code: "outcome_unresolved", details: { order: "ord_1" } });
    expect(rows).toMatchObject([{ source: "gateway", tool: "order.unresolved", outcome: "error", code: "outcome_unresolved" }]);
    expect(JSON.parse(rows[0]?.arguments ?? "")).toMatchObject({ connection: "Mine", order: "ord_1" });
  });
});
