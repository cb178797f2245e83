import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type SeededOwner, seedOwner } from "../../test/support/seed-keys.ts";
import { ENGINES, startEngine, type TestEngine } from "../../test/support/storages.ts";
import { listAuditFailures } from "./audit-failures.ts";
import type { AuditEnd, AuditStart } from "./audit-log.ts";
import { auditRow, prepareAuditInsert } from "./audit-rows.ts";
import { type AuditFilter, findAuditPage, findAuditRequest, latestAuditSequence, listAuditSince } from "./audit-search.ts";
import type { Storage } from "./storage.ts";

const HOUR_MS = 3_600_000;
const TOOLS = ["get_quote", "get_positions", "place_order"];

/** Writes `count` calls of one owner a second apart, oldest first: every tenth fails, tools take turns. */
async function seedCalls(storage: Storage, owner: SeededOwner, count: number, name: string): Promise<void> {
  const insert = prepareAuditInsert(storage);
  for (let start = 0; start < count; start += 5_000) {
    const rows = Array.from({ length: Math.min(5_000, count - start) }, (_, offset) => {
      const index = start + offset;
      const call: AuditStart = {
        requestId: `req_${name}${index}`,
        at: 1_000 * index,
        userId: owner.userId,
        callerId: index % 1_000 === 7 ? "key_rare" : "key_usual",
        source: "apikey",
        scope: "write",
        connectionId: owner.connectionId,
        tool: TOOLS[index % 3] ?? "",
        arguments: '{"symbol":"AAPL"}',
        client: "curl",
        address: "127.0.0.1",
      };
      const fails = index % 10 === 0;
      const end: AuditEnd = { outcome: fails ? "error" : "ok", code: fails ? "timeout" : undefined, durationUs: 5_000, upstreamCalls: 2 };
      return auditRow(call, end);
    });
    await storage.transaction((transaction) => insert(transaction, rows), { durability: "relaxed" });
  }
}

describe.each(ENGINES)("the search of calls on %s", (engineName) => {
  let engine: TestEngine;
  let storage: Storage;
  let owner: SeededOwner;
  let other: SeededOwner;
  beforeAll(async () => {
    engine = await startEngine(engineName);
    storage = await (await engine.createDatabase()).open();
    owner = await seedOwner(storage, "ada");
    other = await seedOwner(storage, "grace");
    await seedCalls(storage, owner, 200, "a");
    await seedCalls(storage, other, 5, "g");
  });
  afterAll(() => engine.stop());

  const all = async (filter: AuditFilter, limit = 50) => {
    const found: string[] = [];
    for (let before: number | undefined; ;) {
      const { entries, next } = await findAuditPage(storage, { userId: owner.userId, filter, before, limit });
      expect(entries.length).toBeLessThanOrEqual(limit);
      found.push(...entries.map((entry) => entry.request_id));
      if (next === undefined) return found;
      before = next;
    }
  };

  it("pages through all of a user's calls, newest first, each once and nobody else's", async () => {
    expect(await all({})).toEqual(Array.from({ length: 200 }, (_, index) => `req_a${199 - index}`));
    expect(await all({}, 200)).toHaveLength(200);
  });

  it("filters by caller, connection, tool, outcome, code and time, all at once", async () => {
    expect(await all({ callerId: "key_rare" })).toEqual(["req_a7"]);
    expect(await all({ connectionId: other.connectionId })).toEqual([]);
    expect(await all({ tool: "place_order" })).toHaveLength(66);
    expect(await all({ outcome: "error" })).toHaveLength(20);
    expect(await all({ code: "timeout", tool: "get_quote" })).toHaveLength(7);
    expect(await all({ from: 100_000, until: 103_000 })).toEqual(["req_a102", "req_a101", "req_a100"]);
  });

  it("finds a request of its owner alone", async () => {
    expect(await findAuditRequest(storage, { userId: owner.userId, requestId: "req_a3" })).toMatchObject([
      { request_id: "req_a3", tool: "get_quote", arguments: '{"symbol":"AAPL"}', duration_us: 5_000, upstream_calls: 2 },
    ]);
    expect(await findAuditRequest(storage, { userId: other.userId, requestId: "req_a3" })).toEqual([]);
  });

  it("tells what came after a sequence", async () => {
    const latest = await latestAuditSequence(storage, owner.userId);
    expect(await listAuditSince(storage, { userId: owner.userId, after: latest, limit: 10 })).toEqual([]);
    const since = await listAuditSince(storage, { userId: owner.userId, after: latest - 3, limit: 2 });
    expect(since.map((entry) => entry.request_id)).toEqual(["req_a197", "req_a198"]);
    expect(await latestAuditSequence(storage, "usr_nobody")).toBe(0);
  });

  it("groups failures by code, tool and connection, with how often and when", async () => {
    const groups = await listAuditFailures(storage, { userId: owner.userId, since: 100_000 });
    const { connectionId } = owner;
    const about = { code: "timeout", connectionId, lastSummary: null };
    expect(groups).toEqual([
      { ...about, tool: "get_positions", count: 4, firstAt: 100_000, lastAt: 190_000, lastRequestId: "req_a190" },
      { ...about, tool: "get_quote", count: 3, firstAt: 120_000, lastAt: 180_000, lastRequestId: "req_a180" },
      { ...about, tool: "place_order", count: 3, firstAt: 110_000, lastAt: 170_000, lastRequestId: "req_a170" },
    ]);
    expect(await listAuditFailures(storage, { userId: "usr_nobody", since: 0 })).toEqual([]);
  });
});

