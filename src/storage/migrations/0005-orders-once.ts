import { type Kysely, sql } from "kysely";

import type { Database } from "../database.ts";
import type { Migration } from "../migrate.ts";

/**
 * Orders at most once: name spaces of client order ids, attempts that keep their `cOID`, one row per sending.
 * Orders that were open count as unknown. The tables are made again, since SQLite can't drop a constraint.
 */
export const migration: Migration = {
  name: "0005-orders-once",
  up: async (transaction) => {
    for (const table of ["order_requests", "order_attempts", "order_confirmations"] as const)
      await transaction.schema.alterTable(table).renameTo(`old_${table}`).execute();
    await createRequests(transaction);
    await createAttempts(transaction);
    await createConfirmations(transaction);
    await createSends(transaction);
    await carryOver(transaction);
    for (const table of ["order_confirmations", "order_attempts", "order_requests"] as const)
      await transaction.schema.dropTable(`old_${table}`).execute();
    await createIndexes(transaction);
    await growConnections(transaction);
  },
};

/** The columns that lead to the connection and its owner. */
function owned(db: Kysely<Database>, table: string) {
  return db.schema
    .createTable(table)
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("user_id", "text", (column) => column.notNull().references("users.id").onDelete("cascade"))
    .addColumn("connection_id", "text", (column) => column.notNull())
    .addForeignKeyConstraint(`${table}_connection`, ["connection_id", "user_id"], "connections", ["id", "user_id"], (constraint) =>
      constraint.onDelete("cascade"),
    );
}

