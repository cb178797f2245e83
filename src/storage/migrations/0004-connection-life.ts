import { type Kysely, sql } from "kysely";

import type { Database } from "../database.ts";
import type { Migration } from "../migrate.ts";

/** What is known of a connection between two sessions, its owner's switches, toolsets of callers, and set-ups under way. */
export const migration: Migration = {
  name: "0004-connection-life",
  up: async (transaction) => {
    await growConnections(transaction);
    await addToolsets(transaction);
    await createDrafts(transaction);
    await growAuditLog(transaction);
    await growUsers(transaction);
  },
};

async function growConnections(db: Kysely<Database>): Promise<void> {
  // One column each: SQLite adds one at a time.
  const texts = ["ibkr_user_name", "known_accounts", "last_fault", "frozen_because"];
  const times = ["live_trading_enabled_at", "paused_at", "frozen_at", "verified_at"];
  for (const column of texts) await db.schema.alterTable("connections").addColumn(column, "text").execute();
  for (const column of times) await db.schema.alterTable("connections").addColumn(column, "bigint").execute();
  await db.schema
    .alterTable("connections")
    .addColumn("keep_warm", "bigint", (column) => column.notNull().defaultTo(0))
    .execute();
  // Whoever else has this user name, and what to open at a start, is asked across users.
  await db.schema.createIndex("connections_ibkr_user_name").on("connections").columns(["ibkr_user_name"]).execute();
  await sql`create index connections_warm on connections (created_at, id) where keep_warm = 1`.execute(db);
}

async function addToolsets(db: Kysely<Database>): Promise<void> {
  await db.schema.alterTable("api_keys").addColumn("toolsets", "text").execute();
  await db.schema.alterTable("app_grants").addColumn("toolsets", "text").execute();
}

async function createDrafts(db: Kysely<Database>): Promise<void> {
  await db.schema
    .createTable("connection_drafts")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("user_id", "text", (column) => column.notNull().references("users.id").onDelete("cascade"))
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("mode", "text", (column) => column.notNull())
    .addColumn("label", "text", (column) => column.notNull())
    .addColumn("sealed_content", "text", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("updated_at", "bigint", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("connection_drafts_user").on("connection_drafts").columns(["user_id", "updated_at"]).execute();
}

async function growAuditLog(db: Kysely<Database>): Promise<void> {
  await db.schema.alterTable("audit_log").addColumn("summary", "text").execute();
  // What a page of calls is filtered by stands in the index itself: rows that don't fit are never read.
  await db.schema.dropIndex("audit_log_user").execute();
  await db.schema
    .createIndex("audit_log_user")
    .on("audit_log")
    .columns(["user_id", "sequence", "caller_id", "connection_id", "tool", "outcome", "code", "at"])
    .execute();
  // Ids of requests count up, so that this index grows at its end only.
  await db.schema.createIndex("audit_log_request").on("audit_log").columns(["request_id"]).execute();
  await sql`create index audit_log_failures on audit_log (user_id, at) where outcome = 'error'`.execute(db);
}

async function growUsers(db: Kysely<Database>): Promise<void> {
  await db.schema.alterTable("users").addColumn("last_signed_in_at", "bigint").execute();
}
