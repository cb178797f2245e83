import type { OrderSightings, OrderStatusName } from "../broker/order.ts";
import { LATENESS_MS } from "./look-schedule.ts";

/** An order that is at IBKR. */
export interface Sighting {
  readonly orderId: string;
  readonly status: OrderStatusName;
}

/** States that an order shows while its question is open, too. */
const UNSURE: ReadonlySet<OrderStatusName> = new Set(["Inactive", "Cancelled", "PendingSubmit", "WarnState", "Unknown"]);

/**
 * What a look proves of a `cOID`: presence, or nothing. No list proves that an order is absent. `ageMs`: time since its newest
 * sending, at the least; a state that an open question shows too counts once no question can be open.
 */
export function sightingOf(customerOrderId: string, { orders, trades }: OrderSightings, ageMs: number): Sighting | undefined {
  const trade = trades.find((one) => one.customerOrderId === customerOrderId && one.orderId !== undefined);
  const order = orders.find((one) => one.customerOrderId === customerOrderId);
  if (order !== undefined) {
    const hasFilled = trade !== undefined || order.filledQuantity?.isPositive() === true;
    const counts = !UNSURE.has(order.status) || hasFilled || ageMs >= LATENESS_MS;
    return counts ? { orderId: order.orderId, status: order.status } : undefined;
  }
  return trade?.orderId === undefined ? undefined : { orderId: trade.orderId, status: "Filled" };
}

/** How many orders at IBKR carry this `cOID`; more than one is a fault. */
export function countUnder(customerOrderId: string, { orders, trades }: OrderSightings): number {
  const ids = [...orders, ...trades].flatMap((one) =>
    one.customerOrderId === customerOrderId && one.orderId !== undefined ? [one.orderId] : [],
  );
  return new Set(ids).size;
}
