import type { Kysely, Selectable } from "kysely";

import type { Database } from "./database.ts";
import type { SignInLinksTable } from "./sign-in-tables.ts";
import type { Storage } from "./storage.ts";

export type SignInLinkRow = Selectable<SignInLinksTable>;

/** Most links that wait to be used; an operator has a handful. */
const MAX_OPEN_LINKS = 100;

/** Stores a link. A new set-up link, or a new one for the same user's password, voids those before it. Throws `RangeError` when 100 are open. */
export async function insertSignInLink(storage: Storage, link: SignInLinkRow): Promise<void> {
  await storage.transaction(async (transaction) => {
    await transaction.deleteFrom("sign_in_links").where("expires_at", "<=", link.created_at).execute();
    if (link.kind !== "invite") {
      const earlier = transaction.deleteFrom("sign_in_links").where("kind", "=", link.kind).where("used_at", "is", null);
      await (link.user_id === null ? earlier : earlier.where("user_id", "=", link.user_id)).execute();
    }
    const { count } = await transaction
      .selectFrom("sign_in_links")
      .select(({ fn }) => fn.countAll<number>().as("count"))
      .where("used_at", "is", null)
      .executeTakeFirstOrThrow();
    if (count >= MAX_OPEN_LINKS) throw new RangeError(`at most ${MAX_OPEN_LINKS} links may be open: take some back first`);
    await transaction.insertInto("sign_in_links").values(link).execute();
  });
}

/** Finds a link by its token's hash, used or not. */
export async function findSignInLink(db: Kysely<Database>, tokenHash: string): Promise<SignInLinkRow | undefined> {
  return await db.selectFrom("sign_in_links").selectAll().where("token_hash", "=", tokenHash).executeTakeFirst();
}

/** Finds a link by its id, used or not. */
export async function findSignInLinkById(db: Kysely<Database>, id: string): Promise<SignInLinkRow | undefined> {
  return await db.selectFrom("sign_in_links").selectAll().where("id", "=", id).executeTakeFirst();
}

/** Uses a link up in one conditional UPDATE; false when it was used or has expired. */
export async function consumeSignInLink(db: Kysely<Database>, id: string, at: number): Promise<boolean> {
  const result = await db
    .updateTable("sign_in_links")
    .set({ used_at: at })
    .where("id", "=", id)
    .where("used_at", "is", null)
    .where("expires_at", ">", at)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Tells whether a set-up link waits to be used, be it expired. */
export async function hasSetupLink(storage: Storage): Promise<boolean> {
  const waiting = storage.db.selectFrom("sign_in_links").select("id").where("kind", "=", "setup").where("used_at", "is", null);
  return (await waiting.limit(1).executeTakeFirst()) !== undefined;
}

/** Lists the invitations of a user that can still be used, newest first. */
export async function listOpenInvitations(storage: Storage, invitedBy: string, now: number): Promise<SignInLinkRow[]> {
  return await storage.db
    .selectFrom("sign_in_links")
    .selectAll()
    .where("kind", "=", "invite")
    .where("invited_by", "=", invitedBy)
    .where("used_at", "is", null)
    .where("expires_at", ">", now)
    .orderBy("created_at", "desc")
    .limit(MAX_OPEN_LINKS)
    .execute();
}

/** Takes back an invitation that its maker has made. Answers whether there was one. */
export async function deleteInvitation(storage: Storage, invitedBy: string, id: string): Promise<boolean> {
  const result = await storage.db
    .deleteFrom("sign_in_links")
    .where("id", "=", id)
    .where("kind", "=", "invite")
    .where("invited_by", "=", invitedBy)
    .where("used_at", "is", null)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}
