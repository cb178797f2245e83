import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { type FakeClock, fakeClock } from "../../test/support/fake-clock.ts";
import { seedOwner, type SeededOwner } from "../../test/support/seed-keys.ts";
import { recordingLog, silentLog } from "../../test/support/silent-log.ts";
import { ENGINES, startEngine, type TestDatabase, type TestEngine } from "../../test/support/storages.ts";
import { systemClock } from "../lib/clock.ts";
import type { AuditEnd, AuditStart } from "./audit-log.ts";
import { type AuditWriter, createAuditLog } from "./audit-writer.ts";
import type { Storage } from "./storage.ts";

const END: AuditEnd = { outcome: "ok", code: undefined, durationUs: 1_234.6, upstreamCalls: 1 };
const VICTIM = fileURLToPath(new URL("../../test/support/audit-victim.ts", import.meta.url));

describe.each(ENGINES)("the audit log on %s", (engine) => {
  let databases: TestEngine;
  let database: TestDatabase;
  let storage: Storage;
  let owner: SeededOwner;
  let audit: AuditWriter;
  beforeAll(async () => {
    databases = await startEngine(engine);
  });
  afterAll(() => databases.stop());
  beforeEach(async () => {
    database = await databases.createDatabase();
    storage = await database.open();
    owner = await seedOwner(storage);
    audit = createAuditLog({ storage, clock: systemClock, log: silentLog });
  });
  afterEach(() => audit.close());

  const call = (requestId: string, changes: Partial<AuditStart> = {}): AuditStart => ({
    requestId,
    at: 1_000,
    userId: owner.userId,
    callerId: "key_1",
    source: "apikey",
    scope: "read",
    connectionId: owner.connectionId,
    tool: "get_quote",
    arguments: '{"symbol":"AAPL"}',
    client: "curl/8",
    address: "127.0.0.1",
    ...changes,
  });
  const rows = () => storage.db.selectFrom("audit_log").selectAll().orderBy("sequence").execute();
  const requestIds = async () =>
    (await storage.db.selectFrom("audit_log").select("request_id").orderBy("sequence").execute()).map((row) => row.request_id);

  it("keeps every fact of a finished call", async () => {
    audit.record(call("r1"), END);
    audit.record(call("r2", { client: undefined, address: undefined }), {
      ...END,
      outcome: "error",
      code: "timeout",
      summary: `It took too long.${"x".repeat(300)}`,
    });
    await audit.flush();
    const [first, second] = await rows();
    expect(first).toEqual({
      sequence: 1,
      request_id: "r1",
      at: 1_000,
      user_id: owner.userId,
      caller_id: "key_1",
      source: "apikey",
      scope: "read",
      connection_id: owner.connectionId,
      tool: "get_quote",
      arguments: '{"symbol":"AAPL"}',
      outcome: "ok",
      code: null,
      duration_us: 1_235,
      upstream_calls: 1,
      client: "curl/8",
      address: "127.0.0.1",
      previous_hash: null,
      hash: null,
      summary: null,
    });
    expect(second).toMatchObject({ sequence: 2, outcome: "error", code: "timeout", client: null, address: null });
    expect(second?.summary).toMatch(/^It took too long\.x{183}$/);
  });

  it("writes by itself within moments", async () => {
    const clock = fakeClock();
    const own = createAuditLog({ storage, clock, log: silentLog });
    own.record(call("r1"), END);
    await clock.advance(60);
    await own.flush();
    expect(await requestIds()).toEqual(["r1"]);
    await own.close();
  });

  it.each([1, 63, 64, 65, 1_000, 1_025])("loses none of %i calls when it is closed right after, and keeps their order", async (count) => {
    const expected = Array.from({ length: count }, (_value, index) => `r${index}`);
    for (const requestId of expected) audit.record(call(requestId), END);
    await audit.close();
    expect(await requestIds()).toEqual(expected);
    expect([audit.queued, audit.lost]).toEqual([0, 0]);
  });

  it("has the start of an order on disk before it runs, and its end before it is answered", async () => {
    await audit.begin(call("order", { tool: "place_order", scope: "write" }));
    expect(await rows()).toMatchObject([{ request_id: "order", outcome: "started", duration_us: null }]);
    await audit.complete("order", { ...END, outcome: "error", code: "broker_rejected", summary: "No." });
    expect(await rows()).toMatchObject([
      { request_id: "order", outcome: "error", code: "broker_rejected", duration_us: 1_235, summary: "No." },
    ]);
  });

  it("never changes the end of a call once it is written", async () => {
    await audit.begin(call("order"));
    await audit.complete("order", END);
    await audit.complete("order", { ...END, outcome: "error" });
    expect(await rows()).toMatchObject([{ outcome: "ok" }]);
    expect(audit.lost).toBe(1);
  });

  it("refuses to begin a call that it can't put on record", async () => {
    await expect(audit.begin(call("order", { userId: "nobody" }))).rejects.toThrow(/foreign key/i);
  });

  it("names an entry that the database will never take, and writes its neighbours", async () => {
    const { log, lines } = recordingLog();
    const own = createAuditLog({ storage, clock: systemClock, log });
    for (const [requestId, userId] of [
      ["a", owner.userId],
      ["b", "deleted"],
      ["c", owner.userId],
    ] as const)
      own.record(call(requestId, { userId }), END);
    await own.close();
    expect(await requestIds()).toEqual(["a", "c"]);
    expect(own.lost).toBe(1);
    expect(lines).toMatchObject([{ level: 50, requestId: "b", msg: "an audit entry is lost" }]);
  });

  it("stores whatever text comes from outside, within bounds", async () => {
    const odd = "\0\ud800 \u{1d11e} 'quoted' ";
    audit.record(
      call("odd", { tool: odd + "t".repeat(500), client: odd + "c".repeat(500), address: odd, arguments: `"${"a".repeat(10_000)}"` }),
      END,
    );
    await audit.close();
    const [row] = await rows();
    expect([row?.tool.length, row?.client?.length, row?.arguments]).toEqual([127, 199, '{"cut":true}']);
    expect(row?.address).toBe("\ufffd \u{1d11e} 'quoted' ");
  });

  it("has every order that began, also when the process is killed between two of them", async () => {
    const place = "file" in database.location ? ["file", database.location.file] : ["databaseUrl", database.location.databaseUrl];
    const victim = spawn(process.execPath, [VICTIM, ...place, owner.userId], { stdio: ["ignore", "pipe", "inherit"] });
    const begun: string[] = [];
    for await (const line of createInterface({ input: victim.stdout })) {
      begun.push(line);
      if (begun.length === 25) victim.kill("SIGKILL");
    }
    if (victim.exitCode === null && victim.signalCode === null) await once(victim, "exit");
    expect(victim.signalCode).toBe("SIGKILL");
    const found = await rows();
    expect(found.map((row) => row.request_id)).toEqual(expect.arrayContaining(begun));
    expect(new Set(found.map((row) => row.outcome))).toEqual(new Set(["started"]));
    // One more may have been written whose id was not printed any more.
    expect(found.length - begun.length).toBeLessThanOrEqual(1);
  });
});

