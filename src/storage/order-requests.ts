import type { Insertable, Kysely, Selectable } from "kysely";

import type { Database, OrderRequestsTable } from "./database.ts";

/** A caller's wish for one order, as stored. */
export type OrderRequestRow = Selectable<OrderRequestsTable>;

/** Names a request as its caller does. `nameSpace` is the caller's own. */
export interface OrderRequestKey {
  readonly userId: string;
  readonly connectionId: string;
  readonly accountId: string;
  readonly nameSpace: string;
  readonly clientOrderId: string;
}

/** Writes a request. Throws when its name is taken. */
export async function insertOrderRequest(db: Kysely<Database>, row: Insertable<OrderRequestsTable>): Promise<void> {
  await db.insertInto("order_requests").values(row).execute();
}

/** Finds a request by its caller's name for it. */
export async function findOrderRequest(db: Kysely<Database>, key: OrderRequestKey): Promise<OrderRequestRow | undefined> {
  return await db
    .selectFrom("order_requests")
    .selectAll()
    .where("user_id", "=", key.userId)
    .where("connection_id", "=", key.connectionId)
    .where("account_id", "=", key.accountId)
    .where("name_space", "=", key.nameSpace)
    .where("client_order_id", "=", key.clientOrderId)
    .executeTakeFirst();
}

/** Finds requests of a connection with this client order id, in every name space and account; at most `limit`. */
export async function findOrderRequestsNamed(
  db: Kysely<Database>,
  key: Pick<OrderRequestKey, "userId" | "connectionId" | "clientOrderId">,
  limit: number,
): Promise<readonly OrderRequestRow[]> {
  return await db
    .selectFrom("order_requests")
    .selectAll()
    .where("user_id", "=", key.userId)
    .where("connection_id", "=", key.connectionId)
    .where("client_order_id", "=", key.clientOrderId)
    .orderBy("created_at", "desc")
    .limit(limit)
    .execute();
}

/** Finds a request by its id. */
export async function findOrderRequestById(db: Kysely<Database>, userId: string, id: string): Promise<OrderRequestRow | undefined> {
  return await db.selectFrom("order_requests").selectAll().where("user_id", "=", userId).where("id", "=", id).executeTakeFirst();
}

/** An order as its digest names it, and the request that isn't looked for. */
export interface EqualOrderQuery {
  readonly userId: string;
  readonly connectionId: string;
  readonly accountId: string;
  readonly argumentsHash: string;
  readonly exceptId?: string | undefined;
}

/** Finds the newest other request of the account for an equal order that is in one of these states, updated since `since`. */
export async function findEqualRequest(
  db: Kysely<Database>,
  query: EqualOrderQuery,
  { states, since = 0 }: { readonly states: readonly string[]; readonly since?: number },
): Promise<OrderRequestRow | undefined> {
  return await db
    .selectFrom("order_requests")
    .selectAll()
    .where("user_id", "=", query.userId)
    .where("connection_id", "=", query.connectionId)
    .where("account_id", "=", query.accountId)
    .where("arguments_hash", "=", query.argumentsHash)
    .where("id", "!=", query.exceptId ?? "")
    .where("state", "in", states)
    .where("updated_at", ">=", since)
    .orderBy("updated_at", "desc")
    .limit(1)
    .executeTakeFirst();
}

/** A user's requests in these states, newest first; at most `limit`. */
export async function listOrderRequests(
  db: Kysely<Database>,
  { userId, states, limit }: { readonly userId: string; readonly states: readonly string[]; readonly limit: number },
): Promise<readonly OrderRequestRow[]> {
  return await db
    .selectFrom("order_requests")
    .selectAll()
    .where("user_id", "=", userId)
    .where("state", "in", states)
    .orderBy("created_at", "desc")
    .limit(limit)
    .execute();
}

/** Whether a connection has a request in one of these states. */
export async function hasRequestIn(
  db: Kysely<Database>,
  { userId, connectionId, states }: Pick<OrderRequestKey, "userId" | "connectionId"> & { readonly states: readonly string[] },
): Promise<boolean> {
  const row = await db
    .selectFrom("order_requests")
    .select("id")
    .where("user_id", "=", userId)
    .where("connection_id", "=", connectionId)
    .where("state", "in", states)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Orders of unknown outcome on one connection. */
export interface OpenOrders {
  /** Still looked for by the gateway alone. */
  readonly unknown: number;
  /** Waiting for their owner's decision. */
  readonly unresolved: number;
}

/** Counts a user's orders of unknown outcome by connection; a connection without any is left out. */
export async function countOpenOrders(db: Kysely<Database>, userId: string): Promise<ReadonlyMap<string, OpenOrders>> {
  const rows = await db
    .selectFrom("order_requests")
    .select(["connection_id", "state", (count) => count.fn.countAll().as("count")])
    .where("user_id", "=", userId)
    .where("state", "in", ["unknown", "unresolved"])
    .groupBy(["connection_id", "state"])
    .execute();
  const counts = new Map<string, OpenOrders>();
  for (const { connection_id: id, state, count } of rows)
    counts.set(id, { ...NO_OPEN_ORDERS, ...counts.get(id), [state === "unresolved" ? "unresolved" : "unknown"]: Number(count) });
  return counts;
}

/** The count of a connection without any. */
export const NO_OPEN_ORDERS: OpenOrders = { unknown: 0, unresolved: 0 };

/** One step of a request. */
export interface OrderRequestMove {
  readonly userId: string;
  readonly id: string;
  readonly from: readonly string[];
  readonly to: string;
  /** JSON of the answer that a repeat gets; unchanged when undefined. */
  readonly result?: string | undefined;
  readonly ownerProcess?: string | undefined;
  /** Moves it only while this process owns it. */
  readonly owner?: string | undefined;
  readonly at: number;
}

/** Moves a request to another state in one conditional UPDATE; false when it was in none of the expected ones. */
export async function moveOrderRequest(db: Kysely<Database>, move: OrderRequestMove): Promise<boolean> {
  const { owner } = move;
  const result = await db
    .updateTable("order_requests")
    .set({
      state: move.to,
      updated_at: move.at,
      ...(move.result === undefined ? {} : { result: move.result }),
      ...(move.ownerProcess === undefined ? {} : { owner_process: move.ownerProcess }),
    })
    .where("user_id", "=", move.userId)
    .where("id", "=", move.id)
    .where("state", "in", move.from)
    .$if(owner !== undefined, (update) => update.where("owner_process", "=", owner ?? ""))
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Ids of the processes that own requests in these states. */
export async function ownersOfRequests(db: Kysely<Database>, states: readonly string[]): Promise<readonly string[]> {
  const rows = await db.selectFrom("order_requests").select("owner_process").distinct().where("state", "in", states).execute();
  return rows.map((row) => row.owner_process);
}

/** The requests of one process in these states; at most `limit`. */
export async function requestsOwnedBy(
  db: Kysely<Database>,
  { owner, states, limit }: { readonly owner: string; readonly states: readonly string[]; readonly limit: number },
): Promise<readonly OrderRequestRow[]> {
  return await db
    .selectFrom("order_requests")
    .selectAll()
    .where("owner_process", "=", owner)
    .where("state", "in", states)
    .limit(limit)
    .execute();
}
