import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { SimulatorCredentials } from "./index.ts";
import { readCredentials } from "./cli/credentials-dir.ts";
import { exchangeToken } from "./test-client.ts";
import { systemClock } from "../lib/clock.ts";

const cli = join(import.meta.dirname, "cli.ts");
const FILES = [
  "access_token",
  "access_token_secret",
  "accounts",
  "consumer_key",
  "dh_prime",
  "private_encryption.pem",
  "private_signature.pem",
  "proof_key.pem",
];

let folder: string;
let running: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "simulator-cli-"));
});

afterEach(async () => {
  for (const child of running) child.kill("SIGKILL");
  running = [];
  await rm(folder, { recursive: true });
});

interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

interface Started {
  readonly child: ChildProcess;
  /** The first line on standard output, or all that was said when it ended before. */
  readonly firstLine: Promise<string>;
  readonly ended: Promise<Ended>;
}

function start(...args: readonly string[]): Started {
  const child = spawn(process.execPath, [cli, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  running.push(child);
  const firstLine = Promise.withResolvers<string>();
  const ended = Promise.withResolvers<Ended>();
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (output.includes("\n")) firstLine.resolve(output.split("\n")[0] ?? "");
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  child.on("close", (code) => {
    firstLine.resolve(output + errors);
    ended.resolve({ code, output, errors });
  });
  return { child, firstLine: firstLine.promise, ended: ended.promise };
}

async function run(...args: readonly string[]): Promise<Ended> {
  return start(...args).ended;
}

function baseUrlIn(line: string): string {
  return /http:\S+/.exec(line)?.[0] ?? line;
}

function credentialsIn(dir: string): SimulatorCredentials {
  const credentials = readCredentials(dir);
  if (credentials === undefined) throw new Error(`no credentials in ${dir}`);
  return credentials;
}

describe("ibkr-simulator", () => {
  test("makes the folder, writes the credentials for their owner only, and serves them", async () => {
    const dir = join(folder, "new", "credentials");
    const { child, firstLine, ended } = start("--port", "0", "--credentials-dir", dir);
    const baseUrl = baseUrlIn(await firstLine);
    expect(baseUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1\/api$/);
    expect(await readdir(dir)).toEqual(expect.arrayContaining(FILES));
    for (const name of [...FILES, "state.sqlite"]) expect((await stat(join(dir, name))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(dir, "consumer_key"), "utf8")).toMatch(/^[A-Z]{9}$/);
    expect(await readFile(join(dir, "accounts"), "utf8")).toMatch(/^(DU\d+\n){2}$/);
    await expect(exchangeToken(baseUrl, credentialsIn(dir), systemClock)).resolves.toHaveLength(20);
    child.kill("SIGTERM");
    expect(await ended).toMatchObject({ code: 0, errors: "" });
  });

  test("keeps the credentials of an earlier start, also without its state", async () => {
    const stop = async ({ child, firstLine, ended }: Started): Promise<string> => {
      const baseUrl = baseUrlIn(await firstLine);
      await exchangeToken(baseUrl, credentialsIn(folder), systemClock);
      child.kill("SIGINT");
      expect((await ended).code).toBe(0);
      return baseUrl;
    };
    await stop(start("--port", "0", "--credentials-dir", folder));
    const first = credentialsIn(folder);
    await stop(start("--port", "0", "--credentials-dir", folder));
    await stop(start("--port", "0", "--credentials-dir", folder, "--state", join(folder, "other.sqlite")));
    expect(credentialsIn(folder)).toEqual(first);
  });

  test("prints its options", async () => {
    const { code, output } = await run("--help");
    expect(code).toBe(0);
    for (const option of ["--port", "--credentials-dir", "--host", "--state", "--seed", "--hours"]) expect(output).toContain(option);
  });

  test("refuses a mistake in one line", async () => {
    const { code, output, errors } = await run("--nonsense");
    expect([code, output, errors]).toEqual([2, "", "ibkr-simulator: Unknown option '--nonsense' (see --help)\n"]);
  });

  test("says in one line that its port is in use", async () => {
    const listening = Promise.withResolvers<number>();
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      listening.resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
    const port = await listening.promise;
    const { code, errors } = await run("--port", String(port), "--credentials-dir", folder);
    server.close();
    expect([code, errors]).toEqual([1, `ibkr-simulator: port ${port} on 127.0.0.1 is in use: choose another with --port\n`]);
  });

  test("refuses a folder with a part of the credentials", async () => {
    await writeFile(join(folder, "consumer_key"), "ABCDEFGHI\n");
    const { code, errors } = await run("--port", "0", "--credentials-dir", folder);
    expect(code).toBe(1);
    expect(errors).toMatch(/^ibkr-simulator: .*holds credentials without access_token, .*\n$/);
  });

  test("refuses a state file that is none", async () => {
    const state = join(folder, "notes.txt");
    await writeFile(state, "these are my notes, and no database at all\n".repeat(40));
    const { code, errors } = await run("--port", "0", "--credentials-dir", join(folder, "c"), "--state", state);
    expect(code).toBe(1);
    expect(errors).toBe(`ibkr-simulator: can't use the state file ${state}: file is not a database\n`);
  });

  test("refuses a folder that can't be made", async () => {
    await writeFile(join(folder, "file"), "");
    const { code, errors } = await run("--port", "0", "--credentials-dir", join(folder, "file", "dir"));
    expect(code).toBe(1);
    expect(errors).toMatch(/^ibkr-simulator: .*ENOTDIR.*\n$/);
  });
});
