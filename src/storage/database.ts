import type { ColumnType, Generated } from "kysely";

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
  /** When they signed in last; null for those who never did. */
  readonly last_signed_in_at: ColumnType<number | null, number | null | undefined>;
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
  /** When its owner allowed orders on it; asked for live connections only. */
  readonly live_trading_enabled_at: ColumnType<number | null, number | null | undefined>;
  /** When its owner paused it: nothing is sent until it is resumed. */
  readonly paused_at: ColumnType<number | null, number | null | undefined>;
  /** When the broker proved another mode than `mode`; set up anew, it is null again. */
  readonly frozen_at: ColumnType<number | null, number | null | undefined>;
  readonly frozen_because: ColumnType<string | null, string | null | undefined>;
  /** 1 to keep its session open while nobody calls. */
  readonly keep_warm: Generated<number>;
  /** IBKR's user name, as the broker told it last. */
  readonly ibkr_user_name: ColumnType<string | null, string | null | undefined>;
  /** JSON: its accounts as listed at the last opening. */
  readonly known_accounts: ColumnType<string | null, string | null | undefined>;
  /** When its session was last seen established. */
  readonly verified_at: ColumnType<number | null, number | null | undefined>;
  /** JSON: what its last opening failed for; null after one that worked. */
  readonly last_fault: ColumnType<string | null, string | null | undefined>;
  /** When it was proven that its broker refuses a `cOID` twice; null where it isn't. */
  readonly duplicate_refusals_proven_at: ColumnType<number | null, number | null | undefined>;
  /** When the gateway stopped orders on it, since one was found that must not exist. */
  readonly orders_stopped_at: ColumnType<number | null, number | null | undefined>;
  readonly orders_stopped_because: ColumnType<string | null, string | null | undefined>;
  /** JSON of the last `doctor --paper`. */
  readonly doctor_report: ColumnType<string | null, string | null | undefined>;
}

/** A connection that is being set up: what its owner has entered so far, and the keys that were made for it. */
export interface ConnectionDraftsTable {
  readonly id: string;
  readonly user_id: string;
  readonly kind: string;
  readonly mode: string;
  readonly label: string;
  /** Sealed JSON. */
  readonly sealed_content: string;
  readonly created_at: number;
  readonly updated_at: number;
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
  /** JSON array of toolset names beside the core tools; null for none. */
  readonly toolsets: ColumnType<string | null, string | null | undefined>;
}

/** One order that a caller wants: found again by (connection, account, name space, client order id). */
export interface OrderRequestsTable {
  readonly id: string;
  readonly user_id: string;
  readonly connection_id: string;
  readonly account_id: string;
  readonly caller_id: string;
  /** Where `client_order_id` is unique: the API key's id, or the client id of a connected app. */
  readonly name_space: string;
  readonly client_order_id: string;
  /** 1 where the caller gave the id, 0 where the gateway made it. */
  readonly is_named: number;
  /** SHA-256 of the canonical arguments. */
  readonly arguments_hash: string;
  /** JSON of the ticket. */
  readonly ticket: string;
  readonly reason: string | null;
  readonly state: string;
  /** JSON of the answer that a repeat of the request gets. */
  readonly result: string | null;
  /** The process that received or sends it. */
  readonly owner_process: string;
  readonly created_at: number;
  readonly updated_at: number;
}

/** One `cOID` of a request. */
export interface OrderAttemptsTable {
  readonly id: string;
  readonly request_id: string;
  readonly user_id: string;
  readonly connection_id: string;
  readonly account_id: string;
  /** The `cOID`. */
  readonly customer_order_id: string;
  /** Counts the request's `cOID`s from 1. */
  readonly generation: number;
  /** How many rounds of questions were confirmed before. */
  readonly round: number;
  readonly state: string;
  /** 1 while an earlier sending of this `cOID` has no definite end. */
  readonly doubt: number;
  /** How its newest sending ended; null while it has no definite end. */
  readonly ended_by: string | null;
  readonly broker_order_id: string | null;
  /** IBKR's words where its answer was not clear, or a person's on what they saw. */
  readonly said: string | null;
  /** How often IBKR's lists were read for it without showing it. */
  readonly looks: number;
  readonly looked_at: number | null;
  /** The process that sends it or looks for it. */
  readonly owner_process: string;
  /** Shown only: the wall clock may be wrong. */
  readonly first_sent_at: number;
  /** IBKR's time at the first sending, by its `Date` header; null where it sends none. */
  readonly first_sent_broker_at: number | null;
  readonly sent_at: number;
  readonly sent_broker_at: number | null;
  /** IBKR's time when it was known to be placed. */
  readonly placed_broker_at: number | null;
  readonly updated_at: number;
}

/** One permission to send one `cOID`, committed before the first byte. */
export interface OrderSendsTable {
  readonly id: string;
  readonly attempt_id: string;
  readonly user_id: string;
  readonly connection_id: string;
  readonly caller_id: string;
  /** `apikey`, `oauth` or `doctor`. */
  readonly source: string;
  /** JSON of what allowed it: scope, accounts, the connection's switches. */
  readonly permission: string;
  readonly process_id: string;
  readonly sent_at: number;
  readonly broker_at: number | null;
  readonly ended_at: number | null;
  readonly ended_by: string | null;
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
  /** What came of it, in one short line without amounts of other people: the answer's text, cut. */
  readonly summary: ColumnType<string | null, string | null | undefined>;
}

/** All tables by name, as Kysely wants them. */
export interface Database extends OauthTables, SignInTables {
  readonly users: UsersTable;
  readonly connections: ConnectionsTable;
  readonly connection_drafts: ConnectionDraftsTable;
  readonly api_keys: ApiKeysTable;
  readonly order_requests: OrderRequestsTable;
  readonly order_attempts: OrderAttemptsTable;
  readonly order_sends: OrderSendsTable;
  readonly order_confirmations: OrderConfirmationsTable;
  readonly audit_log: AuditLogTable;
}
