import { Decimal } from "../../lib/decimal.ts";
import type { MarketLook } from "./matching.ts";
import type { SimOrder, Ticket } from "./records.ts";

const HUNDRED = Decimal.fromInteger(100);

/** Where a trailing stop stands when the market is at `price`, on the tick. */
export function trailingStop({ side, trail }: Pick<Ticket, "side" | "trail">, price: Decimal, tick: Decimal): Decimal {
  if (trail === undefined) return price;
  const distance = trail.unit === "%" ? price.times(trail.amount).dividedBy(HUNDRED, 8) : trail.amount;
  const stop = side === "SELL" ? price.minus(distance) : price.plus(distance);
  const onTick = stop.roundToStep(tick, side === "SELL" ? "down" : "up");
  return onTick.isPositive() ? onTick : tick;
}

/**
 * Lets a trailing stop follow the market after a stretch in which it was not reached: up below a rising market for a sale,
 * down above a falling one for a purchase, never back. A limit keeps its distance from the stop.
 */
export function followMarket(order: SimOrder, look: MarketLook, tick: Decimal): SimOrder {
  const { side, trail, stopPrice, limitPrice } = order;
  if (trail === undefined || stopPrice === undefined || order.triggered) return order;
  const best = (side === "SELL" ? look.range?.high : look.range?.low) ?? (look.open ? look.quote().last : undefined);
  if (best === undefined) return order;
  const moved = trailingStop(order, best, tick);
  const nearer = side === "SELL" ? moved.greaterThan(stopPrice) : moved.lessThan(stopPrice);
  if (!nearer) return order;
  const limit = limitPrice === undefined ? undefined : moved.plus(limitPrice.minus(stopPrice));
  return { ...order, stopPrice: moved, limitPrice: limit };
}
