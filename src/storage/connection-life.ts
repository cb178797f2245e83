import type { ConnectionKey, ConnectionRow } from "./connections.ts";
import type { Storage } from "./storage.ts";

/** What a live session taught of its connection, as it is stored. */
export type ConnectionNotes = Pick<ConnectionRow, "ibkr_user_name" | "known_accounts" | "verified_at" | "last_fault">;

/** Most connections that are kept warm by one process: each has a session of its own. */
const MAX_WARM = 200;
/** Bound variables of one query; SQLite takes some thousands. */
const MAX_IDS = 500;

/** Writes down what a session taught of a connection of this user. */
export async function noteConnection(storage: Storage, key: ConnectionKey, notes: ConnectionNotes): Promise<void> {
  await storage.db.updateTable("connections").set(notes).where("id", "=", key.connectionId).where("user_id", "=", key.userId).execute();
}

/** Freezes a connection of this user, the first reason given stays; only other credentials thaw it. Answers whether it was not frozen before. */
export async function freezeConnection(storage: Storage, key: ConnectionKey, frozen: { at: number; because: string }): Promise<boolean> {
  const result = await storage.db
    .updateTable("connections")
    .set({ frozen_at: frozen.at, frozen_because: frozen.because })
    .where("id", "=", key.connectionId)
    .where("user_id", "=", key.userId)
    .where("frozen_at", "is", null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Pauses a connection of this user, or with null lets it work again. Answers whether there is one. */
export async function setConnectionPaused(storage: Storage, key: ConnectionKey, at: number | null): Promise<boolean> {
  const result = await storage.db
    .updateTable("connections")
    .set({ paused_at: at })
    .where("id", "=", key.connectionId)
    .where("user_id", "=", key.userId)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Says whether the session of a connection of this user is kept open while nobody calls. Answers whether there is one. */
export async function setConnectionWarm(storage: Storage, key: ConnectionKey, on: boolean): Promise<boolean> {
  const result = await storage.db
    .updateTable("connections")
    .set({ keep_warm: on ? 1 : 0 })
    .where("id", "=", key.connectionId)
    .where("user_id", "=", key.userId)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** The connections of all users whose sessions are to be kept open, oldest first. For the pool only, which opens each for its owner. */
export async function listWarmConnections(storage: Storage): Promise<readonly ConnectionKey[]> {
  const rows = await storage.db
    .selectFrom("connections")
    .select(["id", "user_id"])
    .where("keep_warm", "=", 1)
    .where("paused_at", "is", null)
    .where("frozen_at", "is", null)
    .orderBy("created_at")
    .orderBy("id")
    .limit(MAX_WARM)
    .execute();
  return rows.map((row) => ({ connectionId: row.id, userId: row.user_id }));
}

/** What decides whether a live session may go on. */
export type ConnectionSwitches = Pick<
  ConnectionRow,
  "id" | "user_id" | "label" | "settings" | "sealed_secrets" | "paused_at" | "frozen_at" | "keep_warm"
>;

/** Reads the switches of live connections anew, since another process may have turned them. For the pool only. */
export async function readConnectionSwitches(storage: Storage, ids: readonly string[]): Promise<readonly ConnectionSwitches[]> {
  if (ids.length === 0) return [];
  return await storage.db
    .selectFrom("connections")
    .select(["id", "user_id", "label", "settings", "sealed_secrets", "paused_at", "frozen_at", "keep_warm"])
    .where("id", "in", ids.slice(0, MAX_IDS))
    .execute();
}

/** User names to look for among other people's connections, of some kinds. */
export interface UserNameSearch {
  readonly userId: string;
  readonly names: readonly string[];
  /** Kinds by which nobody can claim a name that isn't theirs. */
  readonly kinds: readonly string[];
}

/** Which of these IBKR user names stand behind a connection of somebody else. Tells only that, not whose. Invented users don't count. */
export async function userNamesOfOthers(storage: Storage, { userId, names, kinds }: UserNameSearch): Promise<ReadonlySet<string>> {
  if (names.length === 0) return new Set();
  const rows = await storage.db
    .selectFrom("connections")
    .select("ibkr_user_name")
    .distinct()
    .where("ibkr_user_name", "in", names.slice(0, MAX_IDS))
    .where("user_id", "!=", userId)
    .where("kind", "in", kinds)
    .where("mode", "!=", "simulated")
    .execute();
  return new Set(rows.flatMap(({ ibkr_user_name: name }) => (name === null ? [] : [name])));
}
