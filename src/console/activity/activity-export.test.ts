import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { seedOwner, type SeededOwner } from "../../../test/support/seed-keys.ts";
import { startEngine, type TestEngine } from "../../../test/support/storages.ts";
import { auditRow, prepareAuditInsert } from "../../storage/audit-rows.ts";
import type { Storage } from "../../storage/storage.ts";
import { activityExport, csvCell, type ExportFormat } from "./activity-export.ts";

describe("a cell of the table", () => {
  it.each([
    ["plain", "plain"],
    ["with, comma", '"with, comma"'],
    ['a "quote"', '"a ""quote"""'],
    ["two\nlines", '"two\nlines"'],
    ["=HYPERLINK(1)", `"'=HYPERLINK(1)"`],
    ["+1", `"'+1"`],
    ["-1", `"'-1"`],
    ["@sum", `"'@sum"`],
    ["\t=1", `"'\t=1"`],
    [" =1", `"' =1"`],
    ["|cmd", `"'|cmd"`],
  ])("%j is written as %s: no spreadsheet takes it for a formula", (value, written) => {
    expect(csvCell(value)).toBe(written);
  });

  it("keeps numbers numbers and nothing nothing", () => {
    expect([csvCell(-1.5), csvCell(null), csvCell("")]).toEqual(["-1.5", "", ""]);
  });
});

describe("an export", () => {
  let engine: TestEngine;
  let storage: Storage;
  let owner: SeededOwner;
  beforeAll(async () => {
    engine = await startEngine("sqlite");
    storage = await (await engine.createDatabase()).open();
    owner = await seedOwner(storage, "=ada");
    const start = { userId: owner.userId, callerId: "key_1", source: "apikey", scope: "read", connectionId: owner.connectionId } as const;
    const rows = Array.from({ length: 1_203 }, (_, index) =>
      auditRow(
        { ...start, requestId: `req_${index}`, at: index, tool: "get_quote", arguments: '{"a":"b"}', client: "=cmd", address: undefined },
        { outcome: "ok", code: undefined, durationUs: 1_500, upstreamCalls: 1 },
      ),
    );
    await prepareAuditInsert(storage)(storage.db, rows);
  });
  afterAll(() => engine.stop());

  const written = async (format: ExportFormat, filter = {}) => {
    const stream = activityExport(storage, { userId: owner.userId, filter, format });
    return await new Response(stream).text();
  };

  it("writes each call once, over several pages, as JSON lines", async () => {
    const calls = (await written("jsonl"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(calls.map((call) => call["request_id"])).toEqual(Array.from({ length: 1_203 }, (_, index) => `req_${1_202 - index}`));
    expect(calls[0]).toMatchObject({
      time: "1970-01-01T00:00:01.202Z",
      duration_ms: 1.5,
      arguments: { a: "b" },
      connection: "=ada's connection",
    });
  });

  it("writes a table with a heading, what could be a formula made harmless", async () => {
    const lines = (await written("csv", { until: 2 })).split("\r\n");
    expect(lines).toHaveLength(4);
    expect(lines[1]).toContain(`"'=ada's connection",1.5,1,"'=cmd",,"{""a"":""b""}",`);
  });

  it("writes the heading alone, or nothing, when nothing fits", async () => {
    expect((await written("csv", { tool: "none" })).split("\r\n")).toHaveLength(2);
    expect(await written("jsonl", { tool: "none" })).toBe("");
  });
});
