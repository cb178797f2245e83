import { afterAll, beforeAll, expect, test } from "vitest";

import { runPlan, runSeed } from "./run-plan.ts";
import { makeTemplate, type Template } from "./template.ts";
import { callAt, ORDERS, planWith } from "./test-plans.ts";

let template: Template;

beforeAll(async () => {
  template = await makeTemplate();
});
afterAll(() => template.remove());

/** Seeds that run with every suite; `script/simulate` runs 200. */
const FIRST = Array.from({ length: 30 }, (_, index) => String(index + 1));

test.each(FIRST)("seed %s keeps every promise about orders", async (seed) => {
  const { breaches, trace } = await runSeed(seed, template);
  expect(breaches, trace.join("\n")).toEqual([]);
});

/** What seeds have found, as plans: a seed draws something else when the plan's dice change. */
test("a question without an id is not confirmed after an equal order was just placed", async () => {
  const plan = planWith({
    wishes: [{ name: "w1", clientOrderId: undefined, key: 0, group: 0, type: "MKT" }],
    calls: [callAt(0), callAt(2_300)],
    whims: [{ at: 0, spec: { ...ORDERS, kind: "order_question", count: 1 } }],
  });
  const { breaches, orders, trace } = await runPlan(plan, template);
  expect(trace.join("\n")).toMatch(/confirms\) is told possible_duplicate/);
  expect([orders, breaches]).toEqual([1, []]);
});

test("two runs of a seed give the same trace", async () => {
  const digests = new Set<string>();
  for (const seed of ["3", "14", "27"]) {
    const { digest, trace } = await runSeed(seed, template);
    expect(trace.length).toBeGreaterThan(5);
    expect((await runSeed(seed, template)).digest).toBe(digest);
    digests.add(digest);
  }
  expect(digests.size).toBe(3);
});
