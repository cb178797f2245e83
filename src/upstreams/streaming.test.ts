import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { callOptions as call } from "../../test/support/simulated-link.ts";
import { streamedBroker, type StreamedBroker } from "../../test/support/streamed-broker.ts";
import type { Quote } from "../broker/market-data.ts";
import type { OrderTicket, SubmitOutcome } from "../broker/order.ts";
import { Decimal } from "../lib/decimal.ts";

const AAPL = 265598;
const SPY = 756733;
let world: StreamedBroker;
let first = "";
let second = "";
let count = 0;

beforeAll(async () => {
  world = await streamedBroker();
  [first = "", second = ""] = world.simulator.accountIds;
});

afterAll(() => world.close());

beforeEach(async () => {
  world.mend();
  await warm(AAPL);
});

async function quote(conid: number): Promise<Quote> {
  const [answer] = await world.broker.quotes([conid], call());
  if (answer === undefined) throw new Error("no quote");
  return answer;
}

/** Asks until the answer comes without a request. */
async function warm(conid: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const upstream: string[] = [];
    await world.broker.quotes([conid], { ...call(), onUpstreamCall: () => void upstream.push("call") });
    if (upstream.length === 0 && world.broker.streamFigures()?.state === "live" && tries > 0) {
      const before = world.sent.length;
      // A polled quote is kept for a second: two seconds later only the stream can answer for nothing.
      await world.clock.wait(2000);
      await world.broker.quotes([conid], call());
      if (snapshots(before) === 0) return;
    }
    await world.clock.wait(100);
  }
  throw new Error("the quote never became warm");
}

/** Snapshots that were asked for since. */
function snapshots(since: number): number {
  return world.sent.slice(since).filter((request) => request.endsWith("/snapshot")).length;
}

async function price(conid: number, to: string): Promise<void> {
  await world.control("price", { conid, price: to });
}

async function untilLast(conid: number, near: number): Promise<void> {
  let last = 0;
  for (let tries = 0; tries < 200 && Math.abs(last / near - 1) > 0.02; tries += 1) {
    await world.clock.wait(100);
    last = (await quote(conid)).last?.toApproximation() ?? 0;
  }
  expect(Math.abs(last / near - 1)).toBeLessThan(0.02);
}

describe("a warm quote", () => {
  it("costs no request and says when IBKR last told of it", async () => {
    const before = world.sent.length;
    const answer = await quote(AAPL);
    expect(world.sent.slice(before)).toEqual([]);
    expect(answer).toMatchObject({ dataStatus: "live", subscribed: true, missingFields: [], currency: "USD" });
    const age = world.clock.now() - answer.asOf;
    expect(age).toBeGreaterThanOrEqual(0);
    expect(age).toBeLessThan(60_000);
  });

  it("follows the market without a request", async () => {
    const before = world.sent.length;
    await price(AAPL, "321");
    await untilLast(AAPL, 321);
    expect(snapshots(before)).toBe(0);
    await price(AAPL, "233");
    await untilLast(AAPL, 233);
    expect(snapshots(before)).toBe(0);
  });

  it("tells of a halt and of its end", async () => {
    const before = world.sent.length;
    await world.control("halt", { conid: AAPL });
    await expect.poll(async () => (await quote(AAPL)).halted).toBe(true);
    await world.control("resume", { conid: AAPL });
    await expect.poll(async () => (await quote(AAPL)).halted).toBe(false);
    expect(snapshots(before)).toBe(0);
  });

  it("is in pounds where the market quotes pence", async () => {
    const london = (await world.broker.stocks("VOD", call())).find(({ currency }) => currency === "GBP");
    const conid = london?.conid ?? 0;
    const polled = await quote(conid);
    await warm(conid);
    const streamed = await quote(conid);
    expect(streamed).toMatchObject({ currency: "GBP", dataStatus: polled.dataStatus, missingFields: polled.missingFields });
    expect((streamed.last?.toApproximation() ?? 0) / (polled.last?.toApproximation() ?? 1)).toBeCloseTo(1, 0);
  });

  it("of several contracts at once costs nothing either", async () => {
    await warm(SPY);
    const before = world.sent.length;
    const answers = await world.broker.quotes([SPY, AAPL], call());
    expect(answers.map(({ conid }) => conid)).toEqual([SPY, AAPL]);
    expect(world.sent.slice(before)).toEqual([]);
  });
});

describe("a stream that breaks", () => {
  it("comes back, subscribes again and fills the gap with a snapshot", async () => {
    const before = world.sent.length;
    const subscribed = subscriptions(AAPL);
    const reconnects = world.broker.streamFigures()?.reconnects ?? 0;
    world.cut();
    await price(AAPL, "300");
    await world.until(() => (world.broker.streamFigures()?.reconnects ?? 0) > reconnects, "the reconnect");
    await world.until(() => snapshots(before) > 0, "the snapshot");
    expect(subscriptions(AAPL)).toBe(subscribed + 1);
    await warm(AAPL);
    await untilLast(AAPL, 300);
    await price(AAPL, "233");
    await untilLast(AAPL, 233);
  });

  it("is never served from while it is down: quotes are polled", async () => {
    world.cut(true);
    await price(AAPL, "280");
    const before = world.sent.length;
    await untilLast(AAPL, 280);
    expect(snapshots(before)).toBeGreaterThan(0);
    expect(world.broker.streamFigures()?.state).toBe("polling");
    await price(AAPL, "233");
    await untilLast(AAPL, 233);
    world.mend();
    await warm(AAPL);
  });

  it("and says nothing any more is not trusted: quotes are polled", async () => {
    await world.control("faults", { kind: "stream_silence", for_ms: 90_000 });
    await price(AAPL, "270");
    world.clock.jump(26_000);
    const before = world.sent.length;
    await untilLast(AAPL, 270);
    expect(snapshots(before)).toBeGreaterThan(0);
    await world.control("faults", {}, "DELETE");
    await price(AAPL, "233");
    await untilLast(AAPL, 233);
    await warm(AAPL);
  });

  it("with its session is opened for the next session, whose quotes are its own", async () => {
    const sockets = world.opened();
    await world.control("session", { event: "end_brokerage" });
    await price(AAPL, "260");
    await untilLast(AAPL, 260);
    await warm(AAPL);
    expect(world.opened()).toBeGreaterThan(sockets);
    await price(AAPL, "233");
    await untilLast(AAPL, 233);
  });
});

