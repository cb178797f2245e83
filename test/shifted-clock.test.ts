/** The clock of a run with `script/test --date`; without it, the same holds of the machine's own. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { expect, it } from "vitest";

import { clockOfTests, withRealClock } from "./support/shifted-clock.ts";

const run = promisify(execFile);
const PATH = process.env["PATH"] ?? "";
/** Seconds that starting a program may take on a busy machine. */
const TOLERANCE = 20;

async function secondsIn(env: Readonly<Record<string, string | undefined>>): Promise<number> {
  return Number((await run("date", ["+%s"], { env })).stdout);
}

const distance = (seconds: number, shift = 0): number => Math.abs(Date.now() / 1_000 - shift - seconds);

it("a program that a test starts has the clock of the test", async () => {
  expect(distance(await secondsIn(process.env))).toBeLessThan(TOLERANCE);
  expect(distance(await secondsIn({ PATH, ...clockOfTests() }))).toBeLessThan(TOLERANCE);
});

it("the browser has the machine's clock", async () => {
  expect(distance(await secondsIn(withRealClock()), Number(process.env["FAKETIME"] ?? "0"))).toBeLessThan(TOLERANCE);
});
