import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";

import { callIn, failure, TOOLS_SPEED } from "../../test/support/tool-calls.ts";
import { type CallOptions, startTradingStack, type TradingStack } from "../../test/support/trading-stack.ts";
import { isRecord, type JsonObject } from "../lib/json.ts";
import { loadTools } from "../mcp/load-tools.ts";

const tools = loadTools();
let stack: TradingStack;

beforeAll(async () => {
  stack = await startTradingStack("sqlite", TOOLS_SPEED);
});

afterAll(() => stack.close());

const call = (name: string, args?: JsonObject, options?: CallOptions): Promise<JsonObject> => callIn(stack, name, args, options);

function rowsOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

const READS: readonly (readonly [string, JsonObject])[] = [
  ["get_accounts", {}],
  ["get_current_account", {}],
  ["get_portfolio", {}],
  ["get_cash", {}],
  ["search_security", { query: "apple" }],
  ["get_quote", { symbol: "AAPL" }],
  ["get_quote", { symbols: ["AAPL", "VOD"] }],
  ["get_history", { symbol: "AAPL" }],
  ["get_change", { symbol: "AAPL", period: "1w" }],
  ["get_orders", {}],
  ["get_trades", {}],
  ["get_pnl", {}],
  ["get_market_hours", { symbol: "AAPL" }],
  ["get_connection_status", {}],
  ["get_performance", { period: "3m" }],
  ["get_transactions", { symbol: "AAPL", days: 365 }],
  ["get_option_chain", { symbol: "AAPL" }],
  ["get_futures", { symbols: ["ES", "CL"] }],
  ["run_scanner", {}],
  ["run_scanner", { type: "TOP_PERC_GAIN" }],
  ["get_exchange_rate", { from: "EUR", to: "usd", amount: 100 }],
  ["preview_order", { symbol: "AAPL", side: "BUY", quantity: 1, order_type: "MKT" }],
];

describe("the list of tools", () => {
  test("names the twenty-four tools", () => {
    expect(tools.map((tool) => tool.name).toSorted()).toEqual([
      "cancel_order",
      "get_accounts",
      "get_cash",
      "get_change",
      "get_connection_status",
      "get_current_account",
      "get_exchange_rate",
      "get_futures",
      "get_history",
      "get_market_hours",
      "get_option_chain",
      "get_order_status",
      "get_orders",
      "get_performance",
      "get_pnl",
      "get_portfolio",
      "get_quote",
      "get_trades",
      "get_transactions",
      "place_order",
      "preview_order",
      "run_scanner",
      "search_security",
      "set_current_account",
    ]);
  });

  test("gives every argument a JSON type, every list its items, and refuses unknown names", () => {
    for (const tool of tools) {
      const schema = z.toJSONSchema(tool.input, { io: "input" });
      expect(schema.additionalProperties).toBe(false);
      for (const property of Object.values(schema.properties ?? {})) {
        expect(property).toHaveProperty("type");
        const isArray = JSON.stringify(property).includes('"array"');
        expect(isRecord(property) && "items" in property).toBe(isArray);
      }
    }
  });

  test("says what each tool may do in at most two sentences and an example", () => {
    for (const tool of tools) {
      expect(tool.description).toMatch(/Example: \{.*\}$/);
      expect(tool.description.length).toBeLessThan(260);
      expect(Object.values(tool.annotations).every((hint) => typeof hint === "boolean")).toBe(true);
    }
  });
});

