import type { Insertable, Kysely, Selectable } from "kysely";

import type { Database, OrderAttemptsTable } from "./database.ts";

/** One `cOID` of a request, as stored. */
export type OrderAttemptRow = Selectable<OrderAttemptsTable>;

/** Writes an attempt. Throws when its customer order id is taken. */
export async function insertOrderAttempt(db: Kysely<Database>, row: Insertable<OrderAttemptsTable>): Promise<void> {
  await db.insertInto("order_attempts").values(row).execute();
}

type Changeable = Pick<
  OrderAttemptRow,
  "doubt" | "ended_by" | "broker_order_id" | "said" | "owner_process" | "round" | "sent_at" | "sent_broker_at" | "placed_broker_at"
>;

/** Further changes in a step of an attempt; undefined leaves a column as it is. */
export type OrderAttemptChange = { readonly [Column in keyof Changeable]?: Changeable[Column] | undefined };

/** One step of an attempt. */
export interface OrderAttemptMove {
  readonly userId: string;
  readonly id: string;
  readonly from: readonly string[];
  readonly to: string;
  readonly change?: OrderAttemptChange;
  readonly at: number;
}

/** Moves an attempt to another state in one conditional UPDATE; false when it was in none of the expected ones. */
export async function moveOrderAttempt(db: Kysely<Database>, move: OrderAttemptMove): Promise<boolean> {
  const result = await db
    .updateTable("order_attempts")
    .set({ ...move.change, state: move.to, updated_at: move.at })
    .where("user_id", "=", move.userId)
    .where("id", "=", move.id)
    .where("state", "in", move.from)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Writes what a look for an attempt showed, whatever its state has become. */
export async function noteOrderLook(
  db: Kysely<Database>,
  look: { readonly userId: string; readonly id: string; readonly looks: number; readonly at: number },
): Promise<void> {
  await db
    .updateTable("order_attempts")
    .set({ looks: look.looks, looked_at: look.at })
    .where("user_id", "=", look.userId)
    .where("id", "=", look.id)
    .execute();
}

/** Finds an attempt by its id. */
export async function findOrderAttempt(db: Kysely<Database>, userId: string, id: string): Promise<OrderAttemptRow | undefined> {
  return await db.selectFrom("order_attempts").selectAll().where("user_id", "=", userId).where("id", "=", id).executeTakeFirst();
}

/** The attempts of a request, newest first. */
export async function attemptsOf(db: Kysely<Database>, userId: string, requestId: string): Promise<readonly OrderAttemptRow[]> {
  return await db
    .selectFrom("order_attempts")
    .selectAll()
    .where("user_id", "=", userId)
    .where("request_id", "=", requestId)
    .orderBy("generation", "desc")
    .execute();
}

/** Every user's attempts in these states, oldest first: the work of the background watch. */
export async function attemptsIn(db: Kysely<Database>, states: readonly string[], limit: number): Promise<readonly OrderAttemptRow[]> {
  return await db.selectFrom("order_attempts").selectAll().where("state", "in", states).orderBy("sent_at").limit(limit).execute();
}

/** Which connection and user a query is about. */
export interface AttemptScope {
  readonly userId: string;
  readonly connectionId: string;
}

/** The attempt of an account that holds its turn. */
export async function attemptInTurn(
  db: Kysely<Database>,
  { connectionId, accountId }: { readonly connectionId: string; readonly accountId: string },
): Promise<OrderAttemptRow | undefined> {
  return await db
    .selectFrom("order_attempts")
    .selectAll()
    .where("connection_id", "=", connectionId)
    .where("account_id", "=", accountId)
    .where("state", "=", "sending")
    .executeTakeFirst();
}

/** The attempts with these customer order ids, with their requests' client order ids. */
export async function attemptsByCustomerOrderId(
  db: Kysely<Database>,
  scope: AttemptScope,
  customerOrderIds: readonly string[],
): Promise<readonly (OrderAttemptRow & { readonly client_order_id: string })[]> {
  if (customerOrderIds.length === 0) return [];
  return await db
    .selectFrom("order_attempts")
    .innerJoin("order_requests", "order_requests.id", "order_attempts.request_id")
    .selectAll("order_attempts")
    .select("order_requests.client_order_id")
    .where("order_attempts.user_id", "=", scope.userId)
    .where("order_attempts.connection_id", "=", scope.connectionId)
    .where("order_attempts.customer_order_id", "in", customerOrderIds)
    .execute();
}

/** The attempt that became this order at the broker. */
export async function attemptOfBrokerOrder(
  db: Kysely<Database>,
  scope: AttemptScope,
  brokerOrderId: string,
): Promise<OrderAttemptRow | undefined> {
  return await db
    .selectFrom("order_attempts")
    .selectAll()
    .where("user_id", "=", scope.userId)
    .where("connection_id", "=", scope.connectionId)
    .where("broker_order_id", "=", brokerOrderId)
    .orderBy("updated_at", "desc")
    .limit(1)
    .executeTakeFirst();
}
