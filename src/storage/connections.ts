import type { Insertable, Selectable } from "kysely";

import type { ConnectionsTable } from "./database.ts";
import type { Storage } from "./storage.ts";

export type ConnectionRow = Selectable<ConnectionsTable>;

/** Most connections of one user; a person has a handful, and lists are never longer. */
const MAX_CONNECTIONS_PER_USER = 100;

/** Names a row together with its owner: no query finds another user's. */
export interface ConnectionKey {
  readonly connectionId: string;
  readonly userId: string;
}

/**
 * Stores a new connection. Its secrets come sealed for `{table: "connections", column: "sealed_secrets"}` and its own id and user.
 * Answers false when there is one of this id already, as when another process was quicker; that one stays as it is.
 */
export async function insertConnection(storage: Storage, connection: Insertable<ConnectionsTable>): Promise<boolean> {
  return await storage.transaction(async (transaction) => {
    const { count } = await transaction
      .selectFrom("connections")
      .select(({ fn }) => fn.countAll<number>().as("count"))
      .where("user_id", "=", connection.user_id)
      .executeTakeFirstOrThrow();
    if (count >= MAX_CONNECTIONS_PER_USER) throw new RangeError(`a user has at most ${MAX_CONNECTIONS_PER_USER} connections`);
    const result = await transaction
      .insertInto("connections")
      // The simulator is known to refuse a cOID twice; other brokers have to prove it.
      .values(connection.kind === "simulator" ? { duplicate_refusals_proven_at: connection.created_at, ...connection } : connection)
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
  });
}

/** Finds a connection of this user. */
export async function findConnection(storage: Storage, key: ConnectionKey): Promise<ConnectionRow | undefined> {
  return await storage.db
    .selectFrom("connections")
    .selectAll()
    .where("id", "=", key.connectionId)
    .where("user_id", "=", key.userId)
    .executeTakeFirst();
}

/** Finds the demo's connection, whoever owns it by now. For the composition root only. */
export async function findDemoConnection(storage: Storage): Promise<ConnectionRow | undefined> {
  return await storage.db.selectFrom("connections").selectAll().where("is_demo", "=", 1).orderBy("created_at").limit(1).executeTakeFirst();
}

/** Lists a user's connections, oldest first. */
export async function listConnections(storage: Storage, userId: string): Promise<ConnectionRow[]> {
  return await storage.db
    .selectFrom("connections")
    .selectAll()
    .where("user_id", "=", userId)
    .orderBy("created_at")
    .orderBy("id")
    .limit(MAX_CONNECTIONS_PER_USER)
    .execute();
}

/** Deletes a connection of this user with its keys and order records; its audit rows stay. Answers whether there was one. */
export async function deleteConnection(storage: Storage, key: ConnectionKey): Promise<boolean> {
  const result = await storage.db
    .deleteFrom("connections")
    .where("id", "=", key.connectionId)
    .where("user_id", "=", key.userId)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}

/** Gives a connection of this user other settings and credentials, sealed for its place. */
export async function updateConnectionUpstream(
  storage: Storage,
  { settings, sealed_secrets, ...key }: ConnectionKey & Pick<ConnectionRow, "settings" | "sealed_secrets">,
): Promise<void> {
  await storage.db
    .updateTable("connections")
    .set({ settings, sealed_secrets })
    .where("id", "=", key.connectionId)
    .where("user_id", "=", key.userId)
    .execute();
}
