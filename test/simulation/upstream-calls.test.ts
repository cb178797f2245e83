import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { loadTools } from "../../src/mcp/load-tools.ts";
import { temporaryFolder } from "../support/built-gateway.ts";
import { fastClock } from "../support/fast-clock.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { readToolAnswer, type ToolAnswer } from "../support/mcp-call.ts";

const ACCOUNT = "DU7100001";
/** A limit order on MSFT that the simulated user has from the beginning. */
const RESTING_ORDER = "1234567002";
const ORDER = { account_id: ACCOUNT, symbol: "KO", side: "BUY", quantity: "1", order_type: "MKT" };

/** What is asked of each tool; every tool has a line, in the order of `tools/list`. */
const CALLS: Readonly<Record<string, Record<string, unknown>>> = {
  get_accounts: {},
  get_current_account: {},
  set_current_account: { account_id: ACCOUNT },
  get_portfolio: { account_id: ACCOUNT },
  get_cash: { account_id: ACCOUNT },
  get_pnl: { account_id: ACCOUNT },
  search_security: { query: "microsoft" },
  get_quote: { symbol: "AAPL" },
  get_history: { symbol: "AAPL" },
  get_change: { symbol: "AAPL" },
  get_market_hours: { symbol: "AAPL" },
  get_orders: { account_id: ACCOUNT },
  get_order_status: { account_id: ACCOUNT, order_id: RESTING_ORDER },
  get_trades: { account_id: ACCOUNT },
  preview_order: ORDER,
  place_order: ORDER,
  cancel_order: { account_id: ACCOUNT, order_id: RESTING_ORDER },
  get_connection_status: {},
  get_performance: { account_id: ACCOUNT },
  get_transactions: { account_id: ACCOUNT, symbol: "AAPL" },
  get_option_chain: { symbol: "SPY", expiry: "2026-12" },
  get_futures: { symbols: ["ES"] },
  run_scanner: { type: "TOP_PERC_GAIN" },
  get_exchange_rate: { from: "EUR", to: "USD" },
};

/** Requests of the session's own upkeep, which come by the clock and for no call. */
const UPKEEP = /\/(?:tickle|logout)$/;

/** Asked again until the answer is complete, as often as that takes. */
const POLLED = /\/(?:marketdata\/snapshot|auth\/status)$/;

/** Waits pass so much quicker than on the machine's clock; so do time limits, for which a busy machine needs some room. */
const SPEED = 3;

/** A Monday in New York's trading hours: prices and questions depend on that. */
const clock = fastClock(SPEED, Date.UTC(2026, 10, 23, 15, 0, 0));

/** A gateway that has its data and key from the first start, and what it sends to its simulator. */
async function start(dataDir: string, known: { key: string }): Promise<{ gateway: TestGateway; sent: string[] }> {
  const sent: string[] = [];
  const edge: typeof fetch = (input, init) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    if (pathname.startsWith("/v1/api") && !UPKEEP.test(pathname)) sent.push(`${init?.method ?? "GET"} ${pathname.slice("/v1/api".length)}`);
    return fetch(input, init);
  };
  const gateway = await startGateway({ dataDir, deps: { fetch: edge, clock } });
  if (gateway.key !== "") known.key = gateway.key;
  return { gateway, sent };
}

/** Two equal orders need an id each. */
let orders = 0;

async function call(url: string, key: string, name: string): Promise<ToolAnswer> {
  const own = name === "place_order" ? { client_order_id: `order ${(orders += 1)}` } : {};
  const response = await fetch(`${url}/mcp?toolsets=derivatives,reports,research`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json", Accept: "application/json, text/event-stream" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: { ...CALLS[name], ...own } } }),
  });
  return readToolAnswer(await response.json());
}

/** How many they are; `+` where one of them is repeated until its answer is complete. */
function total(calls: readonly string[]): string {
  const polled = calls.filter((request) => POLLED.test(request));
  return `${calls.length - polled.length + new Set(polled).size}${polled.length > 0 ? "+" : ""}`;
}

function kinds(calls: readonly string[]): string {
  if (calls.length === 0) return "none";
  const named = calls.map((request) => request.replace(/DU\d{7}/, "{account}").replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, "{question}"));
  const counts = new Map<string, number>();
  for (const request of named) counts.set(request, (counts.get(request) ?? 0) + 1);
  // What is asked at the same time goes in any order.
  return [...counts]
    .toSorted(([one], [other]) => (pathOf(one) < pathOf(other) ? -1 : 1))
    .map(([request, count]) =>
      POLLED.test(request) ? `\`${request}\` until complete` : count === 1 ? `\`${request}\`` : `${count} × \`${request}\``,
    )
    .join(", ");
}

function pathOf(request: string): string {
  return request.slice(request.indexOf(" "));
}

describe("the requests to IBKR that each tool costs", () => {
  it("are those of the table", async () => {
    expect(Object.keys(CALLS)).toEqual(loadTools().map(({ name }) => name));
    const dataDir = temporaryFolder();
    const known = { key: "" };
    const rows: string[] = [];
    let opening: string[] = [];
    for (const name of Object.keys(CALLS)) {
      const { gateway, sent } = await start(dataDir, known);
      await call(gateway.url, known.key, "get_accounts");
      opening = [...sent];
      const measured: (readonly string[])[] = [];
      for (let round = 0; round < 2; round += 1) {
        sent.length = 0;
        const answer = await call(gateway.url, known.key, name);
        if (round === 0) expect(answer.isError, `${name}: ${answer.text}`).toBe(false);
        measured.push([...sent]);
      }
      await gateway.close();
      const [cold = [], warm = []] = measured;
      rows.push(`| \`${name}\` | ${total(cold)} | ${total(warm)} | ${kinds(cold)} |`);
    }
    await expect(page(opening, rows)).toMatchFileSnapshot(join(import.meta.dirname, "../../docs/reference/upstream-calls.md"));
  }, 300_000);
});

function page(opening: readonly string[], rows: readonly string[]): string {
  return [
    "# Requests to IBKR",
    "",
    "What each tool costs of the user's budget: counted against the simulator, on a session that is open, with nothing known yet (cold) and asked",
    "again at once (warm). `test/simulation/upstream-calls.test.ts` counts anew and compares; after a change that is meant, run it with `-u`.",
    "",
    "A `+` marks a request that is repeated until its answer is complete: a first quote, or a session that comes up.",
    "",
    `Opening a session, with the accounts: ${total(opening)} requests (${kinds(opening)}).`,
    "",
    "| tool | cold | warm | requests when cold |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
