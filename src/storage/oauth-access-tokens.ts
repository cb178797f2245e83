import type { Selectable } from "kysely";

import type { CallerColumn } from "./api-keys.ts";
import type { AppGrantRow } from "./app-grants.ts";
import type { OauthAccessTokensTable } from "./oauth-tables.ts";
import type { Storage } from "./storage.ts";

export type AccessTokenRow = Selectable<OauthAccessTokensTable>;

/** Stores the hash of an access token with what it is for. */
export async function insertAccessToken(storage: Storage, token: AccessTokenRow): Promise<void> {
  await storage.db.insertInto("oauth_access_tokens").values(token).execute();
}

/** Finds an access token with its grant's client and user, revoked or not. */
export async function findAccessToken(
  storage: Storage,
  tokenHash: string,
): Promise<(AccessTokenRow & Pick<AppGrantRow, "client_id" | "user_id">) | undefined> {
  return await storage.db
    .selectFrom("oauth_access_tokens")
    .innerJoin("app_grants", "app_grants.id", "oauth_access_tokens.grant_id")
    .selectAll("oauth_access_tokens")
    .select(["app_grants.client_id", "app_grants.user_id"])
    .where("token_hash", "=", tokenHash)
    .executeTakeFirst();
}

/** Deletes one access token, or all of a grant. */
export async function deleteAccessTokens(
  storage: Storage,
  which: { readonly tokenHash: string } | { readonly grantId: string },
): Promise<void> {
  const start = storage.db.deleteFrom("oauth_access_tokens");
  await ("tokenHash" in which ? start.where("token_hash", "=", which.tokenHash) : start.where("grant_id", "=", which.grantId)).execute();
}

/** What the bearer check needs to know of an access token, its grant, its client and its user. */
export type FoundAccessToken = Pick<AccessTokenRow, "audience"> &
  Pick<AppGrantRow, CallerColumn | "client_id" | "client_identity"> & {
    readonly token_scope: string;
    readonly token_expires_at: number;
    readonly is_demo: number;
    /** Null when the client has no row: it has none unless it registered itself. */
    readonly registered_client: string | null;
  };

/** Prepares the search of an access token by its hash, which runs on every request: one compiled query on unique indexes. */
export function prepareAccessTokenSearch(storage: Storage): (tokenHash: string) => Promise<FoundAccessToken | undefined> {
  const query = storage.db
    .selectFrom("oauth_access_tokens")
    // A grant goes with its connection (a foreign key), so that it exists where the grant does.
    .innerJoin("app_grants", "app_grants.id", "oauth_access_tokens.grant_id")
    .innerJoin("connections", "connections.id", "app_grants.connection_id")
    .leftJoin("oauth_clients", "oauth_clients.client_id", "app_grants.client_id")
    .select([
      "app_grants.id",
      "app_grants.user_id",
      "app_grants.connection_id",
      "app_grants.scope",
      "app_grants.allowed_account_ids",
      "app_grants.pinned_account_id",
      "app_grants.toolsets",
      "app_grants.expires_at",
      "app_grants.last_used_at",
      "app_grants.revoked_at",
      "app_grants.client_id",
      "app_grants.client_identity",
      "oauth_access_tokens.audience",
      "oauth_access_tokens.scope as token_scope",
      "oauth_access_tokens.expires_at as token_expires_at",
      "oauth_clients.client_id as registered_client",
      "connections.is_demo",
    ])
    .where("oauth_access_tokens.token_hash", "=", "");
  const lookup = storage.lookup(query.compile());
  return async (tokenHash) => await lookup([tokenHash]);
}
