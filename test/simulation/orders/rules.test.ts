/** The simulation notices each of the model's rules: taken out of a copy of the code, a promise breaks under a seed. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { copyWithout } from "./patched-copy.ts";
import { PROMISES, type PromiseName } from "./promises.ts";
import type { Rule } from "./rule-patches.ts";
import { runSeed } from "./run-plan.ts";
import { makeTemplate, type Template } from "./template.ts";

let template: Template;

beforeAll(async () => {
  template = await makeTemplate();
});
afterAll(() => template.remove());

/** Rule → the first seed under which the code without it breaks a promise, and which. `script/simulate --without RULE` finds another. */
const FOUND_BY: readonly (readonly [Rule, number, PromiseName])[] = [
  ["guardsOnArrival", 39, "one"],
  ["listsNeverProveAbsence", 82, "true"],
  ["keepsCoid", 27, "one"],
  ["asksAgain", 1, "force"],
  ["knowsWhoLives", 55, "end"],
  ["turnIsARow", 27, "turn"],
];

test.each(FOUND_BY)("without %s, seed %i breaks a promise that the whole code keeps", { timeout: 300_000 }, async (rule, seed, promise) => {
  expect((await runSeed(String(seed), template)).breaches).toEqual([]);
  const copy = copyWithout(rule);
  try {
    const file = join(copy.folder, "test/simulation/orders/main.ts");
    const { status, stdout } = spawnSync(process.execPath, [file, "--seed", String(seed), "--runs", "1"], { encoding: "utf8" });
    expect(stdout).toContain(`seed ${seed}: ${PROMISES[promise]}`);
    expect(status).toBe(1);
  } finally {
    copy.remove();
  }
});
