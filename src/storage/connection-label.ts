import type { ConnectionKey } from "./connections.ts";
import type { Storage } from "./storage.ts";

/** Gives a connection of this user another name. Answers whether there is such a connection. */
export async function renameConnection(storage: Storage, key: ConnectionKey, label: string): Promise<boolean> {
  const result = await storage.db
    .updateTable("connections")
    .set({ label })
    .where("id", "=", key.connectionId)
    .where("user_id", "=", key.userId)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}
