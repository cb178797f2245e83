import type { Kysely } from "kysely";

import type { ConnectionKey } from "./connections.ts";
import type { Database } from "./database.ts";
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

/** What decides whether orders may go to a connection's broker, and where a person changes it. */
export interface TradingSwitch {
  readonly label: string;
  /** The mode that it was made for: `simulated`, `paper` or `live`. */
  readonly mode: string;
  /** When its owner allowed orders on it; null while it doesn't. */
  readonly live_trading_enabled_at: number | null;
  /** When its owner paused it; null while it works. */
  readonly paused_at: number | null;
  /** When a broker proved another kind of account, and which; null while none did. */
  readonly frozen_at: number | null;
  readonly frozen_because: string | null;
}

/** Reads it as it is now; undefined when this user has no such connection. */
export async function findTradingSwitch(db: Kysely<Database>, key: ConnectionKey): Promise<TradingSwitch | undefined> {
  return await db
    .selectFrom("connections")
    .select(["label", "mode", "live_trading_enabled_at", "paused_at", "frozen_at", "frozen_because"])
    .where("id", "=", key.connectionId)
    .where("user_id", "=", key.userId)
    .executeTakeFirst();
}
