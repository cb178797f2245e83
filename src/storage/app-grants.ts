import { type Kysely, type Selectable, sql } from "kysely";

import type { Database } from "./database.ts";
import type { AppGrantsTable } from "./oauth-tables.ts";
import type { Storage } from "./storage.ts";
import { storedText } from "./stored-text.ts";

export type AppGrantRow = Selectable<AppGrantsTable>;

/** Most grants of one user in force: hosts that reconnect again and again leave their old ones behind. */
export const MAX_GRANTS_PER_USER = 400;
/** Longest address or client's name that is kept. */
const MAX_ORIGIN_TEXT = 200;

/** Names a grant together with its owner: no query finds another user's. */
export interface AppGrantRef {
  readonly grantId: string;
  readonly userId: string;
}

/** Stores a grant in the caller's transaction; throws `RangeError` when its user has too many. The database refuses another user's connection. */
export async function insertAppGrant(db: Kysely<Database>, grant: AppGrantRow): Promise<void> {
  const { count } = await db
    .selectFrom("app_grants")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("user_id", "=", grant.user_id)
    .where("revoked_at", "is", null)
    .where((e) => e.or([e("expires_at", "is", null), e("expires_at", ">", grant.created_at)]))
    .executeTakeFirstOrThrow();
  if (count >= MAX_GRANTS_PER_USER) throw new RangeError(`a user has at most ${MAX_GRANTS_PER_USER} connected apps`);
  await db.insertInto("app_grants").values(grant).execute();
}

/** Finds a grant by its id, whoever owns it: for the token endpoint, where the token proves the right to it. */
export async function findAppGrant(storage: Storage, grantId: string): Promise<AppGrantRow | undefined> {
  return await storage.db.selectFrom("app_grants").selectAll().where("id", "=", grantId).executeTakeFirst();
}

/** Lists a user's grants that were not revoked and whose host has fetched tokens, newest first. */
export async function listAppGrants(storage: Storage, userId: string): Promise<AppGrantRow[]> {
  return await storage.db
    .selectFrom("app_grants")
    .selectAll()
    .where("user_id", "=", userId)
    .where("revoked_at", "is", null)
    .where("issued_at", "is not", null)
    .orderBy("created_at", "desc")
    .orderBy("id")
    .limit(MAX_GRANTS_PER_USER)
    .execute();
}

/** Which grants to revoke: one by its id, or a user's, all or those of one connection. */
export type AppGrantSelection =
  | { readonly kind: "grant"; readonly grantId: string; readonly userId?: string | undefined }
  | { readonly kind: "user"; readonly userId: string; readonly connectionId?: string | undefined };

/** Revokes grants from now on and deletes their tokens; answers those that were in force. The mark stays and is asked on every use. */
export async function revokeAppGrants(
  storage: Storage,
  selection: AppGrantSelection,
  mark: { readonly at: number; readonly because: string },
): Promise<AppGrantRow[]> {
  return await storage.transaction(async (transaction) => {
    let update = transaction
      .updateTable("app_grants")
      .set({ revoked_at: mark.at, revoked_because: mark.because })
      .where("revoked_at", "is", null);
    if (selection.kind === "grant") update = update.where("id", "=", selection.grantId);
    if (selection.userId !== undefined) update = update.where("user_id", "=", selection.userId);
    if (selection.kind === "user" && selection.connectionId !== undefined)
      update = update.where("connection_id", "=", selection.connectionId);
    const revoked = await update.returningAll().execute();
    const ids = revoked.map((grant) => grant.id);
    if (ids.length > 0) await deleteTokensOf(transaction, ids);
    return revoked;
  });
}

async function deleteTokensOf(db: Kysely<Database>, grantIds: readonly string[]): Promise<void> {
  await db.deleteFrom("oauth_access_tokens").where("grant_id", "in", grantIds).execute();
  await db.deleteFrom("oauth_refresh_answers").where("grant_id", "in", grantIds).execute();
  await db.deleteFrom("oauth_records").where("grant_id", "in", grantIds).execute();
}

/** Notes that tokens are issued, unless the grant was revoked; answers whether they may be. */
export async function noteAppGrantIssue(storage: Storage, grantId: string, at: number): Promise<boolean> {
  const result = await storage.db
    .updateTable("app_grants")
    .set({ issued_at: at })
    .where("id", "=", grantId)
    .where("revoked_at", "is", null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Makes `accountId` the grant's current account, or none. Answers false when this user has no such grant. */
export async function pinGrantAccount(storage: Storage, ref: AppGrantRef, accountId: string | null): Promise<boolean> {
  const result = await storage.db
    .updateTable("app_grants")
    .set({ pinned_account_id: accountId })
    .where("id", "=", ref.grantId)
    .where("user_id", "=", ref.userId)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** A grant's latest use. */
export interface AppGrantUse {
  readonly id: string;
  readonly at: number;
  readonly address: string | undefined;
  readonly client: string | undefined;
}

/** Notes the latest use of many grants in one statement. Not synced to disk at once: it informs, little depends on it. */
export async function noteAppGrantUses(storage: Storage, uses: readonly AppGrantUse[]): Promise<void> {
  if (uses.length === 0) return;
  const text = (value: string | undefined) => sql`cast(${value === undefined ? null : storedText(value, MAX_ORIGIN_TEXT)} as text)`;
  const rows = uses.map((use) => sql`(${text(use.id)}, cast(${use.at} as bigint), ${text(use.address)}, ${text(use.client)})`);
  const update = sql`update app_grants set last_used_at = uses.column2, last_used_address = uses.column3, last_used_client = uses.column4
    from (values ${sql.join(rows)}) as uses where app_grants.id = uses.column1`;
  await storage.transaction((transaction) => update.execute(transaction), { durability: "relaxed" });
}
