/** The further reading tools, with a read-only key made by command, through curl and both generations of the MCP SDK's client. */
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { keyCommand } from "../../src/cli-key.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { openStorage } from "../../src/storage/open-storage.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { callTool } from "../support/mcp-call.ts";
import { type AnyClient, connectCurl, connectSdk1, connectSdk2 } from "../support/mcp-clients.ts";
import { silentLog } from "../support/silent-log.ts";

const [ACCOUNT, OTHER] = ["DU7100001", "DU7100002"];
const DECIMAL = expect.stringMatching(/^-?\d+(?:\.\d+)?$/) as string;
const ROWS = expect.arrayContaining([expect.any(Array)]) as unknown[];

/** Tool, arguments, and what its answer must hold. */
const READS: readonly (readonly [string, Record<string, unknown>, Record<string, unknown>])[] = [
  ["get_trades", { days: "7" }, { account_id: ACCOUNT, rows: ROWS }],
  ["get_pnl", {}, { account_id: ACCOUNT, currency: "USD", unrealized_pnl: DECIMAL }],
  ["get_performance", { period: "1m" }, { account_id: ACCOUNT, currency: "USD", return_pct: DECIMAL, rows: ROWS }],
  ["get_transactions", { symbol: "AAPL", days: 365 }, { account_id: ACCOUNT, conid: 265_598, rows: ROWS }],
  ["get_option_chain", { symbol: "AAPL" }, { months: expect.arrayContaining([expect.stringMatching(/^\d{4}-\d\d$/)]) as string[] }],
  ["get_futures", { symbols: '["ES"]', limit: 2 }, { rows: [expect.any(Array), expect.any(Array)] }],
  ["get_exchange_rate", { from: "EUR", to: "USD", amount: "10" }, { rate: DECIMAL, converted: DECIMAL }],
  ["get_market_hours", { symbol: "AAPL" }, { time_zone: "America/New_York", rows: ROWS }],
  ["run_scanner", {}, { rows: ROWS, instruments: expect.any(Array) as unknown[] }],
  ["run_scanner", { type: "TOP_PERC_GAIN", limit: 5 }, { location: "STK.US.MAJOR", rows: ROWS }],
  ["get_connection_status", {}, { status: "ready", mode_is_proven: true, layers: expect.any(Array) as unknown[] }],
];

let gateway: TestGateway;
let key: string;
let clients: AnyClient[];

async function makeKey(dataDir: string, ...options: readonly string[]): Promise<string> {
  const printed: string[] = [];
  await keyCommand({ environment: { DATA_DIR: dataDir }, print: (line) => void printed.push(line) }, ["create", ...options]);
  return printed[0] ?? "";
}

beforeAll(async () => {
  gateway = await startGateway();
  key = await makeKey(gateway.dataDir, "--scope", "read", "--accounts", ACCOUNT ?? "", "--toolsets", "all");
  const target = { url: gateway.url, key };
  clients = [await connectCurl(target), await connectSdk1(target), await connectSdk2(target)];
  // The first call opens the session.
  await gateway.tool("get_accounts");
});
afterAll(async () => {
  for (const client of clients) await client.close();
  await gateway.close();
});

/** Names of every null, float, and missing value in an answer. */
function unfit(value: unknown, path = "$"): string[] {
  if (value === null) return [`${path} is null`];
  if (typeof value === "number") return Number.isSafeInteger(value) ? [] : [`${path} is the float ${value}`];
  if (Array.isArray(value)) return value.flatMap((item, index) => unfit(item, `${path}[${index}]`));
  if (typeof value === "object") return Object.entries(value).flatMap(([name, item]) => unfit(item, `${path}.${name}`));
  return [];
}

it("a key with every toolset lists them all to each client, and nothing that writes", async () => {
  for (const client of clients) {
    const names = await client.toolNames();
    expect(names, client.name).toEqual(expect.arrayContaining(READS.map(([name]) => name)));
    expect(names, client.name).not.toContain("place_order");
  }
});

describe.each(READS)("%s %j", (name, args, expected) => {
  it("answers through every client: strict, bounded, with its mode and time", async () => {
    for (const client of clients) {
      const answer = await client.call(name, args);
      expect(answer, `${client.name}: ${answer.text}`).toMatchObject({ isError: false, structured: expected });
      expect(answer.structured).toMatchObject({ mode: "simulated", as_of: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string });
      expect(unfit(answer.structured), client.name).toEqual([]);
      expect(answer.text.length, client.name).toBeLessThan(1_500);
    }
  });
});

it("an option chain has quotes and Greeks for calls and puts round the money", async () => {
  const [client] = clients;
  const months = (await client?.call("get_option_chain", { symbol: "AAPL" }))?.structured["months"];
  const expiry = Array.isArray(months) ? String(months[1]) : "";
  const answer = await client?.call("get_option_chain", { symbol: "AAPL", expiry, strikes: 2 });
  const { columns, rows } = answer?.structured ?? {};
  expect(answer?.isError, answer?.text).toBe(false);
  const row = Array.isArray(rows) && Array.isArray(rows[0]) && Array.isArray(columns) ? rows[0] : [];
  const at = (name: string): unknown => row[Array.isArray(columns) ? columns.indexOf(name) : -1];
  for (const figure of ["strike", "bid", "ask", "implied_volatility_pct", "delta", "gamma", "theta", "vega"])
    expect(at(figure), figure).toEqual(DECIMAL);
});

it("no tool answers about an account outside of the key's", async () => {
  for (const name of ["get_trades", "get_pnl", "get_performance", "get_transactions"]) {
    const args = name === "get_transactions" ? { symbol: "AAPL" } : {};
    for (const client of clients) {
      expect(await client.call(name, { ...args, account_id: OTHER }), name).toMatchObject({
        isError: true,
        error: { code: "account_not_allowed", candidates: [ACCOUNT] },
      });
    }
  }
});

it("a key without toolsets lists the core, and calls what it knows by name", async () => {
  const plain = { url: gateway.url, key: await makeKey(gateway.dataDir, "--scope", "read") };
  for (const client of [await connectCurl(plain), await connectSdk1(plain), await connectSdk2(plain)]) {
    const names = await client.toolNames();
    expect(names).toContain("get_trades");
    expect(names).not.toContain("get_futures");
    expect(await client.call("get_futures", { symbols: ["CL"] })).toMatchObject({ isError: false });
    await client.close();
  }
  await expect(makeKey(gateway.dataDir, "--toolsets", "orders")).rejects.toThrow("--toolsets names any of core, reports");
});

it("the connection's status is told while the connection is down", async () => {
  const own = await startGateway();
  try {
    const storage = await openStorage({ file: join(own.dataDir, "gateway.sqlite"), log: silentLog, clock: systemClock });
    await storage.db.updateTable("connections").set({ paused_at: 1_700_000_000_000 }).execute();
    await storage.close();
    const target = { url: own.url, key: own.key };
    expect(await callTool(target, "get_quote", { symbol: "AAPL" })).toMatchObject({ error: { code: "connection_paused" } });
    expect(await callTool(target, "get_connection_status")).toMatchObject({
      isError: false,
      structured: { status: "paused", since: "2023-11-14T22:13:20.000Z", mode: "simulated", mode_is_proven: false },
    });
  } finally {
    await own.close();
  }
});
