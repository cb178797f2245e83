import type { Market } from "../market/market.ts";
import { isAuctionOrder } from "./auction.ts";
import type { SimOrder } from "./records.ts";

/** IBKR's names for the states of an order that the simulator reaches. */
export type WireStatus = "Inactive" | "PreSubmitted" | "Submitted" | "Filled" | "PendingCancel" | "Cancelled";

/**
 * Tells IBKR's status of an order: a resting stop, or an order that waits for the market to open, is `PreSubmitted`,
 * and so is one that waits for its parent or for an auction.
 */
export function orderStatus(order: SimOrder, market: Market, now: number): WireStatus {
  if (order.state === "filled") return "Filled";
  if (order.state === "cancelled") return "Cancelled";
  if (order.state === "inactive") return "Inactive";
  if (order.cancelRequestedAt !== undefined) return "PendingCancel";
  if (order.held === true || isAuctionOrder(order)) return "PreSubmitted";
  const waitsForStop = order.stopPrice !== undefined && !order.triggered;
  return waitsForStop || !market.isOpen(order.conid, now, order.outsideRth) ? "PreSubmitted" : "Submitted";
}
