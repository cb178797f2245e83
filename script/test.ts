/** Runs vitest and ends with one line, `N passed, N failed`, for whoever reads only that. Run by `script/test`. */
import { parseCLI, startVitest } from "vitest/node";

const { filter, options } = parseCLI(["vitest", "run", ...process.argv.slice(2)]);
const vitest = await startVitest("test", filter, { ...options, watch: false, run: true });
let passed = 0;
let failed = vitest.state.getUnhandledErrors().length;
for (const file of vitest.state.getTestModules()) {
  if (!file.ok() && [...file.children.allTests("failed")].length === 0) failed += 1;
  for (const test of file.children.allTests()) {
    const { state } = test.result();
    if (state === "passed") passed += 1;
    if (state === "failed") failed += 1;
  }
}
await vitest.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
