import { defineConfig } from "vitest/config";

import base from "../vitest.config.ts";

/** The tests that `script/mutate.ts` chose; all other settings are those of the suite. */
export default defineConfig({ ...base, test: { ...base.test, include: (process.env["MUTATION_TESTS"] ?? "").split(" ") } });
