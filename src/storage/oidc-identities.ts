import type { Kysely, Selectable } from "kysely";

import type { Database } from "./database.ts";
import type { OidcIdentitiesTable } from "./sign-in-tables.ts";
import type { Storage } from "./storage.ts";

export type OidcIdentityRow = Selectable<OidcIdentitiesTable>;

/** Most identities of one user: one or two are common. */
const MAX_LISTED = 50;

/** Stores whose account at an issuer is which user. The database refuses a second user for it. */
export async function insertOidcIdentity(db: Kysely<Database>, identity: OidcIdentityRow): Promise<void> {
  await db.insertInto("oidc_identities").values(identity).execute();
}

/** Finds who an account at an issuer is here. */
export async function findOidcIdentity(db: Kysely<Database>, issuer: string, subject: string): Promise<OidcIdentityRow | undefined> {
  return await db.selectFrom("oidc_identities").selectAll().where("issuer", "=", issuer).where("subject", "=", subject).executeTakeFirst();
}

/** Notes a sign-in and the e-mail address that came with it. */
export async function noteOidcSignIn(
  storage: Storage,
  use: Pick<OidcIdentityRow, "issuer" | "subject" | "email" | "last_used_at">,
): Promise<void> {
  await storage.db
    .updateTable("oidc_identities")
    .set({ email: use.email, last_used_at: use.last_used_at })
    .where("issuer", "=", use.issuer)
    .where("subject", "=", use.subject)
    .execute();
}

/** Lists a user's accounts at issuers, oldest first. */
export async function listOidcIdentities(storage: Storage, userId: string): Promise<OidcIdentityRow[]> {
  return await storage.db
    .selectFrom("oidc_identities")
    .selectAll()
    .where("user_id", "=", userId)
    .orderBy("created_at")
    .limit(MAX_LISTED)
    .execute();
}

/** Takes an account at an issuer from a user. Answers whether there was one. */
export async function deleteOidcIdentity(storage: Storage, key: Pick<OidcIdentityRow, "user_id" | "issuer" | "subject">): Promise<boolean> {
  const result = await storage.db
    .deleteFrom("oidc_identities")
    .where("user_id", "=", key.user_id)
    .where("issuer", "=", key.issuer)
    .where("subject", "=", key.subject)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}
