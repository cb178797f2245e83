import type { Insertable, Kysely, Selectable } from "kysely";

import type { Database, OrderSendsTable } from "./database.ts";

/** One permission to send one `cOID`, as stored. */
export type OrderSendRow = Selectable<OrderSendsTable>;

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

/** An order that was leaving when its caller was asked about. */
export interface LeavingOrder {
  readonly requestId: string;
  readonly ticket: string;
  readonly clientOrderId: string;
  readonly state: string;
  readonly sentAt: number;
}

/** The orders of these callers that have left, or are leaving, and have no definite end; newest first, at most `limit`. */
export async function leavingOrders(
  db: Kysely<Database>,
  { userId, callerIds, limit }: { readonly userId: string; readonly callerIds: readonly string[]; readonly limit: number },
): Promise<readonly LeavingOrder[]> {
  if (callerIds.length === 0) return [];
  return await db
    .selectFrom("order_sends")
    .innerJoin("order_attempts", "order_attempts.id", "order_sends.attempt_id")
    .innerJoin("order_requests", "order_requests.id", "order_attempts.request_id")
    .select([
      "order_requests.id as requestId",
      "order_requests.ticket as ticket",
      "order_requests.client_order_id as clientOrderId",
      "order_requests.state as state",
      "order_sends.sent_at as sentAt",
    ])
    .where("order_sends.user_id", "=", userId)
    .where("order_sends.caller_id", "in", callerIds)
    .where("order_sends.ended_at", "is", null)
    .orderBy("order_sends.sent_at", "desc")
    .limit(limit)
    .execute();
}
