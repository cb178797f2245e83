import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { callIn, failure, TOOLS_SPEED } from "../../test/support/tool-calls.ts";
import { type CallOptions, startTradingStack, type TradingStack } from "../../test/support/trading-stack.ts";
import { isRecord, type JsonObject } from "../lib/json.ts";

const DECIMAL = /^-?\d+(?:\.\d+)?$/;

let stack: TradingStack;
beforeAll(async () => {
  stack = await startTradingStack("sqlite", TOOLS_SPEED);
});
afterAll(() => stack.close());

const call = (name: string, args?: JsonObject, options?: CallOptions): Promise<JsonObject> => callIn(stack, name, args, options);

/** The rows of a table as objects by column. */
function table(answer: JsonObject): Record<string, unknown>[] {
  const columns = Array.isArray(answer["columns"]) ? answer["columns"].map(String) : [];
  const rows = Array.isArray(answer["rows"]) ? answer["rows"].filter(Array.isArray) : [];
  return rows.map((row) => {
    expect(row).toHaveLength(columns.length);
    return Object.fromEntries(columns.map((column, index) => [column, row[index]]));
  });
}

const limitedTo = (accountId: string): CallOptions => ({
  caller: { id: "limited", allowedAccountIds: [accountId], pinnedAccountId: undefined },
});

describe("what concerns an account", () => {
  const TOOLS: readonly (readonly [string, JsonObject])[] = [
    ["get_trades", {}],
    ["get_pnl", {}],
    ["get_performance", {}],
    ["get_transactions", { symbol: "AAPL" }],
  ];

  test.each(TOOLS)("%s is refused for an account outside of the key's, and answers about its own", async (name, args) => {
    const [first = "", second = ""] = stack.simulator.accountIds;
    const refused = await failure(call(name, { ...args, account_id: first }, limitedTo(second)));
    expect([refused.code, refused.details]).toEqual(["account_not_allowed", { candidates: [second] }]);
    const own = await call(name, args, limitedTo(second));
    expect(own["account_id"]).toBe(second);
    expect(JSON.stringify(own)).not.toContain(first);
    expect((await failure(call(name, { ...args, account_id: "U999" }))).code).toBe("unknown_account");
  });

  test("trades are those of one account alone", async () => {
    const [first = "", second = ""] = stack.simulator.accountIds;
    const [mine, other] = await Promise.all(
      [first, second].map(async (accountId) => table(await call("get_trades", { account_id: accountId }))),
    );
    const ids = new Set(mine?.map((row) => row["execution_id"]));
    expect(ids.size).toBeGreaterThan(0);
    expect(other?.filter((row) => ids.has(row["execution_id"]))).toEqual([]);
  });
});

describe("trades", () => {
  test("come newest first with plain figures, narrowed by symbol and in parts", async () => {
    const answer = await call("get_trades", { days: "7" });
    const rows = table(answer);
    expect(answer["rows_total"]).toBe(rows.length);
    expect(rows[0]).toMatchObject({
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      side: expect.stringMatching(/^(?:BUY|SELL)$/),
      quantity: expect.stringMatching(DECIMAL),
      price: expect.stringMatching(DECIMAL),
      currency: "USD",
    });
    expect(rows.map((row) => String(row["at"]))).toEqual(
      rows
        .map((row) => String(row["at"]))
        .toSorted()
        .toReversed(),
    );
    const part = await call("get_trades", { limit: 1, offset: 1 });
    expect(table(part)).toEqual([rows[1]]);
    expect(part["note"]).toBe(`Rows 2 to 2 of ${rows.length}.`);
    const symbol = String(rows[0]?.["symbol"]);
    expect(table(await call("get_trades", { symbol: symbol.toLowerCase() })).every((row) => row["symbol"] === symbol)).toBe(true);
  });

  test("reach a week back", async () => {
    expect((await failure(call("get_trades", { days: 8 }))).code).toBe("invalid_arguments");
  });
});

