/** One order and its repeats, with one fault at each statement, sending and answer in turn. */
import { afterAll, beforeAll, expect, test } from "vitest";

import type { Strike, StrikePoint } from "./plan.ts";
import { runPlan } from "./run-plan.ts";
import { makeTemplate, type Template } from "./template.ts";
import { callAt, planWith } from "./test-plans.ts";

let template: Template;

beforeAll(async () => {
  template = await makeTemplate();
});
afterAll(() => template.remove());

/** An order, its repeat at another process while it is under way, and one afterwards. */
const CALLS = [callAt(0), callAt(1_650, { process: 1 }), callAt(12_000, { process: 1 })];
const STATEMENTS: readonly StrikePoint[] = ["read", "write", "begin", "commit"];

/** Every place of a run at which a strike can come. */
async function placesOf(points: readonly StrikePoint[], sides: readonly Strike["side"][]): Promise<readonly Omit<Strike, "what" | "ms">[]> {
  const { points: counted, breaches } = await runPlan(planWith({ calls: CALLS }), template);
  expect(breaches).toEqual([]);
  return points.flatMap((point) =>
    sides.flatMap((side) =>
      Array.from({ length: counted.get(`${side} ${point}`) ?? 0 }, (_, index) => ({ process: undefined, point, side, nth: index + 1 })),
    ),
  );
}

test.each([
  ["a statement fails because the disk is full", "full", STATEMENTS, ["before"]],
  ["a statement fails because the database is locked", "locked", ["begin", "commit", "write"], ["before"]],
  ["a process dies", "kill", [...STATEMENTS, "send", "reply"], ["before", "after"]],
  ["a process stops for 20 s", "stop", ["begin", "commit", "write", "reply"], ["before", "after"]],
  ["the key is revoked", "revoke", [...STATEMENTS, "send", "reply"], ["before", "after"]],
  ["the connection is paused", "pause", ["begin", "commit", "send"], ["before", "after"]],
] as const)("every promise holds when %s at any point", { timeout: 300_000 }, async (_name, what, points, sides) => {
  const places = await placesOf(points, sides);
  expect(places.length).toBeGreaterThan(5);
  const broken: unknown[] = [];
  for (const place of places) {
    const strikes = [{ ...place, what, ms: 20_000 }];
    const { breaches, trace } = await runPlan(planWith({ calls: CALLS, strikes }), template);
    if (breaches.length > 0) broken.push({ ...place, breaches, trace });
  }
  expect(broken).toEqual([]);
});
