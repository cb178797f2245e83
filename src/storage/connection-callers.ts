import type { ConnectionKey } from "./connections.ts";
import type { Storage } from "./storage.ts";

/** What uses a connection, and so stops working with it. */
export interface ConnectionCallers {
  readonly keyCount: number;
  readonly appCount: number;
}

/** Counts the keys and apps of this user that may use a connection at `now` (epoch ms); with `canWrite`, those that may also trade. */
export async function countConnectionCallers(
  { db }: Storage,
  { connectionId, userId }: ConnectionKey,
  { now, canWrite = false }: { readonly now: number; readonly canWrite?: boolean },
): Promise<ConnectionCallers> {
  let keys = db
    .selectFrom("api_keys")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("user_id", "=", userId)
    .where("connection_id", "=", connectionId)
    .where("revoked_at", "is", null)
    .where((eb) => eb.or([eb("expires_at", "is", null), eb("expires_at", ">", now)]));
  let grants = db
    .selectFrom("app_grants")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("user_id", "=", userId)
    .where("connection_id", "=", connectionId)
    .where("revoked_at", "is", null)
    .where("issued_at", "is not", null)
    .where((eb) => eb.or([eb("expires_at", "is", null), eb("expires_at", ">", now)]));
  if (canWrite) {
    keys = keys.where("scope", "=", "write");
    grants = grants.where("scope", "=", "write");
  }
  const { count: keyCount } = await keys.executeTakeFirstOrThrow();
  const { count: appCount } = await grants.executeTakeFirstOrThrow();
  return { keyCount, appCount };
}
