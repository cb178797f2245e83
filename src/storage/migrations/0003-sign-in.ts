import { type CreateTableBuilder, type Kysely, sql } from "kysely";

import type { Database } from "../database.ts";
import type { Migration } from "../migrate.ts";

/** People's sign-in. What makes a demo a demo moves from its owner to its connection, because a person may take the owner over. */
export const migration: Migration = {
  name: "0003-sign-in",
  up: async (transaction) => {
    await markOperatorsAndDemo(transaction);
    await createMethods(transaction);
    await createSessions(transaction);
    await createPassing(transaction);
  },
};

async function markOperatorsAndDemo(db: Kysely<Database>): Promise<void> {
  await db.schema
    .alterTable("users")
    .addColumn("is_operator", "bigint", (column) => column.notNull().defaultTo(0))
    .execute();
  await db.schema
    .alterTable("connections")
    .addColumn("is_demo", "bigint", (column) => column.notNull().defaultTo(0))
    .execute();
  await sql`update connections set is_demo = 1 where user_id in (select id from users where is_demo = 1)`.execute(db);
}

async function createMethods(db: Kysely<Database>): Promise<void> {
  await db.schema
    .createTable("local_accounts")
    .addColumn("user_id", "text", (column) => column.primaryKey().notNull().references("users.id").onDelete("cascade"))
    .addColumn("login_name", "text", (column) => column.notNull().unique())
    .addColumn("password_hash", "text", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("password_changed_at", "bigint", (column) => column.notNull())
    .execute();
  await withOwner(db.schema.createTable("passkeys").addColumn("id", "text", (column) => column.primaryKey().notNull()))
    .addColumn("label", "text", (column) => column.notNull())
    .addColumn("public_key", "text", (column) => column.notNull())
    .addColumn("counter", "bigint", (column) => column.notNull())
    .addColumn("transports", "text", (column) => column.notNull())
    .addColumn("backed_up", "bigint", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("last_used_at", "bigint")
    .execute();
  await db.schema.createIndex("passkeys_user").on("passkeys").columns(["user_id"]).execute();
  await withOwner(db.schema.createTable("oidc_identities"))
    .addColumn("issuer", "text", (column) => column.notNull())
    .addColumn("subject", "text", (column) => column.notNull())
    .addColumn("email", "text")
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("last_used_at", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("oidc_identities_account", ["issuer", "subject"])
    .execute();
  await db.schema.createIndex("oidc_identities_user").on("oidc_identities").columns(["user_id"]).execute();
}

async function createSessions(db: Kysely<Database>): Promise<void> {
  await withOwner(db.schema.createTable("browser_sessions").addColumn("id", "text", (column) => column.primaryKey().notNull()))
    .addColumn("token_hash", "text", (column) => column.notNull().unique())
    .addColumn("method", "text", (column) => column.notNull())
    .addColumn("address", "text")
    .addColumn("user_agent", "text")
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("last_seen_at", "bigint", (column) => column.notNull())
    .addColumn("expires_at", "bigint", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("browser_sessions_user").on("browser_sessions").columns(["user_id", "last_seen_at"]).execute();
  await db.schema.createIndex("browser_sessions_expiry").on("browser_sessions").columns(["expires_at"]).execute();
  await db.schema.createIndex("browser_sessions_seen").on("browser_sessions").columns(["last_seen_at"]).execute();
}

/** What passes: links, sign-ins under way, and counts of failures. */
async function createPassing(db: Kysely<Database>): Promise<void> {
  await db.schema
    .createTable("sign_in_links")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("token_hash", "text", (column) => column.notNull().unique())
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("user_id", "text", (column) => column.references("users.id").onDelete("cascade"))
    .addColumn("invited_by", "text", (column) => column.references("users.id").onDelete("cascade"))
    .addColumn("note", "text", (column) => column.notNull())
    .addColumn("makes_operator", "bigint", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("expires_at", "bigint", (column) => column.notNull())
    .addColumn("used_at", "bigint")
    .execute();
  await db.schema.createIndex("sign_in_links_user").on("sign_in_links").columns(["user_id"]).execute();
  await db.schema.createIndex("sign_in_links_inviter").on("sign_in_links").columns(["invited_by"]).execute();
  await db.schema.createIndex("sign_in_links_kind").on("sign_in_links").columns(["kind", "expires_at"]).execute();
  await db.schema
    .createTable("sign_in_flows")
    .addColumn("id_hash", "text", (column) => column.primaryKey().notNull())
    .addColumn("purpose", "text", (column) => column.notNull())
    .addColumn("browser_hash", "text", (column) => column.notNull())
    .addColumn("user_id", "text", (column) => column.references("users.id").onDelete("cascade"))
    .addColumn("link_id", "text", (column) => column.references("sign_in_links.id").onDelete("cascade"))
    .addColumn("return_to", "text", (column) => column.notNull())
    .addColumn("expires_at", "bigint", (column) => column.notNull())
    .execute();
  for (const column of ["user_id", "link_id", "expires_at"]) {
    await db.schema.createIndex(`sign_in_flows_${column}`).on("sign_in_flows").columns([column]).execute();
  }
  await db.schema
    .createTable("sign_in_throttles")
    .addColumn("key_hash", "text", (column) => column.primaryKey().notNull())
    .addColumn("free_at", "bigint", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("sign_in_throttles_free").on("sign_in_throttles").columns(["free_at"]).execute();
}

function withOwner<Table extends string, Columns extends string>(table: CreateTableBuilder<Table, Columns>) {
  return table.addColumn("user_id", "text", (column) => column.notNull().references("users.id").onDelete("cascade"));
}
