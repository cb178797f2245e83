import { statSync } from "node:fs";

import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

import base from "../vitest.config.ts";

/**
 * Runs small test files first: a unit test fails on a mutant before a larger test runs into the endless loop that it causes.
 * Vitest's own order is the other way round.
 */
class SmallFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sizeOf = ({ moduleId }: TestSpecification): number => statSync(moduleId).size;
    return Promise.resolve(files.toSorted((a, b) => sizeOf(a) - sizeOf(b)));
  }
}

/** The tests that `script/mutate.ts` chose; all other settings are those of the suite. */
export default defineConfig({
  ...base,
  test: { ...base.test, include: (process.env["MUTATION_TESTS"] ?? "").split(" "), sequence: { sequencer: SmallFirst } },
});
