import { expect, test } from "vitest";

import { loadTools } from "./load-tools.ts";
import { createRegistry } from "./registry.ts";

const serverInfo = { name: "ibkr-gateway", title: "IBKR Gateway", version: "1.0.0" };
/** What a host's context is asked to hold. */
const MAX_LIST_BYTES = 18 * 1024;
const MAX_NAME = 64;

test("the whole list stays within its budget in either era", () => {
  const registry = createRegistry(loadTools(), serverInfo);
  expect(registry.listResult("write", "2026-07-28").length).toBeLessThanOrEqual(MAX_LIST_BYTES);
  expect(registry.listResult("write", "legacy").length).toBeLessThanOrEqual(MAX_LIST_BYTES);
});

test("every tool has a title, all four hints, an object schema in and out, and a short name", () => {
  for (const { tool, inputSchema } of createRegistry(loadTools(), serverInfo).visibleTo("write")) {
    expect(tool.title).not.toBe("");
    expect(Object.values(tool.annotations).filter((hint) => typeof hint === "boolean")).toHaveLength(4);
    expect([inputSchema["type"], tool.outputSchema["type"]]).toEqual(["object", "object"]);
    expect(tool.name).toMatch(/^[a-z_]+$/);
    expect(tool.name.length).toBeLessThanOrEqual(MAX_NAME);
  }
});

test("a preview changes nothing, though it needs the write scope", () => {
  const changing = createRegistry(loadTools(), serverInfo)
    .visibleTo("write")
    .filter((registered) => registered.changesSomething);
  expect(new Set(changing.map(({ tool }) => tool.name))).toEqual(new Set(["set_current_account", "cancel_order", "place_order"]));
});

test("a read scope sees no tool that changes something", () => {
  const visible = createRegistry(loadTools(), serverInfo).visibleTo("read");
  expect(visible.length).toBeGreaterThan(0);
  expect(visible.filter(({ tool }) => tool.scope === "write" || tool.annotations.destructiveHint)).toEqual([]);
});

test("two tools of one name are a mistake", () => {
  const [tool] = loadTools();
  expect(() => createRegistry(tool === undefined ? [] : [tool, tool], serverInfo)).toThrow("share a name");
});
