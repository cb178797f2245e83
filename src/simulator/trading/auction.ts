import type { Decimal } from "../../lib/decimal.ts";
import type { Market } from "../market/market.ts";
import type { SimOrder, Ticket } from "./records.ts";

/** True for an order that only an auction fills: the opening one (OPG) or the closing one (MOC, LOC). */
export function isAuctionOrder({ kind, tif }: Pick<Ticket, "kind" | "tif">): boolean {
  return tif === "OPG" || kind === "MOC" || kind === "LOC";
}

/** Epoch ms of the next auction that an order of this kind takes part in. */
export function auctionAt(ticket: Ticket, market: Market, now: number): number {
  if (ticket.tif !== "OPG") return market.dayOrderExpiry(ticket.conid, now, false);
  const calendar = market.calendar(ticket.conid);
  const session = calendar.sessionAt(now);
  return now < session.opensAt ? session.opensAt : calendar.sessionAfter(now).opensAt;
}

/**
 * The price of the auction that an order was waiting for, at the order's end: the day's first or last price. Undefined where
 * there was none, or where its limit is not met.
 */
export function auctionPrice(order: SimOrder, market: Market): Decimal | undefined {
  const at = order.expiresAt;
  if (at === undefined || market.instrument(order.conid)?.halted !== false) return undefined;
  const opening = order.tif === "OPG";
  const session = market.calendar(order.conid).sessionAt(opening ? at : at - 1);
  const bar = market.dayBar(order.conid, session.day);
  const price = opening ? bar?.open : bar?.close;
  if (price === undefined || order.limitPrice === undefined) return price;
  const worse = order.side === "BUY" ? price.greaterThan(order.limitPrice) : price.lessThan(order.limitPrice);
  return worse ? undefined : price;
}
