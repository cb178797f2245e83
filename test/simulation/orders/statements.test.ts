/** An order and its repeats, with one fault at each statement, sending and response in turn. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Plan, Strike, StrikePoint } from "./plan.ts";
import { runPlan } from "./run-plan.ts";
import { makeTemplate, type Template } from "./template.ts";
import { callAt, MINUTE, ORDERS, planWith } from "./test-plans.ts";

let template: Template;

beforeAll(async () => {
  template = await makeTemplate();
});
afterAll(() => template.remove());

/** An order, its repeat at another process while it is on its way, and one afterwards. */
const PLAIN = planWith({ calls: [callAt(0), callAt(1_650, { process: 1 }), callAt(12_000, { process: 1 })] });
/** An order without a response that no list shows, and repeats that may send it again. */
const LOST = planWith({
  calls: [callAt(0), callAt(MINUTE, { process: 1 }), callAt(2 * MINUTE)],
  refusalsProven: true,
  listsLie: true,
  whims: [
    { at: 0, spec: { ...ORDERS, kind: "drop_after", count: 1 } },
    { at: 0, spec: { kind: "list", reason: "empty" } },
  ],
});

/** Where a process has written, sent or learnt something: a death while it reads is one of these to everybody else. */
const STEPS: readonly StrikePoint[] = ["write", "begin", "commit", "send", "reply"];
const BOTH: readonly Strike["side"][] = ["before", "after"];

/** Runs the plan once for each of its points, with the fault there, and returns where a promise broke. */
async function sweep(
  plan: Plan,
  what: Strike["what"],
  points: readonly StrikePoint[],
  sides: readonly Strike["side"][],
): Promise<unknown[]> {
  const undisturbed = await runPlan(plan, template);
  expect(undisturbed.breaches).toEqual([]);
  const broken: unknown[] = [];
  let runs = 0;
  for (const point of points)
    for (const side of sides)
      for (let nth = 1; nth <= (undisturbed.points.get(`${side} ${point}`) ?? 0); nth += 1) {
        runs += 1;
        const strike: Strike = { process: undefined, point, side, nth, what, ms: 20_000 };
        const { breaches, trace } = await runPlan({ ...plan, strikes: [strike] }, template);
        if (breaches.length > 0) broken.push({ point, side, nth, breaches, trace });
      }
  expect(runs).toBeGreaterThan(5);
  return broken;
}

describe("every promise holds wherever", { timeout: 300_000 }, () => {
  test.each([
    ["a statement fails because the disk is full", "full", ["read", "write", "begin", "commit"], ["before"]],
    ["a statement fails because the database is locked", "locked", ["write", "begin", "commit"], ["before"]],
    ["a process dies", "kill", STEPS, BOTH],
    ["a process stops for 20 s", "stop", ["write", "begin", "commit", "reply"], BOTH],
    ["the key is revoked", "revoke", STEPS, BOTH],
    ["the connection is paused", "pause", ["begin", "commit", "send"], BOTH],
  ] as const)("%s", async (_name, what, points, sides) => {
    expect(await sweep(PLAIN, what, points, sides)).toEqual([]);
  });

  test.each([
    ["a process dies", "kill", ["commit", "send", "reply"], BOTH],
    ["the key is revoked", "revoke", ["write", "commit"], ["after"]],
  ] as const)("%s while a lost order is repeated", async (_name, what, points, sides) => {
    expect(await sweep(LOST, what, points, sides)).toEqual([]);
  });
});
