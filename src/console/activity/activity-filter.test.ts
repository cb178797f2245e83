import { describe, expect, it } from "vitest";

import type { AuditEntry } from "../../storage/audit-search.ts";
import { activityAddress, fits, readActivityFilter } from "./activity-filter.ts";

const read = (query: Record<string, string>) => readActivityFilter((name) => query[name]);

const ENTRY: AuditEntry = {
  sequence: 1,
  request_id: "req_1",
  at: Date.UTC(2026, 0, 2, 12),
  caller_id: "key_1",
  source: "apikey",
  scope: "read",
  connection_id: "con_1",
  tool: "get_quote",
  arguments: "{}",
  outcome: "error",
  code: "timeout",
  duration_us: 1,
  upstream_calls: 0,
  client: null,
  address: null,
  summary: null,
};

describe("the filter of an address", () => {
  it("is nothing when nothing is chosen", () => {
    const { filter, isFiltered, errors } = read({ caller: "", tool: "  " });
    expect(Object.values(filter).every((value) => value === undefined)).toBe(true);
    expect([isFiltered, errors]).toEqual([false, {}]);
  });

  it("reads days and times as UTC", () => {
    const { filter } = read({ from: "2026-01-02", until: "2026-01-02T13:30" });
    expect(filter).toMatchObject({ from: Date.UTC(2026, 0, 2), until: Date.UTC(2026, 0, 2, 13, 30) });
  });

  it.each(["yesterday", "2026-13-01", "2026-01-02T25:00", "1767312000000"])("says that %s is no time", (from) => {
    const { errors, filter, typed } = read({ from });
    expect([errors.from === undefined, filter.from, typed.from]).toEqual([false, undefined, from]);
  });

  it("says that an outcome is none of the list, and cuts what is too long", () => {
    expect(read({ outcome: "fine" }).errors.outcome).toBeDefined();
    expect(read({ tool: `a\0${"b".repeat(500)}` }).filter.tool).toBe(`a${"b".repeat(127)}`);
  });

  it("makes an address that reads as the same filter", () => {
    const { typed } = read({ tool: "get_quote", from: "2026-01-02", code: "a&b=c" });
    const address = new URL(activityAddress("/console/activity", typed, { before: "7" }), "http://gateway.test");
    expect(readActivityFilter((name) => address.searchParams.get(name) ?? undefined).typed).toEqual(typed);
    expect(address.searchParams.get("before")).toBe("7");
    expect(activityAddress("/console/activity", read({}).typed)).toBe("/console/activity");
  });

  it("fits the calls that the search finds by it", () => {
    expect(fits(ENTRY, {})).toBe(true);
    expect(fits(ENTRY, read({ caller: "key_1", connection: "con_1", tool: "get_quote", outcome: "error", code: "timeout" }).filter)).toBe(
      true,
    );
    for (const query of [{ caller: "key_2" }, { connection: "x" }, { tool: "y" }, { outcome: "ok" }, { code: "z" }]) {
      expect(fits(ENTRY, read(query).filter), JSON.stringify(query)).toBe(false);
    }
    expect(fits(ENTRY, read({ from: "2026-01-02T12:00", until: "2026-01-02T12:01" }).filter)).toBe(true);
    expect(fits(ENTRY, read({ until: "2026-01-02T12:00" }).filter)).toBe(false);
  });
});
