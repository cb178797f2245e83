import type { CompiledQuery, Kysely, Transaction } from "kysely";

import type { Database } from "./database.ts";

/** A value that a query may carry: columns are text and bigint only. Numbers are safe integers. */
export type SqlValue = string | number | null;

/** Runs a prepared query with new parameters and answers its first row. */
export type Lookup<Row> = (parameters: readonly SqlValue[]) => Promise<Row | undefined>;

interface TransactionOptions {
  /**
   * `full` (the default): committed means on disk, whatever happens to the machine.
   * `relaxed`: survives the end of this process, but the last moments may be lost with the machine's power.
   */
  readonly durability?: "full" | "relaxed";
}

/** An opened and migrated database. Queries are functions by subject in this folder that take it first. */
export interface Storage {
  readonly db: Kysely<Database>;
  readonly dialect: "sqlite" | "postgres";
  /**
   * Runs `work` in one transaction: all of it is kept, or nothing when it throws. Inside, only `transaction` may be used
   * (a query through `db` is refused: on SQLite it would wait for itself), and nothing slow: others wait meanwhile.
   */
  transaction<T>(work: (transaction: Transaction<Database>) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /**
   * Prepares a read that is run very often: compiled once, with its parameters in the query's order given at each call.
   * It sees what is committed, and never waits for a transaction.
   */
  lookup<Row>(query: CompiledQuery<Row>): Lookup<Row>;
  close(): Promise<void>;
}
