import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { clockOfTests } from "./shifted-clock.ts";
import { TEMPORARY_ROOT } from "./temporary-root.ts";

const ROOT = join(import.meta.dirname, "../..");
/** Generous: a cold start on a busy machine. */
const START_LIMIT_MS = 30_000;

/** A program of ours that runs as a process of its own. */
export interface RunningProgram {
  readonly child: ChildProcess;
  /** All that it has written to standard output so far. */
  output(): string;
  errors(): string;
  /** Resolves with the exit code (null when a signal ended it). */
  readonly ended: Promise<number | null>;
  /** Resolves when `pattern` stands in the output; rejects when the program ends first. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** Ends it: SIGTERM unless told otherwise. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts a built program (`dist/cli.js`, `dist/simulator/cli.js`) with this Node.js. */
export function startProgram(file: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): RunningProgram {
  // The flag is script/server's.
  const child = spawn(process.execPath, ["--max-semi-space-size=4", join(ROOT, file), ...args], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"] ?? "", ...clockOfTests(), ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.on("close", (code) => resolve(code)));
  const printed = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(output);
        if (found !== null) resolve(found);
      };
      const limit = AbortSignal.timeout(START_LIMIT_MS);
      limit.addEventListener("abort", () => reject(new Error(`${file} did not print ${pattern}:\n${output}\n${errors}`)));
      child.stdout.on("data", look);
      void ended.then((code) => reject(new Error(`${file} ended with ${code}:\n${output}\n${errors}`)));
      look();
    });
  return {
    child,
    output: () => output,
    errors: () => errors,
    ended,
    printed,
    stop: (signal = "SIGTERM") => {
      child.kill(signal);
      return ended;
    },
  };
}

/** A gateway that runs from `dist`, with a data folder of its own. */
export interface BuiltGateway extends RunningProgram {
  readonly url: string;
  /** The key that a first start printed; undefined on later starts. */
  readonly key: string | undefined;
  readonly dataDir: string;
}

/** Starts `ibkr-gateway serve` on a free port and waits until it is ready. A given `dataDir` is used again and not removed. */
export async function startBuiltGateway(
  environment: Readonly<Record<string, string>> = {},
  dataDir = temporaryFolder(),
): Promise<BuiltGateway> {
  const program = startProgram("dist/cli.js", ["serve"], { PORT: "0", DATA_DIR: dataDir, LOG_LEVEL: "warn", ...environment });
  const [, url = ""] = await program.printed(/listening on (http:\/\/\S+)/);
  const key = /\b(ibkr_[\w-]{20,})/.exec(program.output())?.[1];
  return { ...program, url, key, dataDir };
}

/** A new empty folder, gone when the tests have run (or, outside of them, when this process ends). */
export function temporaryFolder(): string {
  const root = process.env[TEMPORARY_ROOT];
  const folder = mkdtempSync(join(root ?? tmpdir(), "ibkr-gateway-"));
  if (root === undefined) process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
