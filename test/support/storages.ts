/** Both database engines behind one face, so that a suite runs on each of them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Clock } from "../../src/lib/clock.ts";
import { openStorage } from "../../src/storage/open-storage.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { startPostgres, type TestPostgres } from "./postgres.ts";
import { silentLog } from "./silent-log.ts";

/** For `describe.each`. */
export const ENGINES = ["sqlite", "postgres"] as const;

/** One database that can be opened several times, as several processes would. */
export interface TestDatabase {
  /** What `openStorage` takes to open it. */
  readonly location: { readonly file: string } | { readonly databaseUrl: string };
  open(clock?: Clock): Promise<Storage>;
}

/** An engine that is ready to make databases; `stop` closes and removes all of them. */
export interface TestEngine {
  createDatabase(): Promise<TestDatabase>;
  stop(): Promise<void>;
}

/** Makes the engine ready: a temporary folder for SQLite, a private server for PostgreSQL. */
export async function startEngine(engine: (typeof ENGINES)[number]): Promise<TestEngine> {
  const opened: Storage[] = [];
  const database = (location: TestDatabase["location"]): TestDatabase => ({
    location,
    open: async (clock) => {
      const storage = await openStorage({ ...location, log: silentLog, ...(clock === undefined ? {} : { clock }) });
      opened.push(storage);
      return storage;
    },
  });
  const closeAll = async () => {
    await Promise.all(opened.map((storage) => storage.close()));
  };
  return engine === "sqlite" ? sqliteEngine(database, closeAll) : postgresEngine(await startPostgres(), database, closeAll);
}

type MakeDatabase = (location: TestDatabase["location"]) => TestDatabase;

function sqliteEngine(database: MakeDatabase, closeAll: () => Promise<void>): TestEngine {
  const folder = mkdtempSync(join(tmpdir(), "ibkr-gateway-storage-"));
  let count = 0;
  return {
    createDatabase: async () => {
      count += 1;
      return database({ file: join(folder, `${count}.sqlite`) });
    },
    stop: async () => {
      await closeAll();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function postgresEngine(server: TestPostgres, database: MakeDatabase, closeAll: () => Promise<void>): TestEngine {
  return {
    createDatabase: async () => database({ databaseUrl: await server.createDatabase() }),
    stop: async () => {
      await closeAll();
      await server.stop();
    },
  };
}
