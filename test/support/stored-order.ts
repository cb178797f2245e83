/** Orders of unknown outcome as the pipeline leaves them, for tests of the pages about them. */
import type { Storage } from "../../src/storage/storage.ts";

/** What a test decides about a stored order. */
export interface StoredOrder {
  readonly connectionId: string;
  readonly state?: "unknown" | "unresolved" | "sending";
  readonly clientOrderId?: string;
  readonly callerId?: string;
  readonly accountId?: string;
  readonly quantity?: string;
  /** IBKR's words where its answer was not clear. */
  readonly said?: string;
  readonly sentAt: number;
}

let count = 0;

/** Writes request, attempt and sending of one order; returns the request's id. */
export async function storeOrder({ db }: Storage, order: StoredOrder): Promise<string> {
  const { user_id } = await db.selectFrom("connections").select("user_id").where("id", "=", order.connectionId).executeTakeFirstOrThrow();
  count += 1;
  const number = String(count).padStart(20, "0");
  const { connectionId: connection_id, state = "unresolved", callerId: caller_id = "key_gone", sentAt: sent_at } = order;
  const account_id = order.accountId ?? "DU1234567";
  // No process has this id: the running one takes the order over and looks for it.
  const owned = { user_id, connection_id, account_id, owner_process: "prc_dead", updated_at: sent_at };
  const id = `ord_${number}`;
  const ticket = { account_id, conid: 265598, symbol: "AAPL", currency: "USD", side: "BUY", quantity: order.quantity ?? "10" };
  const terms = { order_type: "LMT", limit_price: "230", tif: "DAY", outside_rth: false };
  await db
    .insertInto("order_requests")
    .values({
      ...owned,
      id,
      caller_id,
      name_space: caller_id,
      client_order_id: order.clientOrderId ?? `stored-${number}`,
      is_named: 1,
      arguments_hash: number,
      ticket: JSON.stringify({ ...ticket, ...terms }),
      reason: null,
      state,
      result: null,
      created_at: sent_at,
    })
    .execute();
  await db
    .insertInto("order_attempts")
    .values({
      ...owned,
      id: `att_${number}`,
      request_id: id,
      customer_order_id: `gw${number}-1`,
      generation: 1,
      round: 0,
      state: state === "sending" ? "sending" : "unknown",
      doubt: state === "sending" ? 0 : 1,
      ended_by: null,
      broker_order_id: null,
      said: order.said ?? null,
      looks: 6,
      looked_at: sent_at + 280_000,
      first_sent_at: sent_at,
      first_sent_broker_at: null,
      sent_at,
      sent_broker_at: null,
      placed_broker_at: null,
    })
    .execute();
  const ended = state === "sending" ? { ended_at: null, ended_by: null } : { ended_at: sent_at + 30_000, ended_by: "unknown" };
  await db
    .insertInto("order_sends")
    .values({
      id: `snd_${number}`,
      attempt_id: `att_${number}`,
      user_id,
      connection_id,
      caller_id,
      source: "apikey",
      permission: "{}",
      process_id: "prc_dead",
      sent_at,
      broker_at: null,
      ...ended,
    })
    .execute();
  return id;
}
