import { CompiledQuery, type DatabaseConnection, type Dialect, SqliteAdapter, SqliteDialect, SqliteDriver } from "kysely";

import type { SqliteConnection } from "./sqlite-database.ts";
import type { TransactionScope } from "./transaction-scope.ts";
import type { Turns } from "./turns.ts";

/**
 * Kysely's SQLite dialect over one connection: a transaction takes the write lock when it begins (a later upgrade could fail
 * midway when another process writes), and while it runs every other query waits for its turn.
 */
export function createSqliteDialect(connection: SqliteConnection, turns: Turns, scope: TransactionScope): Dialect {
  const plain = new SqliteDialect({ database: connection });
  return {
    createAdapter: () => new TurnTakingAdapter(),
    createDriver: () => new TurnTakingDriver(connection, turns, scope),
    createIntrospector: (db) => plain.createIntrospector(db),
    createQueryCompiler: () => plain.createQueryCompiler(),
  };
}

class TurnTakingAdapter extends SqliteAdapter {
  /** Turns replace Kysely's own lock, which waits without a limit and can't see a query that would wait for itself. */
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

class TurnTakingDriver extends SqliteDriver {
  readonly #connection: SqliteConnection;
  readonly #turns: Turns;
  readonly #scope: TransactionScope;

  constructor(connection: SqliteConnection, turns: Turns, scope: TransactionScope) {
    super({ database: connection });
    this.#connection = connection;
    this.#turns = turns;
    this.#scope = scope;
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    this.#scope.assertOutside();
    await this.#turns.take();
    return await super.acquireConnection();
  }

  override async releaseConnection(): Promise<void> {
    this.#turns.give();
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  /** SQLite may have rolled back by itself (a full disk, for one); a second rollback would hide the reason. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#connection.isInTransaction) await super.rollbackTransaction(connection);
  }

  /** The storage closes its connections itself. */
  override async destroy(): Promise<void> {
    await Promise.resolve();
  }
}
