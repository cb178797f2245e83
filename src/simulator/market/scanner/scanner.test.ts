import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { isRecord } from "../../../lib/json.ts";
import { startSimulatorForTest, type TestClient } from "../../test-client.ts";
import { SCAN_TYPES } from "./scan-types.ts";

let client: TestClient;

beforeAll(async () => {
  client = await startSimulatorForTest({ seed: "scanner" });
  await client.login();
});

afterAll(() => client.close());

const run = (body: unknown) => {
  client.clock.advance(1_000);
  return client.call("POST", "/iserver/scanner/run", { body });
};

const rowsOf = (json: unknown): readonly Record<string, unknown>[] => {
  const rows = isRecord(json) ? json["contracts"] : undefined;
  return Array.isArray(rows) ? rows.filter((row) => isRecord(row)) : [];
};

const stocks = (type: string, ...filter: readonly unknown[]) => ({ instrument: "STK", type, location: "STK.US.MAJOR", filter });

describe("scanner parameters", () => {
  it("name types, instruments, filters and places, once in fifteen minutes", async () => {
    const { json } = await client.call("GET", "/iserver/scanner/params");
    expect(json).toMatchObject({
      scan_type_list: expect.arrayContaining([
        { display_name: "Top % Gainers", code: "TOP_PERC_GAIN", instruments: expect.arrayContaining(["STK"]) },
      ]),
      instrument_list: expect.arrayContaining([
        { display_name: "US Stocks", type: "STK", filters: expect.arrayContaining(["priceAbove"]) },
      ]),
      filter_list: expect.arrayContaining([{ group: "priceAbove", display_name: "Price Above", code: "priceAbove", type: "non-range" }]),
      location_tree: expect.arrayContaining([
        {
          display_name: "US Stocks",
          type: "STK",
          locations: expect.arrayContaining([{ display_name: "Listed/NASDAQ", type: "STK.US.MAJOR", locations: [] }]),
        },
      ]),
    });
    expect((await client.call("GET", "/iserver/scanner/params")).status).toBe(429);
  });
});

describe("a scan", () => {
  it.each(SCAN_TYPES.map(({ code }) => code))("%s ranks what the market has", async (type) => {
    const { status, json } = await run(stocks(type));
    expect(status).toBe(200);
    const rows = rowsOf(json);
    expect(rows.length).toBeGreaterThan(1);
    expect(rows.length).toBeLessThanOrEqual(50);
    expect(rows[0]).toMatchObject({ server_id: "0", column_name: expect.any(String), sec_type: "STK", con_id: expect.any(Number) });
    expect(rows[1]).not.toHaveProperty("column_name");
    for (const row of rows) expect(row["scan_data"]).toMatch(/^[+-]?[\d,.]+[KMBT%]?$/);
  });

  it("puts the greatest rise first and the greatest fall first, as quotes tell", async () => {
    const changes = async (type: string) =>
      rowsOf((await run(stocks(type))).json).map((row) => Number(String(row["scan_data"]).replace("%", "")));
    const gains = await changes("TOP_PERC_GAIN");
    expect(gains).toEqual(gains.toSorted((a, b) => b - a));
    const losses = await changes("TOP_PERC_LOSE");
    expect(losses).toEqual(losses.toSorted((a, b) => a - b));
    const [best] = rowsOf((await run(stocks("TOP_PERC_GAIN"))).json);
    const query = { conids: String(best?.["con_id"]), fields: "83" };
    for (let poll = 0; poll < 2; poll += 1) await client.call("GET", "/iserver/marketdata/snapshot", { query });
    const { json } = await client.call("GET", "/iserver/marketdata/snapshot", { query });
    expect(json).toMatchObject([{ "83": best?.["scan_data"] }]);
  });

  it("keeps to its filters and its place", async () => {
    const all = rowsOf((await run(stocks("MOST_ACTIVE"))).json).length;
    const dear = rowsOf((await run(stocks("MOST_ACTIVE", { code: "priceAbove", value: 400 }))).json);
    expect(dear.length).toBeGreaterThan(0);
    expect(dear.length).toBeLessThan(all);
    const large = rowsOf(
      (await run(stocks("MOST_ACTIVE", { code: "marketCapAbove1e6", value: "1000000" }, { code: "priceBelow", value: 300 }))).json,
    );
    expect(large.map((row) => row["symbol"])).toContain("AAPL");
    const london = rowsOf((await run({ instrument: "STOCK.EU", type: "MOST_ACTIVE_USD", location: "STK.EU.LSE" })).json);
    expect(new Set(london.map((row) => row["listing_exchange"]))).toEqual(new Set(["LSE"]));
    const funds = rowsOf((await run({ instrument: "ETF.EQ.US", type: "MOST_ACTIVE", location: "ETF.EQ.US.MAJOR" })).json);
    expect(funds.map((row) => row["symbol"])).toContain("SPY");
  });

  it("refuses an unknown type, place or filter with 500", async () => {
    expect((await run(stocks("NONSENSE"))).status).toBe(500);
    expect((await run({ ...stocks("MOST_ACTIVE"), location: "STK.MOON" })).status).toBe(500);
    expect((await run(stocks("MOST_ACTIVE", { code: "priceAbove", value: "x" }))).status).toBe(500);
    expect((await run({})).status).toBe(500);
  });
});
