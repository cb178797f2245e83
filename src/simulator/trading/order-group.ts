import type { Decimal } from "../../lib/decimal.ts";
import type { SimOrder } from "./records.ts";

/** The group of orders that were sent to end each other, named after its first order. */
export const ocaGroup = (orderId: number): string => `oca-${orderId}`;

/** The group of a parent's children. */
export const bracketGroup = (parentId: number): string => `bracket-${parentId}`;

/**
 * What becomes of an order when another of its group has filled by `quantity`: in a set of which one cancels all it is
 * cancelled; a bracket's other leg shrinks by as much, so that the two never close more than was opened.
 */
export function afterFillOfGroup(order: SimOrder, quantity: Decimal, at: number): SimOrder {
  const left = order.quantity.minus(quantity);
  const ends = order.group?.startsWith("oca-") === true || !left.greaterThan(order.filled);
  return ends ? { ...order, state: "cancelled", updatedAt: at } : { ...order, quantity: left, updatedAt: at };
}

/**
 * What becomes of a child as its parent goes: it works from the moment at which the parent has filled, ends with a parent that
 * ended unfilled, and closes no more than what a partly filled parent opened. Undefined while it goes on waiting.
 */
export function releasedChild(child: SimOrder, parent: SimOrder | undefined, at: number): SimOrder | undefined {
  if (parent?.state === "working") return undefined;
  if (parent === undefined || parent.filled.isZero()) return { ...child, state: "cancelled", held: false, updatedAt: at };
  const quantity = parent.filled.lessThan(child.quantity) ? parent.filled : child.quantity;
  return { ...child, quantity, held: false, activeFrom: Math.max(child.activeFrom, parent.updatedAt), updatedAt: at };
}
