import type { Kysely, Selectable } from "kysely";

import type { Database } from "./database.ts";
import type { LocalAccountsTable } from "./sign-in-tables.ts";
import type { Storage } from "./storage.ts";

export type LocalAccountRow = Selectable<LocalAccountsTable>;

/** Stores a user name and password. The database refuses a name that is taken. */
export async function insertLocalAccount(db: Kysely<Database>, account: LocalAccountRow): Promise<void> {
  await db.insertInto("local_accounts").values(account).execute();
}

/** Finds an account by its login name, in lower case. */
export async function findLocalAccount(db: Kysely<Database>, loginName: string): Promise<LocalAccountRow | undefined> {
  return await db.selectFrom("local_accounts").selectAll().where("login_name", "=", loginName).executeTakeFirst();
}

/** Finds the login name and password of a user, when they have one. */
export async function findLocalAccountOf(storage: Storage, userId: string): Promise<LocalAccountRow | undefined> {
  return await storage.db.selectFrom("local_accounts").selectAll().where("user_id", "=", userId).executeTakeFirst();
}

/** Gives a user another password hash. */
export async function updatePasswordHash(
  db: Kysely<Database>,
  { userId, passwordHash, changedAt }: { readonly userId: string; readonly passwordHash: string; readonly changedAt?: number },
): Promise<void> {
  await db
    .updateTable("local_accounts")
    .set({ password_hash: passwordHash, ...(changedAt === undefined ? {} : { password_changed_at: changedAt }) })
    .where("user_id", "=", userId)
    .execute();
}

/** Lists the login names of at most `limit` users, by user id. For the operator's commands only. */
export async function listLoginNames(storage: Storage, limit: number): Promise<ReadonlyMap<string, string>> {
  const rows = await storage.db.selectFrom("local_accounts").select(["user_id", "login_name"]).orderBy("user_id").limit(limit).execute();
  return new Map(rows.map((row) => [row.user_id, row.login_name]));
}
