import { DatabaseSync } from "node:sqlite";

import { describe, expect, test } from "vitest";

import { Decimal } from "../../lib/decimal.ts";
import { orderStatus } from "./order-status.ts";
import { CONID, UNASKED, createTestWorld } from "./test-world.ts";
import type { Terms, TestWorld } from "./test-world.ts";
import { createTradingStore } from "./trading-store.ts";

const SECOND = 1000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Ten in the morning in New York, on a Monday. */
const MORNING = Date.UTC(2026, 10, 23, 15);
const D = (text: string): Decimal => Decimal.parse(text);

const last = (world: TestWorld, conid = CONID.AAPL): Decimal => world.market.quote(conid, world.now).last;
const share = (world: TestWorld, of: string): Decimal => last(world).times(D(of)).round(2);
const status = (world: TestWorld, id: number): string => orderStatus(world.order(id), world.market, world.now);

/** Lets time pass in steps until something holds; fails when it never does. */
function until(world: TestWorld, holds: () => boolean): void {
  for (let step = 0; step < 20_000; step += 1) {
    if (holds()) return;
    world.pass(10 * SECOND, 10 * SECOND);
  }
  throw new Error("it never came to that: choose another seed");
}

describe("a trailing stop", () => {
  test.each([
    ["amt", "0.80"],
    ["%", "0.3"],
  ] as const)("begins at its distance, follows the market one way only, and fills when it is reached (%s)", (unit, amount) => {
    const world = createTestWorld();
    const begins = last(world);
    const { id } = world.place({ kind: "TRAIL", side: "SELL", tif: "GTC", trail: { amount: D(amount), unit } });
    const distance = unit === "amt" ? D(amount) : begins.times(D(amount)).dividedBy(D("100"), 8);
    const first = world.order(id).stopPrice ?? Decimal.zero;
    expect(begins.minus(first).minus(distance).abs().greaterThan(D("0.01"))).toBe(false);
    expect(status(world, id)).toBe("PreSubmitted");
    let highest = begins;
    let stop = first;
    until(world, () => {
      const order = world.order(id);
      const now = order.stopPrice ?? Decimal.zero;
      expect(now.lessThan(stop)).toBe(false);
      stop = now;
      highest = Decimal.max(highest, last(world));
      return order.state === "filled";
    });
    expect(stop.greaterThan(first) || highest.equals(begins)).toBe(true);
    expect(world.fillsOf(id)[0]?.price.toString()).toBe(world.market.quote(CONID.AAPL, world.now).bid.toString());
  });

  test("with a limit keeps the limit's distance from the stop", () => {
    const world = createTestWorld();
    const stopPrice = share(world, "0.998");
    const limitPrice = stopPrice.minus(D("0.10"));
    const terms: Terms = { kind: "TRAILLMT", side: "SELL", tif: "GTC", stopPrice, limitPrice, trail: { amount: D("0.5"), unit: "amt" } };
    const { id } = world.place(terms);
    until(world, () => world.order(id).triggered || world.order(id).stopPrice?.greaterThan(stopPrice) === true);
    const { stopPrice: stop = Decimal.zero, limitPrice: limit = Decimal.zero } = world.order(id);
    expect(stop.minus(limit).toString()).toBe("0.1");
  });
});

describe("an order that waits to be touched", () => {
  test("buys below the market, at the market once it is there", () => {
    const world = createTestWorld();
    const stopPrice = share(world, "0.998");
    const { id } = world.place({ kind: "MIT", tif: "GTC", stopPrice });
    expect(status(world, id)).toBe("PreSubmitted");
    until(world, () => world.order(id).state === "filled");
    expect(world.fillsOf(id)[0]?.price.toString()).toBe(world.market.quote(CONID.AAPL, world.now).ask.toString());
  });

  test("with a limit never pays more", () => {
    const world = createTestWorld();
    const stopPrice = share(world, "0.998");
    const { id } = world.place({ kind: "LIT", tif: "GTC", stopPrice, limitPrice: stopPrice });
    until(world, () => world.order(id).state === "filled");
    for (const { price } of world.fillsOf(id)) expect(price.greaterThan(stopPrice)).toBe(false);
  });
});

