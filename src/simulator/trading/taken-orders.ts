import type { OrderState, Side } from "./records.ts";
import type { Trading } from "./trading.ts";

/** An order that IBKR took, also where its lists hide it. */
export interface TakenOrder {
  readonly orderId: string;
  readonly accountId: string;
  /** The sender's `cOID`. */
  readonly customerOrderId: string | undefined;
  readonly conid: number;
  readonly side: Side;
  readonly quantity: string;
  readonly state: OrderState;
  /** Epoch ms. */
  readonly placedAt: number;
}

/** Returns every order that was ever taken, the oldest first, at most 1,000 of each account. */
export function takenOrders(trading: Pick<Trading, "accountIds" | "orders">): readonly TakenOrder[] {
  const orders = trading.accountIds.flatMap((accountId) => trading.orders(accountId, 0));
  return orders
    .toSorted((a, b) => a.id - b.id)
    .map(({ id, accountId, clientOrderId, conid, side, quantity, state, placedAt }) => ({
      orderId: String(id),
      accountId,
      customerOrderId: clientOrderId,
      conid,
      side,
      quantity: quantity.toString(),
      state,
      placedAt,
    }));
}
