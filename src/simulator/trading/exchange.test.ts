import { describe, expect, test } from "vitest";

import { Decimal } from "../../lib/decimal.ts";
import { orderStatus } from "./order-status.ts";
import { CONID, DU1, createTestWorld } from "./test-world.ts";
import type { TestWorld } from "./test-world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** A Monday on which New York, London and Frankfurt trade. */
const NIGHT = Date.UTC(2026, 10, 23, 7);

const D = (text: string): Decimal => Decimal.parse(text);
const statusOf = (world: TestWorld, id: number): string => orderStatus(world.order(id), world.market, world.now);
const sum = (values: readonly Decimal[]): Decimal => Decimal.sum(values);

/** The first step of `stepMs` in which the market trades at or below a price a little under the present one. */
function dip(world: TestWorld, conid: number, stepMs: number): { readonly price: Decimal; readonly inMs: number } {
  const start = world.market.quote(conid, world.now).last;
  const price = start.times(D("0.998")).round(2);
  for (let inMs = stepMs; inMs < 48 * HOUR; inMs += stepMs) {
    const range = world.market.traded(conid, world.now + inMs - stepMs + 1, world.now + inMs, false);
    if (range !== undefined && range.low.lessThan(price)) return { price, inMs };
  }
  throw new Error("the market doesn't dip: choose another seed");
}

describe("a market order", () => {
  test("fills at the ask when it buys and at the bid when it sells", () => {
    const world = createTestWorld();
    const bought = world.place({ quantity: "3" });
    const sold = world.place({ quantity: "2", side: "SELL", conid: CONID.SAP });
    world.pass(1000);
    const [buy] = world.fillsOf(bought.id);
    const [sale] = world.fillsOf(sold.id);
    expect(buy?.price.toString()).toBe(world.market.quote(CONID.AAPL, world.now).ask.toString());
    expect(sale?.price.toString()).toBe(world.market.quote(CONID.SAP, world.now).bid.toString());
    expect([statusOf(world, bought.id), statusOf(world, sold.id)]).toEqual(["Filled", "Filled"]);
  });

  test("larger than what is shown fills in parts, none larger than what traded meanwhile", () => {
    const world = createTestWorld();
    const order = world.place({ conid: CONID.THIN, quantity: "3000", tif: "GTC" });
    let seen = 0;
    for (let step = 0; step < 2000 && world.order(order.id).state === "working"; step += 1) {
      const { askSize } = world.market.quote(CONID.THIN, world.now + MINUTE);
      const range = world.market.traded(CONID.THIN, world.now + 1, world.now + MINUTE, false);
      world.pass(MINUTE, MINUTE);
      const fills = world.fillsOf(order.id);
      const filledNow = sum(fills.slice(seen).map((fill) => fill.quantity));
      const shown = seen === 0 ? askSize : Decimal.zero;
      expect(filledNow.greaterThan(shown.plus(range?.volume ?? Decimal.zero))).toBe(false);
      seen = fills.length;
      if (fills.length > 0 && world.order(order.id).state === "working") expect(statusOf(world, order.id)).toBe("Submitted");
    }
    const fills = world.fillsOf(order.id);
    expect(world.order(order.id).state).toBe("filled");
    expect(fills.length).toBeGreaterThan(2);
    expect(sum(fills.map((fill) => fill.quantity)).toString()).toBe("3000");
    const commission = sum(fills.map((fill) => fill.commission));
    const value = sum(fills.map((fill) => fill.amount));
    expect(commission.toString()).toBe(Decimal.max(D("5"), value.times(D("0.0005")).round(4)).toString());
  });

  test("two orders share what trades", () => {
    const world = createTestWorld();
    const orders = [world.place({ conid: CONID.THIN, quantity: "1500" }), world.place({ conid: CONID.THIN, quantity: "1500" })];
    world.pass(10_000, 10_000);
    const before = sum(orders.map(({ id }) => world.order(id).filled));
    const range = world.market.traded(CONID.THIN, world.now + 1, world.now + 10 * MINUTE, false);
    world.pass(10 * MINUTE, 10 * MINUTE);
    const filled = sum(orders.map(({ id }) => world.order(id).filled)).minus(before);
    expect(filled.greaterThan(range?.volume ?? Decimal.zero)).toBe(false);
  });

  test("waits for the open as PreSubmitted and fills then", () => {
    const world = createTestWorld({ alwaysOpen: false, now: NIGHT });
    const order = world.place({ quantity: "3" });
    world.pass(HOUR, MINUTE);
    expect(statusOf(world, order.id)).toBe("PreSubmitted");
    world.pass(7 * HOUR, MINUTE);
    expect(statusOf(world, order.id)).toBe("Filled");
    expect(world.fillsOf(order.id)[0]?.at).toBe(Date.UTC(2026, 10, 23, 14, 30));
  });
});