describe("every answer", () => {
  test.each(READS)("of %s %j carries its envelope, plain decimals, and nothing that is absent", async (name, args) => {
    const answer = await call(name, args);
    expect(answer["mode"]).toBe("simulated");
    expect(answer["as_of"]).toMatch(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/);
    const text = JSON.stringify(answer);
    expect(text).not.toMatch(/null|undefined|NaN|\d[eE][+-]\d/);
    // Numbers are ids and counts; money and quantities are text.
    for (const [, key, value] of text.matchAll(/"(\w+)":(-?[\d.]+)/g)) {
      expect([key, value]).toEqual([
        expect.stringMatching(/^(?:conid|bars_total|orders_total|rows_total|days|round|max_rounds)$/),
        expect.stringMatching(/^\d+$/),
      ]);
    }
    const schema = tools.find((tool) => tool.name === name)?.outputSchema["properties"];
    for (const [key, declared] of Object.entries(isRecord(schema) ? schema : {})) {
      if (answer[key] !== undefined) expect([key, typeOf(answer[key])]).toEqual([key, isRecord(declared) ? declared["type"] : undefined]);
    }
  });
});

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "number" ? "integer" : typeof value;
}

describe("accounts", () => {
  test("are limited to those that a key may use", async () => {
    const [first = "", second = ""] = stack.simulator.accountIds;
    const limited = { caller: { id: "limited", allowedAccountIds: [second], pinnedAccountId: undefined } };
    expect(rowsOf((await call("get_accounts", {}, limited))["accounts"]).map((row) => row["account_id"])).toEqual([second]);
    expect((await call("get_cash", {}, limited))["account_id"]).toBe(second);
    expect((await failure(call("get_cash", { account_id: first }, limited))).code).toBe("account_not_allowed");
    expect((await failure(call("get_cash", { account_id: "U999" }))).code).toBe("unknown_account");
  });

  test("are pinned for one key only, and reads without a pin say which account they took", async () => {
    const [first, second = ""] = stack.simulator.accountIds;
    const mine = { caller: { id: "pinning", pinnedAccountId: undefined } };
    expect(await call("get_current_account", {}, mine)).toMatchObject({ is_set: false, candidates: stack.simulator.accountIds });
    const unpinned = await call("get_cash", {}, mine);
    expect(unpinned).toMatchObject({ account_id: first, note: expect.stringContaining("the first of 2") });
    await call("set_current_account", { account_id: second.toLowerCase() }, mine);
    expect(await call("get_current_account", {}, mine)).toMatchObject({ is_set: true, account_id: second });
    expect((await call("get_cash", {}, mine))["account_id"]).toBe(second);
    expect((await call("get_current_account"))["account_id"]).toBe(first);
  });

  test("give their totals in the base currency, whichever it is", async () => {
    const [, second = ""] = stack.simulator.accountIds;
    const portfolio = await call("get_portfolio", { account_id: second });
    expect(portfolio).toMatchObject({ base_currency: "EUR", totals: { currency: "EUR" }, total: { currency: "EUR" } });
  });
});

describe("contracts", () => {
  test("are named by conid, ticker, option words or currency pair", async () => {
    expect(await call("get_quote", { conid: "265598" })).toMatchObject({ symbol: "AAPL", currency: "USD", data_status: "live" });
    expect(await call("get_quote", { symbol: "aapl", currency: "usd" })).toMatchObject({ conid: 265598 });
    expect(await call("get_quote", { symbol: "EUR/USD" })).toMatchObject({ sec_type: "CASH", currency: "USD" });
    const portfolio = await call("get_portfolio");
    const [option] = rowsOf(portfolio["options"]);
    const words = `${String(option?.["symbol"])} ${String(option?.["expiry"])} ${String(option?.["strike"])} ${String(option?.["right"])}`;
    expect(await call("get_quote", { symbol: words })).toMatchObject({ conid: option?.["conid"], sec_type: "OPT" });
  });

  test("that are unknown, or that contradict themselves, are refused with what to do", async () => {
    expect((await failure(call("get_quote", { symbol: "ZZZZ" }))).code).toBe("contract_not_found");
    expect((await failure(call("get_quote", { conid: 4_242_424 }))).code).toBe("contract_not_found");
    expect((await failure(call("get_quote", { conid: 265598, symbol: "MSFT" }))).code).toBe("invalid_arguments");
    expect((await failure(call("get_quote", {}))).code).toBe("invalid_arguments");
    expect((await failure(call("get_quote", { symbol: "AAPL", conids: [8314] }))).code).toBe("invalid_arguments");
    expect((await failure(call("get_quote", { symbol: "AAPL 2031-01-15 200 C" }))).code).toBe("contract_not_found");
  });

  test("asked for together are quoted together, and a bad name hides no other", async () => {
    const answer = await call("get_quote", { symbols: '["AAPL","ZZZZ"]', conids: "8314" });
    expect(rowsOf(answer["quotes"]).map((row) => row["symbol"])).toEqual(["IBM", "AAPL"]);
    expect(rowsOf(answer["errors"])).toEqual([expect.objectContaining({ name: "ZZZZ", code: "contract_not_found" })]);
  });
});

