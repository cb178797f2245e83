import type { Order, OrderStatusName } from "../broker/order.ts";
import { isoTime } from "./envelope.ts";

/** One order as a row; prices are in `currency`. */
export function orderRow(order: Order, clientOrderId: string | undefined) {
  return {
    order_id: order.orderId,
    client_order_id: clientOrderId,
    status: order.status,
    status_description: order.statusDescription,
    conid: order.conid,
    symbol: order.symbol,
    sec_type: order.secType,
    side: order.side,
    quantity: order.quantity,
    filled_quantity: order.filledQuantity,
    remaining_quantity: order.remainingQuantity,
    order_type: order.orderType,
    limit_price: order.limitPrice,
    stop_price: order.stopPrice,
    average_price: order.averagePrice,
    currency: order.currency,
    tif: order.timeInForce,
    outside_rth: order.outsideRth,
    last_update_at: order.lastUpdateAt === undefined ? undefined : isoTime(order.lastUpdateAt),
  };
}

/** One order in a line for people. */
export function orderText(order: Order): string {
  const size = order.quantity === undefined ? "" : ` ${order.quantity.toString()}`;
  const price = order.limitPrice ?? order.stopPrice;
  const at = price === undefined ? "" : ` at ${price.toString()}${order.currency === undefined ? "" : ` ${order.currency}`}`;
  const filled = order.filledQuantity === undefined || order.filledQuantity.isZero() ? "" : `, filled ${order.filledQuantity.toString()}`;
  return `${order.orderId}: ${order.side ?? ""}${size} ${order.symbol ?? String(order.conid)} ${order.orderType}${at}: ${order.status}${filled}`;
}

const CANCELLING = "The cancellation is under way; a fill may still win. Call get_order_status.";
const UNCLEAR = "IBKR reports no clear state; call get_order_status again.";

/** What a status means, where its name doesn't say it. */
export const STATUS_NOTES: Readonly<Partial<Record<OrderStatusName, string>>> = {
  Inactive: "Inactive: IBKR holds or has refused this order; it is not working.",
  PreSubmitted: "PreSubmitted: IBKR holds the order until its time or its stop price.",
  PendingCancel: CANCELLING,
  PreCancelled: CANCELLING,
  Unknown: UNCLEAR,
  WarnState: UNCLEAR,
};
