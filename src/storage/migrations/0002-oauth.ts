import type { Kysely } from "kysely";

import type { Database } from "../database.ts";
import type { Migration } from "../migrate.ts";

/** What hosts were granted by OAuth, the clients that registered themselves, and the hashes of codes and tokens. */
export const migration: Migration = {
  name: "0002-oauth",
  up: async (transaction) => {
    await createGrants(transaction);
    await createClients(transaction);
    await createTokens(transaction);
  },
};

async function createGrants(db: Kysely<Database>): Promise<void> {
  await db.schema
    .createTable("app_grants")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("user_id", "text", (column) => column.notNull().references("users.id").onDelete("cascade"))
    .addColumn("connection_id", "text", (column) => column.notNull())
    .addColumn("client_id", "text", (column) => column.notNull())
    .addColumn("client_name", "text", (column) => column.notNull())
    .addColumn("client_host", "text")
    .addColumn("client_identity", "text", (column) => column.notNull())
    .addColumn("redirect_uri", "text", (column) => column.notNull())
    .addColumn("scope", "text", (column) => column.notNull())
    .addColumn("allowed_account_ids", "text")
    .addColumn("limits", "text")
    .addColumn("pinned_account_id", "text")
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("expires_at", "bigint")
    .addColumn("issued_at", "bigint")
    .addColumn("last_used_at", "bigint")
    .addColumn("last_used_address", "text")
    .addColumn("last_used_client", "text")
    .addColumn("revoked_at", "bigint")
    .addColumn("revoked_because", "text")
    .addForeignKeyConstraint("app_grants_connection", ["connection_id", "user_id"], "connections", ["id", "user_id"], (key) =>
      key.onDelete("cascade"),
    )
    .execute();
  await db.schema.createIndex("app_grants_user").on("app_grants").columns(["user_id", "created_at"]).execute();
  await db.schema.createIndex("app_grants_connection").on("app_grants").columns(["connection_id"]).execute();
  await db.schema.createIndex("app_grants_revoked").on("app_grants").columns(["revoked_at"]).execute();
}

async function createClients(db: Kysely<Database>): Promise<void> {
  await db.schema
    .createTable("oauth_clients")
    .addColumn("client_id", "text", (column) => column.primaryKey().notNull())
    .addColumn("metadata", "text", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("used_at", "bigint")
    .execute();
  await db.schema.createIndex("oauth_clients_unused").on("oauth_clients").columns(["used_at", "created_at"]).execute();
}

async function createTokens(db: Kysely<Database>): Promise<void> {
  await db.schema
    .createTable("oauth_access_tokens")
    .addColumn("token_hash", "text", (column) => column.primaryKey().notNull())
    .addColumn("grant_id", "text", (column) => column.notNull().references("app_grants.id").onDelete("cascade"))
    .addColumn("audience", "text", (column) => column.notNull())
    .addColumn("scope", "text", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("expires_at", "bigint", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("oauth_access_tokens_grant").on("oauth_access_tokens").columns(["grant_id"]).execute();
  await db.schema.createIndex("oauth_access_tokens_expiry").on("oauth_access_tokens").columns(["expires_at"]).execute();
  await db.schema
    .createTable("oauth_records")
    .addColumn("id_hash", "text", (column) => column.primaryKey().notNull())
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("grant_id", "text", (column) => column.references("app_grants.id").onDelete("cascade"))
    .addColumn("payload", "text", (column) => column.notNull())
    .addColumn("consumed_at", "bigint")
    .addColumn("expires_at", "bigint", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("oauth_records_grant").on("oauth_records").columns(["grant_id"]).execute();
  await db.schema.createIndex("oauth_records_expiry").on("oauth_records").columns(["expires_at"]).execute();
  await db.schema
    .createTable("oauth_refresh_answers")
    .addColumn("token_hash", "text", (column) => column.primaryKey().notNull())
    .addColumn("grant_id", "text", (column) => column.notNull().references("app_grants.id").onDelete("cascade"))
    .addColumn("sealed_answer", "text", (column) => column.notNull())
    .addColumn("expires_at", "bigint", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("oauth_refresh_answers_grant").on("oauth_refresh_answers").columns(["grant_id"]).execute();
  await db.schema.createIndex("oauth_refresh_answers_expiry").on("oauth_refresh_answers").columns(["expires_at"]).execute();
}
