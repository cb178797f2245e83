import { DatabaseSync, type StatementSync } from "node:sqlite";
import { chmodSync, closeSync, openSync } from "node:fs";

import type { SqliteDatabase, SqliteStatement } from "kysely";

import { messageOf } from "../lib/errors.ts";
import { checkedSqlValues } from "./sql-values.ts";

/** Most prepared statements kept per connection; the system has fewer than a hundred different queries. */
const MAX_STATEMENTS = 256;
/** How long another process (a command of ours) may hold the write lock before a query fails. */
const BUSY_TIMEOUT_MS = 5_000;
/** Memory for pages; SQLite's own 2 MB makes each insert into a large index read and write the file. */
const CACHE_KIB = 24 * 1024;
/** How much of the file is read by mapping in place of copying. */
const MMAP_BYTES = 256 * 1024 * 1024;

/** One connection of `node:sqlite` in the form Kysely's SQLite driver takes, with prepared statements kept by their text. */
export class SqliteConnection implements SqliteDatabase {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, PreparedStatement>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get isInTransaction(): boolean {
    return this.#database.isTransaction;
  }

  prepare(sql: string): PreparedStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) {
      // Moved to the end, so that the first in the map is the one that was not used for longest.
      this.#statements.delete(sql);
      this.#statements.set(sql, known);
      return known;
    }
    const statement = new PreparedStatement(this.#database.prepare(sql));
    this.#statements.set(sql, statement);
    if (this.#statements.size > MAX_STATEMENTS) {
      const oldest = this.#statements.keys().next();
      if (oldest.done !== true) this.#statements.delete(oldest.value);
    }
    return statement;
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }
}

/** A prepared statement that checks its parameters. */
export class PreparedStatement implements SqliteStatement {
  readonly reader: boolean;
  readonly #statement: StatementSync;

  constructor(statement: StatementSync) {
    this.#statement = statement;
    this.reader = statement.columns().length > 0;
  }

  all(parameters: readonly unknown[]): unknown[] {
    return this.#statement.all(...checkedSqlValues(parameters));
  }

  first(parameters: readonly unknown[]): unknown {
    return this.#statement.get(...checkedSqlValues(parameters));
  }

  run(parameters: readonly unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint } {
    return this.#statement.run(...checkedSqlValues(parameters));
  }

  iterate(): never {
    throw new Error("streaming is not supported: ask for a page with a limit");
  }
}

/**
 * Opens the database file twice: `writer` for all queries, `reader` for look-ups that see only what is committed.
 * The file is made readable by its owner alone. Throws an `Error` of one line when it can't be opened.
 */
export function openSqliteFile(file: string): { writer: SqliteConnection; reader: SqliteConnection } {
  try {
    // Made before SQLite opens it: the files beside it (write-ahead log, shared memory) take their mode from it.
    closeSync(openSync(file, "a", 0o600));
    chmodSync(file, 0o600);
    const writer = new SqliteConnection(new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true }));
    // FULL: a committed order row must outlive a power cut.
    writer.exec(`pragma journal_mode = wal; pragma synchronous = full; pragma trusted_schema = off; pragma cache_size = -${CACHE_KIB}`);
    const reader = new SqliteConnection(new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, readOnly: true }));
    reader.exec(`pragma mmap_size = ${MMAP_BYTES}`);
    return { writer, reader };
  } catch (error) {
    throw new Error(`the database file ${file} can't be opened: ${messageOf(error)}`, { cause: error });
  }
}
