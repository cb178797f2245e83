/** Runs seeds of the simulation and prints what came of them. Run by `script/simulate`. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { copyWithout } from "./patched-copy.ts";
import { PROMISES } from "./promises.ts";
import { readRule } from "./rule-patches.ts";
import { type PlanResult, runSeed } from "./run-plan.ts";
import { makeTemplate } from "./template.ts";

const USAGE = "usage: script/simulate [--seed N] [--runs R] [--without RULE] [--trace] [--first]";

interface Options {
  readonly seed: number;
  readonly runs: number;
  readonly without: string | undefined;
  /** Prints every trace. */
  readonly trace: boolean;
  /** Stops at the first broken promise. */
  readonly first: boolean;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      seed: { type: "string", default: "1" },
      runs: { type: "string", default: "200" },
      without: { type: "string" },
      trace: { type: "boolean", default: false },
      first: { type: "boolean", default: false },
    },
  });
  const [seed, runs] = [Number(values.seed), Number(values.runs)];
  if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(runs) || runs < 1) throw new RangeError(USAGE);
  return { ...values, seed, runs, without: values.without };
}

const write = (line: string): void => void process.stdout.write(`${line}\n`);

function show({ plan, trace, breaches }: PlanResult): void {
  for (const { promise, about } of breaches) write(`seed ${plan.seed}: ${PROMISES[promise]}: ${about}`);
  for (const line of trace) write(line);
}

/** Runs the seeds on this code; true when every promise held. */
async function run({ seed, runs, trace, first }: Options): Promise<boolean> {
  const template = await makeTemplate();
  const startedAt = performance.now();
  const sums = { seeds: 0, orders: 0, sendings: 0, decisions: 0, hours: 0 };
  const failing: string[] = [];
  try {
    for (let index = seed; index < seed + runs; index += 1) {
      const result = await runSeed(String(index), template);
      sums.seeds += 1;
      sums.orders += result.orders;
      sums.sendings += result.sendings;
      sums.decisions += result.decisions;
      sums.hours += result.elapsedMs / 3_600_000;
      if (result.breaches.length > 0) failing.push(result.plan.seed);
      if (trace || result.breaches.length > 0) show(result);
      if (first && failing.length > 0) break;
    }
  } finally {
    template.remove();
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const { seeds, orders, sendings, decisions, hours } = sums;
  write(`${seeds} seeds, ${sendings} sendings, ${orders} orders, ${decisions} decisions of a person, ${hours.toFixed(0)} simulated hours`);
  write(`${seconds.toFixed(0)} s; failing seeds: ${failing.length === 0 ? "none" : failing.join(", ")}`);
  return failing.length === 0;
}

/** Runs the seeds on a copy of the code without one rule. */
function runWithout(name: string, { seed, runs, trace }: Options): boolean {
  const copy = copyWithout(readRule(name));
  try {
    const file = join(copy.folder, "test/simulation/orders/main.ts");
    const args = ["--seed", String(seed), "--runs", String(runs), "--first", ...(trace ? ["--trace"] : [])];
    execFileSync(process.execPath, [file, ...args], { stdio: "inherit" });
    return true;
  } catch {
    return false;
  } finally {
    copy.remove();
  }
}

const options = readOptions();
const held = options.without === undefined ? await run(options) : runWithout(options.without, options);
process.exit(held ? 0 : 1);
