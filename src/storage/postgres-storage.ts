import { Kysely, type PostgresCursor, PostgresDialect, type PostgresPoolClient, type PostgresQueryResult, sql } from "kysely";
import { Pool, type PoolClient, type QueryResultRow } from "pg";

import { messageOf } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import type { Database } from "./database.ts";
import { checkedSqlValues } from "./sql-values.ts";
import type { Storage } from "./storage.ts";
import { TransactionScope } from "./transaction-scope.ts";

/** Connections of this process; PostgreSQL's own default allows 100 for all. */
const MAX_CONNECTIONS = 10;
const CONNECT_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 30_000;
/** No query of ours scans more than a page; one that takes longer is stuck. */
const STATEMENT_TIMEOUT_MS = 15_000;

/** PostgreSQL's type number of bigint. */
const INT8 = 20;

/** Opens a PostgreSQL database as a `Storage`, not yet migrated. Throws an `Error` of one line without the password when it can't be reached. */
export async function openPostgresStorage(databaseUrl: string, log: Log): Promise<Storage> {
  const pool = createPool(databaseUrl, log);
  await assertReachable(pool, databaseUrl);
  const scope = new TransactionScope();
  const connect = async (): Promise<PostgresPoolClient> => {
    scope.assertOutside();
    return new CheckingClient(await pool.connect());
  };
  const dialect = new PostgresDialect({ pool: { options: pool.options, end: () => pool.end(), connect } });
  const db = new Kysely<Database>({ dialect });
  let lookups = 0;
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await db.destroy();
    if (!pool.ended) await pool.end();
  };
  return {
    db,
    dialect: "postgres",
    transaction: async (work, options) =>
      await db.transaction().execute(async (inside) => {
        if (options?.durability === "relaxed") await sql`set local synchronous_commit = off`.execute(inside);
        return await scope.run(() => work(inside));
      }),
    lookup: <Row>(query: { readonly sql: string }) => {
      lookups += 1;
      const name = `lookup_${lookups}`;
      return async (parameters) => {
        const { rows } = await pool.query<Row & QueryResultRow>({ name, text: query.sql, values: checkedSqlValues(parameters) });
        return rows[0];
      };
    },
    close: () => (closed ??= close()),
  };
}

function createPool(connectionString: string, log: Log): Pool {
  const pool = new Pool({
    connectionString,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    // The answer may be lost where the server's own limit can't reach us.
    query_timeout: STATEMENT_TIMEOUT_MS + CONNECT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
    keepAlive: true,
    application_name: "ibkr-gateway",
    types: { getTypeParser: typeParser },
  });
  // An idle connection that breaks is replaced on next use; unheard, the event would end the process.
  pool.on("error", (error) => log.warn({ err: error }, "an idle database connection broke"));
  return pool;
}

/** Reads bigint as a number: all of ours are times, counters and flags far below 2^53. */
function typeParser(oid: number): (text: string) => unknown {
  return oid === INT8 ? safeInteger : (text) => text;
}

function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`the database holds a number beyond 2^53: ${text}`);
  return value;
}

async function assertReachable(pool: Pool, databaseUrl: string): Promise<void> {
  try {
    await pool.query("select 1");
  } catch (error) {
    await pool.end();
    const { host, pathname } = URL.parse(databaseUrl) ?? { host: "?", pathname: "" };
    throw new Error(`PostgreSQL at ${host}${pathname} can't be reached: ${messageOf(error)}`, { cause: error });
  }
}

/** A connection of the pool, taken for one query or one transaction, that checks its parameters as the SQLite side does. */
class CheckingClient implements PostgresPoolClient {
  readonly #client: PoolClient;

  constructor(client: PoolClient) {
    this.#client = client;
  }

  // pg's result is what Kysely's interface was cut from; pg only declares the command and the count more widely.
  query<Row>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<Row>>;
  query<Row>(cursor: PostgresCursor<Row>): PostgresCursor<Row>;
  query(text: unknown, values: readonly unknown[] = []): unknown {
    if (typeof text !== "string") throw new Error("streaming is not supported: ask for a page with a limit");
    return this.#client.query(text, checkedSqlValues(values));
  }

  release(destroy?: boolean): void {
    this.#client.release(destroy);
  }
}
