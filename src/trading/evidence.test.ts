import { describe, expect, test } from "vitest";

import type { Order, OrderSightings, OrderStatusName, Trade } from "../broker/order.ts";
import { Decimal } from "../lib/decimal.ts";
import { countUnder, sightingOf } from "./evidence.ts";

const HALF_HOUR = 1_800_000;
const order = (orderId: string, customerOrderId: string | undefined, status: OrderStatusName, filled?: string): Order =>
  // Only these members are read.
  ({ orderId, customerOrderId, status, filledQuantity: filled === undefined ? undefined : Decimal.parse(filled) }) as Order;
const trade = (orderId: string | undefined, customerOrderId: string): Trade => ({ orderId, customerOrderId }) as Trade;
const seen = (orders: readonly Order[], trades: readonly Trade[] = []): OrderSightings => ({ orders, trades, asOf: 0 });

describe("a look", () => {
  test.each(["PreSubmitted", "Submitted", "Filled", "PendingCancel", "PreCancelled"] as const)("finds an order that is %s", (status) => {
    expect(sightingOf("gw1", seen([order("7", "gw1", status)]), 0)).toEqual({ orderId: "7", status });
  });

  test.each(["Inactive", "Cancelled", "PendingSubmit", "WarnState", "Unknown"] as const)(
    "takes %s for a sighting only once no question can be open",
    (status) => {
      const list = seen([order("7", "gw1", status)]);
      expect(sightingOf("gw1", list, HALF_HOUR - 1)).toBeUndefined();
      expect(sightingOf("gw1", list, HALF_HOUR)).toEqual({ orderId: "7", status });
    },
  );

  test("takes a fill for a sighting in any state", () => {
    expect(sightingOf("gw1", seen([order("7", "gw1", "Cancelled", "1")]), 0)).toEqual({ orderId: "7", status: "Cancelled" });
    expect(sightingOf("gw1", seen([order("7", "gw1", "Cancelled", "0")]), 0)).toBeUndefined();
    expect(sightingOf("gw1", seen([order("7", "gw1", "Inactive")], [trade("7", "gw1")]), 0)).toEqual({ orderId: "7", status: "Inactive" });
  });

  test("finds an order by its executions alone", () => {
    expect(sightingOf("gw1", seen([], [trade("9", "gw1")]), 0)).toEqual({ orderId: "9", status: "Filled" });
    expect(sightingOf("gw1", seen([], [trade(undefined, "gw1")]), 0)).toBeUndefined();
    expect(sightingOf("gw1", seen([], [trade(undefined, "gw1"), trade("9", "gw1")]), 0)).toEqual({ orderId: "9", status: "Filled" });
  });

  test("proves nothing by other orders or none, however old the attempt is", () => {
    const others = seen([order("7", "gw2", "Filled"), order("8", undefined, "Filled")], [trade("7", "gw2")]);
    expect(sightingOf("gw1", others, 10 * HALF_HOUR)).toBeUndefined();
    expect(sightingOf("gw1", seen([]), 10 * HALF_HOUR)).toBeUndefined();
  });
});

test("orders under one cOID are counted by their ids in both lists", () => {
  const list = seen(
    [order("7", "gw1", "Filled"), order("8", "gw1", "Filled"), order("9", "gw2", "Filled")],
    [trade("7", "gw1"), trade(undefined, "gw1")],
  );
  expect([countUnder("gw1", list), countUnder("gw2", list), countUnder("gw3", list)]).toEqual([2, 1, 0]);
});