describe("an order for an auction", () => {
  test("on the close fills at the day's last price, or dies there when its limit isn't met", () => {
    const world = createTestWorld({ alwaysOpen: false, now: MORNING });
    const market = world.place({ kind: "MOC", quantity: "7" });
    const limited = world.place({ kind: "LOC", limitPrice: share(world, "0.7") });
    world.pass(5 * HOUR, 5 * HOUR);
    expect([status(world, market.id), status(world, limited.id)]).toEqual(["PreSubmitted", "PreSubmitted"]);
    world.pass(2 * HOUR, MINUTE);
    const { day } = world.market.calendar(CONID.AAPL).sessionAt(MORNING);
    expect(world.fillsOf(market.id)[0]?.price.toString()).toBe(world.market.dayBar(CONID.AAPL, day)?.close.toString());
    expect([world.order(market.id).state, world.order(limited.id).state]).toEqual(["filled", "cancelled"]);
  });

  test("on the open waits for the next one", () => {
    const world = createTestWorld({ alwaysOpen: false, now: MORNING });
    const { id } = world.place({ kind: "MKT", tif: "OPG" });
    world.pass(20 * HOUR, HOUR);
    expect(status(world, id)).toBe("PreSubmitted");
    world.pass(4 * HOUR, MINUTE);
    const calendar = world.market.calendar(CONID.AAPL);
    const next = calendar.nextTradingDay(calendar.sessionAt(MORNING).day);
    expect(world.fillsOf(id)[0]?.price.toString()).toBe(world.market.dayBar(CONID.AAPL, next)?.open.toString());
  });
});

test("an order between bid and ask fills there, up to its cap", () => {
  const world = createTestWorld();
  const free = world.place({ kind: "MIDPRICE" });
  const capped = world.place({ kind: "MIDPRICE", limitPrice: share(world, "0.98") });
  world.pass(MINUTE, SECOND);
  expect([world.order(free.id).state, world.order(capped.id).state]).toEqual(["filled", "working"]);
});

test("an order that is good till a date ends there", () => {
  const world = createTestWorld();
  const { id } = world.place({ kind: "LMT", limitPrice: share(world, "0.8"), tif: "GTD", goodTill: world.now + 2 * 24 * HOUR });
  world.pass(47 * HOUR, HOUR);
  expect(world.order(id).state).toBe("working");
  world.pass(HOUR, HOUR);
  expect(world.order(id)).toMatchObject({ state: "cancelled", updatedAt: world.order(id).goodTill });
});

test.each<[Terms, string]>([
  [{ kind: "MOC", tif: "GTC" }, "GTC time in force is not supported for this order"],
  [{ kind: "STP", stopPrice: D("100"), tif: "OPG" }, "OPG time in force is not supported for this order"],
  [{ kind: "MIDPRICE", conid: CONID.SAP }, "Order type MIDPRICE is not supported for this instrument."],
  [{ kind: "MOC", conid: CONID.EURUSD }, "Auction orders are not supported for this instrument."],
  [{ tif: "GTD" }, "Invalid good till date: it must be a date in the future."],
  [{ kind: "MOC", quantity: "1.5" }, "Fractional quantities can not be traded with this order type."],
  [{ kind: "MIT", stopPrice: D("100"), outsideRth: true }, "invalid order attribute : Outside Regular Trading Hours"],
])("%j is refused: %s", (terms, text) => {
  const world = createTestWorld();
  expect(world.tryPlace(terms, UNASKED)).toEqual({ kind: "refused", text });
});

test("a state file of an earlier version is taken over", () => {
  const world = createTestWorld();
  const { id } = world.place({ kind: "LMT", limitPrice: share(world, "0.8"), tif: "GTC" });
  const old = new DatabaseSync(":memory:");
  for (const row of world.database.prepare("select sql from sqlite_master where name = 'sim_order'").all()) old.exec(String(row["sql"]));
  for (const column of ["trail_amount", "trail_unit", "good_till", "cash_quantity", "parent_order_id", "order_group", "held"])
    old.exec(`alter table sim_order drop column ${column}`);
  const [row] = world.database.prepare("select * from sim_order where id = ?").all(id);
  const values = Object.values(row ?? {}).slice(0, 22);
  old.prepare(`insert into sim_order values (${values.map(() => "?").join(", ")})`).run(...values);
  expect(createTradingStore(old).order(id)).toEqual(world.order(id));
});
