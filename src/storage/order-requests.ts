import type { Insertable, Kysely, Selectable } from "kysely";

import type { Database, OrderRequestsTable } from "./database.ts";

/** A caller's wish for one order, as stored. */
export type OrderRequestRow = Selectable<OrderRequestsTable>;

/**
 * Where a request stands. `sending`: an attempt is under way, or its process died. `unknown`: an order may be at the broker.
 * `not_sent`: proven that none is. `confirmation_required`: a question was shown. The others are final.
 */
export type OrderRequestState = (typeof STATES)[number];

const STATES = [
  "sending",
  "unknown",
  "not_sent",
  "confirmation_required",
  "accepted",
  "rejected",
  "declined",
  "too_many_questions",
] as const;

/** Reads a stored state. Throws `RangeError` for a text that is none. */
export function readRequestState(text: string): OrderRequestState {
  const state = STATES.find((candidate) => candidate === text);
  if (state === undefined) throw new RangeError(`not a state of an order request: ${text}`);
  return state;
}

/** Names a request as its caller does. */
export interface OrderRequestKey {
  readonly userId: string;
  readonly connectionId: string;
  readonly accountId: string;
  readonly clientOrderId: string;
}

/** Writes a request unless its account already has one with this client order id; false when it has. */
export async function insertOrderRequest(db: Kysely<Database>, row: Insertable<OrderRequestsTable>): Promise<boolean> {
  const inserted = await db
    .insertInto("order_requests")
    .values(row)
    .onConflict((conflict) => conflict.columns(["connection_id", "account_id", "client_order_id"]).doNothing())
    .returning("id")
    .executeTakeFirst();
  return inserted !== undefined;
}

/** Finds a request by its caller's name for it. */
export async function findOrderRequest(db: Kysely<Database>, key: OrderRequestKey): Promise<OrderRequestRow | undefined> {
  return db
    .selectFrom("order_requests")
    .selectAll()
    .where("user_id", "=", key.userId)
    .where("connection_id", "=", key.connectionId)
    .where("account_id", "=", key.accountId)
    .where("client_order_id", "=", key.clientOrderId)
    .executeTakeFirst();
}

/** Finds a request by its id. */
export async function findOrderRequestById(db: Kysely<Database>, userId: string, id: string): Promise<OrderRequestRow | undefined> {
  return db.selectFrom("order_requests").selectAll().where("user_id", "=", userId).where("id", "=", id).executeTakeFirst();
}

/** The accounts of a connection that have a request with this client order id; at most `limit`. */
export async function accountsOfClientOrderId(
  db: Kysely<Database>,
  key: Omit<OrderRequestKey, "accountId">,
  limit: number,
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom("order_requests")
    .select("account_id")
    .where("user_id", "=", key.userId)
    .where("connection_id", "=", key.connectionId)
    .where("client_order_id", "=", key.clientOrderId)
    .limit(limit)
    .execute();
  return rows.map((row) => row.account_id);
}

/** An order as its digest names it; `clientOrderId` is its own, which isn't looked for. */
export interface IdenticalOrderQuery extends OrderRequestKey {
  readonly argumentsHash: string;
  readonly states: readonly OrderRequestState[];
}

/** Finds another request of the account for the very same order that is in one of these states. */
export async function findIdenticalRequest(db: Kysely<Database>, query: IdenticalOrderQuery): Promise<OrderRequestRow | undefined> {
  return db
    .selectFrom("order_requests")
    .selectAll()
    .where("user_id", "=", query.userId)
    .where("connection_id", "=", query.connectionId)
    .where("account_id", "=", query.accountId)
    .where("arguments_hash", "=", query.argumentsHash)
    .where("client_order_id", "!=", query.clientOrderId)
    .where("state", "in", query.states)
    .orderBy("created_at", "desc")
    .limit(1)
    .executeTakeFirst();
}

/** One step of a request. */
export interface OrderRequestMove {
  readonly userId: string;
  readonly id: string;
  readonly from: readonly OrderRequestState[];
  readonly to: OrderRequestState;
  /** JSON of the answer that a repeat gets; left as it is when undefined. */
  readonly result?: string | undefined;
  readonly at: number;
}

/** Moves a request to another state in one conditional UPDATE; false when it was in none of the expected ones. */
export async function moveOrderRequest(db: Kysely<Database>, move: OrderRequestMove): Promise<boolean> {
  const result = await db
    .updateTable("order_requests")
    .set({ state: move.to, updated_at: move.at, ...(move.result === undefined ? {} : { result: move.result }) })
    .where("user_id", "=", move.userId)
    .where("id", "=", move.id)
    .where("state", "in", move.from)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}
