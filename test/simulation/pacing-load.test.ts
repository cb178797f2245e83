import { afterAll, describe, expect, it } from "vitest";

import { GatewayError } from "../../src/lib/errors.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { seededRandom } from "../../src/lib/random.ts";
import type { Tool } from "../../src/mcp/define-tool.ts";
import { tool as getHistory } from "../../src/tools/get-history.ts";
import { tool as getOrders } from "../../src/tools/get-orders.ts";
import { tool as getPortfolio } from "../../src/tools/get-portfolio.ts";
import { tool as getQuote } from "../../src/tools/get-quote.ts";
import { tool as placeOrder } from "../../src/tools/place-order.ts";
import { tool as searchSecurity } from "../../src/tools/search-security.ts";
import { isOrderPost } from "../support/order-bench.ts";
import { startTradingStack } from "../support/trading-stack.ts";

/** The clock runs so much faster than the machine's: a minute of load, and the queue's end, in less than half of one. */
const SPEED = 3;
const CALLERS = 20;
const LOAD_MS = 60_000;
/** Ten times the budget of 40 requests a second, a quarter of it asked by one greedy caller. */
const GREEDY_PER_SECOND = 100;
const MODEST_PER_SECOND = 300 / (CALLERS - 1);
const ORDER_EVERY_MS = 6000;
const SYMBOLS = ["AAPL", "MSFT", "KO", "NVDA", "AMZN", "JPM", "SPY", "QQQ"];
const PERIODS = ["1d", "1w", "1m", "3m", "1y"];
/** A Monday in New York's trading hours: a small order at a sensible price is taken without a question. */
const MONDAY = Date.UTC(2026, 10, 23, 15, 0, 0);

const waits = { urgent: [] as number[], reads: [] as number[] };
const stack = await startTradingStack("sqlite", SPEED, {
  startAt: MONDAY,
  isPaced: true,
  observer: {
    sent: ({ urgent, waitedMs }) => waits[urgent ? "urgent" : "reads"].push(waitedMs),
    refused: () => undefined,
    limited: () => undefined,
  },
});
const { clock, simulator } = stack;
const network = { sent: 0, refused: 0, orders: 0 };
stack.setNetwork(async (url, init, pass) => {
  network.sent += 1;
  if (isOrderPost(url, init)) network.orders += 1;
  const response = await pass();
  if (response.status === 429) network.refused += 1;
  return response;
});
afterAll(() => stack.close());

/** What became of one caller's reads, by tool. */
interface Tally {
  asked: number;
  served: number;
}

const names = Array.from({ length: CALLERS }, (_, caller) => `key_${caller}`);
const tallies = new Map(names.map((name) => [name, { asked: 0, served: 0 }]));
const byTool = new Map<string, Tally>();
const slowestRefusalMs = { value: 0 };
const orders = { asked: 0, waitedMs: [] as number[], tookMs: [] as number[] };
const unexpected: unknown[] = [];

/** What a caller asks next: mostly what nobody has asked before, which no cache answers. */
function question(random: ReturnType<typeof seededRandom>, number: number): { tool: Tool; args: JsonObject } {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random.fraction() * values.length)] as T;
  const kind = random.fraction();
  if (kind < 0.6) return { tool: getQuote, args: { conid: 900_000_000 + number } };
  if (kind < 0.8) return { tool: searchSecurity, args: { query: `company ${number}` } };
  if (kind < 0.9) return { tool: getQuote, args: { symbols: [pick(SYMBOLS), pick(SYMBOLS)] } };
  if (kind < 0.96) return { tool: getHistory, args: { symbol: pick(SYMBOLS), period: pick(PERIODS) } };
  return { tool: kind < 0.98 ? getOrders : getPortfolio, args: { account_id: pick(simulator.accountIds) } };
}

let asked = 0;
async function read(name: string, random: ReturnType<typeof seededRandom>): Promise<void> {
  const { tool, args } = question(random, (asked += 1));
  const tally = tallies.get(name);
  const ofTool = byTool.get(tool.name) ?? { asked: 0, served: 0 };
  byTool.set(tool.name, ofTool);
  if (tally === undefined) return;
  tally.asked += 1;
  ofTool.asked += 1;
  const startedAt = clock.monotonic();
  try {
    await stack.run(tool, args, { caller: { id: name }, signal: new AbortController().signal });
  } catch (error) {
    if (error instanceof GatewayError && error.code === "rate_limited") {
      slowestRefusalMs.value = Math.max(slowestRefusalMs.value, clock.monotonic() - startedAt);
      return;
    }
    // That there is no such contract is an answer.
    if (!(error instanceof GatewayError && error.code === "contract_not_found")) unexpected.push(error);
  }
  tally.served += 1;
  ofTool.served += 1;
}