describe("the search of 100,000 calls", () => {
  let engine: TestEngine;
  let storage: Storage;
  let owner: SeededOwner;
  beforeAll(async () => {
    engine = await startEngine("sqlite");
    storage = await (await engine.createDatabase()).open();
    owner = await seedOwner(storage, "ada");
    await seedCalls(storage, owner, 100_000, "a");
  }, 120_000);
  afterAll(() => engine.stop());

  const median = async (work: () => Promise<unknown>): Promise<number> => {
    const times: number[] = [];
    for (let round = 0; round < 15; round += 1) {
      const startedAt = performance.now();
      await work();
      times.push(performance.now() - startedAt);
    }
    return times.toSorted((a, b) => a - b)[7] ?? Number.NaN;
  };
  const page = (filter: AuditFilter, before?: number) => () => findAuditPage(storage, { userId: owner.userId, filter, before, limit: 50 });

  it("goes on where a page stopped looking, to the beginning", async () => {
    let [found, pages] = [0, 0];
    for (let before: number | undefined; ;) {
      const { entries, next } = await page({ callerId: "key_rare" }, before)();
      found += entries.length;
      pages += 1;
      if (next === undefined) break;
      before = next;
    }
    expect(found).toBe(100);
    expect(pages).toBeGreaterThan(1);
  });

  it.each([
    ["the newest page", page({})],
    ["a page in the middle", page({}, 50_000)],
    ["the failures", page({ outcome: "error" })],
    ["one tool", page({ tool: "place_order" })],
    ["a rare caller, as far as one page looks", page({ callerId: "key_rare", tool: "get_quote" })],
    ["nothing at all, as far as one page looks", page({ callerId: "key_none" })],
    ["an hour long ago, as far as one page looks", page({ from: HOUR_MS, until: 2 * HOUR_MS })],
    ["the failures of a fortnight by groups", () => listAuditFailures(storage, { userId: owner.userId, since: 99_000_000 })],
    ["one request", () => findAuditRequest(storage, { userId: owner.userId, requestId: "req_a777" })],
  ])("answers %s within 20 ms at the median", async (name, work) => {
    const p50 = await median(work);
    process.stdout.write(`audit search, 100,000 rows, ${name}: p50 ${p50.toFixed(2)} ms\n`);
    expect(p50).toBeLessThan(20);
  });
});
