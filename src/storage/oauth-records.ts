import { type Kysely, type Selectable, sql } from "kysely";

import type { Database } from "./database.ts";
import type { OauthRecordsTable } from "./oauth-tables.ts";
import type { Storage } from "./storage.ts";

export type OauthRecordRow = Selectable<OauthRecordsTable>;

/** How long a used code or refresh token is remembered, so that its theft is noticed when it comes again. */
const REMEMBER_USED_MS = 30 * 24 * 3_600_000;

/** Stores a record, or gives a stored one of the same id another payload and expiry. */
export async function putOauthRecord(storage: Storage, record: OauthRecordRow): Promise<void> {
  await storage.db
    .insertInto("oauth_records")
    .values(record)
    .onConflict((conflict) => conflict.column("id_hash").doUpdateSet({ payload: record.payload, expires_at: record.expires_at }))
    .execute();
}

/** Stores a record unless there is one with its id; answers whether it did. */
export async function addOauthRecord(storage: Storage, record: OauthRecordRow): Promise<boolean> {
  const result = await storage.db
    .insertInto("oauth_records")
    .values(record)
    .onConflict((conflict) => conflict.column("id_hash").doNothing())
    .executeTakeFirst();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** Finds a record, used and expired ones too. */
export async function findOauthRecord(storage: Storage, idHash: string): Promise<OauthRecordRow | undefined> {
  return await storage.db.selectFrom("oauth_records").selectAll().where("id_hash", "=", idHash).executeTakeFirst();
}

/** Marks a record as used; answers false when it was already, or is gone: of several who try at once, one succeeds. */
export async function consumeOauthRecord(db: Kysely<Database>, idHash: string, at: number): Promise<boolean> {
  const until = sql`cast(${at + REMEMBER_USED_MS} as bigint)`;
  const result = await db
    .updateTable("oauth_records")
    .set({ consumed_at: at, expires_at: sql<number>`case when expires_at > ${until} then ${until} else expires_at end` })
    .where("id_hash", "=", idHash)
    .where("consumed_at", "is", null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Deletes a record; answers whether there was one. */
export async function deleteOauthRecord(storage: Storage, idHash: string): Promise<boolean> {
  const result = await storage.db.deleteFrom("oauth_records").where("id_hash", "=", idHash).executeTakeFirst();
  return result.numDeletedRows > 0n;
}

/** Deletes a grant's records of one kind. */
export async function deleteGrantRecords(storage: Storage, kind: string, grantId: string): Promise<void> {
  await storage.db.deleteFrom("oauth_records").where("grant_id", "=", grantId).where("kind", "=", kind).execute();
}
