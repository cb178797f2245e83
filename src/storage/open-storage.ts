import { type Clock, systemClock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { Secret } from "../lib/secret.ts";
import { migrate } from "./migrate.ts";
import { openPostgresStorage } from "./postgres-storage.ts";
import { openSqliteStorage } from "./sqlite-storage.ts";
import type { Storage } from "./storage.ts";

export interface OpenStorageOptions {
  /** A `postgres://` URL; it may hold a password. When absent, `file` is used. */
  readonly databaseUrl?: Secret | string | undefined;
  /** The SQLite file; made when missing, in a folder that exists. */
  readonly file?: string | undefined;
  readonly log: Log;
  /** Times the wait for the SQLite connection. */
  readonly clock?: Clock;
}

/** Opens the database and migrates it. Throws an `Error` of one line, without any secret, when that can't be done. */
export async function openStorage(options: OpenStorageOptions): Promise<Storage> {
  const storage = await openEngine(options);
  try {
    const migrations = await migrate(storage);
    if (migrations.length > 0) options.log.info({ migrations, dialect: storage.dialect }, "database schema brought up to date");
    return storage;
  } catch (error) {
    await storage.close();
    throw error;
  }
}

async function openEngine({ databaseUrl, file, log, clock = systemClock }: OpenStorageOptions): Promise<Storage> {
  if (databaseUrl !== undefined) return await openPostgresStorage(databaseUrl instanceof Secret ? databaseUrl.reveal() : databaseUrl, log);
  if (file === undefined) throw new Error("openStorage needs a databaseUrl or a file");
  return openSqliteStorage(file, clock);
}