describe("the audit log of a failing database", () => {
  let databases: TestEngine;
  let storage: Storage;
  let owner: SeededOwner;
  let clock: FakeClock;
  beforeEach(async () => {
    databases = await startEngine("sqlite");
    storage = await (await databases.createDatabase()).open();
    owner = await seedOwner(storage);
    clock = fakeClock();
  });
  afterEach(() => databases.stop());

  const call = (requestId: string): AuditStart => ({
    requestId,
    at: 1,
    userId: owner.userId,
    callerId: "key_1",
    source: "apikey",
    scope: "read",
    connectionId: owner.connectionId,
    tool: "get_quote",
    arguments: "{}",
    client: undefined,
    address: undefined,
  });
  const count = async () => (await storage.db.selectFrom("audit_log").select("sequence").execute()).length;
  const breakDatabase = () => sql`alter table audit_log rename to audit_log_away`.execute(storage.db);
  const repairDatabase = () => sql`alter table audit_log_away rename to audit_log`.execute(storage.db);

  it("says so, keeps what came, waits longer each time, and writes it when the database is back", async () => {
    const { log, lines } = recordingLog();
    const audit = createAuditLog({ storage, clock, log });
    await breakDatabase();
    for (let index = 0; index < 100; index += 1) audit.record(call(`r${index}`), END);
    await clock.advance(1_000);
    const failures = lines.filter((line) => line["msg"] === "the audit log can't be written");
    expect(failures.map((line) => line["retryMs"])).toEqual([100, 200, 400, 800]);
    expect([audit.queued, audit.lost]).toEqual([100, 0]);
    await repairDatabase();
    await clock.advance(2_000);
    await audit.close();
    expect([await count(), audit.queued, audit.lost]).toEqual([100, 0, 0]);
  });

  it("has no room when its queue is full, and names each further call in the log", async () => {
    const { log, lines } = recordingLog();
    const audit = createAuditLog({ storage, clock, log });
    await breakDatabase();
    for (let index = 0; audit.hasRoom(); index += 1) audit.record(call(`r${index}`), END);
    const full = audit.queued;
    audit.record(call("one-too-many"), END);
    expect([full, audit.queued, audit.lost]).toEqual([16_384, 16_384, 1]);
    expect(lines.at(-1)).toMatchObject({ requestId: "one-too-many", err: { message: "the queue is full" } });
    await repairDatabase();
    await audit.close();
    expect(await count()).toBe(16_384);
  });

  it("keeps the end of an order for later, since the order is done", async () => {
    const audit = createAuditLog({ storage, clock, log: silentLog });
    await audit.begin(call("order"));
    await breakDatabase();
    await audit.complete("order", END);
    await repairDatabase();
    await audit.close();
    expect(await storage.db.selectFrom("audit_log").select(["request_id", "outcome"]).execute()).toEqual([
      { request_id: "order", outcome: "ok" },
    ]);
  });

  it("gives up on close after a few tries, says how much is lost, and names each call", async () => {
    const { log, lines } = recordingLog();
    const audit = createAuditLog({ storage, clock, log });
    await breakDatabase();
    audit.record(call("r1"), END);
    audit.record(call("r2"), END);
    const closing = expect(audit.close()).rejects.toThrow("2 audit entries could not be written before the end");
    await clock.advance(5_000);
    await closing;
    expect(lines.filter((line) => line["msg"] === "an audit entry is lost").map((line) => line["requestId"])).toEqual(["r1", "r2"]);
  });

  it("after its close takes nothing in silence", async () => {
    const audit = createAuditLog({ storage, clock, log: silentLog });
    await audit.close();
    audit.record(call("late"), END);
    expect([await count(), audit.lost]).toEqual([0, 1]);
  });
});
