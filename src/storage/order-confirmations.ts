import type { Insertable, Kysely, Selectable } from "kysely";

import type { Database, OrderConfirmationsTable } from "./database.ts";

/** A question that was shown, as stored. */
export type OrderConfirmationRow = Selectable<OrderConfirmationsTable>;

/** Writes a confirmation and voids the request's earlier ones, so that one token at most is good for an order. */
export async function insertOrderConfirmation(db: Kysely<Database>, row: Insertable<OrderConfirmationsTable>): Promise<void> {
  await db
    .updateTable("order_confirmations")
    .set({ consumed_at: row.created_at })
    .where("user_id", "=", row.user_id)
    .where("request_id", "=", row.request_id)
    .where("consumed_at", "is", null)
    .execute();
  await db.insertInto("order_confirmations").values(row).execute();
}

/** Finds a confirmation of this user by its token's digest, whatever its state. */
export async function findOrderConfirmation(
  db: Kysely<Database>,
  userId: string,
  tokenHash: string,
): Promise<OrderConfirmationRow | undefined> {
  return db
    .selectFrom("order_confirmations")
    .selectAll()
    .where("user_id", "=", userId)
    .where("token_hash", "=", tokenHash)
    .executeTakeFirst();
}

/** Who uses which token up, and when. */
export interface Consumption {
  readonly userId: string;
  readonly callerId: string;
  readonly tokenHash: string;
  readonly at: number;
}

/** Uses a token up in one conditional UPDATE; false when it is not this caller's, was used, or has expired. */
export async function consumeOrderConfirmation(db: Kysely<Database>, consumption: Consumption): Promise<boolean> {
  const result = await db
    .updateTable("order_confirmations")
    .set({ consumed_at: consumption.at })
    .where("token_hash", "=", consumption.tokenHash)
    .where("user_id", "=", consumption.userId)
    .where("caller_id", "=", consumption.callerId)
    .where("consumed_at", "is", null)
    .where("expires_at", ">", consumption.at)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Voids the open confirmations of a request. */
export async function voidOrderConfirmations(db: Kysely<Database>, userId: string, requestId: string, at: number): Promise<void> {
  await db
    .updateTable("order_confirmations")
    .set({ consumed_at: at })
    .where("user_id", "=", userId)
    .where("request_id", "=", requestId)
    .where("consumed_at", "is", null)
    .execute();
}

/** The confirmation of a request that is still good; undefined where none is. */
export async function findOpenConfirmation(
  db: Kysely<Database>,
  { userId, requestId, at }: { readonly userId: string; readonly requestId: string; readonly at: number },
): Promise<OrderConfirmationRow | undefined> {
  return await db
    .selectFrom("order_confirmations")
    .selectAll()
    .where("user_id", "=", userId)
    .where("request_id", "=", requestId)
    .where("consumed_at", "is", null)
    .where("expires_at", ">", at)
    .executeTakeFirst();
}
