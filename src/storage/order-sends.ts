import type { Insertable, Kysely } from "kysely";

import type { Database, OrderSendsTable } from "./database.ts";

/** Writes a permission to send. */
export async function insertOrderSend(db: Kysely<Database>, row: Insertable<OrderSendsTable>): Promise<void> {
  await db.insertInto("order_sends").values(row).execute();
}

/** Writes how a sending ended, once. */
export async function endOrderSend(
  db: Kysely<Database>,
  { userId, id, endedBy, at }: { readonly userId: string; readonly id: string; readonly endedBy: string; readonly at: number },
): Promise<void> {
  await db
    .updateTable("order_sends")
    .set({ ended_at: at, ended_by: endedBy })
    .where("user_id", "=", userId)
    .where("id", "=", id)
    .where("ended_at", "is", null)
    .execute();
}

/** Ends every open sending of an attempt, as when its process died. */
export async function endOrderSendsOf(
  db: Kysely<Database>,
  {
    userId,
    attemptId,
    endedBy,
    at,
  }: { readonly userId: string; readonly attemptId: string; readonly endedBy: string; readonly at: number },
): Promise<void> {
  await db
    .updateTable("order_sends")
    .set({ ended_at: at, ended_by: endedBy })
    .where("user_id", "=", userId)
    .where("attempt_id", "=", attemptId)
    .where("ended_at", "is", null)
    .execute();
}

/** The keys and grants, or the connection, whose orders are meant. */
export type Senders = { readonly callerIds: readonly string[] } | { readonly connectionId: string };

/**
 * Ids of a user's order requests that were allowed to leave and have no definite end: being sent, or of unknown outcome. Newest
 * first, at most `limit`. Read after a revocation is committed, this names every order that the revocation came too late for.
 */
export async function leavingOrders(
  db: Kysely<Database>,
  { userId, senders, limit }: { readonly userId: string; readonly senders: Senders; readonly limit: number },
): Promise<readonly string[]> {
  if ("callerIds" in senders && senders.callerIds.length === 0) return [];
  const sends = db.selectFrom("order_sends").select("order_sends.attempt_id").where("order_sends.user_id", "=", userId);
  const theirs =
    "callerIds" in senders ? sends.where("caller_id", "in", senders.callerIds) : sends.where("connection_id", "=", senders.connectionId);
  const rows = await db
    .selectFrom("order_requests")
    .select("id")
    .where("user_id", "=", userId)
    .where("id", "in", (open) =>
      open
        .selectFrom("order_attempts")
        .select("order_attempts.request_id")
        .where("order_attempts.user_id", "=", userId)
        .where("order_attempts.state", "in", ["sending", "unknown"])
        .where("order_attempts.id", "in", theirs),
    )
    .orderBy("created_at", "desc")
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}
