import type { ConnectionKey } from "./connections.ts";
import type { Storage } from "./storage.ts";

/** Allows orders on a connection of this user (`at`, epoch ms), or takes that back (null). Answers whether there is such a connection. */
export async function setLiveTrading(storage: Storage, key: ConnectionKey, at: number | null): Promise<boolean> {
  const result = await storage.db
    .updateTable("connections")
    .set({ live_trading_enabled_at: at })
    .where("id", "=", key.connectionId)
    .where("user_id", "=", key.userId)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}
