import { Decimal } from "../../lib/decimal.ts";
import type { SimOrder, Ticket } from "./records.ts";
import type { TradingStore } from "./trading-store.ts";

/** Ids count up from here: ten digits, as IBKR's have. */
const FIRST_ORDER_ID = 1_234_567_000;

/** Takes the next order id, which no order of this state file has had. */
export function nextOrderId(store: TradingStore): number {
  const id = store.counter("next_order_id") ?? FIRST_ORDER_ID;
  store.setCounter("next_order_id", id + 1);
  return id;
}

/** Makes the record of an order that has just been taken, with nothing filled. */
export function newOrder(ticket: Ticket, id: number, now: number): SimOrder {
  return {
    ...ticket,
    id,
    state: "working",
    triggered: false,
    arrived: false,
    filled: Decimal.zero,
    filledValue: Decimal.zero,
    commission: Decimal.zero,
    placedAt: now,
    activeFrom: now,
    updatedAt: now,
    expiresAt: undefined,
    cancelRequestedAt: undefined,
  };
}
