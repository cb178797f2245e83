/**
 * Changes the code in every way that Stryker knows, one change (mutant) at a time, and reports which of them the tests don't notice.
 * Run by `script/mutate`; docs/reference/testing.md, "Mutation testing", explains the figures.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, matchesGlob } from "node:path";

import { z } from "zod";

import { MUTATION_GROUPS, type MutationGroup } from "./mutation-groups.ts";

const STRYKER = join(import.meta.dirname, "mutation/node_modules/@stryker-mutator");
/** How mutants end. A test that runs into its own time limit proves no more than Stryker's timeout. */
const ENDS = ["killed", "survived", "timeout", "no coverage", "error"] as const;
type End = (typeof ENDS)[number];
const TEST_TIMEOUT = /^(?:Test|Hook) timed out in \d+ms/;

interface Mutant {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly change: string;
  readonly end: End;
}

interface Run {
  readonly group: MutationGroup;
  readonly files: readonly string[];
  readonly isWhole: boolean;
}

const position = z.object({ line: z.number(), column: z.number() });
const report = z.object({
  files: z.record(
    z.string(),
    z.object({
      source: z.string(),
      mutants: z.array(
        z.object({
          mutatorName: z.string(),
          replacement: z.string().optional(),
          location: z.object({ start: position, end: position }),
          status: z.enum(["Killed", "Survived", "Timeout", "NoCoverage", "CompileError", "RuntimeError"]),
          statusReason: z.string().optional(),
        }),
      ),
    }),
  ),
});

type ReportedMutant = z.infer<typeof report>["files"][string]["mutants"][number];

const isTest = (file: string): boolean => /\.test\.tsx?$/.test(file);

function filesOf(group: MutationGroup): string[] {
  return globSync([...group.files])
    .filter((file) => !isTest(file))
    .toSorted();
}

function git(...args: readonly string[]): string[] {
  return execFileSync("git", args, { encoding: "utf8" })
    .split("\n")
    .filter((line) => line !== "");
}

/** Files that differ from where this branch left main, or on main from the commit before; a changed test counts as its file. */
function changedFiles(): ReadonlySet<string> {
  const main = ["main", "origin/main"].find((name) => spawnSync("git", ["rev-parse", "--verify", "--quiet", name]).status === 0);
  const [head] = git("rev-parse", "HEAD");
  const [fork] = main === undefined ? [] : git("merge-base", "HEAD", main);
  const base = fork === undefined || fork === head ? "HEAD~" : fork;
  const changed = [...git("diff", "--name-only", "--diff-filter=d", base), ...git("ls-files", "--others", "--exclude-standard")];
  return new Set(changed.map((file) => file.replace(/\.test(\.tsx?)$/, "$1")));
}

/** The groups to run with their files. Exits for a path that no group mutates. */
function planRuns(args: readonly string[]): Run[] {
  if (args.includes("--all")) return MUTATION_GROUPS.map((group) => ({ group, files: filesOf(group), isWhole: true }));
  const changed = args.length === 0 ? changedFiles() : undefined;
  const unknown = args.filter((path) => !MUTATION_GROUPS.some((group) => filesOf(group).some((file) => isUnder(file, path))));
  if (unknown.length > 0) {
    console.error(`mutate: no group mutates ${unknown.join(", ")}. See script/mutation-groups.ts.`);
    process.exit(2);
  }
  return MUTATION_GROUPS.flatMap((group) => {
    const all = filesOf(group);
    const files = all.filter((file) => changed?.has(file) ?? args.some((path) => isUnder(file, path)));
    return files.length === 0 ? [] : [{ group, files, isWhole: files.length === all.length }];
  });
}

