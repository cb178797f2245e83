import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { callOptions as call, simulatedLink, type SimulatedLink } from "../../test/support/simulated-link.ts";
import type { Order, OrderTicket, SubmitOutcome } from "../broker/order.ts";
import { Decimal } from "../lib/decimal.ts";

const AAPL = 265598;
let world: SimulatedLink;
let first = "";
let second = "";
let count = 0;

beforeAll(async () => {
  world = await simulatedLink();
  [first = "", second = ""] = world.simulator.accountIds;
});

afterAll(() => world.close());

function ticket(over: Partial<OrderTicket> = {}): OrderTicket {
  count += 1;
  return {
    accountId: first,
    conid: AAPL,
    side: "BUY",
    quantity: Decimal.one,
    orderType: "MKT",
    limitPrice: undefined,
    stopPrice: undefined,
    timeInForce: "DAY",
    outsideRth: false,
    customerOrderId: `orders-${count}`,
    ...over,
  };
}

/** Sends an order and answers all of IBKR's questions with yes. */
async function place(over: Partial<OrderTicket>): Promise<{ orderId: string; sent: OrderTicket }> {
  const sent = ticket(over);
  let outcome: SubmitOutcome = await world.link.submitOrder(sent, call());
  while (outcome.kind === "question") outcome = await world.link.confirmQuestion(sent.accountId, outcome.question.replyId, call());
  if (outcome.kind !== "accepted") throw new Error(`not accepted: ${JSON.stringify(outcome)}`);
  return { orderId: outcome.orderId, sent };
}

async function find(accountId: string, orderId: string): Promise<Order | undefined> {
  return await world.link.order(accountId, orderId, call());
}

async function lastPrice(conid: number): Promise<Decimal> {
  const [quote] = await world.link.quotes([conid], call());
  return quote?.last ?? Decimal.zero;
}

function priceOf(order: Order | undefined) {
  return { type: order?.orderType, limit: order?.limitPrice?.toString(), stop: order?.stopPrice?.toString() };
}

