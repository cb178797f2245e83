import { z } from "zod";

import type { OrderTicket } from "../broker/order.ts";
import { Decimal } from "../lib/decimal.ts";
import { canonicalJson } from "../lib/json.ts";
import { sha256Hex } from "../lib/secret.ts";

/** The exact order that a caller wants, without the id of any attempt; prices are in `currency`. */
export interface OrderDraft extends Omit<OrderTicket, "customerOrderId"> {
  readonly symbol: string;
  readonly currency: string;
}

const decimal = z.string().transform((text) => Decimal.parse(text));

const storedDraft = z.object({
  account_id: z.string(),
  conid: z.number(),
  symbol: z.string(),
  currency: z.string(),
  side: z.enum(["BUY", "SELL"]),
  quantity: decimal,
  order_type: z.enum(["MKT", "LMT", "STP", "STP_LIMIT"]),
  limit_price: decimal.optional(),
  stop_price: decimal.optional(),
  tif: z.enum(["DAY", "GTC", "IOC"]),
  outside_rth: z.boolean(),
});

/** The order's fields as they are stored and shown; decimals serialise as plain text. */
export function draftFields(draft: OrderDraft) {
  return {
    account_id: draft.accountId,
    conid: draft.conid,
    symbol: draft.symbol,
    currency: draft.currency,
    side: draft.side,
    quantity: draft.quantity,
    order_type: draft.orderType,
    limit_price: draft.limitPrice,
    stop_price: draft.stopPrice,
    tif: draft.timeInForce,
    outside_rth: draft.outsideRth,
  };
}

/** Reads a stored order back. Throws a `ZodError` for text that isn't one. */
export function parseDraft(json: string): OrderDraft {
  const stored = storedDraft.parse(JSON.parse(json));
  return {
    accountId: stored.account_id,
    conid: stored.conid,
    symbol: stored.symbol,
    currency: stored.currency,
    side: stored.side,
    quantity: stored.quantity,
    orderType: stored.order_type,
    limitPrice: stored.limit_price,
    stopPrice: stored.stop_price,
    timeInForce: stored.tif,
    outsideRth: stored.outside_rth,
  };
}

/** A digest that is equal for equal orders only, however their contract and numbers were written. */
export function draftDigest(draft: OrderDraft): string {
  const { symbol: _symbol, currency: _currency, ...exact } = draftFields(draft);
  return sha256Hex(canonicalJson(exact));
}

/** The order in words for people: `BUY 5 AAPL LMT 230 USD DAY`. */
export function draftText(draft: OrderDraft): string {
  const limit = draft.limitPrice === undefined ? "" : ` limit ${draft.limitPrice.toString()} ${draft.currency}`;
  const stop = draft.stopPrice === undefined ? "" : ` stop ${draft.stopPrice.toString()} ${draft.currency}`;
  const hours = draft.outsideRth ? ", outside regular hours too" : "";
  return `${draft.side} ${draft.quantity.toString()} ${draft.symbol} ${draft.orderType}${limit}${stop} ${draft.timeInForce}${hours}`;
}
