/** Every reading tool, on the built program, through curl and both generations of the MCP SDK's client. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { startBuiltGateway } from "../support/built-gateway.ts";
import type { BuiltGateway } from "../support/built-gateway.ts";
import { connectCurl, connectSdk1, connectSdk2 } from "../support/mcp-clients.ts";
import type { AnyClient } from "../support/mcp-clients.ts";

const NAMES = [
  "get_accounts",
  "get_current_account",
  "set_current_account",
  "get_portfolio",
  "get_cash",
  "get_pnl",
  "search_security",
  "get_quote",
  "get_history",
  "get_change",
  "get_market_hours",
  "get_orders",
  "get_order_status",
  "get_trades",
  "preview_order",
  "place_order",
  "cancel_order",
  "get_connection_status",
];

const ACCOUNT = "DU7100001";
const PLAIN_DECIMAL = /^-?\d+(?:\.\d+)?$/;

/** Tool, arguments, and what its answer must hold. */
const READS: readonly (readonly [string, Record<string, unknown>, Record<string, unknown>])[] = [
  ["get_accounts", {}, { mode: "simulated", accounts: expect.arrayContaining([expect.objectContaining({ account_id: ACCOUNT })]) }],
  ["get_current_account", {}, { mode: "simulated" }],
  [
    "get_portfolio",
    { account_id: ACCOUNT },
    { account_id: ACCOUNT, stocks: expect.any(Array), options: expect.any(Array), cash: expect.any(Array) },
  ],
  ["get_portfolio", { account_id: "DU7100002" }, { account_id: "DU7100002", base_currency: "EUR" }],
  ["get_cash", { account_id: ACCOUNT }, { account_id: ACCOUNT, base_currency: "USD", total: expect.any(Object) }],
  ["search_security", { query: "microsoft" }, { securities: expect.arrayContaining([expect.objectContaining({ conid: 272_093 })]) }],
  [
    "search_security",
    { query: "AAPL", limit: "3", sec_type: "stk" },
    { securities: expect.arrayContaining([expect.objectContaining({ symbol: "AAPL" })]) },
  ],
  ["get_quote", { conid: "265598" }, { conid: 265_598, symbol: "AAPL", currency: "USD", data_status: "live" }],
  ["get_quote", { symbol: "VOD", currency: "GBP" }, { currency: "GBP" }],
  [
    "get_quote",
    { symbols: '["AAPL","MSFT"]' },
    { quotes: [expect.objectContaining({ symbol: "AAPL" }), expect.objectContaining({ symbol: "MSFT" })] },
  ],
  [
    "get_quote",
    { conids: ["265598", 272_093] },
    { quotes: [expect.objectContaining({ conid: 265_598 }), expect.objectContaining({ conid: 272_093 })] },
  ],
  ["get_quote", { symbol: "EUR.USD" }, { sec_type: "CASH", currency: "USD" }],
  [
    "get_history",
    { symbol: "SPY", period: "1w", bar: "1d" },
    { period: "1w", bar: "1d", columns: expect.arrayContaining(["date", "open", "close"]) },
  ],
  ["get_history", { conid: 265_598 }, { rows: expect.any(Array) }],
  ["get_change", { symbol: "SPY", period: "1m" }, { period: "1m", change_pct: expect.stringMatching(PLAIN_DECIMAL) }],
  ["get_change", { symbol: "SPY", period: "1d" }, { from: "prior_close" }],
  ["get_orders", { account_id: ACCOUNT }, { account_id: ACCOUNT, orders: expect.any(Array) }],
  ["get_orders", { account_id: ACCOUNT, status: ["working", "filled"] }, { orders: expect.any(Array) }],
];

let gateway: BuiltGateway;
let clients: AnyClient[];

beforeAll(async () => {
  gateway = await startBuiltGateway();
  const target = { url: gateway.url, key: gateway.key ?? "" };
  clients = [await connectCurl(target), await connectSdk1(target), await connectSdk2(target)];
});
afterAll(async () => {
  for (const client of clients) await client.close();
  await gateway.stop();
});

/** Names of every null, float, and scientific number in a value; conids and counts may be whole numbers. */
function unfit(value: unknown, path = "$"): string[] {
  if (value === null) return [`${path} is null`];
  if (typeof value === "number") return Number.isSafeInteger(value) ? [] : [`${path} is the float ${value}`];
  if (Array.isArray(value)) return value.flatMap((item, index) => unfit(item, `${path}[${index}]`));
  if (typeof value === "object") return Object.entries(value).flatMap(([key, item]) => unfit(item, `${path}.${key}`));
  return [];
}

it("each client lists the same eighteen tools, in the same order", async () => {
  for (const client of clients) expect(await client.toolNames(), client.name).toEqual(NAMES);
});

describe.each(READS)("%s %j", (name, args, expected) => {
  it("answers alike through every client: strict, bounded, with its mode and time", async () => {
    for (const client of clients) {
      const answer = await client.call(name, args);
      expect(answer, `${client.name}: ${answer.text}`).toMatchObject({ isError: false, structured: expected });
      expect(answer.structured, client.name).toMatchObject({
        mode: "simulated",
        as_of: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      });
      expect(unfit(answer.structured), client.name).toEqual([]);
      expect(answer.text.length, client.name).toBeLessThan(1_500);
    }
  });
});

it("quotes stand beside their currency as plain decimals", async () => {
  const [client] = clients;
  const quote = (await client?.call("get_quote", { symbol: "AAPL" }))?.structured ?? {};
  for (const field of ["last", "bid", "ask", "day_high", "day_low", "week_52_high", "volume"])
    expect(quote[field], field).toMatch(PLAIN_DECIMAL);
});

it("the current account is pinned per key and used when none is named", async () => {
  const [client] = clients;
  expect(await client?.call("set_current_account", { account_id: "DU7100002" })).toMatchObject({
    isError: false,
    structured: { account_id: "DU7100002" },
  });
  expect(await client?.call("get_current_account")).toMatchObject({ structured: { account_id: "DU7100002" } });
  expect(await client?.call("get_cash")).toMatchObject({ structured: { account_id: "DU7100002" } });
  expect(await client?.call("set_current_account", { account_id: "U0000000" })).toMatchObject({
    isError: true,
    error: { code: "unknown_account" },
  });
});

describe("errors tell a model what to do next", () => {
  it.each([
    ["get_quote", { symbol: "ZZZZQ" }, "contract_not_found"],
    ["get_quote", { conid: 999_999_999 }, "contract_not_found"],
    ["get_quote", { conid: "apple" }, "invalid_arguments"],
    ["get_quote", { simbol: "AAPL" }, "invalid_arguments"],
    ["get_quote", {}, "invalid_arguments"],
    ["get_history", { symbol: "AAPL", period: "1w", bar: "1min" }, "invalid_arguments"],
    ["get_history", { symbol: "AAPL", period: "6x" }, "invalid_arguments"],
    ["get_portfolio", { account_id: "U9999999" }, "unknown_account"],
    ["get_order_status", { order_id: "1" }, "order_not_found"],
    ["get_order_status", {}, "invalid_arguments"],
  ])("%s %j is %s", async (name, args, code) => {
    for (const client of clients) {
      const answer = await client.call(name, args);
      expect(answer, client.name).toMatchObject({
        isError: true,
        error: { code, message: expect.any(String), what_to_do: expect.any(String) },
      });
    }
  });

  it("a misspelt argument is named with its nearest", async () => {
    const answer = await clients[0]?.call("get_quote", { simbol: "AAPL" });
    expect(answer?.text).toMatch(/did you mean.{0,3}symbol/i);
  });
});