async function createRequests(db: Kysely<Database>): Promise<void> {
  await owned(db, "order_requests")
    .addColumn("account_id", "text", (column) => column.notNull())
    .addColumn("caller_id", "text", (column) => column.notNull())
    .addColumn("name_space", "text", (column) => column.notNull())
    .addColumn("client_order_id", "text", (column) => column.notNull())
    .addColumn("is_named", "bigint", (column) => column.notNull())
    .addColumn("arguments_hash", "text", (column) => column.notNull())
    .addColumn("ticket", "text", (column) => column.notNull())
    .addColumn("reason", "text")
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("result", "text")
    .addColumn("owner_process", "text", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("updated_at", "bigint", (column) => column.notNull())
    .addUniqueConstraint("order_requests_name", ["connection_id", "account_id", "name_space", "client_order_id"])
    .execute();
}

async function createAttempts(db: Kysely<Database>): Promise<void> {
  await owned(db, "order_attempts")
    .addColumn("request_id", "text", (column) => column.notNull().references("order_requests.id").onDelete("cascade"))
    .addColumn("account_id", "text", (column) => column.notNull())
    .addColumn("customer_order_id", "text", (column) => column.notNull())
    .addColumn("generation", "bigint", (column) => column.notNull())
    .addColumn("round", "bigint", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("doubt", "bigint", (column) => column.notNull())
    .addColumn("ended_by", "text")
    .addColumn("broker_order_id", "text")
    .addColumn("said", "text")
    .addColumn("looks", "bigint", (column) => column.notNull().defaultTo(0))
    .addColumn("looked_at", "bigint")
    .addColumn("owner_process", "text", (column) => column.notNull())
    .addColumn("first_sent_at", "bigint", (column) => column.notNull())
    .addColumn("first_sent_broker_at", "bigint")
    .addColumn("sent_at", "bigint", (column) => column.notNull())
    .addColumn("sent_broker_at", "bigint")
    .addColumn("placed_broker_at", "bigint")
    .addColumn("updated_at", "bigint", (column) => column.notNull())
    .addUniqueConstraint("order_attempts_coid", ["connection_id", "customer_order_id"])
    .execute();
}

async function createConfirmations(db: Kysely<Database>): Promise<void> {
  await db.schema
    .createTable("order_confirmations")
    .addColumn("token_hash", "text", (column) => column.primaryKey().notNull())
    .addColumn("request_id", "text", (column) => column.notNull().references("order_requests.id").onDelete("cascade"))
    .addColumn("user_id", "text", (column) => column.notNull().references("users.id").onDelete("cascade"))
    .addColumn("caller_id", "text", (column) => column.notNull())
    .addColumn("questions", "text", (column) => column.notNull())
    .addColumn("round", "bigint", (column) => column.notNull())
    .addColumn("expires_at", "bigint", (column) => column.notNull())
    .addColumn("consumed_at", "bigint")
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .execute();
}

async function createSends(db: Kysely<Database>): Promise<void> {
  await owned(db, "order_sends")
    .addColumn("attempt_id", "text", (column) => column.notNull().references("order_attempts.id").onDelete("cascade"))
    .addColumn("caller_id", "text", (column) => column.notNull())
    .addColumn("source", "text", (column) => column.notNull())
    .addColumn("permission", "text", (column) => column.notNull())
    .addColumn("process_id", "text", (column) => column.notNull())
    .addColumn("sent_at", "bigint", (column) => column.notNull())
    .addColumn("broker_at", "bigint")
    .addColumn("ended_at", "bigint")
    .addColumn("ended_by", "text")
    .execute();
}

const REQUEST_STATE = sql`case state when 'accepted' then 'placed' when 'rejected' then 'refused' when 'confirmation_required' then 'asked'
  when 'declined' then 'declined' when 'too_many_questions' then 'declined' when 'not_sent' then 'not_placed' else 'unknown' end`;
const ATTEMPT_STATE = sql`case state when 'accepted' then 'placed' when 'prepared' then 'unknown' when 'unknown' then 'unknown' else 'no' end`;
/** What was absent or never left is sent again under its old `cOID`, which IBKR refuses where it knows it. */
const ENDED_BY = sql`case state when 'accepted' then 'placed' when 'rejected' then 'refused' when 'declined' then 'asked'
  when 'prepared' then null when 'unknown' then null else 'never_left' end`;
/** An owner that no process ever had: found dead at the first look. */
const OWNER = sql.lit("before-0005");

async function carryOver(db: Kysely<Database>): Promise<void> {
  await sql`insert into order_requests (id, user_id, connection_id, account_id, caller_id, name_space, client_order_id, is_named,
      arguments_hash, ticket, reason, state, result, owner_process, created_at, updated_at)
    select id, user_id, connection_id, account_id, caller_id,
      coalesce((select client_id from app_grants where app_grants.id = caller_id), caller_id), client_order_id,
      case when client_order_id like 'auto-%' then 0 else 1 end, arguments_hash, ticket, reason, ${REQUEST_STATE},
      case state when 'too_many_questions' then '{"reason":"too_many_questions"}' else result end, ${OWNER}, created_at, updated_at
    from old_order_requests`.execute(db);
  await sql`insert into order_attempts (id, request_id, user_id, connection_id, account_id, customer_order_id, generation, round, state,
      doubt, ended_by, broker_order_id, owner_process, first_sent_at, first_sent_broker_at, sent_at, sent_broker_at, placed_broker_at, updated_at)
    select id, request_id, user_id, connection_id, account_id, customer_order_id,
      row_number() over (partition by request_id order by created_at, id), round, ${ATTEMPT_STATE},
      case when state in ('prepared', 'unknown') then 1 else 0 end, ${ENDED_BY}, broker_order_id, ${OWNER},
      created_at, created_at, created_at, created_at, case state when 'accepted' then updated_at else null end, updated_at
    from old_order_attempts`.execute(db);
  await sql`insert into order_confirmations (token_hash, request_id, user_id, caller_id, questions, round, expires_at, consumed_at, created_at)
    select token_hash, request_id, user_id, caller_id, questions, round, expires_at, consumed_at, created_at
    from old_order_confirmations`.execute(db);
}

async function createIndexes(db: Kysely<Database>): Promise<void> {
  await db.schema.createIndex("order_requests_user").on("order_requests").columns(["user_id", "created_at"]).execute();
  // The guard on arrival, and what a dead process left.
  await db.schema
    .createIndex("order_requests_equal")
    .on("order_requests")
    .columns(["connection_id", "account_id", "arguments_hash"])
    .execute();
  await sql`create index order_requests_open on order_requests (state, owner_process)
    where state in ('received', 'sending', 'unknown', 'unresolved')`.execute(db);
  await db.schema.createIndex("order_attempts_request").on("order_attempts").columns(["request_id", "generation"]).execute();
  await db.schema.createIndex("order_attempts_broker_order").on("order_attempts").columns(["connection_id", "broker_order_id"]).execute();
  await sql`create index order_attempts_open on order_attempts (state, owner_process) where state in ('sending', 'unknown')`.execute(db);
  // The turn of an account: one order at a time is on its way, over all processes.
  await sql`create unique index order_attempts_turn on order_attempts (connection_id, account_id) where state = 'sending'`.execute(db);
  for (const column of ["request_id", "user_id", "expires_at"] as const)
    await db.schema.createIndex(`order_confirmations_${column}`).on("order_confirmations").columns([column]).execute();
  await db.schema.createIndex("order_sends_attempt").on("order_sends").columns(["attempt_id"]).execute();
  await sql`create index order_sends_open on order_sends (caller_id) where ended_at is null`.execute(db);
}

async function growConnections(db: Kysely<Database>): Promise<void> {
  for (const column of ["duplicate_refusals_proven_at", "orders_stopped_at"] as const)
    await db.schema.alterTable("connections").addColumn(column, "bigint").execute();
  for (const column of ["orders_stopped_because", "doctor_report"] as const)
    await db.schema.alterTable("connections").addColumn(column, "text").execute();
  // The simulator is known to refuse a cOID twice.
  await sql`update connections set duplicate_refusals_proven_at = created_at where kind = 'simulator'`.execute(db);
}
