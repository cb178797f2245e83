import { type CompiledQuery, type DatabaseConnection, type Dialect, type Driver, type QueryResult } from "kysely";

import type { FileLock } from "./file-lock.ts";
import type { Life } from "./life.ts";

/** A step of a process with the database. */
export type StatementPoint = "read" | "write" | "begin" | "commit";

/** Called before and after each statement: it may hold the process, kill it, or throw in place of the statement. */
export type StatementGate = (point: StatementPoint, side: "before" | "after", sql: string) => Promise<void>;

export interface GatedDialectOptions {
  readonly life: Life;
  readonly lock: FileLock;
  readonly gate: StatementGate;
}

/** Kysely's way to the database with a gate before and after each statement, and the file's lock taken for what writes. */
export function gatedDialect(dialect: Dialect, options: GatedDialectOptions): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createDriver: () => new GatedDriver(dialect.createDriver(), options),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
  };
}

class GatedConnection implements DatabaseConnection {
  readonly inner: DatabaseConnection;
  readonly #options: GatedDialectOptions;
  isInTransaction = false;

  constructor(inner: DatabaseConnection, options: GatedDialectOptions) {
    this.inner = inner;
    this.#options = options;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { life, lock, gate } = this.#options;
    const point = /^\s*(?:insert|update|delete|replace|create|alter|drop)\b/i.test(query.sql) ? "write" : "read";
    const takesLock = point === "write" && !this.isInTransaction;
    await gate(point, "before", query.sql);
    if (takesLock) await lock.take(life);
    try {
      return await this.inner.executeQuery<R>(query);
    } finally {
      if (takesLock) lock.give(life);
      await gate(point, "after", query.sql);
    }
  }

  streamQuery<R>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    return this.inner.streamQuery<R>(query, chunkSize);
  }
}

class GatedDriver implements Driver {
  readonly #inner: Driver;
  readonly #options: GatedDialectOptions;

  constructor(inner: Driver, options: GatedDialectOptions) {
    this.#inner = inner;
    this.#options = options;
  }

  async init(): Promise<void> {
    await this.#inner.init();
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    return new GatedConnection(await this.#inner.acquireConnection(), this.#options);
  }

  async beginTransaction(connection: DatabaseConnection, settings: Parameters<Driver["beginTransaction"]>[1]): Promise<void> {
    const own = gated(connection);
    const { gate, lock, life } = this.#options;
    await gate("begin", "before", "begin");
    await lock.take(life);
    try {
      await this.#inner.beginTransaction(own.inner, settings);
    } catch (error) {
      lock.give(life);
      throw error;
    }
    own.isInTransaction = true;
    await gate("begin", "after", "begin");
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    const own = gated(connection);
    const { gate, lock, life } = this.#options;
    await gate("commit", "before", "commit");
    await this.#inner.commitTransaction(own.inner);
    own.isInTransaction = false;
    lock.give(life);
    await gate("commit", "after", "commit");
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    const own = gated(connection);
    await this.#inner.rollbackTransaction(own.inner);
    own.isInTransaction = false;
    this.#options.lock.give(this.#options.life);
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    await this.#inner.releaseConnection(gated(connection).inner);
  }

  async destroy(): Promise<void> {
    await this.#inner.destroy();
  }
}

function gated(connection: DatabaseConnection): GatedConnection {
  if (!(connection instanceof GatedConnection)) throw new TypeError("a connection of another driver");
  return connection;
}
