import type { Decimal } from "../../lib/decimal.ts";
import type { Market, SimInstrument } from "../market/market.ts";
import { unitValueOf } from "./amounts.ts";
import type { Ticket } from "./records.ts";

/** What a money amount is turned into a quantity with. */
export interface CashContext {
  readonly market: Market;
  readonly instrument: SimInstrument;
  readonly now: number;
}

/**
 * Turns money in the instrument's currency into a quantity at the order's price: whole shares, or units of a currency, rounded
 * down. Answers the refusal, as text, where there is no such order.
 */
export function sharesForCash(
  cash: Decimal,
  ticket: Pick<Ticket, "side" | "kind" | "limitPrice">,
  { market, instrument, now }: CashContext,
): Decimal | string {
  const supported = instrument.secType === "STK" || instrument.secType === "CASH";
  if (!supported || (ticket.kind !== "MKT" && ticket.kind !== "LMT"))
    return "Cash quantity is not supported for this order type or instrument.";
  if (!cash.isPositive()) return "Order quantity must be greater than zero.";
  const quote = market.quote(instrument.conid, now);
  const price = ticket.limitPrice ?? (ticket.side === "BUY" ? quote.ask : quote.bid);
  const quantity = cash.dividedBy(unitValueOf(instrument, price), 8).round(0, "down");
  return quantity.isPositive() ? quantity : "The cash quantity is less than the price of one share.";
}
