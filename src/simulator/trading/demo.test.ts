import { describe, expect, test } from "vitest";

import { orderStatus } from "./order-status.ts";
import { DU1, DU2, createTestWorld } from "./test-world.ts";

const SUNDAY = Date.UTC(2026, 10, 22, 15);

describe("the demo accounts", () => {
  test("hold cash in several currencies, shares, funds, options and London shares", () => {
    const world = createTestWorld();
    const first = world.trading.valuation(DU1, world.now);
    const second = world.trading.valuation(DU2, world.now);
    expect([first.account.baseCurrency, second.account.baseCurrency]).toEqual(["USD", "EUR"]);
    for (const { currencies } of [first, second]) expect(currencies.filter(({ cash }) => cash.isPositive()).length).toBeGreaterThan(2);
    const kinds = first.holdings.map(({ instrument }) =>
      instrument.etf ? "ETF" : instrument.magnifier === 100 ? "pence" : instrument.secType,
    );
    expect(new Set(kinds)).toEqual(new Set(["STK", "ETF", "OPT", "pence"]));
    expect(first.availableFunds.isPositive() && second.availableFunds.isPositive()).toBe(true);
  });

  test("have working orders and trades of today", () => {
    const world = createTestWorld();
    const orders = world.trading.orders(DU1, world.now - 3 * 3_600_000);
    const shown = orders.map((order) => `${order.kind} ${orderStatus(order, world.market, world.now)}`);
    expect(shown).toEqual(["MKT Filled", "MKT Filled", "LMT Submitted", "STP PreSubmitted"]);
    expect(world.trading.executions(DU1, world.now - 3 * 3_600_000)).toHaveLength(2);
  });

  test("have no trades of a day on which nothing trades", () => {
    const world = createTestWorld({ alwaysOpen: false, now: SUNDAY });
    expect(world.trading.executions(DU1, SUNDAY - 86_400_000)).toEqual([]);
    expect(world.trading.orders(DU1, SUNDAY - 86_400_000).map(({ kind }) => kind)).toEqual(["LMT", "STP"]);
    for (const { at, conid } of world.trading.executions(DU1, 0)) expect(world.market.isOpen(conid, at, false)).toBe(true);
  });

  test("are opened once", () => {
    const world = createTestWorld();
    const before = world.trading.executions(DU1, 0).length;
    world.crash();
    expect(world.trading.accountIds).toEqual([DU1, DU2]);
    expect(world.trading.executions(DU1, 0)).toHaveLength(before);
  });
});
