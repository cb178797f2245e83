import { expect, test } from "vitest";

import type { Scope } from "../connections/caller.ts";
import { TOOLSETS } from "../connections/toolsets.ts";
import { loadTools } from "./load-tools.ts";
import { type Audience, createRegistry } from "./registry.ts";

const serverInfo = { name: "ibkr-gateway", title: "IBKR Gateway", version: "1.0.0" };
/** What a host's context is asked to hold. */
const MAX_LIST_BYTES = 18 * 1024;
/** The same for a read scope. */
const MAX_READ_BYTES = 12_800;
/** What one toolset adds. */
const MAX_SET_BYTES = 3 * 1024;
/** With every toolset. */
const MAX_WHOLE_BYTES = 25_600;
const MAX_NAME = 64;

const ERAS = ["legacy", "2026-07-28"] as const;
const SCOPES = ["read", "write"] as const;
const EVERY_SET = TOOLSETS.map(({ name }) => name);
const core = (scope: Scope) => ({ scope, toolsets: [] });
const whole = (scope: Scope) => ({ scope, toolsets: EVERY_SET });

test("the core's list stays within its budget in either era, and that of everything within its own", () => {
  const registry = createRegistry(loadTools(), serverInfo);
  for (const era of ERAS) {
    expect(registry.listResult(core("write"), era).length).toBeLessThanOrEqual(MAX_LIST_BYTES);
    expect(registry.listResult(core("read"), era).length).toBeLessThanOrEqual(MAX_READ_BYTES);
    for (const toolset of EVERY_SET) {
      const added = registry.listResult({ scope: "read", toolsets: [toolset] }, era).length - registry.listResult(core("read"), era).length;
      expect(added, toolset).toBeLessThanOrEqual(MAX_SET_BYTES);
    }
    expect(registry.listResult(whole("write"), era).length).toBeLessThanOrEqual(MAX_WHOLE_BYTES);
  }
});

test("a toolset adds its tools to those of the scope, after them, and the lists are made once", () => {
  const registry = createRegistry(loadTools(), serverInfo);
  const names = (audience: Audience) => registry.visibleTo(audience).map(({ tool }) => tool.name);
  for (const scope of SCOPES) {
    for (const { name, tools } of TOOLSETS) {
      expect(names({ scope, toolsets: [name] })).toEqual([...names(core(scope)), ...tools]);
      expect(registry.listResult({ scope, toolsets: [name] }, "legacy")).toBe(registry.listResult({ scope, toolsets: [name] }, "legacy"));
    }
    expect(names(whole(scope))).toEqual([...names(core(scope)), ...TOOLSETS.flatMap(({ tools }) => tools)]);
    expect(names({ scope, toolsets: EVERY_SET.toReversed() })).toEqual(names(whole(scope)));
  }
});

test("every tool of a toolset is there and only reads", () => {
  const registry = createRegistry(loadTools(), serverInfo);
  const tools = TOOLSETS.flatMap((set) => set.tools.map((name) => registry.find(name)?.tool));
  expect(tools.filter((tool) => tool?.scope !== "read" || !tool.annotations.readOnlyHint)).toEqual([]);
});

test("every tool has a title, all four hints, an object schema in and out, and a short name", () => {
  for (const { tool, inputSchema } of createRegistry(loadTools(), serverInfo).all) {
    expect(tool.title).not.toBe("");
    expect(Object.values(tool.annotations).filter((hint) => typeof hint === "boolean")).toHaveLength(4);
    expect([inputSchema["type"], tool.outputSchema["type"]]).toEqual(["object", "object"]);
    expect(tool.name).toMatch(/^[a-z_]+$/);
    expect(tool.name.length).toBeLessThanOrEqual(MAX_NAME);
  }
});

test("a preview changes nothing, though it needs the write scope", () => {
  const changing = createRegistry(loadTools(), serverInfo).all.filter((registered) => registered.changesSomething);
  expect(new Set(changing.map(({ tool }) => tool.name))).toEqual(new Set(["set_current_account", "cancel_order", "place_order"]));
});

test("a read scope sees no tool that changes something", () => {
  const visible = createRegistry(loadTools(), serverInfo).visibleTo(whole("read"));
  expect(visible.length).toBeGreaterThan(0);
  expect(visible.filter(({ tool }) => tool.scope === "write" || tool.annotations.destructiveHint)).toEqual([]);
});

test("two tools of one name are a mistake", () => {
  const [tool] = loadTools();
  expect(() => createRegistry(tool === undefined ? [] : [tool, tool], serverInfo)).toThrow("share a name");
});