describe("figures of an account", () => {
  test("are today's profit and loss in its base currency", async () => {
    const [, second = ""] = stack.simulator.accountIds;
    const pnl = await call("get_pnl", { account_id: second });
    expect(pnl).toMatchObject({ currency: "EUR", unrealized_pnl: expect.stringMatching(DECIMAL) });
  });

  test("are its value by day, whose last return is the period's", async () => {
    const answer = await call("get_performance", { period: "1w" });
    const rows = table(answer);
    expect(answer).toMatchObject({ period: "7D", currency: "USD", start_value: expect.stringMatching(DECIMAL) });
    expect(rows.at(-1)?.["return_pct"]).toBe(answer["return_pct"]);
    expect(rows.map((row) => row["date"])).toEqual(rows.map((row) => String(row["date"])).toSorted());
  });

  test("are the transactions of one contract", async () => {
    const answer = await call("get_transactions", { symbol: "AAPL", days: 365 });
    expect(answer).toMatchObject({ conid: 265_598, currency: "USD", realized_pnl: expect.stringMatching(DECIMAL) });
    const rows = table(answer);
    expect(rows[0]).toMatchObject({ date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/), type: expect.any(String) });
    expect(answer["rows_total"]).toBe(rows.length);
    expect((await failure(call("get_transactions", {}))).code).toBe("invalid_arguments");
  });
});

describe("an option chain", () => {
  test("begins with its months", async () => {
    const { months } = await call("get_option_chain", { symbol: "AAPL" });
    expect(Array.isArray(months) && months.every((month) => /^\d{4}-\d\d$/.test(String(month)))).toBe(true);
  });

  test("shows calls and puts at the strikes round the money of one expiry", async () => {
    const { months } = await call("get_option_chain", { symbol: "AAPL" });
    const month = Array.isArray(months) ? String(months[1]) : "";
    const chain = await call("get_option_chain", { symbol: "AAPL", expiry: month, strikes: 2 });
    const rows = table(chain);
    expect(rows.map((row) => row["right"])).toEqual(["C", "P", "C", "P", "C", "P", "C", "P"]);
    const strikes = [...new Set(rows.map((row) => Number(row["strike"])))];
    const price = Number(chain["underlying_price"]);
    expect(strikes.map((strike) => strike < price)).toEqual([true, true, false, false]);
    expect(rows.every((row) => typeof row["conid"] === "number" && DECIMAL.test(String(row["bid"])))).toBe(true);
    expect(chain).toMatchObject({ multiplier: "100", data_status: "live" });

    const expiries = Array.isArray(chain["expiries"]) ? chain["expiries"].map(String) : [];
    expect(expiries).toContain(chain["expiry"]);
    const last = expiries.at(-1) ?? "";
    const puts = await call("get_option_chain", { symbol: "AAPL", expiry: last, strikes: 1, around: 200, right: "puts" });
    expect(puts["expiry"]).toBe(last);
    expect(table(puts).map((row) => [row["right"], Number(row["strike"]) < 200])).toEqual([
      ["P", true],
      ["P", false],
    ]);
  });

  test("that isn't there is refused with those that are", async () => {
    const beyond = await failure(call("get_option_chain", { symbol: "AAPL", expiry: "2040-12" }));
    expect([beyond.code, beyond.details?.["candidates"]]).toEqual(["contract_not_found", expect.arrayContaining([expect.any(String)])]);
    expect((await failure(call("get_option_chain", { symbol: "AAPL", expiry: "soon" }))).code).toBe("invalid_arguments");
    expect((await failure(call("get_option_chain", { symbol: "AAPL", strikes: 13 }))).code).toBe("invalid_arguments");
    expect((await failure(call("get_option_chain", { symbol: "VOD" }))).code).toBe("not_supported");
  });
});

describe("futures", () => {
  test("come nearest first, by one symbol or several", async () => {
    const answer = await call("get_futures", { symbols: "es, CL" });
    const rows = table(answer);
    expect(new Set(rows.map((row) => row["symbol"]))).toEqual(new Set(["ES", "CL"]));
    expect(rows.map((row) => row["expiry"])).toEqual(rows.map((row) => String(row["expiry"])).toSorted());
    const quote = await call("get_quote", { conid: Number(rows[0]?.["conid"]) });
    expect(quote).toMatchObject({ sec_type: "FUT", expiry: rows[0]?.["expiry"] });
  });

  test("that don't exist are named", async () => {
    expect((await call("get_futures", { symbols: ["ES", "QQQQ"] }))["note"]).toContain("no futures on QQQQ");
    expect((await failure(call("get_futures", {}))).code).toBe("invalid_arguments");
  });
});