describe("orders", () => {
  it("at the market are filled, listed and executed", async () => {
    const { orderId, sent } = await place({ quantity: Decimal.fromInteger(2) });
    await expect.poll(async () => (await find(first, orderId))?.status, { timeout: 10_000 }).toBe("Filled");
    expect((await find(first, orderId))?.timeInForce).toBe("DAY");
    const { orders } = await world.link.orders(first, call());
    expect(orders.find((order) => order.orderId === orderId)).toMatchObject({
      accountId: first,
      conid: AAPL,
      side: "BUY",
      orderType: "MKT",
      currency: "USD",
      customerOrderId: sent.customerOrderId,
      averagePrice: expect.any(Decimal),
    });
    const trades = (await world.link.trades(first, 1, call())).filter((trade) => trade.orderId === orderId);
    expect(Decimal.sum(trades.map((trade) => trade.quantity)).toString()).toBe("2");
    expect(trades[0]).toMatchObject({
      customerOrderId: sent.customerOrderId,
      side: "BUY",
      currency: "USD",
      commission: expect.any(Decimal),
    });
  });

  it("are seen by a look, in a session that has read no list before", async () => {
    const { orderId, sent } = await place({ quantity: Decimal.fromInteger(3) });
    await expect.poll(async () => (await find(first, orderId))?.status, { timeout: 10_000 }).toBe("Filled");
    const before = world.sent.length;
    const { orders, trades, asOf } = await world.connect().lookForOrders(first, 2, call());
    const isOurs = (row: { readonly orderId: string | undefined; readonly customerOrderId: string | undefined }) =>
      row.orderId === orderId && row.customerOrderId === sent.customerOrderId;
    expect([orders.some(isOurs), trades.some(isOurs)]).toEqual([true, true]);
    expect(asOf).toBeLessThanOrEqual(world.clock.now());
    const statuses = world.sent.slice(before).filter(({ path }) => /\/iserver\/account\/(?:orders|trades)$/.test(path));
    expect(statuses[0]?.query.get("force")).toBe("true");
    expect(statuses.map(({ status }) => status)).not.toContain(429);
  });

  it("send a stop as price, and a stop limit's two prices each in its place", async () => {
    const price = await lastPrice(AAPL);
    const stopPrice = price.times(Decimal.parse("1.02")).round(2);
    const limitPrice = price.times(Decimal.parse("1.025")).round(2);
    const stop = await place({ orderType: "STP", stopPrice });
    const stopLimit = await place({ orderType: "STP_LIMIT", stopPrice, limitPrice, timeInForce: "GTC" });
    const bodies = world.requests(/^\/iserver\/account\/[^/]+\/orders$/).map((request) => request.body);
    expect(bodies.at(-2)).toContain(`"price":${stopPrice.toString()},`);
    expect(bodies.at(-2)).not.toContain("auxPrice");
    expect(bodies.at(-1)).toContain(`"orderType":"STOP_LIMIT"`);
    expect(bodies.at(-1)).toContain(`"price":${limitPrice.toString()},"auxPrice":${stopPrice.toString()}`);
    const { orders } = await world.link.orders(first, call());
    const listed = (orderId: string) => orders.find((order) => order.orderId === orderId);
    for (const order of [await find(first, stop.orderId), listed(stop.orderId)])
      expect(priceOf(order)).toEqual({ type: "STP", limit: undefined, stop: stopPrice.toString() });
    for (const order of [await find(first, stopLimit.orderId), listed(stopLimit.orderId)])
      expect(priceOf(order)).toEqual({ type: "STP_LIMIT", limit: limitPrice.toString(), stop: stopPrice.toString() });
    expect(await world.link.cancelOrder(first, stop.orderId, call())).toMatchObject({ kind: "requested" });
    expect(await world.link.cancelOrder(first, stopLimit.orderId, call())).toMatchObject({ kind: "requested" });
    await expect.poll(async () => (await find(first, stop.orderId))?.status, { timeout: 10_000 }).toBe("Cancelled");
    expect(await world.link.cancelOrder(first, stop.orderId, call())).toMatchObject({ kind: "not_working" });
  });

  it("in a London stock are in pounds for us and in pence for IBKR", async () => {
    const london = (await world.link.stocks("VOD", call())).find((stock) => stock.currency === "GBP");
    const conid = london?.conid ?? 0;
    const { priceIncrements } = await world.link.tradingRules(conid, call());
    const step = priceIncrements?.at(-1)?.increment ?? Decimal.one;
    const limitPrice = (await lastPrice(conid)).times(Decimal.parse("0.95")).roundToStep(step);
    const { orderId } = await place({ conid, orderType: "LMT", limitPrice, quantity: Decimal.fromInteger(100), timeInForce: "GTC" });
    const body = world.requests(/^\/iserver\/account\/[^/]+\/orders$/).at(-1)?.body;
    expect(body).toContain(`"price":${limitPrice.times(Decimal.fromInteger(100)).toString()}`);
    expect(await find(first, orderId)).toMatchObject({ currency: "GBP", limitPrice });
    const { orders } = await world.link.orders(first, call());
    expect(orders.find((order) => order.orderId === orderId)?.limitPrice?.toString()).toBe(limitPrice.toString());
    await world.link.cancelOrder(first, orderId, call());
  });

  it("of either account are found there and only there, many at a time", async () => {
    const price = (await lastPrice(AAPL)).times(Decimal.parse("0.98")).round(2);
    const placed = await Promise.all(
      [first, second, first, second].map((accountId) => place({ accountId, orderType: "LMT", limitPrice: price })),
    );
    const found = await Promise.all(placed.map(({ sent, orderId }) => find(sent.accountId, orderId)));
    expect(found.map((order) => order?.accountId)).toEqual(placed.map(({ sent }) => sent.accountId));
    expect(await find(second, placed[0]?.orderId ?? "")).toBeUndefined();
    const { orders } = await world.link.orders(second, call());
    expect(orders.every((order) => order.accountId === second)).toBe(true);
    await Promise.all(placed.map(({ sent, orderId }) => world.link.cancelOrder(sent.accountId, orderId, call())));
  });

  it("with an id that IBKR has registered are unknown, since the first may stand", async () => {
    const { sent } = await place({});
    expect(await world.link.submitOrder(sent, call())).toMatchObject({
      kind: "unknown",
      error: { message: expect.stringContaining("already registered") },
    });
  });

  it("that IBKR asks about give its texts on one line, and place nothing when declined", async () => {
    const limitPrice = (await lastPrice(AAPL)).times(Decimal.parse("0.8")).round(2);
    const sent = ticket({ orderType: "LMT", limitPrice });
    const outcome = await world.link.submitOrder(sent, call());
    if (outcome.kind !== "question") throw new Error("a price so far away must be a question");
    expect(outcome.question.messageIds).toEqual(["o163"]);
    expect(outcome.question.messages[0]).toMatch(/price exceeds the Percentage constraint of 3%/);
    expect(await world.link.declineQuestion(first, outcome.question.replyId, call())).toEqual({ kind: "declined" });
    const { orders } = await world.link.orders(first, call());
    const rows = orders.filter((order) => order.customerOrderId === sent.customerOrderId);
    expect(rows.every((order) => order.status === "Inactive" || order.status === "Cancelled")).toBe(true);
  });

  it("are previewed without being placed", async () => {
    const before = world.requests(/\/orders$/).length;
    const preview = await world.link.previewOrder(ticket({ quantity: Decimal.fromInteger(10) }), call());
    expect(preview).toMatchObject({
      amount: expect.any(Decimal),
      amountCurrency: "USD",
      commission: expect.stringContaining("USD"),
      error: undefined,
    });
    expect(preview.position.change?.toString()).toBe("10");
    expect(world.requests(/\/orders$/)).toHaveLength(before);
    const refused = await world.link.previewOrder(ticket({ orderType: "STP" }), call());
    expect(refused.error).toEqual(expect.any(String));
  });

  it("that don't exist are not found", async () => {
    expect(await find(first, "424242")).toBeUndefined();
    expect(await world.link.cancelOrder(first, "424242", call())).toMatchObject({ kind: "not_found" });
    await expect(world.link.cancelOrder("U0000000", "424242", call())).rejects.toMatchObject({ code: "unknown_account" });
    expect(await world.link.submitOrder(ticket({ accountId: "U0000000" }), call())).toMatchObject({ kind: "not_sent" });
  });
});

describe("a second link of the same user", () => {
  it("finds the session standing and begins no other", async () => {
    const inits = () => world.requests(/ssodh\/init/).length;
    const before = inits();
    const other = world.connect();
    await expect(other.orders(second, call())).resolves.toMatchObject({ orders: expect.any(Array) });
    expect(inits()).toBe(before);
  });
});