describe("a limit order", () => {
  test("that the market allows fills at once at the touch", () => {
    const world = createTestWorld();
    const { ask } = world.market.quote(CONID.AAPL, world.now);
    const order = world.place({ kind: "LMT", limitPrice: ask.times(D("1.02")).round(2), quantity: "5" });
    world.pass(1000);
    expect(world.fillsOf(order.id)[0]?.price.toString()).toBe(world.market.quote(CONID.AAPL, world.now).ask.toString());
  });

  test("rests until the market trades through it, and fills at its limit or better", () => {
    const world = createTestWorld();
    const { price, inMs } = dip(world, CONID.AAPL, MINUTE);
    const order = world.place({ kind: "LMT", limitPrice: price, quantity: "5", tif: "GTC" });
    world.pass(inMs - MINUTE, MINUTE);
    expect([statusOf(world, order.id), world.order(order.id).filled.toString()]).toEqual(["Submitted", "0"]);
    world.pass(MINUTE, MINUTE);
    expect(statusOf(world, order.id)).toBe("Filled");
    expect(world.fillsOf(order.id)[0]?.price.greaterThan(price)).toBe(false);
  });

  test("for the day dies at the close; good till cancelled lives on", () => {
    const world = createTestWorld({ alwaysOpen: false });
    const limitPrice = world.market.quote(CONID.AAPL, world.now).last.times(D("0.7")).round(2);
    const day = world.place({ kind: "LMT", limitPrice });
    const lasting = world.place({ kind: "LMT", limitPrice, tif: "GTC" });
    world.pass(5.5 * HOUR - 1000, MINUTE);
    expect(statusOf(world, day.id)).toBe("Submitted");
    world.pass(1000);
    expect(statusOf(world, day.id)).toBe("Cancelled");
    expect(world.order(day.id).updatedAt).toBe(Date.UTC(2026, 10, 23, 21));
    expect(statusOf(world, lasting.id)).toBe("PreSubmitted");
    world.pass(18 * HOUR, 10 * MINUTE);
    expect(statusOf(world, lasting.id)).toBe("Submitted");
  });

  test("fills outside regular hours only when it was told so", () => {
    const world = createTestWorld({ alwaysOpen: false, now: Date.UTC(2026, 10, 23, 22) });
    const limitPrice = world.market.quote(CONID.AAPL, world.now).last.times(D("1.02")).round(2);
    const regular = world.place({ kind: "LMT", limitPrice });
    const extended = world.place({ kind: "LMT", limitPrice, outsideRth: true });
    world.pass(10 * MINUTE, 10_000);
    expect([statusOf(world, regular.id), statusOf(world, extended.id)]).toEqual(["PreSubmitted", "Filled"]);
  });
});

describe("immediate or cancel", () => {
  test("fills what is there and cancels the rest", () => {
    const world = createTestWorld();
    const order = world.place({ conid: CONID.THIN, quantity: "3000", tif: "IOC" });
    world.pass(1000);
    expect(statusOf(world, order.id)).toBe("Cancelled");
    expect(world.order(order.id).filled.isPositive()).toBe(true);
    expect(world.order(order.id).filled.lessThan(D("3000"))).toBe(true);
  });

  test("is cancelled at once when its limit isn't met", () => {
    const world = createTestWorld();
    const limitPrice = world.market.quote(CONID.AAPL, world.now).bid.times(D("0.99")).round(2);
    const order = world.place({ kind: "LMT", limitPrice, tif: "IOC" });
    world.pass(1);
    expect([statusOf(world, order.id), world.fillsOf(order.id)]).toEqual(["Cancelled", []]);
  });
});