describe("prices", () => {
  test("of a stock quoted in pence come in pounds", async () => {
    const quote = await call("get_quote", { symbol: "VOD" });
    expect([quote["currency"], Number(quote["last"]) < 5]).toEqual(["GBP", true]);
  });

  test("come as bars with the exchange's dates, bounded, with what was cut", async () => {
    const daily = await call("get_history", { symbol: "AAPL", period: "1m", bar: "1d" });
    expect(daily).toMatchObject({ columns: ["date", "open", "high", "low", "close", "volume"], bar: "1d", currency: "USD" });
    const [bar] = Array.isArray(daily["rows"]) ? daily["rows"] : [];
    expect(bar).toEqual([
      expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/),
      ...Array.from({ length: 5 }, () => expect.stringMatching(/^\d+(?:\.\d+)?$/)),
    ]);
    const cut = await call("get_history", { symbol: "AAPL", period: "3y", bar: "1d" });
    expect(cut).toMatchObject({ rows: { length: 500 }, note: expect.stringMatching(/^Showing the latest 500 of \d+ bars/) });
  });

  test("change from the first close to the last, and over 1d from the prior close to the last price", async () => {
    const bars = await call("get_history", { symbol: "AAPL", period: "1w", bar: "1d" });
    const rows = Array.isArray(bars["rows"]) ? bars["rows"].filter(Array.isArray) : [];
    const change = await call("get_change", { symbol: "AAPL", period: "1w" });
    expect(change["from_price"]).toBe(rows[0]?.[4]);
    const today = await call("get_change", { symbol: "AAPL" });
    expect(today).toMatchObject({ period: "1d", from: "prior_close", change_pct: expect.stringMatching(/^-?\d+(?:\.\d+)?$/) });
  });
});

describe("orders", () => {
  test("are filtered by one state or several, also by the words that people use", async () => {
    const all = rowsOf((await call("get_orders"))["orders"]).length;
    const open = rowsOf((await call("get_orders", { status: "working" }))["orders"]);
    const done = rowsOf((await call("get_orders", { status: ["filled", "Cancelled", "inactive"] }))["orders"]);
    expect(open.length + done.length).toBe(all);
    expect(open.every((row) => row["status"] !== "Filled")).toBe(true);
  });

  test("are previewed with cost and margin, and nothing is placed", async () => {
    const before = await call("get_orders");
    const preview = await call("preview_order", { symbol: "AAPL", side: "buy", quantity: "10", order_type: "limit", limit_price: "200" });
    expect(preview).toMatchObject({
      status: "ok",
      amount: "2000",
      amount_currency: "USD",
      margin_currency: "USD",
      order: { side: "BUY", quantity: "10" },
    });
    stack.clock.jump(6_000);
    expect((await call("get_orders"))["orders_total"]).toBe(before["orders_total"]);
  });

  test("need exactly one name", async () => {
    expect((await failure(call("get_order_status", {}))).code).toBe("invalid_arguments");
    expect((await failure(call("cancel_order", { order_id: "1", client_order_id: "x" }))).code).toBe("invalid_arguments");
    expect((await failure(call("cancel_order", { order_id: "../1" }))).code).toBe("invalid_arguments");
    expect((await failure(call("get_order_status", { order_id: 12 }))).code).toBe("order_not_found");
    expect((await failure(call("get_order_status", { client_order_id: "nobody's" }))).code).toBe("order_not_found");
  });
});
