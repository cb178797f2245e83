import type { Kysely, Selectable } from "kysely";

import type { Database } from "./database.ts";
import type { BrowserSessionsTable } from "./sign-in-tables.ts";
import type { Storage } from "./storage.ts";

export type BrowserSessionRow = Selectable<BrowserSessionsTable>;

/** Most sessions of one user; the longest unused ends when another begins. */
const MAX_SESSIONS_PER_USER = 50;

/** Stores a new session, and ends the user's longest unused beyond 50. */
export async function insertBrowserSession(db: Kysely<Database>, session: BrowserSessionRow): Promise<void> {
  await db.insertInto("browser_sessions").values(session).execute();
  const beyond = db
    .selectFrom("browser_sessions")
    .select("id")
    .where("user_id", "=", session.user_id)
    .orderBy("last_seen_at", "desc")
    .orderBy("id")
    .limit(MAX_SESSIONS_PER_USER)
    .offset(MAX_SESSIONS_PER_USER);
  await db.deleteFrom("browser_sessions").where("id", "in", beyond).execute();
}

/** Finds a session with its user's name by the hash of its cookie, over or not. */
export async function findBrowserSession(
  storage: Storage,
  tokenHash: string,
): Promise<(BrowserSessionRow & { readonly display_name: string; readonly is_operator: number }) | undefined> {
  return await storage.db
    .selectFrom("browser_sessions")
    .innerJoin("users", "users.id", "browser_sessions.user_id")
    .selectAll("browser_sessions")
    .select(["users.display_name", "users.is_operator"])
    .where("token_hash", "=", tokenHash)
    .executeTakeFirst();
}

/** Notes that a session is used. */
export async function touchBrowserSession(storage: Storage, sessionId: string, at: number): Promise<void> {
  await storage.db.updateTable("browser_sessions").set({ last_seen_at: at }).where("id", "=", sessionId).execute();
}

/** Lists a user's sessions, the latest used first; at most 50. */
export async function listBrowserSessions(storage: Storage, userId: string): Promise<BrowserSessionRow[]> {
  return await storage.db
    .selectFrom("browser_sessions")
    .selectAll()
    .where("user_id", "=", userId)
    .orderBy("last_seen_at", "desc")
    .orderBy("id")
    .limit(MAX_SESSIONS_PER_USER)
    .execute();
}

/** Ends one session of a user. Answers whether there was one. */
export async function deleteBrowserSession(db: Kysely<Database>, userId: string, sessionId: string): Promise<boolean> {
  const result = await db.deleteFrom("browser_sessions").where("user_id", "=", userId).where("id", "=", sessionId).executeTakeFirst();
  return result.numDeletedRows > 0n;
}

/** Ends all sessions of a user, except one if it is given; answers how many. */
export async function deleteBrowserSessions(db: Kysely<Database>, userId: string, exceptId?: string): Promise<number> {
  const all = db.deleteFrom("browser_sessions").where("user_id", "=", userId);
  const result = await (exceptId === undefined ? all : all.where("id", "!=", exceptId)).executeTakeFirst();
  return Number(result.numDeletedRows);
}

/** Deletes sessions that are over: past their end, or not seen since `idleSince`. */
export async function deleteEndedSessions(db: Kysely<Database>, now: number, idleSince: number): Promise<void> {
  await db.deleteFrom("browser_sessions").where("expires_at", "<=", now).execute();
  await db.deleteFrom("browser_sessions").where("last_seen_at", "<=", idleSince).execute();
}
