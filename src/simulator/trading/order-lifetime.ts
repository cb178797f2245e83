import type { Market } from "../market/market.ts";
import { auctionAt, isAuctionOrder } from "./auction.ts";
import type { Ticket } from "./records.ts";

/** Epoch ms at which an order entered at `now` ends by itself; undefined for one that doesn't. */
export function endOfOrder(ticket: Ticket, market: Market, now: number): number | undefined {
  if (isAuctionOrder(ticket)) return auctionAt(ticket, market, now);
  if (ticket.tif === "GTD") return ticket.goodTill;
  return ticket.tif === "DAY" ? market.dayOrderExpiry(ticket.conid, now, ticket.outsideRth) : undefined;
}