function subscriptions(conid: number): number {
  return world.frames.filter((frame) => frame.startsWith(`smd+${conid}+`)).length;
}

function ticket(over: Partial<OrderTicket> = {}): OrderTicket {
  count += 1;
  return {
    accountId: first,
    conid: AAPL,
    side: "BUY",
    quantity: Decimal.one,
    orderType: "LMT",
    limitPrice: Decimal.parse("200"),
    stopPrice: undefined,
    timeInForce: "DAY",
    outsideRth: false,
    customerOrderId: `streamed-${count}`,
    ...over,
  };
}

async function place(over: Partial<OrderTicket> = {}): Promise<string> {
  const sent = ticket(over);
  let outcome: SubmitOutcome = await world.broker.submitOrder(sent, call());
  while (outcome.kind === "question") outcome = await world.broker.confirmQuestion(sent.accountId, outcome.question.replyId, call());
  if (outcome.kind !== "accepted") throw new Error(`not accepted: ${JSON.stringify(outcome)}`);
  return outcome.orderId;
}

function orderReads(since: number): string[] {
  return world.sent.slice(since).filter((request) => /\/iserver\/account\/(?:orders|order\/status)/.test(request));
}

describe("orders", () => {
  it("show their fill without being asked for again", async () => {
    const orderId = await place();
    // In the first look they are subscribed; then IBKR may take seconds to settle.
    await world.broker.orders(first, call());
    await world.clock.wait(4000);
    expect(await world.broker.order(first, orderId, call())).toMatchObject({ status: "Submitted" });
    const before = world.sent.length;
    await price(AAPL, "190");
    await expect.poll(async () => (await world.broker.order(first, orderId, call()))?.status, { timeout: 5000 }).toBe("Filled");
    const { orders } = await world.broker.orders(first, call());
    expect(orders.find((order) => order.orderId === orderId)).toMatchObject({ status: "Filled", accountId: first });
    expect(orderReads(before)).toEqual([]);
    const trades = await world.broker.trades(first, 1, call());
    expect(trades.some((trade) => trade.orderId === orderId)).toBe(true);
    await price(AAPL, "233");
  });

  it("of another account are never shown, though the stream tells of them", async () => {
    await world.broker.orders(first, call());
    const orderId = await place({ accountId: second });
    await world.clock.wait(4000);
    expect((await world.broker.orders(first, call())).orders.map((order) => order.orderId)).not.toContain(orderId);
    expect(await world.broker.order(first, orderId, call())).toBeUndefined();
    expect(await world.broker.order(second, orderId, call())).toMatchObject({ accountId: second, status: "Submitted" });
    await world.broker.cancelOrder(second, orderId, call());
    await expect.poll(async () => (await world.broker.order(second, orderId, call()))?.status, { timeout: 5000 }).toBe("Cancelled");
  });

  it("are listed with the time at which IBKR was asked, so that none is taken for absent by the stream", async () => {
    await world.broker.orders(first, call());
    await world.clock.wait(6000);
    const { asOf } = await world.broker.orders(first, call());
    const again = await world.broker.orders(first, call());
    expect(again.asOf).toBe(asOf);
    const orderId = await place();
    const after = await world.broker.orders(first, call());
    expect(after.asOf).toBeGreaterThan(asOf);
    expect(after.orders.map((order) => order.orderId)).toContain(orderId);
    await world.broker.cancelOrder(first, orderId, call());
  });
});

describe("profit and loss", () => {
  it("come by the stream once they were asked for", async () => {
    await world.broker.pnl(first, call());
    await world.clock.wait(8000);
    await world.broker.pnl(first, call());
    const before = world.sent.length;
    await world.clock.wait(8000);
    expect(await world.broker.pnl(first, call())).toMatchObject({ accountId: first, daily: expect.any(Decimal) });
    expect(world.sent.slice(before).filter((request) => request.includes("pnl"))).toEqual([]);
  });
});

describe("the stream of a session", () => {
  it("tells who is logged in, and of another login at once", async () => {
    expect(world.broker.health().userName).toBe("simuser1");
    await world.control("session", { event: "other_login", yields: true });
    await world.until(() => world.broker.health().state !== "established", "the other login");
    await world.control("session", { event: "other_logout" }).catch(() => undefined);
    await expect
      .poll(
        async () =>
          await world.broker.ready(call().signal).then(
            () => true,
            () => false,
          ),
        { timeout: 20_000 },
      )
      .toBe(true);
    await warm(AAPL);
  });

  it("is closed with it for good", async () => {
    await world.broker.close();
    const sockets = world.opened();
    await world.clock.wait(10_000);
    expect(world.opened()).toBe(sockets);
    expect(world.broker.streamFigures()).toMatchObject({ state: "off" });
  });
});