function isUnder(file: string, path: string): boolean {
  const clean = path.replace(/^\.\//, "").replace(/\/$/, "");
  return file === clean || file.startsWith(`${clean}/`) || matchesGlob(file, clean);
}

/** Runs Stryker on one group. Throws when it can't: a test that fails without any change, above all. */
function mutate(run: Run, folder: string): Mutant[] {
  const [configFile, jsonFile] = [join(folder, "stryker.json"), join(folder, "report.json")];
  const config = {
    testRunner: "vitest",
    plugins: [join(STRYKER, "vitest-runner/dist/src/index.js")],
    mutate: run.files,
    // With `related`, Vitest walks the imports of all tests for each mutant; the groups name the tests already.
    vitest: { configFile: "script/mutation.config.ts", related: false },
    coverageAnalysis: "perTest",
    concurrency: 2,
    // Many mutants of queues never end, and each costs this time.
    timeoutMS: 8_000,
    reporters: ["json", "progress-append-only"],
    jsonReporter: { fileName: jsonFile },
    // TypeScript 7 has no JavaScript API, which Stryker's rewriting of tsconfig needs.
    tsconfigFile: "none.json",
    tempDirName: join(folder, "sandbox"),
    ignorePatterns: ["dist", "data", "docs/screenshots"],
    warnings: { slow: false },
    logLevel: "warn",
    allowConsoleColors: false,
  };
  writeFileSync(configFile, JSON.stringify(config));
  const env = { ...process.env, MUTATION_TESTS: globSync([...run.group.tests]).join(" ") };
  const { status } = spawnSync("node", [join(STRYKER, "core/bin/stryker.js"), "run", configFile], { stdio: "inherit", env });
  if (status !== 0) throw new Error(`Stryker ended with ${status} in group ${run.group.name}`);
  const { files } = report.parse(JSON.parse(readFileSync(jsonFile, "utf8")));
  return Object.entries(files).flatMap(([file, { source, mutants }]) =>
    mutants.map((mutant) => ({
      file,
      ...mutant.location.start,
      change: `${mutant.mutatorName}: ${describe(sourceAt(source, mutant), mutant.replacement ?? "")}`,
      end: endOf(mutant),
    })),
  );
}

function endOf({ status, statusReason = "" }: ReportedMutant): End {
  switch (status) {
    case "Killed":
      return TEST_TIMEOUT.test(statusReason) ? "timeout" : "killed";
    case "Survived":
      return "survived";
    case "Timeout":
      return "timeout";
    case "NoCoverage":
      return "no coverage";
    case "CompileError":
    case "RuntimeError":
      return "error";
  }
}

/** The mutated part of a source; lines and columns count from 1. */
function sourceAt(source: string, { location: { start, end } }: ReportedMutant): string {
  const lines = source.split("\n").slice(start.line - 1, end.line);
  const last = lines.at(-1)?.slice(0, end.column - 1);
  return [...lines.slice(0, -1), last].join("\n").slice(start.column - 1);
}

/** A change of a long text, from shortly before the first difference. */
function describe(before: string, after: string): string {
  const [from, to] = [before, after].map((text) => text.replaceAll(/\s+/g, " "));
  const same = [...(from ?? "")].findIndex((character, index) => character !== to?.[index]);
  const start = Math.max(0, same - 20);
  const excerpt = (text = ""): string => `${start > 0 ? "…" : ""}${text.slice(start, start + 100)}${text.length > start + 100 ? "…" : ""}`;
  return `${excerpt(from)} → ${excerpt(to)}`;
}

const countOf = (mutants: readonly Mutant[], end: End): number => mutants.filter((mutant) => mutant.end === end).length;

/** Killed mutants in percent of all; whatever else became of a mutant, no test proved to notice it. */
const rateOf = (mutants: readonly Mutant[]): number => (mutants.length === 0 ? 100 : (countOf(mutants, "killed") / mutants.length) * 100);

function printTable(results: readonly { readonly run: Run; readonly mutants: readonly Mutant[] }[]): void {
  const row = (cells: readonly string[]): void =>
    console.log(`| ${cells.map((cell, index) => (index === 0 ? cell.padEnd(44) : cell.padStart(11))).join(" | ")} |`);
  row(["group", "mutants", ...ENDS, "kill rate", "aim"]);
  row([..."x".repeat(ENDS.length + 4)].map((_cell, index) => "-".repeat(index === 0 ? 44 : 11)));
  const figures = (mutants: readonly Mutant[]): string[] => [
    String(mutants.length),
    ...ENDS.map((end) => String(countOf(mutants, end))),
    `${rateOf(mutants).toFixed(1)} %`,
  ];
  for (const { run, mutants } of results) {
    row([run.isWhole ? run.group.name : `${run.group.name} (${run.files.length} files)`, ...figures(mutants), `${run.group.aim} %`]);
    for (const file of run.files) row([`  ${file}`, ...figures(mutants.filter((mutant) => mutant.file === file)), ""]);
  }
}

function refuseExemptions(runs: readonly Run[]): void {
  const exempt = runs.flatMap(({ files }) => files).filter((file) => /Stryker (?:disable|restore)/.test(readFileSync(file, "utf8")));
  if (exempt.length === 0) return;
  console.error(`mutate: every line is mutated. Remove the Stryker comments from ${exempt.join(", ")}.`);
  process.exit(2);
}

const runs = planRuns(process.argv.slice(2));
refuseExemptions(runs);
const folder = mkdtempSync(join(tmpdir(), "ibkr-gateway-mutation-"));
try {
  const results = runs.map((run) => ({ run, mutants: mutate(run, folder) }));
  for (const { mutants } of results)
    for (const { file, line, column, change, end } of mutants)
      if (end !== "killed") console.log(`${end}: ${file}:${line}:${column} ${change}`);
  if (runs.length === 0) console.log("mutate: no file of any group has changed");
  else printTable(results);
  const low = results.filter(({ run, mutants }) => run.isWhole && rateOf(mutants) < run.group.aim).map(({ run }) => run.group.name);
  if (low.length > 0) console.error(`mutate: below the aim: ${low.join(", ")}`);
  process.exitCode = low.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
