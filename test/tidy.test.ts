/** Rules of the house that no linter knows: who may import whom, words that have a better one, docstrings on exports. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const SOURCE = join(ROOT, "src");

/** Folder → what its files may import besides `lib` and itself; a path names one file. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  broker: [],
  simulator: [],
  ibkr: ["broker"],
  storage: ["broker"],
  upstreams: ["broker", "ibkr", "simulator"],
  connections: ["broker", "storage", "upstreams"],
  trading: ["broker", "storage", "connections"],
  tools: ["broker", "connections", "trading", "mcp/define-tool.ts"],
  mcp: ["broker", "connections", "trading", "storage/audit-log.ts"],
  pages: [],
  auth: ["storage", "connections", "pages"],
  console: ["broker", "connections", "trading", "storage", "auth", "pages"],
  help: ["pages"],
  http: ["mcp", "auth", "console", "help", "connections", "pages"],
};

/** Files that may reach further, each with its reason. */
const EXCEPTIONS: Readonly<Record<string, readonly string[]>> = {
  // The one door between the protocol and the tools.
  "mcp/load-tools.ts": ["tools"],
  "mcp/define-tool.ts": ["broker", "connections", "trading"],
};

/** Composition: these see everything. */
const TOP = /^(?:app|main|cli|config|demo)(?:-[a-z-]+)?(?:\.test)?\.ts$/;

function filesUnder(folder: string, pattern: RegExp): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

const sources = filesUnder(SOURCE, /\.tsx?$/).map((path) => ({ path, name: relative(SOURCE, path), text: readFileSync(path, "utf8") }));

function importsOf(file: { path: string; text: string }): string[] {
  return [...file.text.matchAll(/(?:from|import)\s+"(\.{1,2}\/[^"]+)"/g)].map(([, target]) =>
    relative(SOURCE, resolve(dirname(file.path), target ?? "")),
  );
}

const isTest = (name: string): boolean => /\.test\.tsx?$/.test(name);

describe("imports", () => {
  it("each file imports only what its folder may", () => {
    const offenders = sources
      .filter((file) => file.name.includes("/") && !isTest(file.name))
      .flatMap((file) => {
        const [folder = ""] = file.name.split("/");
        const allowed = ["lib", folder, ...(MAY_IMPORT[folder] ?? []), ...(EXCEPTIONS[file.name] ?? [])];
        const foreign = importsOf(file).filter((target) => !allowed.some((place) => target === place || target.startsWith(`${place}/`)));
        return foreign.map((target) => `${file.name} imports ${target}`);
      });
    expect(offenders).toEqual([]);
  });

  it("only the composition root stands outside the folders", () => {
    expect(sources.filter((file) => !file.name.includes("/") && !TOP.test(file.name)).map((file) => file.name)).toEqual([]);
  });

  it("every folder has its row in the table", () => {
    const folders = new Set(sources.filter((file) => file.name.includes("/")).map((file) => file.name.split("/")[0] ?? ""));
    expect([...folders].filter((folder) => MAY_IMPORT[folder] === undefined)).toEqual([]);
  });
});

/** Pattern → what to use. */
const BANNED: readonly (readonly [RegExp, string, RegExp])[] = [
  [/\bDate\.now\(|\bnew Date\(\)/, "a Clock parameter", /^(?:lib\/|main|cli|simulator\/cli)/],
  [/\bMath\.random\(/, "a Random parameter", /^lib\//],
  [/\bset(?:Timeout|Interval)\(/, "clock.wait or clock.every", /^lib\//],
  [/\bconsole\.\w+\(/, "a Log parameter, or process.stdout in a command", /^(?:main|cli|simulator\/cli)/],
  [/\bprocess\.env\b/, "Config", /^(?:main|cli)/],
  [/\b(?:TODO|FIXME|XXX|HACK)\b/, "finished work", /^$/],
  [/\bexport default\b/, "a named export", /^$/],
  [/\bexport \* from\b/, "an import of the file itself", /^$/],
  [/\bparseFloat\(/, "Decimal, or a tolerant parser", /^$/],
  [/\/(?:work|root|home)\//, "a path relative to the project", /^$/],
];

describe("words", () => {
  it.each(BANNED)("%s gives way to %s", (pattern, _replacement, allowedIn) => {
    const offenders = sources
      .filter((file) => !isTest(file.name) && !allowedIn.test(file.name))
      .flatMap((file) =>
        file.text.split("\n").flatMap((line, index) => (pattern.test(line) ? [`${file.name}:${index + 1}: ${line.trim()}`] : [])),
      );
    expect(offenders).toEqual([]);
  });
});

describe("docstrings", () => {
  const EXPORT = /^export (?:async )?(?:function|class|const|interface|type) (\w+)/;
  /** Small names that say all there is to say beside their own declaration. */
  const spokenFor = (line: string): boolean =>
    /^export (?:interface|type) \w+(?:Options|Deps|Props|Table)\b/.test(line) || /^export type .*;$/.test(line);

  it("stand over every export", () => {
    const bare = sources
      .filter((file) => !isTest(file.name))
      .flatMap((file) => {
        const lines = file.text.split("\n");
        return lines.flatMap((line, index) => {
          const [, name] = EXPORT.exec(line) ?? [];
          const documented = lines[index - 1]?.trim().endsWith("*/") ?? false;
          return name === undefined || spokenFor(line) || documented ? [] : [`${file.name}:${index + 1} ${name}`];
        });
      });
    expect(bare).toEqual([]);
  });
});

describe("files", () => {
  const all = [
    ...sources,
    ...filesUnder(join(ROOT, "test"), /\.ts$/).map((path) => ({ name: relative(ROOT, path), text: readFileSync(path, "utf8") })),
  ];

  it("have at most 400 lines", () => {
    expect(all.filter((file) => file.text.split("\n").length > 401).map((file) => file.name)).toEqual([]);
  });

  it("have kebab-case names", () => {
    expect(all.map((file) => file.name).filter((name) => !/^(?:[a-z0-9-]+\/)*[a-z0-9-]+(?:\.[a-z0-9-]+)*\.tsx?$/.test(name))).toEqual([]);
  });
});
