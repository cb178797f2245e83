import { Decimal } from "../../lib/decimal.ts";
import type { SimInstrument } from "../market/market.ts";
import { priceText } from "./amounts.ts";
import type { OrderKind, SimOrder, Ticket } from "./records.ts";

/** How IBKR prints an order type in live orders, and the older upper-case form. */
export const KIND_NAMES: Readonly<Record<OrderKind, { readonly shown: string; readonly original: string }>> = {
  MKT: { shown: "Market", original: "MARKET" },
  LMT: { shown: "Limit", original: "LIMIT" },
  STP: { shown: "Stop", original: "STOP" },
  STOP_LIMIT: { shown: "Stop Limit", original: "STOP_LIMIT" },
  TRAIL: { shown: "Trailing Stop", original: "TRAILING_STOP" },
  TRAILLMT: { shown: "Trailing Stop Limit", original: "TRAILING_STOP_LIMIT" },
  MIT: { shown: "Market if Touched", original: "MIT" },
  LIT: { shown: "Limit if Touched", original: "LIT" },
  MOC: { shown: "Market on Close", original: "MARKETONCLOSE" },
  LOC: { shown: "Limit on Close", original: "LIMITONCLOSE" },
  MIDPRICE: { shown: "Mid-Price", original: "MIDPRICE" },
};

const THOUSAND = Decimal.fromInteger(1000);
const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/** The exchange as order rows print it: `NASDAQ.NMS`. */
export function listingText(instrument: SimInstrument): string {
  return instrument.listingExchange === "NASDAQ" ? "NASDAQ.NMS" : instrument.listingExchange;
}

/** The contract: `AAPL`, or `SPY    JAN2027 640 C [SPY   270115C00640000 100]`. */
export function contractText(instrument: SimInstrument): string {
  const { symbol, expiry, strike, right, multiplier } = instrument;
  if (instrument.secType === "CASH") return `${symbol.split(".")[0]}.${instrument.currency}`;
  if (expiry === undefined || strike === undefined || right === undefined) return symbol;
  const month = `${MONTHS[Number(expiry.slice(4, 6)) - 1]}${expiry.slice(0, 4)}`;
  const code = `${symbol.padEnd(6)}${expiry.slice(2)}${right}${strike.times(THOUSAND).toFixed(0).padStart(8, "0")}`;
  return `${symbol.padEnd(6)} ${month} ${strike.toString()} ${right} [${code} ${multiplier.toString()}]`;
}

/** `BUY 5 AAPL NASDAQ.NMS @ 150.00`, as questions quote an order. */
export function questionText(ticket: Ticket, instrument: SimInstrument): string {
  const price = ticket.limitPrice ?? ticket.stopPrice;
  const at = price === undefined ? "MKT" : priceText(instrument, price);
  return `${ticket.side} ${ticket.quantity.toString()} ${contractText(instrument)} ${listingText(instrument)} @ ${at}`;
}

/** `Buy 5 AAPL Limit 230.00, GTC`; `Bought 5 …` once it is filled. Without `contract`, as order status wants it too. */
export function orderText(order: SimOrder, instrument: SimInstrument, contract?: string): string {
  const words = { BUY: ["Buy", "Bought"], SELL: ["Sell", "Sold"] }[order.side];
  const verb = order.state === "filled" ? words[1] : words[0];
  const subject = contract === undefined ? "" : ` ${contract}`;
  return `${verb} ${order.quantity.toString()}${subject} ${termsText(order, instrument)}, ${order.tif === "DAY" ? "Day" : order.tif}`;
}

function termsText(order: SimOrder, instrument: SimInstrument): string {
  const name = KIND_NAMES[order.kind].shown;
  const limit = order.limitPrice === undefined ? "" : ` ${priceText(instrument, order.limitPrice)}`;
  const stop =
    order.stopPrice === undefined ? "" : ` ${order.limitPrice === undefined ? "" : "Stop "}${priceText(instrument, order.stopPrice)}`;
  return `${name}${limit}${stop}`;
}
