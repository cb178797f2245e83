import type { ConnectionKey, ConnectionRow } from "./connections.ts";
import type { Storage } from "./storage.ts";

/** New settings and secrets of a connection, sealed for its place. */
export interface NewCredentials extends ConnectionKey, Pick<ConnectionRow, "settings" | "sealed_secrets"> {
  /** False takes the leave to trade on a live connection back. */
  readonly keepsLiveTrading: boolean;
}

/**
 * Gives a connection of this user other settings and secrets: it is no longer frozen, and what was known of the former login is
 * forgotten. Its mode stays. Answers whether there is such a connection.
 */
export async function replaceCredentials(storage: Storage, { keepsLiveTrading, ...wanted }: NewCredentials): Promise<boolean> {
  const { settings, sealed_secrets, connectionId, userId } = wanted;
  const result = await storage.db
    .updateTable("connections")
    .set({
      settings,
      sealed_secrets,
      frozen_at: null,
      frozen_because: null,
      last_fault: null,
      verified_at: null,
      ibkr_user_name: null,
      known_accounts: null,
      ...(keepsLiveTrading ? {} : { live_trading_enabled_at: null }),
    })
    .where("id", "=", connectionId)
    .where("user_id", "=", userId)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}
