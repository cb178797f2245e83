import type { Selectable } from "kysely";

import type { ConnectionDraftsTable } from "./database.ts";
import type { Storage } from "./storage.ts";

export type ConnectionDraftRow = Selectable<ConnectionDraftsTable>;

/** Names a draft together with its owner: no query finds another user's. */
export interface ConnectionDraftKey {
  readonly draftId: string;
  readonly userId: string;
}

/** Most set-ups under way of one user: each holds keys that were made for it, which nobody may lose by beginning another. */
const MAX_DRAFTS_PER_USER = 20;

/** Throws a `RangeError` when a user has as many set-ups under way as anybody may: before keys are made for another. */
export async function refuseTooManyDrafts(storage: Storage, userId: string, staleBefore: number): Promise<void> {
  const { count } = await storage.db
    .selectFrom("connection_drafts")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("user_id", "=", userId)
    .where("updated_at", ">=", staleBefore)
    .executeTakeFirstOrThrow();
  if (count >= MAX_DRAFTS_PER_USER) throw tooMany();
}

function tooMany(): RangeError {
  return new RangeError(`a user has at most ${MAX_DRAFTS_PER_USER} set-ups under way`);
}

/** Stores a new draft, and deletes those of all users that nobody touched since `staleBefore`. Throws a `RangeError` at the user's bound. */
export async function insertConnectionDraft(storage: Storage, draft: ConnectionDraftRow, staleBefore: number): Promise<void> {
  await storage.transaction(async (transaction) => {
    await transaction.deleteFrom("connection_drafts").where("updated_at", "<", staleBefore).execute();
    const { count } = await transaction
      .selectFrom("connection_drafts")
      .select(({ fn }) => fn.countAll<number>().as("count"))
      .where("user_id", "=", draft.user_id)
      .executeTakeFirstOrThrow();
    if (count >= MAX_DRAFTS_PER_USER) throw tooMany();
    await transaction.insertInto("connection_drafts").values(draft).execute();
  });
}

/** Finds a draft of this user that somebody touched since `staleBefore`. */
export async function findConnectionDraft(
  storage: Storage,
  key: ConnectionDraftKey,
  staleBefore: number,
): Promise<ConnectionDraftRow | undefined> {
  return await storage.db
    .selectFrom("connection_drafts")
    .selectAll()
    .where("id", "=", key.draftId)
    .where("user_id", "=", key.userId)
    .where("updated_at", ">=", staleBefore)
    .executeTakeFirst();
}

/** Lists a user's drafts, latest first. */
export async function listConnectionDrafts(storage: Storage, userId: string, staleBefore: number): Promise<ConnectionDraftRow[]> {
  return await storage.db
    .selectFrom("connection_drafts")
    .selectAll()
    .where("user_id", "=", userId)
    .where("updated_at", ">=", staleBefore)
    .orderBy("updated_at", "desc")
    .orderBy("id")
    .limit(MAX_DRAFTS_PER_USER)
    .execute();
}

/** Keeps what was entered. Answers whether there is such a draft of this user. */
export async function updateConnectionDraft(
  storage: Storage,
  { draftId, userId, ...changes }: ConnectionDraftKey & Pick<ConnectionDraftRow, "mode" | "label" | "sealed_content" | "updated_at">,
): Promise<boolean> {
  const result = await storage.db
    .updateTable("connection_drafts")
    .set(changes)
    .where("id", "=", draftId)
    .where("user_id", "=", userId)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Deletes a draft of this user, with the keys in it. Answers whether there was one. */
export async function deleteConnectionDraft(storage: Storage, key: ConnectionDraftKey): Promise<boolean> {
  const result = await storage.db
    .deleteFrom("connection_drafts")
    .where("id", "=", key.draftId)
    .where("user_id", "=", key.userId)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}
