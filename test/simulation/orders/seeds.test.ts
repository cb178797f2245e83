import { afterAll, beforeAll, expect, test } from "vitest";

import { runSeed } from "./run-plan.ts";
import { makeTemplate } from "./template.ts";

/** The first seeds, and those that broke a promise once. */
const SEEDS = [...Array.from({ length: 12 }, (_, index) => String(index + 1)), "95", "185"];

let template: Awaited<ReturnType<typeof makeTemplate>>;

beforeAll(async () => {
  template = await makeTemplate();
});
afterAll(() => template.remove());

test.each(SEEDS)("seed %s keeps every promise about orders", async (seed) => {
  const { breaches, trace } = await runSeed(seed, template);
  expect(breaches, trace.join("\n")).toEqual([]);
});

test("two runs of a seed are the same to the last step", async () => {
  const [one, other] = [await runSeed("95", template), await runSeed("95", template)];
  expect(other.digest).toBe(one.digest);
  expect(one.trace.length).toBeGreaterThan(5);
  expect(other.trace).toEqual(one.trace);
});
