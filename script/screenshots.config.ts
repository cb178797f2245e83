import { defineConfig } from "vitest/config";

/** Screenshots are made by the runner of the tests, which loads the pages' JSX. */
export default defineConfig({
  test: {
    globalSetup: ["test/support/temporary-root.ts"],
    include: ["script/screenshots.ts"],
    testTimeout: 600_000,
    hookTimeout: 120_000,
  },
});