describe("a stop order", () => {
  test("rests as PreSubmitted, and sells at the bid once its price has traded", () => {
    const world = createTestWorld();
    const { price, inMs } = dip(world, CONID.AAPL, MINUTE);
    const order = world.place({ kind: "STP", stopPrice: price, side: "SELL", quantity: "5", tif: "GTC" });
    world.pass(inMs - MINUTE, MINUTE);
    expect(statusOf(world, order.id)).toBe("PreSubmitted");
    world.pass(MINUTE, MINUTE);
    expect(statusOf(world, order.id)).toBe("Filled");
    expect(world.fillsOf(order.id)[0]?.price.toString()).toBe(world.market.quote(CONID.AAPL, world.now).bid.toString());
  });

  test("with a limit never fills below it", () => {
    const world = createTestWorld();
    const { price, inMs } = dip(world, CONID.AAPL, MINUTE);
    const unreachable = price.times(D("1.01")).round(2);
    const terms = { kind: "STOP_LIMIT", side: "SELL", quantity: "5", tif: "GTC", stopPrice: price } as const;
    const strict = world.place({ ...terms, limitPrice: unreachable });
    const loose = world.place({ ...terms, limitPrice: price.times(D("0.98")).round(2) });
    world.pass(inMs, MINUTE);
    expect([statusOf(world, strict.id), statusOf(world, loose.id)]).toEqual(["Submitted", "Filled"]);
    expect(world.order(strict.id).triggered).toBe(true);
  });
});

describe("time", () => {
  test("that passes in one go does the same as in steps, up to the length of a stretch", () => {
    const inSteps = createTestWorld();
    const atOnce = createTestWorld();
    const { price, inMs } = dip(inSteps, CONID.AAPL, MINUTE);
    const terms = { kind: "STP", stopPrice: price, side: "SELL", quantity: "5", tif: "GTC" } as const;
    const [first, second] = [inSteps.place(terms), atOnce.place(terms)];
    inSteps.pass(inMs + HOUR, MINUTE);
    atOnce.pass(inMs + HOUR, inMs + HOUR);
    expect(atOnce.fillsOf(second.id)[0]?.at).toBe(inSteps.fillsOf(first.id)[0]?.at);
  });

  test("goes on where it was after a restart in the middle of an order", () => {
    const world = createTestWorld();
    const partial = world.place({ conid: CONID.THIN, quantity: "3000", tif: "GTC" });
    const { price, inMs } = dip(world, CONID.AAPL, MINUTE);
    const stop = world.place({ kind: "STP", stopPrice: price, side: "SELL", quantity: "5", tif: "GTC" });
    world.pass(MINUTE, 1000);
    const before = world.order(partial.id).filled;
    expect(before.isPositive()).toBe(true);
    world.crash();
    expect(world.order(partial.id).filled.toString()).toBe(before.toString());
    world.pass(inMs, MINUTE);
    expect(world.order(stop.id).state).toBe("filled");
    expect(world.order(partial.id).filled.greaterThan(before)).toBe(true);
    expect(sum(world.fillsOf(partial.id).map(({ quantity }) => quantity)).toString()).toBe(world.order(partial.id).filled.toString());
  });
});

describe("a cancellation", () => {
  test("of an order that is not at the exchange yet is done at once", () => {
    const world = createTestWorld();
    const stopPrice = world.market.quote(CONID.AAPL, world.now).last.times(D("0.9")).round(2);
    const order = world.place({ kind: "STP", stopPrice, side: "SELL" });
    expect(world.trading.desk.cancel(DU1, order.id, world.now).kind).toBe("at_once");
    expect(statusOf(world, order.id)).toBe("Cancelled");
    expect(world.trading.desk.cancel(DU1, order.id, world.now).kind).toBe("not_working");
  });

  test("takes a moment, in which a fill can still win", () => {
    const world = createTestWorld({ cancelDelayMs: 5000 });
    const quote = world.market.quote(CONID.AAPL, world.now);
    const resting = world.place({ kind: "LMT", limitPrice: quote.last.times(D("0.9")).round(2) });
    const filling = world.place({});
    expect(world.trading.desk.cancel(DU1, resting.id, world.now).kind).toBe("requested");
    expect(world.trading.desk.cancel(DU1, filling.id, world.now).kind).toBe("requested");
    expect(statusOf(world, resting.id)).toBe("PendingCancel");
    world.pass(1000);
    expect([statusOf(world, resting.id), statusOf(world, filling.id)]).toEqual(["PendingCancel", "Filled"]);
    world.pass(5000);
    expect(statusOf(world, resting.id)).toBe("Cancelled");
  });
});

