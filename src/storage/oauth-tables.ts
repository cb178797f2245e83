import type { ColumnType } from "kysely";

/*
 * The tables of the authorization server, for SQLite and PostgreSQL alike.
 */

/** What a person approved for one host: one connection with one scope. The id is no secret; tokens refer to it. */
export interface AppGrantsTable {
  readonly id: string;
  readonly user_id: string;
  readonly connection_id: string;
  readonly client_id: string;
  /** The client's own claim, cleaned for display. */
  readonly client_name: string;
  /** Host of the client's metadata document; null for a client that registered itself. */
  readonly client_host: string | null;
  /** `metadata_document`, `built_in` or `registered`. */
  readonly client_identity: string;
  readonly redirect_uri: string;
  readonly scope: string;
  /** JSON array of account ids, or null for all. */
  readonly allowed_account_ids: string | null;
  /** JSON limits, or null. */
  readonly limits: string | null;
  readonly pinned_account_id: string | null;
  readonly created_at: number;
  readonly expires_at: number | null;
  /** When tokens were last issued; null until the host has fetched the first. */
  readonly issued_at: number | null;
  readonly last_used_at: number | null;
  readonly last_used_address: string | null;
  readonly last_used_client: string | null;
  readonly revoked_at: number | null;
  readonly revoked_because: string | null;
  /** JSON array of toolset names beside the core tools; null for none. */
  readonly toolsets: ColumnType<string | null, string | null | undefined>;
}

/** A client that registered itself (RFC 7591). */
export interface OauthClientsTable {
  readonly client_id: string;
  /** JSON metadata; a client secret stands in it as its SHA-256. */
  readonly metadata: string;
  readonly created_at: number;
  /** When it was first approved; null for clients that may expire. */
  readonly used_at: number | null;
}

export interface OauthAccessTokensTable {
  /** SHA-256 of the token, hex. */
  readonly token_hash: string;
  readonly grant_id: string;
  readonly audience: string;
  readonly scope: string;
  readonly created_at: number;
  readonly expires_at: number;
}

/** An authorization code, a refresh token, an authorization under way, or the id of a client assertion. */
export interface OauthRecordsTable {
  /** SHA-256 of kind and secret id, hex. */
  readonly id_hash: string;
  readonly kind: string;
  readonly grant_id: string | null;
  /** JSON without the secret id. */
  readonly payload: string;
  readonly consumed_at: number | null;
  readonly expires_at: number;
}

/** The answer to a refresh, for its repetition within a minute. */
export interface OauthRefreshAnswersTable {
  /** SHA-256 of the refresh token that was presented, hex. */
  readonly token_hash: string;
  readonly grant_id: string;
  /** Encrypted under a key that only the presented token gives. */
  readonly sealed_answer: string;
  readonly expires_at: number;
}

/** The authorization server's tables by name. */
export interface OauthTables {
  readonly app_grants: AppGrantsTable;
  readonly oauth_clients: OauthClientsTable;
  readonly oauth_access_tokens: OauthAccessTokensTable;
  readonly oauth_records: OauthRecordsTable;
  readonly oauth_refresh_answers: OauthRefreshAnswersTable;
}
