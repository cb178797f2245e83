/** The generated reference is up to date, and what users and models see changes only on purpose. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { referencePages } from "../script/reference-pages.ts";
import { describeSettings } from "../src/config.ts";
import { TOOLSETS } from "../src/connections/toolsets.ts";
import { ERROR_CODES } from "../src/lib/errors.ts";
import { loadTools } from "../src/mcp/load-tools.ts";
import { createRegistry } from "../src/mcp/registry.ts";

const ROOT = join(import.meta.dirname, "..");
const page = (name: string): string => readFileSync(join(ROOT, "docs/reference", name), "utf8");

it.each(Object.entries(await referencePages()))("docs/reference/%s is what script/docs writes", (name, text) => {
  expect(page(name)).toBe(text);
});

describe("the surface", () => {
  const EVERY_SET = TOOLSETS.map(({ name }) => name);
  const registry = createRegistry(loadTools(), { name: "ibkr-gateway", title: "IBKR Gateway", version: "0" });

  it("tools, arguments, descriptions, settings and error codes change only with their snapshot", () => {
    expect({
      tools: JSON.parse(registry.listResult({ scope: "write", toolsets: EVERY_SET }, "legacy").toString()) as unknown,
      toolsets: Object.fromEntries(TOOLSETS.map(({ name, tools }) => [name, tools])),
      readTools: registry.visibleTo({ scope: "read", toolsets: EVERY_SET }).map(({ tool }) => tool.name),
      settings: describeSettings().map(({ name, fallback }) => `${name}=${fallback ?? ""}`),
      errors: ERROR_CODES,
    }).toMatchSnapshot();
  });

  it("the core's list of tools stays under 18 KB in both eras", () => {
    for (const era of ["legacy", "2026-07-28"] as const)
      expect(registry.listResult({ scope: "write", toolsets: [] }, era).byteLength, era).toBeLessThanOrEqual(18_432);
  });

  it("every tool has a title, all four hints, an output schema, and a description of two sentences at most with an example", () => {
    for (const { tool } of registry.all) {
      expect(tool.title, tool.name).not.toBe("");
      expect(Object.keys(tool.annotations).toSorted(), tool.name).toEqual([
        "destructiveHint",
        "idempotentHint",
        "openWorldHint",
        "readOnlyHint",
      ]);
      expect(tool.outputSchema["type"], tool.name).toBe("object");
      expect(tool.description, tool.name).toMatch(/Example: \{/);
      expect(tool.description.length, tool.name).toBeLessThan(300);
    }
  });

  it("every field that an output schema declares is documented", () => {
    const answers = page("answers.md");
    const fields = registry.all.flatMap(({ tool }) => Object.keys(tool.outputSchema["properties"] as object));
    expect([...new Set(fields)].filter((field) => !answers.includes(`\`${field}\``))).toEqual([]);
  });
});

it("every file and link that the documents name exists", () => {
  for (const name of ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]) {
    const text = readFileSync(join(ROOT, name), "utf8");
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:|#)([^)#]+)\)/g))
      expect(() => readFileSync(join(ROOT, target), "utf8"), `${name}: ${target}`).not.toThrow(/ENOENT/);
    for (const [, target = ""] of text.matchAll(/`((?:src|test|script|docs)\/[\w./-]*\w\.\w+)`/g))
      expect(() => readFileSync(join(ROOT, target), "utf8"), `${name}: ${target}`).not.toThrow();
  }
});
