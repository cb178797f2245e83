import { type CompiledQuery, type Dialect, Kysely, sql } from "kysely";

import type { Clock } from "../lib/clock.ts";
import type { Database } from "./database.ts";
import { openSqliteFile, type SqliteConnection } from "./sqlite-database.ts";
import { createSqliteDialect } from "./sqlite-dialect.ts";
import type { Lookup, Storage } from "./storage.ts";
import { TransactionScope } from "./transaction-scope.ts";
import { Turns } from "./turns.ts";

/** Opens the SQLite file as a `Storage`, not yet migrated. Throws an `Error` of one line when it can't be opened. */
export function openSqliteStorage(file: string, clock: Clock): Storage {
  return sqliteStorageOver(openSqliteFile(file), clock);
}

/** Returns a `Storage` over the two connections of a file. `wrap` may stand between Kysely and the dialect. */
export function sqliteStorageOver(
  { writer, reader }: ReturnType<typeof openSqliteFile>,
  clock: Clock,
  wrap: (dialect: Dialect) => Dialect = (dialect) => dialect,
): Storage {
  const scope = new TransactionScope();
  const turns = new Turns(clock);
  const db = new Kysely<Database>({ dialect: wrap(createSqliteDialect(writer, turns, scope)) });
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await turns.close();
    await db.destroy();
    reader.close();
    writer.close();
  };
  return {
    db,
    dialect: "sqlite",
    transaction: async (work, options) => {
      const run = (connection: Kysely<Database>) => connection.transaction().execute((inside) => scope.run(() => work(inside)));
      return options?.durability === "relaxed" ? await db.connection().execute((held) => withoutSync(held, run)) : await run(db);
    },
    lookup: (query) => lookupOn(reader, query),
    close: () => (closed ??= close()),
  };
}

/** Commits without waiting for the disk; the next commit that waits carries this one with it. */
async function withoutSync<T>(connection: Kysely<Database>, run: (connection: Kysely<Database>) => Promise<T>): Promise<T> {
  await sql`pragma synchronous = normal`.execute(connection);
  try {
    return await run(connection);
  } finally {
    await sql`pragma synchronous = full`.execute(connection);
  }
}

// The row has the query's own type: Kysely derived it from the columns that the query selects.
function lookupOn<Row>(reader: SqliteConnection, query: CompiledQuery<Row>): Lookup<Row>;
function lookupOn(reader: SqliteConnection, query: CompiledQuery): Lookup<unknown> {
  const statement = reader.prepare(query.sql);
  return async (parameters) => statement.first(parameters);
}
