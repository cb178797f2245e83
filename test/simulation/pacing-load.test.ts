import { afterAll, describe, expect, it } from "vitest";

import type { OrderTicket } from "../../src/broker/order.ts";
import { createUserBudgets } from "../../src/ibkr/user-budgets.ts";
import { Decimal } from "../../src/lib/decimal.ts";
import { GatewayError } from "../../src/lib/errors.ts";
import { fastClock } from "../support/fast-clock.ts";
import { silentLog } from "../support/silent-log.ts";
import { simulatedLink } from "../support/simulated-link.ts";

/** The clock runs so much faster than the machine's: a minute of load in half of one. */
const SPEED = 2;
const CALLERS = 20;
const LOAD_MS = 60_000;
/** Ten times the budget of 40 requests a second, a quarter of it asked by one greedy caller. */
const GREEDY_PER_SECOND = 100;
const MODEST_PER_SECOND = 300 / (CALLERS - 1);
const ORDER_EVERY_MS = 6000;
const AAPL = 265598;

const clock = fastClock(SPEED);
const waits = { urgent: [] as number[], reads: [] as number[] };
const limited = new Map<string, number>();
const budgets = createUserBudgets({
  clock,
  log: silentLog,
  observer: {
    sent: ({ urgent, waitedMs }) => waits[urgent ? "urgent" : "reads"].push(waitedMs),
    refused: () => undefined,
    limited: (reason) => limited.set(reason, (limited.get(reason) ?? 0) + 1),
  },
});
const simulated = await simulatedLink({ clock }, { budgets });
const { link } = simulated;
afterAll(() => simulated.close());

/** What became of one caller's reads. */
interface Tally {
  asked: number;
  served: number;
  limited: number;
  /** Longest time, in ms, until a refusal. */
  slowestRefusalMs: number;
}

const tallies: Tally[] = Array.from({ length: CALLERS }, () => ({ asked: 0, served: 0, limited: 0, slowestRefusalMs: 0 }));
const orders = { sent: 0, tookMs: [] as number[] };
const unexpected: unknown[] = [];

/** Asks for what nobody has asked before, which costs exactly one request. */
async function read(caller: number): Promise<void> {
  const tally = tallies[caller];
  if (tally === undefined) return;
  tally.asked += 1;
  const startedAt = clock.monotonic();
  try {
    await link.instruments([900_000_000 + caller * 1_000_000 + tally.asked], {
      signal: new AbortController().signal,
      caller: `caller ${caller}`,
    });
    tally.served += 1;
  } catch (error) {
    if (!(error instanceof GatewayError && error.code === "rate_limited")) unexpected.push(error);
    tally.limited += 1;
    tally.slowestRefusalMs = Math.max(tally.slowestRefusalMs, clock.monotonic() - startedAt);
  }
}

async function order(caller: number): Promise<void> {
  orders.sent += 1;
  const ticket = orderTicket(`load-${caller}-${orders.sent}`, simulated.simulator.accountIds[caller % 2] ?? "");
  const startedAt = clock.monotonic();
  const call = { signal: new AbortController().signal, caller: `caller ${caller}`, urgent: true };
  const outcome = await link.submitOrder(ticket, call);
  orders.tookMs.push(clock.monotonic() - startedAt);
  // Outside trading hours the simulator may ask first, as IBKR does; either is an answer.
  if (outcome.kind !== "accepted" && outcome.kind !== "question") unexpected.push(outcome);
}

function orderTicket(customerOrderId: string, accountId: string): OrderTicket {
  return {
    accountId,
    conid: AAPL,
    side: "BUY",
    quantity: Decimal.one,
    orderType: "MKT",
    limitPrice: undefined,
    stopPrice: undefined,
    timeInForce: "DAY",
    outsideRth: false,
    customerOrderId,
  };
}

/** Runs `act` so often a second until the load ends; keeps the pace whatever the timers do. */
async function atPace(perSecond: number, act: () => Promise<void>): Promise<void> {
  const startedAt = clock.monotonic();
  const running: Promise<void>[] = [];
  for (let done = 0; ;) {
    const elapsed = clock.monotonic() - startedAt;
    if (elapsed >= LOAD_MS) break;
    for (; done < (elapsed / 1000) * perSecond; done += 1) running.push(act());
    await clock.wait(50);
  }
  await Promise.all(running);
}

/** The value below which the share `part` of all values lies. */
function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

describe("twenty callers on one connection at ten times its budget for a minute", () => {
  it("meet no 429, all get their share, and orders wait for nobody", async ({ annotate }) => {
    await link.ready(new AbortController().signal);
    for (const accountId of simulated.simulator.accountIds.slice(0, 2)) {
      const preview = link.previewOrder(orderTicket("load-warm", accountId), { signal: new AbortController().signal, caller: "warm" });
      await preview;
    }
    waits.urgent.length = 0;
    const before = simulated.sent.length;
    await Promise.all(
      tallies.flatMap((_, caller) => [
        atPace(caller === 0 ? GREEDY_PER_SECOND : MODEST_PER_SECOND, () => read(caller)),
        atPace(1000 / ORDER_EVERY_MS, () => order(caller)),
      ]),
    );

    const served = tallies.map((tally) => tally.served);
    const fairShare = served.reduce((sum, own) => sum + own, 0) / CALLERS;
    const figures = {
      asked: tallies.reduce((sum, { asked }) => sum + asked, 0),
      sentUpstream: simulated.sent.length - before,
      refusedUpstream: simulated.sent.filter(({ status }) => status === 429).length,
      fairShare: Math.round(fairShare),
      slowestCaller: Math.min(...served),
      fastestCaller: Math.max(...served),
      rateLimited: Object.fromEntries(limited),
      readWaitMs: { p50: Math.round(percentile(waits.reads, 0.5)), p99: Math.round(percentile(waits.reads, 0.99)) },
      orders: orders.sent,
      orderWaitMs: { p50: Math.round(percentile(waits.urgent, 0.5)), p99: Math.round(percentile(waits.urgent, 0.99)) },
      orderWholeMs: { p50: Math.round(percentile(orders.tookMs, 0.5)), p99: Math.round(percentile(orders.tookMs, 0.99)) },
    };
    await annotate(JSON.stringify(figures), "figures");

    expect(unexpected).toEqual([]);
    expect(figures.asked).toBeGreaterThan(20_000);
    expect(figures.refusedUpstream).toBe(0);
    // The budget is used, not only kept: at least half of it, also on a busy machine.
    expect(figures.sentUpstream).toBeGreaterThan((LOAD_MS / 1000) * 20);
    expect(figures.slowestCaller).toBeGreaterThanOrEqual(fairShare / 2);
    expect(figures.orderWaitMs.p99).toBeLessThanOrEqual(1000);
  }, 180_000);
});
