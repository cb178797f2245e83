import type { Caller } from "../../src/connections/caller.ts";
import type { Storage } from "../../src/storage/storage.ts";

/** A key that may do everything on its owner's connection. */
export function keyOf(owner: Pick<Caller, "userId" | "connectionId">, id: string): Caller {
  return {
    ...owner,
    id,
    source: "apikey",
    nameSpace: id,
    scope: "write",
    allowedAccountIds: undefined,
    pinnedAccountId: undefined,
    toolsets: [],
  };
}

/** Writes the key or grant that this caller stands for, unless it has one. */
export async function letIn(
  { db }: Storage,
  { id, source, nameSpace, userId, connectionId, scope, allowedAccountIds }: Caller,
  at: number,
): Promise<void> {
  const owned = { id, user_id: userId, connection_id: connectionId, scope, created_at: at };
  const allowed = { allowed_account_ids: allowedAccountIds === undefined ? null : JSON.stringify(allowedAccountIds) };
  const unused = { limits: null, pinned_account_id: null, last_used_at: null, last_used_address: null, last_used_client: null };
  const inForce = { ...unused, expires_at: null, revoked_at: null };
  if (source === "apikey")
    await db
      .insertInto("api_keys")
      .values({ ...owned, ...allowed, ...inForce, key_hash: id, prefix: "ibkr_", label: id })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  else
    await db
      .insertInto("app_grants")
      .values({
        ...owned,
        ...allowed,
        ...inForce,
        client_id: nameSpace,
        client_name: "Test",
        client_host: null,
        client_identity: "built_in",
        redirect_uri: "https://app.test/callback",
        issued_at: at,
        revoked_because: null,
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
}
