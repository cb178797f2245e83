import type { Selectable } from "kysely";

import type { PasskeysTable } from "./sign-in-tables.ts";
import type { Storage } from "./storage.ts";

export type PasskeyRow = Selectable<PasskeysTable>;

/** Most passkeys of one user. */
const MAX_PASSKEYS_PER_USER = 20;

/** Stores a passkey. Throws `RangeError` when the user has 20; the database refuses a credential that is known. */
export async function insertPasskey(storage: Storage, passkey: PasskeyRow): Promise<void> {
  await storage.transaction(async (transaction) => {
    const { count } = await transaction
      .selectFrom("passkeys")
      .select(({ fn }) => fn.countAll<number>().as("count"))
      .where("user_id", "=", passkey.user_id)
      .executeTakeFirstOrThrow();
    if (count >= MAX_PASSKEYS_PER_USER) throw new RangeError(`a user has at most ${MAX_PASSKEYS_PER_USER} passkeys`);
    await transaction.insertInto("passkeys").values(passkey).execute();
  });
}

/** Finds a passkey by its credential id. */
export async function findPasskey(storage: Storage, id: string): Promise<PasskeyRow | undefined> {
  return await storage.db.selectFrom("passkeys").selectAll().where("id", "=", id).executeTakeFirst();
}

/** Lists a user's passkeys, oldest first. */
export async function listPasskeys(storage: Storage, userId: string): Promise<PasskeyRow[]> {
  return await storage.db
    .selectFrom("passkeys")
    .selectAll()
    .where("user_id", "=", userId)
    .orderBy("created_at")
    .orderBy("id")
    .limit(MAX_PASSKEYS_PER_USER)
    .execute();
}

/** Notes a use, unless another use has moved the counter meanwhile. Answers whether it did. */
export async function notePasskeyUse(
  storage: Storage,
  use: { readonly id: string; readonly previousCounter: number; readonly counter: number; readonly at: number },
): Promise<boolean> {
  const result = await storage.db
    .updateTable("passkeys")
    .set({ counter: use.counter, last_used_at: use.at })
    .where("id", "=", use.id)
    .where("counter", "=", use.previousCounter)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Deletes a passkey of a user. Answers whether there was one. */
export async function deletePasskey(storage: Storage, userId: string, id: string): Promise<boolean> {
  const result = await storage.db.deleteFrom("passkeys").where("user_id", "=", userId).where("id", "=", id).executeTakeFirst();
  return result.numDeletedRows > 0n;
}
