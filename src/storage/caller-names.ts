import type { Storage } from "./storage.ts";

/** A key or an app by the name that its owner knows. */
export interface CallerName {
  readonly id: string;
  readonly source: "apikey" | "oauth";
  /** A key's label, or the app's own claim. */
  readonly name: string;
  readonly connectionId: string;
  readonly isRevoked: boolean;
}

/** Most of each sort that are listed: the newest. */
const MAX_LISTED = 200;

/** Lists a user's keys and apps, revoked ones too: those with the given ids, or the newest 200 of each sort. */
export async function listCallerNames({ db }: Storage, userId: string, ids?: readonly string[]): Promise<CallerName[]> {
  if (ids?.length === 0) return [];
  let keys = db
    .selectFrom("api_keys")
    .select(["id", "label as name", "connection_id", "revoked_at"])
    .where("user_id", "=", userId)
    .orderBy("created_at", "desc");
  let grants = db
    .selectFrom("app_grants")
    .select(["id", "client_name as name", "connection_id", "revoked_at"])
    .where("user_id", "=", userId)
    .orderBy("created_at", "desc");
  if (ids !== undefined) {
    keys = keys.where("id", "in", ids);
    grants = grants.where("id", "in", ids);
  }
  const limit = ids?.length ?? MAX_LISTED;
  const named = (source: CallerName["source"]) => (row: Awaited<ReturnType<typeof keys.execute>>[number]) => ({
    id: row.id,
    source,
    name: row.name,
    connectionId: row.connection_id,
    isRevoked: row.revoked_at !== null,
  });
  return [...(await keys.limit(limit).execute()).map(named("apikey")), ...(await grants.limit(limit).execute()).map(named("oauth"))];
}
