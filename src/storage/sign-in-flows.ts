import type { Selectable } from "kysely";

import type { SignInFlowsTable } from "./sign-in-tables.ts";
import type { Storage } from "./storage.ts";

export type SignInFlowRow = Selectable<SignInFlowsTable>;

/** Stores a flow that begins at `now`, and deletes those that are over. */
export async function insertSignInFlow(storage: Storage, flow: SignInFlowRow, now: number): Promise<void> {
  await storage.db.deleteFrom("sign_in_flows").where("expires_at", "<=", now).execute();
  await storage.db.insertInto("sign_in_flows").values(flow).execute();
}

/** Takes a flow out, so that it serves once; undefined when there is none, it is over, or another browser began it. */
export async function takeSignInFlow(
  storage: Storage,
  key: Pick<SignInFlowRow, "id_hash" | "purpose" | "browser_hash">,
  now: number,
): Promise<SignInFlowRow | undefined> {
  return await storage.db
    .deleteFrom("sign_in_flows")
    .where("id_hash", "=", key.id_hash)
    .where("purpose", "=", key.purpose)
    .where("browser_hash", "=", key.browser_hash)
    .where("expires_at", ">", now)
    .returningAll()
    .executeTakeFirst();
}