async function order(name: string): Promise<void> {
  orders.asked += 1;
  const args = { account_id: simulator.accountIds[orders.asked % 2] ?? "", symbol: "KO", side: "BUY", quantity: 1, order_type: "MKT" };
  const startedAt = clock.monotonic();
  let sentAt = startedAt;
  const onUpstreamCall = () => {
    sentAt = clock.monotonic();
  };
  try {
    const signal = new AbortController().signal;
    const named = { ...args, client_order_id: `load-${orders.asked}` };
    const answer = await stack.complete(placeOrder, named, { caller: { id: name }, signal, onUpstreamCall });
    if (answer["order_id"] === undefined) unexpected.push(answer);
    // With all that it needs known, an order's one request is its own.
    orders.waitedMs.push(sentAt - startedAt);
    orders.tookMs.push(clock.monotonic() - startedAt);
  } catch (error) {
    unexpected.push(error);
  }
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
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
}

function percentiles(values: readonly number[]): { p50: number; p99: number; max: number } {
  return { p50: percentile(values, 0.5), p99: percentile(values, 0.99), max: percentile(values, 1) };
}

describe("twenty callers on one connection at ten times its budget for a minute", () => {
  it("meet no 429, all get their share, and orders wait for nobody", async ({ annotate }) => {
    for (const account_id of simulator.accountIds) await stack.complete(getOrders, { account_id });
    for (const symbol of SYMBOLS) await stack.complete(getQuote, { symbol });
    for (const account_id of simulator.accountIds.slice(0, 2))
      await stack.complete(placeOrder, { account_id, symbol: "KO", side: "BUY", quantity: 2, order_type: "MKT" });
    const before = { ...network };
    waits.urgent.length = 0;
    waits.reads.length = 0;
    await Promise.all(
      names.flatMap((name, caller) => {
        const random = seededRandom(name);
        return [
          atPace(caller === 0 ? GREEDY_PER_SECOND : MODEST_PER_SECOND, () => read(name, random)),
          // Callers know nothing of each other: their orders come at different moments.
          clock.wait((caller / CALLERS) * ORDER_EVERY_MS).then(() => atPace(1000 / ORDER_EVERY_MS, () => order(name))),
        ];
      }),
    );

    const served = [...tallies.values()].map((tally) => tally.served);
    const fairShare = served.reduce((sum, own) => sum + own, 0) / CALLERS;
    const figures = {
      asked,
      sentUpstream: network.sent - before.sent,
      refusedUpstream: network.refused - before.refused,
      served: { fairShare: Math.round(fairShare), slowestCaller: Math.min(...served), fastestCaller: Math.max(...served) },
      byTool: Object.fromEntries(byTool),
      slowestRefusalMs: Math.round(slowestRefusalMs.value),
      readPacingMs: percentiles(waits.reads),
      orders: { asked: orders.asked, sent: network.orders - before.orders },
      orderPacingMs: percentiles(waits.urgent),
      orderWaitMs: percentiles(orders.waitedMs),
      orderWholeMs: percentiles(orders.tookMs),
    };
    await annotate(JSON.stringify(figures), "figures");
    process.stdout.write(`${JSON.stringify(figures, undefined, 1)}\n`);

    expect(unexpected).toEqual([]);
    expect(figures.asked).toBeGreaterThan(20_000);
    expect(figures.refusedUpstream).toBe(0);
    // The budget is used, not only kept: at least half of it, also on a busy machine.
    expect(figures.sentUpstream).toBeGreaterThan((LOAD_MS / 1000) * 20);
    expect(figures.served.slowestCaller).toBeGreaterThanOrEqual(fairShare / 2);
    expect(figures.orders.sent).toBe(figures.orders.asked);
    // What the budget makes an order wait. The whole wait, which is told above, has the machine's own slowness in it, several times over.
    expect(figures.orderPacingMs.p99).toBeLessThanOrEqual(1000);
  }, 180_000);
});