describe("instruments", () => {
  test("a London share is paid for in pounds though it is quoted in pence", () => {
    const world = createTestWorld();
    const order = world.place({ conid: CONID.VOD, quantity: "100" });
    world.pass(1000);
    const [fill] = world.fillsOf(order.id);
    expect(fill?.currency).toBe("GBP");
    expect(fill?.amount.toString()).toBe(fill?.price.toString());
  });

  test("an option counts a hundred times its price", () => {
    const world = createTestWorld();
    const held = world.trading.valuation(DU1, world.now).holdings.find(({ instrument }) => instrument.right === "C");
    const order = world.place({ conid: held?.instrument.conid ?? 0 });
    world.pass(1000);
    const [fill] = world.fillsOf(order.id);
    expect(fill?.amount.toString()).toBe(fill?.price.times(D("100")).toString());
  });

  test("an option is settled for cash after its last day", () => {
    const world = createTestWorld();
    const held = world.trading.valuation(DU1, world.now).holdings.filter(({ instrument }) => instrument.secType === "OPT");
    expect(held.length).toBe(2);
    world.pass(80 * 24 * HOUR, 80 * 24 * HOUR);
    const { holdings } = world.trading.valuation(DU1, world.now);
    expect(holdings.filter(({ instrument }) => instrument.secType === "OPT")).toEqual([]);
    for (const { instrument } of held) {
      const settlement = world.trading.executions(DU1, 0).find(({ conid }) => conid === instrument.conid);
      expect(settlement?.commission.isZero()).toBe(true);
      expect(settlement?.price.isNegative()).toBe(false);
    }
  });

  test("a currency pair exchanges cash and leaves no position", () => {
    const world = createTestWorld();
    const cashOf = (currency: string): Decimal =>
      world.trading.valuation(DU1, world.now).currencies.find((each) => each.currency === currency)?.cash ?? Decimal.zero;
    const [euros, dollars] = [cashOf("EUR"), cashOf("USD")];
    const order = world.place({ conid: CONID.EURUSD, quantity: "1000" });
    world.pass(1000);
    const [fill] = world.fillsOf(order.id);
    expect(cashOf("EUR").minus(euros).toString()).toBe("1000");
    expect(dollars.minus(cashOf("USD")).toString()).toBe(fill?.amount.plus(fill.commission).toString());
    expect(world.trading.valuation(DU1, world.now).holdings.some(({ instrument }) => instrument.secType === "CASH")).toBe(false);
  });

  test("a fraction of a share fills where fractions trade", () => {
    const world = createTestWorld();
    const order = world.place({ quantity: "0.25" });
    world.pass(1000);
    expect(world.fillsOf(order.id).map(({ quantity }) => quantity.toString())).toEqual(["0.25"]);
  });
});

test("a failed write leaves nothing of its stretch, in the database or in memory", () => {
  const world = createTestWorld();
  const order = world.place({ quantity: "5" });
  const before = world.trading.valuation(DU1, world.now).holdings.map(({ position }) => position.quantity.toString());
  world.database.exec("create trigger broken before insert on sim_execution begin select raise(abort, 'disk full'); end");
  expect(() => world.pass(1000)).toThrow("disk full");
  world.database.exec("drop trigger broken");
  expect(world.order(order.id).state).toBe("working");
  const after = world.trading.valuation(DU1, world.now).holdings.map(({ position }) => position.quantity.toString());
  expect(after).toEqual(before);
  world.pass(1000);
  expect(world.order(order.id).state).toBe("filled");
  expect(world.fillsOf(order.id)).toHaveLength(1);
});
