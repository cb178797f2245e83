import { findIdenticalRequest, type OrderRequestKey, type OrderRequestRow, type OrderRequestState } from "../storage/order-requests.ts";
import type { Storage } from "../storage/storage.ts";
import { identicalOpen } from "./trading-errors.ts";

/** An order that is about to be sent. */
export interface OrderToSend extends OrderRequestKey {
  readonly argumentsHash: string;
  /** False when its caller gave it no id of its own. */
  readonly isNamed: boolean;
}

/**
 * Refuses an order while the outcome of an equal one is unknown, which could be its double. To be asked in the account's turn,
 * before each attempt. Throws `outcome_unknown` that names the other order.
 */
export async function refuseIdentical({ db }: Storage, order: OrderToSend): Promise<void> {
  // Two equal orders with ids of their own are two wishes; without an id the second may be a retry of the first.
  const states: OrderRequestState[] = order.isNamed ? ["unknown"] : ["unknown", "sending"];
  const identical = await findIdenticalRequest(db, { ...order, states });
  if (identical !== undefined) throw identicalOpen(identical.client_order_id, identical.state === "sending");
}

/** An order that is known already and about to be sent anew. */
export function orderToSend(row: OrderRequestRow): OrderToSend {
  return {
    userId: row.user_id,
    connectionId: row.connection_id,
    accountId: row.account_id,
    clientOrderId: row.client_order_id,
    argumentsHash: row.arguments_hash,
    isNamed: true,
  };
}
