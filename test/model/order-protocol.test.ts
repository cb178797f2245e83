/** The order protocol, explored exhaustively: what breaks without its rules, what holds with them, and that the code's table agrees. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { ATTEMPT_MOVES, REQUEST_MOVES } from "../../src/trading/order-states.ts";
import { explore, type Finding, movesOf } from "./explore.ts";
import { BELIEFS, type Run, STORMS, TAKEN_AWAY, WITH, WITHOUT } from "./runs.ts";
import { keyOf } from "./state-key.ts";
import { createWorld } from "./world.ts";

/** A storm takes about 6 s of processor time. */
const STORM_TIMEOUT_MS = 240_000;

const findings = new Map<Run, Finding>();

function findingOf(run: Run): Finding {
  const finding = findings.get(run) ?? explore(run.rules, run.scenario, run.only);
  findings.set(run, finding);
  return finding;
}

/** The trace is compared only where every promise holds: it shows how one broke. */
function verify(run: Run): void {
  const { broken, trace, states } = findingOf(run);
  expect({ broken, trace: run.breaks === undefined ? trace : [], states }).toEqual({ broken: run.breaks, trace: [], states: run.states });
}

it.each(WITHOUT)("without its rules, the protocol breaks a promise: $name", verify);
it.each(WITH)("with its rules, every promise holds: $name", verify);
it.each(STORMS)("every promise holds through all faults: $name", verify, STORM_TIMEOUT_MS);
it.each(BELIEFS)("a wish stays one order, or not, if $name", verify);
it.each(TAKEN_AWAY)("a promise breaks without $name", verify);

it.each(WITH)("the search recognizes equal worlds, and only those: $name", ({ rules, scenario }) => {
  const texts = new Map<string, string>();
  const worlds = [createWorld(scenario)];
  const confused: string[] = [];
  for (const world of worlds) {
    const [key, text] = [keyOf(world), JSON.stringify({ ...world, moves: undefined })];
    const known = texts.get(key);
    if (known !== undefined && known !== text) confused.push(text);
    if (known !== undefined) continue;
    texts.set(key, text);
    for (const { next } of movesOf(world, rules, scenario)) worlds.push(next);
  }
  expect(confused).toEqual([]);
  expect(new Set(texts.values()).size).toBe(texts.size);
});

describe("the code's table of moves", () => {
  /** Moves of the table that no search makes, each with its reason. */
  const NOT_EXPLORED: Readonly<Record<string, string>> = {
    "request: sending → declined": "IBKR asks more questions than the gateway shows; the model asks one question per order.",
    "request: asked → declined": "The caller declines; in the model such a call never comes, and nothing is sent either way.",
    "request: unknown → unresolved": "Only time passes; the model reads this from the age of the sending.",
    "request: unresolved → sending": "In the model, resending ends when the user may decide. One tick can't show both.",
    "request: asked → placed": "Alarm: a declined question went live. The model believes in an acknowledged no.",
    "request: refused → placed": "Alarm: a refused order was there. The model believes in a definite no.",
    "request: declined → placed": "Alarm: a declined question went live. The model believes in an acknowledged no.",
    "request: not_placed → placed": "Alarm: an order was there after a definite no. The model looks for open attempts only.",
    "attempt: no → placed": "Alarm: an order was there after a definite no. The model looks for open attempts only.",
  };

  const held = [...WITH, ...STORMS, ...BELIEFS].filter((run) => run.breaks === undefined);
  const explored = (): ReadonlySet<string> => new Set(held.flatMap((run) => Array.from(findingOf(run).moves)));
  const list = (kind: string, moves: Readonly<Record<string, readonly string[]>>): readonly string[] =>
    Object.entries(moves).flatMap(([from, targets]) => targets.map((to) => `${kind}: ${from} → ${to}`));
  const coded = [...list("request", REQUEST_MOVES), ...list("attempt", ATTEMPT_MOVES)];

  it("has every move of the model", { timeout: STORM_TIMEOUT_MS }, () => {
    expect([...explored()].filter((move) => !coded.includes(move))).toEqual([]);
  });

  it("has no other moves than those, and the ones that are not explored", { timeout: STORM_TIMEOUT_MS }, () => {
    const seen = explored();
    expect(coded.filter((move) => !seen.has(move)).toSorted()).toEqual(Object.keys(NOT_EXPLORED).toSorted());
  });
});

describe("docs/reference/testing.md", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/reference/testing.md"), "utf8");
  const grouped = (states: number): string => states.toLocaleString("en-US");

  it("shows the number of states in which every promise holds", () => {
    const states = [...WITH, ...STORMS, ...BELIEFS].filter((run) => run.breaks === undefined).reduce((sum, run) => sum + run.states, 0);
    expect(page).toContain(`${grouped(states)} states`);
    for (const { name, states: size } of STORMS) expect(page).toContain(`| ${name} | ${grouped(size)} |`);
  });

  it("shows the promise that breaks without each rule", () => {
    for (const { name, breaks } of TAKEN_AWAY) expect(page).toMatch(new RegExp(`^\\| \`${name}\` \\|.*\\| ${breaks} \\|$`, "m"));
  });
});
