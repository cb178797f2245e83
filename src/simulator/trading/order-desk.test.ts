import { describe, expect, test } from "vitest";

import { Decimal } from "../../lib/decimal.ts";
import { CONID, DU1, UNASKED, createTestWorld } from "./test-world.ts";
import type { Terms, TestWorld } from "./test-world.ts";

const D = (text: string): Decimal => Decimal.parse(text);
const HALTED = 68001004;
const ASKED = { userName: "simuser1", suppressed: new Set<string>() };

/** A limit order that is asked about. */
const far = (world: TestWorld, more: Terms = {}): Terms => ({
  kind: "LMT",
  limitPrice: world.market.quote(CONID.AAPL, world.now).last.times(D("0.9")).round(2),
  ...more,
});

function ask(world: TestWorld, terms: Terms): string {
  const reply = world.tryPlace(terms, ASKED);
  if (reply.kind !== "question") throw new Error(`not asked: ${reply.kind}`);
  return reply.open.id;
}

/** How an answer ends that comes after another order, and whether the order lives at once and later. */
function late(lateOrderShare: number): readonly unknown[] {
  const world = createTestWorld({ lateOrderShare });
  const id = ask(world, far(world, { clientOrderId: "late" }));
  world.place({ side: "SELL" });
  const { kind } = world.trading.desk.reply(id, true, { sender: ASKED, now: world.now });
  const lives = (): boolean => world.trading.orders(DU1, 0).some((order) => order.clientOrderId === "late");
  const atOnce = lives();
  world.pass(10_000);
  return [kind, atOnce, lives()];
}

describe("an answer that comes too late", () => {
  test("is lost, and the order goes live all the same or doesn't", () => {
    expect(late(1)).toEqual(["lost", false, true]);
    expect(late(0)).toEqual(["lost", false, false]);
  });

  test("is lost too when a minute has passed", () => {
    const world = createTestWorld({ lateOrderShare: 0 });
    const id = ask(world, far(world));
    world.pass(61_000);
    expect(world.trading.desk.reply(id, true, { sender: ASKED, now: world.now }).kind).toBe("lost");
  });

  test("places nothing when it declines", () => {
    const world = createTestWorld({ lateOrderShare: 1 });
    const id = ask(world, far(world));
    world.pass(61_000);
    const count = world.trading.orders(DU1, 0).length;
    expect(world.trading.desk.reply(id, false, { sender: ASKED, now: world.now }).kind).toBe("lost");
    world.pass(10_000);
    expect(world.trading.orders(DU1, 0)).toHaveLength(count);
  });
});

test("a market order is asked about while the market is closed or halted", () => {
  const world = createTestWorld({ alwaysOpen: false, now: Date.UTC(2026, 10, 22, 15) });
  const idsOf = (terms: Terms): readonly string[] => {
    const reply = world.tryPlace(terms, ASKED);
    return reply.kind === "question" ? reply.open.question.messages.map(({ id }) => id) : [];
  };
  expect(idsOf({})).toEqual(["o10151"]);
  world.pass(24 * 3_600_000, 3_600_000);
  expect(idsOf({})).toEqual([]);
  expect(idsOf({ conid: HALTED, quantity: "5" })).toEqual(["o10151"]);
});

test("a question belongs to the user who was asked", () => {
  const world = createTestWorld();
  const id = ask(world, far(world));
  const stranger = { userName: "someone", suppressed: new Set<string>() };
  expect(world.trading.desk.reply(id, true, { sender: stranger, now: world.now }).kind).toBe("unknown_question");
  expect(world.trading.desk.reply(id, true, { sender: ASKED, now: world.now }).kind).toBe("accepted");
});

const available = (world: TestWorld): Decimal => world.trading.valuation(DU1, world.now).availableFunds;
const price = (world: TestWorld): Decimal => world.market.quote(CONID.SPY, world.now).ask;

describe("funds", () => {
  test("are reserved by working orders", () => {
    const world = createTestWorld();
    const limitPrice = price(world).times(D("0.98")).round(2);
    const half = available(world).times(D("4")).dividedBy(limitPrice).times(D("0.6")).round(0).toString();
    const order = { conid: CONID.SPY, kind: "LMT", limitPrice, quantity: half, tif: "GTC" } as const;
    const first = world.place(order);
    expect(world.tryPlace(order).kind).toBe("refused");
    world.trading.desk.cancel(DU1, first.id, world.now);
    world.pass(1000);
    expect(world.tryPlace(order).kind).toBe("accepted");
  });

  test("are not needed to close a position", () => {
    const world = createTestWorld();
    const quantity = available(world).times(D("3.9")).dividedBy(price(world)).round(0, "down").toString();
    world.place({ conid: CONID.SPY, quantity });
    world.pass(60_000);
    expect(available(world).lessThan(D("30000"))).toBe(true);
    expect(world.tryPlace({ conid: CONID.SPY, quantity: "200" }).kind).toBe("refused");
    expect(world.tryPlace({ conid: CONID.SPY, quantity: "1000", side: "SELL" }).kind).toBe("accepted");
  });

  test("are needed to turn a bought option into a sold one", () => {
    const world = createTestWorld();
    const held = world.trading.valuation(DU1, world.now).holdings.find(({ instrument }) => instrument.right === "C");
    const call = { conid: held?.instrument.conid ?? 0, side: "SELL" } as const;
    expect(held?.position.quantity.toString()).toBe("2");
    const nearlyAll = available(world).times(D("3.95")).dividedBy(price(world)).round(0, "down").toString();
    world.place({ conid: CONID.SPY, kind: "LMT", limitPrice: price(world).times(D("0.99")).round(2), quantity: nearlyAll, tif: "GTC" });
    expect(world.tryPlace({ ...call, quantity: "4" }).kind).toBe("refused");
    expect(world.tryPlace({ ...call, quantity: "2" }).kind).toBe("accepted");
  });

  test("allow a short sale within the margin, which then needs more than a long position", () => {
    const world = createTestWorld();
    const before = available(world);
    const order = world.place({ conid: CONID.MSFT, side: "SELL", quantity: "140" });
    world.pass(1000);
    const held = world.trading.valuation(DU1, world.now).holdings.find(({ instrument }) => instrument.conid === CONID.MSFT);
    expect(held?.position.quantity.toString()).toBe("-100");
    expect(held?.margin.toString()).toBe(held?.value.abs().times(D("0.3")).toString());
    expect(available(world).lessThan(before)).toBe(true);
    expect(world.order(order.id).state).toBe("filled");
    expect(world.tryPlace({ conid: CONID.MSFT, side: "SELL", quantity: "9000" }).kind).toBe("refused");
  });
});

test("a restart keeps the order ids and the registered cOIDs", () => {
  const world = createTestWorld();
  const first = world.place(far(world, { clientOrderId: "kept" }));
  world.crash();
  expect(world.tryPlace(far(world, { clientOrderId: "kept" })).kind).toBe("duplicate");
  expect(world.place(far(world, { clientOrderId: "next" })).id).toBe(first.id + 1);
  world.pass(86_400_001, 3_600_000);
  expect(world.trading.desk.place({ ...first, clientOrderId: "kept" }, UNASKED, world.now).kind).toBe("accepted");
});
