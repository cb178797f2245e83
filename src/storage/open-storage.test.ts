import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { seedOwner } from "../../test/support/seed-keys.ts";
import { silentLog } from "../../test/support/silent-log.ts";
import { ENGINES, startEngine, type TestEngine } from "../../test/support/storages.ts";
import { Secret } from "../lib/secret.ts";
import { migrate } from "./migrate.ts";
import { openStorage } from "./open-storage.ts";

const run = promisify(execFile);

describe.each(ENGINES)("a database on %s", (engine) => {
  let databases: TestEngine;
  beforeAll(async () => {
    databases = await startEngine(engine);
  });
  afterAll(() => databases.stop());

  it("is migrated once, and keeps its data when it is opened again", async () => {
    const database = await databases.createDatabase();
    const first = await database.open();
    const { userId } = await seedOwner(first);
    await first.close();
    const second = await database.open();
    expect(await migrate(second)).toEqual([]);
    const users = await second.db.selectFrom("users").select(["id", "created_at"]).execute();
    expect(users).toEqual([{ id: userId, created_at: 1 }]);
  });

  it("is migrated by one of several processes that start at once", async () => {
    const { location } = await databases.createDatabase();
    const script = `
      import { openStorage } from "./src/storage/open-storage.ts";
      let steps = 0;
      const log = { info: (facts) => { steps += facts.migrations.length; }, warn() {}, error() {}, debug() {} };
      const storage = await openStorage({ ...${JSON.stringify(location)}, log });
      await storage.close();
      console.log(steps);`;
    const processes = Array.from({ length: 4 }, () => run(process.execPath, ["--input-type=module", "--eval", script]));
    const steps = (await Promise.all(processes)).map(({ stdout }) => Number(stdout));
    expect(steps.filter((count) => count > 0)).toHaveLength(1);
    expect(steps).toHaveLength(4);
  });

  it("is refused when a newer version made it", async () => {
    const database = await databases.createDatabase();
    const storage = await database.open();
    await sql`insert into schema_migrations (name) values ('9999-from-the-future')`.execute(storage.db);
    await storage.close();
    await expect(database.open()).rejects.toThrow("made by a newer version (it has 9999-from-the-future)");
  });

  it("refuses queries after it was closed, and closes twice without harm", async () => {
    const storage = await (await databases.createDatabase()).open();
    await storage.close();
    await storage.close();
    await expect(storage.db.selectFrom("users").selectAll().execute()).rejects.toThrow(/destroyed|closed/);
  });

  it("counts as numbers", async () => {
    const storage = await (await databases.createDatabase()).open();
    await seedOwner(storage);
    const counted = await storage.db
      .selectFrom("users")
      .select(({ fn }) => fn.countAll<number>().as("count"))
      .executeTakeFirst();
    expect(counted).toEqual({ count: 1 });
  });
});

describe("the SQLite file", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ibkr-gateway-file-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("and the files beside it can be read by their owner alone, also when they were open before", async () => {
    const file = join(folder, "private.sqlite");
    await (await openStorage({ file, log: silentLog })).close();
    await chmod(file, 0o644);
    const storage = await openStorage({ file, log: silentLog });
    await seedOwner(storage);
    const modes = await Promise.all(["", "-wal", "-shm"].map(async (end) => (await stat(file + end)).mode & 0o777));
    await storage.close();
    expect(modes).toEqual([0o600, 0o600, 0o600]);
  });

  it("that can't be opened is named in one line", async () => {
    await expect(openStorage({ file: join(folder, "missing", "x.sqlite"), log: silentLog })).rejects.toThrow(
      /^the database file \S+x\.sqlite can't be opened: [^\n]+$/,
    );
  });

  it("waits for the disk on each commit and keeps foreign keys", async () => {
    const storage = await openStorage({ file: join(folder, "settings.sqlite"), log: silentLog });
    const read = async (name: string) => Object.values((await sql<object>`pragma ${sql.raw(name)}`.execute(storage.db)).rows[0] ?? {});
    expect([await read("synchronous"), await read("foreign_keys"), await read("journal_mode")]).toEqual([[2], [1], ["wal"]]);
    const relaxed = await storage.transaction(async (inside) => (await sql`pragma synchronous`.execute(inside)).rows, {
      durability: "relaxed",
    });
    expect(relaxed).toEqual([{ synchronous: 1 }]);
    expect(await read("synchronous")).toEqual([2]);
    await storage.close();
  });
});

describe("a PostgreSQL server that does not answer", () => {
  it("is named without the password", async () => {
    const opening = openStorage({ databaseUrl: new Secret("postgres://gateway:hunter2@127.0.0.1:1/main"), log: silentLog });
    const error: unknown = await opening.catch((reason: unknown) => reason);
    expect(String(error)).toMatch(/PostgreSQL at 127\.0\.0\.1:1\/main can't be reached: /);
    expect(String(error)).not.toContain("hunter2");
  });
});
