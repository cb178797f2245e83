import { type Kysely, sql } from "kysely";

import type { ConnectionKey } from "./connections.ts";
import type { Database } from "./database.ts";
import type { Storage } from "./storage.ts";

/** What decides whether orders may go to a connection's broker, and where a person changes it. */
export interface TradingSwitch {
  readonly label: string;
  /** The mode that it was made for: `simulated`, `paper` or `live`. */
  readonly mode: string;
  readonly live_trading_enabled_at: number | null;
  readonly paused_at: number | null;
  /** When a broker proved another kind of account, and which. */
  readonly frozen_at: number | null;
  readonly frozen_because: string | null;
  /** When the gateway stopped orders on it, and why. */
  readonly orders_stopped_at: number | null;
  readonly orders_stopped_because: string | null;
  readonly duplicate_refusals_proven_at: number | null;
  /** JSON of what the doctor saw. */
  readonly doctor_report: string | null;
}

/** What a key or grant allows now. Times are epoch ms. */
export interface CallerStanding {
  readonly scope: string;
  /** JSON array of account ids, or null for all. */
  readonly allowed_account_ids: string | null;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
  /** Null where the app's own registration is gone. */
  readonly client_id: string | null;
}

/** Reads a connection's switches as they are now; undefined when this user has no such connection. */
export async function findTradingSwitch(db: Kysely<Database>, key: ConnectionKey): Promise<TradingSwitch | undefined> {
  return await switchQuery(db, key).executeTakeFirst();
}

/** The same inside a transaction, which a change of the switches then waits for. */
export async function holdTradingSwitch(
  db: Kysely<Database>,
  dialect: Storage["dialect"],
  key: ConnectionKey,
): Promise<TradingSwitch | undefined> {
  const query = switchQuery(db, key);
  // SQLite has one writer, who holds everything.
  return await (dialect === "postgres" ? query.forShare() : query).executeTakeFirst();
}

function switchQuery(db: Kysely<Database>, key: ConnectionKey) {
  return db
    .selectFrom("connections")
    .select(["label", "mode", "live_trading_enabled_at", "paused_at", "frozen_at", "frozen_because"])
    .select(["orders_stopped_at", "orders_stopped_because", "duplicate_refusals_proven_at", "doctor_report"])
    .where("id", "=", key.connectionId)
    .where("user_id", "=", key.userId);
}

/** Names a key or grant with its owner and connection. */
export interface CallerRef extends ConnectionKey {
  readonly id: string;
  readonly source: "apikey" | "oauth";
}

/** Reads what a key or grant allows, inside a transaction that a revocation then waits for; undefined when it is gone. */
export async function holdCallerStanding(
  db: Kysely<Database>,
  dialect: Storage["dialect"],
  caller: CallerRef,
): Promise<CallerStanding | undefined> {
  if (caller.source === "apikey") {
    const query = keyQuery(db, caller);
    return await (dialect === "postgres" ? query.forShare() : query).executeTakeFirst();
  }
  const query = grantQuery(db, caller);
  return await (dialect === "postgres" ? query.forShare("app_grants") : query).executeTakeFirst();
}

function keyQuery(db: Kysely<Database>, { id, userId, connectionId }: CallerRef) {
  return db
    .selectFrom("api_keys")
    .select(["scope", "allowed_account_ids", "expires_at", "revoked_at", "id as client_id"])
    .where("id", "=", id)
    .where("user_id", "=", userId)
    .where("connection_id", "=", connectionId)
    .$castTo<CallerStanding>();
}

function grantQuery(db: Kysely<Database>, { id, userId, connectionId }: CallerRef) {
  return (
    db
      .selectFrom("app_grants")
      .leftJoin("oauth_clients", "oauth_clients.client_id", "app_grants.client_id")
      .select(["app_grants.scope", "app_grants.allowed_account_ids", "app_grants.expires_at", "app_grants.revoked_at"])
      // Only clients that registered themselves have a row, and lose their grants with it.
      .select(
        sql<
          string | null
        >`case when app_grants.client_identity = 'registered' then oauth_clients.client_id else app_grants.client_id end`.as("client_id"),
      )
      .where("app_grants.id", "=", id)
      .where("app_grants.user_id", "=", userId)
      .where("app_grants.connection_id", "=", connectionId)
      .$castTo<CallerStanding>()
  );
}

/**
 * Makes every other transaction about an account's orders wait until this one has ended, so that two guards never
 * miss each other. SQLite has one writer anyway.
 */
export async function lockAccountOrders(
  db: Kysely<Database>,
  dialect: Storage["dialect"],
  { connectionId, accountId }: { readonly connectionId: string; readonly accountId: string },
): Promise<void> {
  if (dialect === "sqlite") return;
  await sql`select pg_advisory_xact_lock(hashtextextended(${`orders ${connectionId} ${accountId}`}, 0))`.execute(db);
}

/** Stops orders on a connection until its owner lets them go on, and clears what was proven of its broker. */
export async function stopOrders(
  db: Kysely<Database>,
  { connectionId, userId, because, at }: ConnectionKey & { readonly because: string; readonly at: number },
): Promise<void> {
  await db
    .updateTable("connections")
    .set({ orders_stopped_at: at, orders_stopped_because: because, duplicate_refusals_proven_at: null })
    .where("id", "=", connectionId)
    .where("user_id", "=", userId)
    .execute();
}

/** Lets orders go on. Returns whether they were stopped. */
export async function resumeOrders(storage: Storage, key: ConnectionKey): Promise<boolean> {
  const result = await storage.db
    .updateTable("connections")
    .set({ orders_stopped_at: null, orders_stopped_because: null })
    .where("id", "=", key.connectionId)
    .where("user_id", "=", key.userId)
    .where("orders_stopped_at", "is not", null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Sets or clears the mark that a connection's broker refuses a `cOID` twice. */
export async function setDuplicateRefusals(storage: Storage, key: ConnectionKey, at: number | null): Promise<void> {
  await storage.db
    .updateTable("connections")
    .set({ duplicate_refusals_proven_at: at })
    .where("id", "=", key.connectionId)
    .where("user_id", "=", key.userId)
    .execute();
}
