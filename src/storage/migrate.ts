import { type Kysely, sql, type Transaction } from "kysely";

import type { Database } from "./database.ts";
import { migration as firstSchema } from "./migrations/0001-first-schema.ts";
import { migration as oauth } from "./migrations/0002-oauth.ts";
import { migration as signIn } from "./migrations/0003-sign-in.ts";
import { migration as connectionLife } from "./migrations/0004-connection-life.ts";
import { migration as ordersOnce } from "./migrations/0005-orders-once.ts";
import type { Storage } from "./storage.ts";

/** One step of the schema. It runs once, inside a transaction, on both engines. */
export interface Migration {
  readonly name: string;
  up(transaction: Transaction<Database>, dialect: Storage["dialect"]): Promise<void>;
}

/** Every step, in order. A step that was released is never changed: a new one corrects it. */
const MIGRATIONS: readonly Migration[] = [firstSchema, oauth, signIn, connectionLife, ordersOnce];

/** Names the advisory lock on PostgreSQL; any number that nobody else in the database uses. */
const LOCK = 7_310_524_190;
/** A step may rewrite a large table, and another process may be doing so just now. */
const MIGRATION_TIMEOUT = sql.lit("10min");

/**
 * Brings the schema up to date and answers the names of the steps it ran. Safe when several processes start at once: one
 * migrates, the others wait for it. Throws when the database was made by a newer version.
 */
export async function migrate(storage: Storage): Promise<readonly string[]> {
  return await storage.transaction(async (transaction) => {
    if (storage.dialect === "postgres") {
      await sql`set local statement_timeout = ${MIGRATION_TIMEOUT}`.execute(transaction);
      await sql`select pg_advisory_xact_lock(${LOCK})`.execute(transaction);
    }
    const done = await appliedMigrations(transaction);
    const unknown = done.filter((name) => !MIGRATIONS.some((migration) => migration.name === name));
    if (unknown.length > 0) throw new Error(`the database was made by a newer version (it has ${unknown.join(", ")}): update this program`);
    const missing = MIGRATIONS.filter((migration) => !done.includes(migration.name));
    for (const migration of missing) {
      await migration.up(transaction, storage.dialect);
      await sql`insert into schema_migrations (name) values (${migration.name})`.execute(transaction);
    }
    return missing.map((migration) => migration.name);
  });
}

async function appliedMigrations(transaction: Kysely<Database>): Promise<string[]> {
  await sql`create table if not exists schema_migrations (name text primary key not null)`.execute(transaction);
  const { rows } = await sql<{ name: string }>`select name from schema_migrations order by name`.execute(transaction);
  return rows.map((row) => row.name);
}