describe("an exchange rate", () => {
  test("converts an amount", async () => {
    const answer = await call("get_exchange_rate", { from: "eur", to: "USD", amount: "250" });
    expect(Number(answer["converted"])).toBeCloseTo(250 * Number(answer["rate"]), 3);
  });

  test("of no currencies is refused", async () => {
    expect((await failure(call("get_exchange_rate", { from: "EUR.USD", to: "USD" }))).code).toBe("invalid_arguments");
    expect((await failure(call("get_exchange_rate", { from: "EUR", to: "ZZZ" }))).code).toBe("invalid_arguments");
  });
});

test("market hours tell whether a contract trades now, and its sessions", async () => {
  const answer = await call("get_market_hours", { symbol: "AAPL" });
  expect(answer).toMatchObject({
    symbol: "AAPL",
    time_zone: "America/New_York",
    session: expect.stringMatching(/^(?:regular|extended|closed)$/),
  });
  const rows = table(answer);
  expect(rows.length).toBeGreaterThanOrEqual(5);
  expect(rows.every((row) => ["regular", "extended", "closed"].includes(String(row["session"])))).toBe(true);
});

describe("the scanner", () => {
  test("tells which scans there are, by a word or an instrument", async () => {
    const all = await call("run_scanner");
    expect(table(all).map((row) => row["type"])).toContain("TOP_PERC_GAIN");
    expect(table(await call("run_scanner", { search: "Gainers" })).every((row) => String(row["name"]).includes("Gainers"))).toBe(true);
    const own = await call("run_scanner", { instrument: "stk" });
    expect(own).toMatchObject({
      locations: expect.arrayContaining([{ code: "STK.US.MAJOR", name: expect.any(String) }]),
      filters: expect.arrayContaining([{ code: "priceAbove", name: expect.any(String) }]),
    });
    expect((await call("run_scanner", { instrument: "MOON" }))["note"]).toContain("no instrument MOON");
  });

  test("runs a scan by code or name, with filters and in parts", async () => {
    const byCode = await call("run_scanner", { type: "TOP_PERC_GAIN", filters: ["priceAbove=100"], limit: 3 });
    expect(byCode).toMatchObject({ type: "TOP_PERC_GAIN", location: "STK.US.MAJOR", value_name: "Chg%" });
    expect(table(byCode).map((row) => row["rank"])).toEqual([1, 2, 3]);
    const byName = await call("run_scanner", { type: "top % gainers", filters: "priceAbove = 100", limit: 2, offset: 2 });
    expect(table(byName)).toMatchObject([{ rank: 3 }, { rank: 4 }]);
    expect((await call("run_scanner", { type: "MOST_ACTIVE", instrument: "STOCK.EU" }))["location"]).toMatch(/^STK\.EU|^STOCK\.EU/);
  });

  test("says what there is instead of an unknown code", async () => {
    const unknown = await failure(call("run_scanner", { type: "NOPE" }));
    expect([unknown.code, JSON.stringify(unknown.details)]).toEqual(["invalid_arguments", expect.stringContaining("TOP_PERC_GAIN")]);
    const nameless = await failure(call("run_scanner", { type: "gainers" }));
    expect(JSON.stringify(nameless.details)).toContain("TOP_PERC_GAIN");
    const nowhere = await failure(call("run_scanner", { type: "TOP_PERC_GAIN", location: "STK.MOON" }));
    expect(JSON.stringify(nowhere.details)).toContain("STK.US.MAJOR");
    expect((await failure(call("run_scanner", { type: "TOP_PERC_GAIN", filters: ["price > 5"] }))).code).toBe("invalid_arguments");
  });
});

test("every row is whole: what is unknown is an empty text", async () => {
  for (const [name, args] of [
    ["get_trades", {}],
    ["get_performance", {}],
    ["get_market_hours", { symbol: "EUR.USD" }],
    ["run_scanner", { type: "MOST_ACTIVE" }],
  ] as const) {
    const rows = table(await call(name, args));
    expect(rows.every((row) => isRecord(row) && Object.values(row).every((value) => value !== undefined))).toBe(true);
  }
});
