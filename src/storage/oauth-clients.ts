import type { Kysely, Selectable } from "kysely";

import type { Database } from "./database.ts";
import type { OauthClientsTable } from "./oauth-tables.ts";
import type { Storage } from "./storage.ts";

export type OauthClientRow = Selectable<OauthClientsTable>;

/** Most registered clients that nobody has approved yet; beyond it the oldest go, so that a flood can't fill the disk. */
export const MAX_UNUSED_CLIENTS = 20_000;
/** How many are let go at once when there are too many. */
const EVICT_BATCH = 200;

/** Stores a registered client, or gives a stored one other metadata. */
export async function putOauthClient(storage: Storage, client: OauthClientRow): Promise<void> {
  await storage.db
    .insertInto("oauth_clients")
    .values(client)
    .onConflict((conflict) => conflict.column("client_id").doUpdateSet({ metadata: client.metadata }))
    .execute();
}

/** Finds a registered client. */
export async function findOauthClient(storage: Storage, clientId: string): Promise<OauthClientRow | undefined> {
  return await storage.db.selectFrom("oauth_clients").selectAll().where("client_id", "=", clientId).executeTakeFirst();
}

/** Marks a client as approved by somebody: from now on it never expires, because hosts keep their client id for ever. */
export async function markOauthClientUsed(db: Kysely<Database>, clientId: string, at: number): Promise<void> {
  await db.updateTable("oauth_clients").set({ used_at: at }).where("client_id", "=", clientId).where("used_at", "is", null).execute();
}

/** Forgets a registered client. */
export async function deleteOauthClient(storage: Storage, clientId: string): Promise<void> {
  await storage.db.deleteFrom("oauth_clients").where("client_id", "=", clientId).execute();
}

/** Lets the oldest clients go that nobody has approved, when there are more than `limit`. */
export async function evictUnusedClients(storage: Storage, limit = MAX_UNUSED_CLIENTS): Promise<void> {
  const { count } = await storage.db
    .selectFrom("oauth_clients")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("used_at", "is", null)
    .executeTakeFirstOrThrow();
  if (count <= limit) return;
  const oldest = storage.db
    .selectFrom("oauth_clients")
    .select("client_id")
    .where("used_at", "is", null)
    .orderBy("created_at")
    .limit(Math.max(count - limit, Math.min(EVICT_BATCH, limit)));
  await storage.db.deleteFrom("oauth_clients").where("client_id", "in", oldest).execute();
}
