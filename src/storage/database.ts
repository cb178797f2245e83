import type { Generated } from "kysely";

import type { OauthTables } from "./oauth-tables.ts";
import type { SignInTables } from "./sign-in-tables.ts";

/*
 * Every table, for SQLite and PostgreSQL alike. Columns are text and bigint only: booleans are 0/1, times epoch
 * milliseconds, money and JSON text.
 */

export interface UsersTable {
  readonly id: string;
  readonly display_name: string;
  /** 1 for the owner of the demo connection that nobody has claimed yet. */
  readonly is_demo: number;
  /** 1 for those who run this gateway and may invite others. */
  readonly is_operator: Generated<number>;
  readonly created_at: number;
}

export interface ConnectionsTable {
  readonly id: string;
  readonly user_id: string;
  /** Connection kind, by its name in `src/upstreams`. */
  readonly kind: string;
  readonly label: string;
  /** `simulated`, `paper` or `live`. */
  readonly mode: string;
  /** JSON: the kind's settings that are no secrets. */
  readonly settings: string;
  /** Sealed JSON: the kind's secrets; null when it has none. */
  readonly sealed_secrets: string | null;
  /** 1 for the demo's connection, which works only while the gateway is for its own machine. */
  readonly is_demo: Generated<number>;
  readonly created_at: number;
}

export interface ApiKeysTable {
  readonly id: string;
  readonly user_id: string;
  readonly connection_id: string;
  /** SHA-256 of the key, hex. */
  readonly key_hash: string;
  /** First characters of the key, for people to tell keys apart. */
  readonly prefix: string;
  readonly label: string;
  readonly scope: string;
  /** JSON array of account ids, or null for all. */
  readonly allowed_account_ids: string | null;
  /** JSON limits, or null. */
  readonly limits: string | null;
  readonly pinned_account_id: string | null;
  readonly expires_at: number | null;
  readonly created_at: number;
  readonly last_used_at: number | null;
  readonly last_used_address: string | null;
  readonly last_used_client: string | null;
  readonly revoked_at: number | null;
}

/** One order that a caller wants: found again by (connection, account, client order id). */
export interface OrderRequestsTable {
  readonly id: string;
  readonly user_id: string;
  readonly connection_id: string;
  readonly account_id: string;
  readonly caller_id: string;
  readonly client_order_id: string;
  /** SHA-256 of the canonical arguments. */
  readonly arguments_hash: string;
  /** JSON of the ticket. */
  readonly ticket: string;
  readonly reason: string | null;
  readonly state: string;
  /** JSON of the answer that a repeat of the request gets. */
  readonly result: string | null;
  readonly created_at: number;
  readonly updated_at: number;
}

/** One POST of an order to the broker, written before it is sent. */
export interface OrderAttemptsTable {
  readonly id: string;
  readonly request_id: string;
  readonly user_id: string;
  readonly connection_id: string;
  readonly account_id: string;
  /** The `cOID` that was sent. */
  readonly customer_order_id: string;
  readonly round: number;
  readonly state: string;
  readonly broker_order_id: string | null;
  readonly detail: string | null;
  readonly created_at: number;
  readonly updated_at: number;
}

/** A question that was shown to a caller, waiting for its confirm token. */
export interface OrderConfirmationsTable {
  /** SHA-256 of the token, hex. */
  readonly token_hash: string;
  readonly request_id: string;
  readonly user_id: string;
  readonly caller_id: string;
  /** JSON of the questions that were shown. */
  readonly questions: string;
  readonly round: number;
  readonly expires_at: number;
  readonly consumed_at: number | null;
  readonly created_at: number;
}

/** One row per `/mcp` call. */
interface AuditLogTable {
  readonly sequence: Generated<number>;
  readonly request_id: string;
  readonly at: number;
  readonly user_id: string;
  readonly caller_id: string;
  readonly source: string;
  readonly scope: string;
  readonly connection_id: string;
  /** Tool name, or the MCP method where no tool was called. */
  readonly tool: string;
  /** JSON, redacted. */
  readonly arguments: string;
  /** `started` until the call has ended, then `ok`, `error`, `cancelled` or `input_required`. */
  readonly outcome: string;
  readonly code: string | null;
  readonly duration_us: number | null;
  readonly upstream_calls: number | null;
  readonly client: string | null;
  readonly address: string | null;
  readonly previous_hash: string | null;
  readonly hash: string | null;
}

/** All tables by name, as Kysely wants them. */
export interface Database extends OauthTables, SignInTables {
  readonly users: UsersTable;
  readonly connections: ConnectionsTable;
  readonly api_keys: ApiKeysTable;
  readonly order_requests: OrderRequestsTable;
  readonly order_attempts: OrderAttemptsTable;
  readonly order_confirmations: OrderConfirmationsTable;
  readonly audit_log: AuditLogTable;
}
