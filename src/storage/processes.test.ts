import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { silentLog as log } from "../../test/support/silent-log.ts";
import { startEngine, type TestEngine } from "../../test/support/storages.ts";
import { systemRandom as random } from "../lib/random.ts";
import { openProcessLocks } from "./process-lock.ts";
import { openProcessSockets, socketFolder } from "./process-socket.ts";
import type { Processes } from "./processes.ts";

let folder: string;
let databases: TestEngine;
let databaseUrl: string;

beforeAll(async () => {
  databases = await startEngine("postgres");
  const { location } = await databases.createDatabase();
  if (!("databaseUrl" in location)) throw new Error("not PostgreSQL");
  ({ databaseUrl } = location);
});
afterAll(() => databases.stop());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ibkr-gateway-processes-"));
});

describe.each([
  ["sockets", () => openProcessSockets({ dataDir: folder, random, log }), 'openProcessSockets } from "./src/storage/process-socket.ts"'],
  ["locks", () => openProcessLocks({ databaseUrl, random, log }), 'openProcessLocks } from "./src/storage/process-lock.ts"'],
] as const)("processes told apart by %s", (kind, open, imported) => {
  const opened: Processes[] = [];
  const start = async (): Promise<Processes> => {
    const processes = await open();
    opened.push(processes);
    return processes;
  };
  afterAll(() => Promise.all(opened.map((processes) => processes.close())));

  it("know each other and themselves", async () => {
    const [one, other] = [await start(), await start()];
    const ids = [await one.hold(), await other.hold()];
    expect(new Set(ids).size).toBe(2);
    expect(await one.hold()).toBe(ids[0]);
    for (const asker of [one, other]) for (const id of ids) expect(await asker.isAlive(id)).toBe(true);
  });

  it("know who has closed, and who never was", async () => {
    const [one, other] = [await start(), await start()];
    const id = await other.hold();
    await other.close();
    await expect.poll(() => one.isAlive(id), { timeout: 5_000 }).toBe(false);
    expect(await one.isAlive("prc_0123456789abcdef")).toBe(false);
    expect(await one.isAlive("before-0005")).toBe(false);
    expect(await one.isAlive("../gateway.sqlite")).toBe(false);
  });

  it("know who was killed", async () => {
    const one = await start();
    const place = kind === "sockets" ? { dataDir: folder } : { databaseUrl };
    const script = `
      import { systemRandom as random } from "./src/lib/random.ts";
      import { ${imported};
      const processes = await ${kind === "sockets" ? "openProcessSockets" : "openProcessLocks"}({ ...${JSON.stringify(place)}, random, log: { warn() {} } });
      console.log(await processes.hold());
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
    const id = await new Promise<string>((resolve) => child.stdout.once("data", (text: Buffer) => resolve(text.toString().trim())));
    expect(await one.isAlive(id)).toBe(true);
    child.kill("SIGKILL");
    await expect.poll(() => one.isAlive(id), { timeout: 10_000 }).toBe(false);
  });

  it("take another id when theirs is lost, and one only", async () => {
    const [one, other] = [await start(), await start()];
    const id = await one.hold();
    if (kind === "sockets") rmSync(join(folder, "run", id));
    else {
      const storage = await databases.createDatabase().then((database) => database.open());
      await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'ibkr-gateway process'`.execute(storage.db);
    }
    const ids = await Promise.all([one.hold(), one.hold(), one.hold()]);
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).not.toBe(id);
    await expect.poll(() => other.isAlive(id), { timeout: 5_000 }).toBe(false);
    expect(await other.isAlive(ids[0] ?? "")).toBe(true);
  });
});

describe("sockets", () => {
  it("leave nothing of the dead behind, and a folder that is gone is made again", async () => {
    const [one, other] = [
      await openProcessSockets({ dataDir: folder, random, log }),
      await openProcessSockets({ dataDir: folder, random, log }),
    ];
    rmSync(join(folder, "run"), { recursive: true });
    const id = await one.hold();
    expect(readdirSync(join(folder, "run"))).toEqual([id]);
    await one.close();
    expect(await other.isAlive(id)).toBe(false);
    expect(existsSync(join(folder, "run", id))).toBe(false);
    await other.close();
  });

  it("of a long path are in a private folder that the data folder's digest names", async () => {
    const long = join(folder, "x".repeat(100));
    const place = socketFolder(long);
    expect(place).toMatch(new RegExp(`^${tmpdir()}/ibkr-gateway-[0-9a-f]{16}$`));
    expect(socketFolder(`${long}y`)).not.toBe(place);
    const processes = await openProcessSockets({ dataDir: long, random, log });
    expect(readdirSync(place)).toEqual([await processes.hold()]);
    await processes.close();
    rmSync(place, { recursive: true });
  });

  it("are not put where others may write", async () => {
    mkdirSync(join(folder, "run"));
    chmodSync(join(folder, "run"), 0o777);
    await expect(openProcessSockets({ dataDir: folder, random, log })).rejects.toThrow("others may write to it");
  });
});
