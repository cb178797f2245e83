import type { Insertable, Kysely, Selectable } from "kysely";

import type { Database, OrderAttemptsTable } from "./database.ts";

/** One POST of an order, as stored. */
export type OrderAttemptRow = Selectable<OrderAttemptsTable>;

/**
 * Where an attempt stands. `prepared`: written, the POST follows or its process died. `unknown`: it may be at the broker.
 * `declined`: a question was asked and declined there. `absent`: looked for and proven not to be at the broker.
 */
export type OrderAttemptState = "prepared" | "unknown" | "accepted" | "rejected" | "not_sent" | "declined" | "absent";

/** The states in which an order may be at the broker without our knowing. */
export const OPEN_ATTEMPT_STATES = ["prepared", "unknown"] as const satisfies readonly OrderAttemptState[];

/** Writes an attempt. Throws when its customer order id is taken. */
export async function insertOrderAttempt(db: Kysely<Database>, row: Insertable<OrderAttemptsTable>): Promise<void> {
  await db.insertInto("order_attempts").values(row).execute();
}

/** One step of an attempt. */
export interface OrderAttemptMove {
  readonly userId: string;
  readonly id: string;
  readonly to: OrderAttemptState;
  readonly brokerOrderId?: string | undefined;
  readonly detail?: string | undefined;
  readonly at: number;
}

/** States that an attempt may be accepted from: the broker's own word counts more than our not having found the order. */
const ACCEPTABLE_STATES = [...OPEN_ATTEMPT_STATES, "absent"] as const satisfies readonly OrderAttemptState[];

/** Moves an open attempt to another state in one conditional UPDATE; false when it had been settled already. */
export async function moveOrderAttempt(db: Kysely<Database>, move: OrderAttemptMove): Promise<boolean> {
  const result = await db
    .updateTable("order_attempts")
    .set({
      state: move.to,
      updated_at: move.at,
      ...(move.brokerOrderId === undefined ? {} : { broker_order_id: move.brokerOrderId }),
      ...(move.detail === undefined ? {} : { detail: move.detail }),
    })
    .where("user_id", "=", move.userId)
    .where("id", "=", move.id)
    .where("state", "in", move.to === "accepted" ? ACCEPTABLE_STATES : OPEN_ATTEMPT_STATES)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Every user's open attempts since `since`, oldest first: the work of the background poller. */
export async function openAttempts(db: Kysely<Database>, since: number, limit: number): Promise<readonly OrderAttemptRow[]> {
  return db
    .selectFrom("order_attempts")
    .selectAll()
    .where("state", "in", OPEN_ATTEMPT_STATES)
    .where("created_at", ">=", since)
    .orderBy("created_at")
    .limit(limit)
    .execute();
}

/** The open attempts of one request. */
export async function openAttemptsOf(db: Kysely<Database>, userId: string, requestId: string): Promise<readonly OrderAttemptRow[]> {
  return db
    .selectFrom("order_attempts")
    .selectAll()
    .where("user_id", "=", userId)
    .where("request_id", "=", requestId)
    .where("state", "in", OPEN_ATTEMPT_STATES)
    .execute();
}

/** Which connection and user a query is about. */
export interface AttemptScope {
  readonly userId: string;
  readonly connectionId: string;
}

/** The client order ids behind these customer order ids of ours. */
export async function clientOrderIds(
  db: Kysely<Database>,
  scope: AttemptScope,
  customerOrderIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (customerOrderIds.length === 0) return new Map();
  const rows = await db
    .selectFrom("order_attempts")
    .innerJoin("order_requests", "order_requests.id", "order_attempts.request_id")
    .select(["order_attempts.customer_order_id", "order_requests.client_order_id"])
    .where("order_attempts.user_id", "=", scope.userId)
    .where("order_attempts.connection_id", "=", scope.connectionId)
    .where("order_attempts.customer_order_id", "in", customerOrderIds)
    .execute();
  return new Map(rows.map((row) => [row.customer_order_id, row.client_order_id]));
}

/** The attempt that became this order at the broker. */
export async function attemptOfBrokerOrder(
  db: Kysely<Database>,
  scope: AttemptScope,
  brokerOrderId: string,
): Promise<OrderAttemptRow | undefined> {
  return db
    .selectFrom("order_attempts")
    .selectAll()
    .where("user_id", "=", scope.userId)
    .where("connection_id", "=", scope.connectionId)
    .where("broker_order_id", "=", brokerOrderId)
    .orderBy("created_at", "desc")
    .limit(1)
    .executeTakeFirst();
}
