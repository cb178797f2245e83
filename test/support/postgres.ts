/** A private PostgreSQL server for tests: started on loopback in a temporary folder, gone when they end. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { accessSync, chmodSync, chownSync, constants, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";

import { Client } from "pg";

/** A running server on which each test file makes databases of its own. */
export interface TestPostgres {
  /** Makes an empty database and answers its URL. */
  createDatabase(): Promise<string>;
  /** Drops what was made and ends the server. */
  stop(): Promise<void>;
}

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 10_000;
/** The free port that was found may be taken by somebody else before the server binds it. */
const START_TRIES = 3;

/** Uses the server at `TEST_DATABASE_URL` when that is set; starts one from this machine's programs otherwise, and says what to install when there is none. */
export async function startPostgres(): Promise<TestPostgres> {
  const given = process.env["TEST_DATABASE_URL"];
  if (given !== undefined && given !== "") return databasesOn(given, async () => {});
  const programs = findPrograms();
  const account = accountFor();
  const folder = mkdtempSync(join(tmpdir(), "ibkr-gateway-postgres-"));
  try {
    chmodSync(folder, 0o700);
    if (account !== undefined) chownSync(folder, account.uid, account.gid);
    const data = join(folder, "data");
    const initdb = commandAs(account, [
      join(programs, "initdb"),
      "-D",
      data,
      "--no-sync",
      "-A",
      "trust",
      "-U",
      "postgres",
      "-E",
      "UTF8",
      "--locale=C",
    ]);
    execFileSync(initdb.command, initdb.args, { stdio: ["ignore", "ignore", "pipe"], cwd: folder });
    const { server, port } = await startServer(programs, account, folder);
    return databasesOn(`postgres://postgres@127.0.0.1:${port}/postgres`, async () => {
      await endServer(server);
      rmSync(folder, { recursive: true, force: true });
    });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses to run as root; its package has made the user `postgres`. */
function accountFor(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return { uid: idOf("-u"), gid: idOf("-g") };
}

function idOf(flag: "-u" | "-g"): number {
  try {
    return Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8", stdio: "pipe" }).trim());
  } catch (cause) {
    throw new Error("PostgreSQL does not run as root, and there is no user postgres: install the package postgresql", { cause });
  }
}

function commandAs(account: Account | undefined, command: readonly string[]): { command: string; args: string[] } {
  // The server ends with this process even when that is killed.
  const identity = account === undefined ? [] : [`--reuid=${account.uid}`, `--regid=${account.gid}`, "--clear-groups"];
  return { command: "setpriv", args: ["--pdeathsig=INT", ...identity, "--", ...command] };
}

/** The folder with `initdb` and `postgres`: on the PATH, or where Debian puts the newest version. */
function findPrograms(): string {
  const onPath = (process.env["PATH"] ?? "").split(delimiter);
  const debian = "/usr/lib/postgresql";
  const folders = [...onPath, ...versionsIn(debian).map((version) => join(debian, version, "bin"))];
  const found = folders.find((folder) => ["initdb", "postgres"].every((name) => isProgram(join(folder, name))));
  if (found === undefined) {
    throw new Error(
      "these tests need PostgreSQL: install it (Debian, Ubuntu: apt-get install postgresql), or name a server in TEST_DATABASE_URL",
    );
  }
  return found;
}

function versionsIn(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted((a, b) => Number(b) - Number(a));
  } catch {
    return [];
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function startServer(
  programs: string,
  account: Account | undefined,
  folder: string,
): Promise<{ server: ChildProcess; port: number }> {
  let output = "";
  for (let attempt = 1; attempt <= START_TRIES; attempt += 1) {
    const port = await freePort();
    const settings = ["fsync=off", "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=60", `port=${port}`];
    const run = commandAs(account, [
      join(programs, "postgres"),
      "-D",
      join(folder, "data"),
      ...settings.flatMap((setting) => ["-c", setting]),
    ]);
    const server = spawn(run.command, run.args, { stdio: ["ignore", "ignore", "pipe"], cwd: folder });
    const started = await becomesReady(server);
    if (started.ready) return { server, port };
    output = started.output;
    await endServer(server);
  }
  throw new Error(`PostgreSQL did not start:\n${output}`);
}

/** Waits for the line that says so, or for the end of the server. */
async function becomesReady(server: ChildProcess): Promise<{ ready: boolean; output: string }> {
  if (server.stderr === null) throw new Error("the server has no standard error");
  const limit = setTimeout(() => server.kill("SIGKILL"), START_LIMIT_MS);
  let output = "";
  try {
    for await (const line of createInterface({ input: server.stderr })) {
      output += `${line}\n`;
      if (line.includes("ready to accept connections")) {
        return { ready: true, output };
      }
    }
    return { ready: false, output };
  } finally {
    clearTimeout(limit);
    // Read on, or the server would stop at a full pipe.
    server.stderr.resume();
  }
}

async function endServer(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, "exit");
  server.kill("SIGINT");
  const limit = setTimeout(() => server.kill("SIGKILL"), STOP_LIMIT_MS);
  await ended;
  clearTimeout(limit);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

function databasesOn(serverUrl: string, end: () => Promise<void>): TestPostgres {
  const made: string[] = [];
  const run = async (statements: readonly string[]): Promise<void> => {
    const client = new Client({ connectionString: serverUrl });
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  };
  return {
    createDatabase: async () => {
      const name = `test_${randomBytes(6).toString("hex")}`;
      await run([`create database ${name}`]);
      made.push(name);
      const url = new URL(serverUrl);
      url.pathname = `/${name}`;
      return url.href;
    },
    stop: async () => {
      await run(made.map((name) => `drop database if exists ${name} with (force)`));
      await end();
    },
  };
}
