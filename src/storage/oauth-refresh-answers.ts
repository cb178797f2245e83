import type { Selectable } from "kysely";

import type { OauthRefreshAnswersTable } from "./oauth-tables.ts";
import type { Storage } from "./storage.ts";

export type RefreshAnswerRow = Selectable<OauthRefreshAnswersTable>;

/** Keeps the answer to a refresh; the first that was kept for a token stays. */
export async function insertRefreshAnswer(storage: Storage, answer: RefreshAnswerRow): Promise<void> {
  await storage.db
    .insertInto("oauth_refresh_answers")
    .values(answer)
    .onConflict((conflict) => conflict.column("token_hash").doNothing())
    .execute();
}

/** Finds the answer that was given for a refresh token, while it may be repeated. */
export async function findRefreshAnswer(storage: Storage, tokenHash: string, now: number): Promise<RefreshAnswerRow | undefined> {
  return await storage.db
    .selectFrom("oauth_refresh_answers")
    .selectAll()
    .where("token_hash", "=", tokenHash)
    .where("expires_at", ">", now)
    .executeTakeFirst();
}
