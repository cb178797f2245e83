import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isRecord } from "../../lib/json.ts";
import { startSimulatorForTest, type TestClient } from "../test-client.ts";

let client: TestClient;

beforeAll(async () => {
  client = await startSimulatorForTest({ seed: "contracts" });
  await client.login();
});

afterAll(() => client.close());

/** Asks for a path, with time enough since the last call for the pacing table. */
async function get(path: string, query: Readonly<Record<string, string | number | boolean>> = {}) {
  client.clock.advance(1000);
  return client.call("GET", path, { query });
}

const jsonOf = async (...parameters: Parameters<typeof get>): Promise<unknown> => (await get(...parameters)).json;

const rowsOf = (json: unknown): readonly Record<string, unknown>[] => (Array.isArray(json) ? json.filter(isRecord) : []);

describe("searching", () => {
  it("finds a ticker with the months of its options, and names the conid as text", async () => {
    expect(await jsonOf("/iserver/secdef/search", { symbol: "spy" })).toEqual([
      {
        conid: "756733",
        companyHeader: "SS SPDR S&P 500 ETF TRUST-US - ARCA",
        companyName: "SS SPDR S&P 500 ETF TRUST-US",
        symbol: "SPY",
        description: "ARCA",
        restricted: null,
        sections: [
          { secType: "STK" },
          { secType: "OPT", months: "NOV26;DEC26;JAN27;FEB27;MAR27;APR27;MAY27;JUN27;JAN28", exchange: "SMART;AMEX;CBOE" },
          { secType: "BAG" },
        ],
      },
    ]);
  });

  it("finds company names, both listings of a ticker, currency pairs and indices, and nothing", async () => {
    client.clock.advance(1000);
    const byName = await client.call("POST", "/iserver/secdef/search", { body: { symbol: "vodafone", name: true } });
    expect(byName.json).toMatchObject([{ conid: "29612193", symbol: "VOD", description: "LSE" }]);
    expect(await jsonOf("/iserver/secdef/search", { symbol: "SHOP" })).toMatchObject([{ description: "NASDAQ" }, { description: "TSE" }]);
    expect(await jsonOf("/iserver/secdef/search", { symbol: "EUR.USD" })).toMatchObject([
      { conid: "12087792", sections: [{ secType: "CASH", exchange: "IDEALPRO;" }] },
    ]);
    expect(await jsonOf("/iserver/secdef/search", { symbol: "SPX", secType: "IND" })).toMatchObject([
      { conid: "416904", restricted: "IND" },
    ]);
    expect(await jsonOf("/iserver/secdef/search", { symbol: "SPX", secType: "STK" })).toEqual([]);
    expect(await jsonOf("/iserver/secdef/search", { symbol: "ZZZZ" })).toEqual([]);
    expect((await get("/iserver/secdef/search")).status).toBe(400);
  });
});

describe("the security master", () => {
  it("lists the contracts of tickers, and all of an exchange", async () => {
    expect(await jsonOf("/trsrv/stocks", { symbols: "AAPL,ZZZZ" })).toEqual({
      AAPL: [
        {
          name: "APPLE INC",
          chineseName: null,
          assetClass: "STK",
          contracts: [{ conid: 265598, exchange: "NASDAQ", isUS: true }],
        },
      ],
      ZZZZ: [],
    });
    expect(await jsonOf("/trsrv/stocks", { symbols: "RY" })).toMatchObject({
      RY: [
        {
          contracts: [
            { exchange: "NYSE", isUS: true },
            { exchange: "TSE", isUS: false },
          ],
        },
      ],
    });
    expect(await jsonOf("/trsrv/futures", { symbols: "AAPL" })).toEqual({ AAPL: [] });
    expect(await jsonOf("/trsrv/all-conids", { exchange: "NASDAQ" })).toContainEqual({
      ticker: "AAPL",
      conid: 265598,
      exchange: "NASDAQ",
    });
  });

  it("describes many conids at once and leaves unknown ones out", async () => {
    const answer = await jsonOf("/trsrv/secdef", { conids: "265598,1,29612193" });
    expect(answer).toMatchObject({
      secdef: [
        {
          conid: 265598,
          currency: "USD",
          listingExchange: "NASDAQ",
          countryCode: "US",
          name: "APPLE INC",
          assetClass: "STK",
          expiry: null,
          strike: "0",
          ticker: "AAPL",
          undConid: 0,
          multiplier: "0.0",
          type: "COMMON",
          hasOptions: true,
          isUS: true,
          incrementRules: [{ lowerEdge: "0.0", increment: "0.01" }],
          displayRule: { magnification: 0, displayRuleStep: [{ decimalDigits: 2, lowerEdge: "0.0", wholeDigits: 4 }] },
        },
        { conid: 29612193, currency: "GBP", listingExchange: "LSE", countryCode: "GB" },
      ],
    });
    expect((await get("/trsrv/secdef", { conids: Array.from({ length: 201 }, () => 8314).join(",") })).status).toBe(400);
  });
});

describe("a contract", () => {
  it("is described in snake case", async () => {
    expect(await jsonOf("/iserver/contract/265598/info")).toMatchObject({
      symbol: "AAPL",
      con_id: 265598,
      instrument_type: "STK",
      trading_class: "NMS",
      currency: "USD",
      company_name: "APPLE INC",
      exchange: "SMART",
      multiplier: null,
      underlying_con_id: 0,
    });
    expect((await get("/iserver/contract/1/info")).status).toBe(400);
    expect(await jsonOf("/iserver/contract/8314/info-and-rules", { isBuy: true })).toMatchObject({
      symbol: "IBM",
      rules: { increment: "0.01" },
    });
  });

  it("tells order rules, in pence for a London share", async () => {
    client.clock.advance(1000);
    const rules = (conid: number) => client.call("POST", "/iserver/contract/rules", { body: { conid, exchange: "SMART", isBuy: true } });
    expect((await rules(265598)).json).toMatchObject({
      canTradeAcctIds: client.simulator.accountIds,
      orderTypes: expect.arrayContaining(["limit", "market", "stop", "stop_limit"]),
      fraqTypes: ["limit", "market", "stop", "stop_limit"],
      fraqInt: 4,
      priceMagnifier: null,
      cashCcy: "USD",
      increment: "0.01",
      incrementDigits: 2,
      incrementRules: [{ lowerEdge: "0.0", increment: "0.01" }],
      sizeIncrement: 100,
    });
    expect((await rules(29612193)).json).toMatchObject({
      priceMagnifier: 100,
      cashCcy: "GBP",
      fraqTypes: [],
      incrementRules: expect.arrayContaining([{ lowerEdge: "50.0", increment: "0.02" }]),
    });
    expect((await rules(68_001_006)).json).toMatchObject({ cashCcy: "JPY", sizeIncrement: 100 });
    expect((await rules(0)).status).toBe(400);
  });

  it("has the order rules that recordings show: steps of a screen, lists without entries, keys left out", async () => {
    client.clock.advance(1000);
    const rules = async (conid: number) => (await client.call("POST", "/iserver/contract/rules", { body: { conid, isBuy: true } })).json;
    expect(await rules(756_733)).toMatchObject({ fraqTypes: [], fraqInt: 0, defaultSize: 100, sizeIncrement: 40 });
    expect(await rules(8894)).not.toHaveProperty("fraqTypes");
    expect(await rules(8894)).not.toHaveProperty("fraqInt");
    expect(await rules(8314)).not.toHaveProperty("orderTypesOutside");
  });

  it("tells its algorithms", async () => {
    expect(await jsonOf("/iserver/contract/265598/algos", { algos: "Adaptive" })).toEqual({
      algos: [{ name: "Adaptive", id: "Adaptive" }],
    });
    expect(await jsonOf("/iserver/contract/265598/algos", { addDescription: 1, addParams: 1 })).toMatchObject({
      algos: [{ description: expect.any(String), parameters: [{ id: "adaptivePriority" }] }, {}, {}],
    });
    expect((await get("/iserver/contract/265598/algos", { algos: "Nonsense" })).status).toBe(503);
  });
});

describe("options", () => {
  it("are empty before a search, and then found by month, strike and right", async () => {
    const chain = { conid: 272093, sectype: "OPT", month: "JAN27" };
    expect(await jsonOf("/iserver/secdef/strikes", chain)).toEqual({ call: [], put: [] });
    expect(await jsonOf("/iserver/secdef/info", { ...chain, strike: 480, right: "C" })).toEqual([]);
    await get("/iserver/secdef/search", { symbol: "MSFT" });
    expect(await jsonOf("/iserver/secdef/strikes", chain)).toMatchObject({ call: expect.arrayContaining(["480.0", "490.0"]) });
    expect(await jsonOf("/iserver/secdef/strikes", { ...chain, month: "JAN35" })).toEqual({ call: [], put: [] });
    expect((await get("/iserver/secdef/strikes", { ...chain, month: "202701" })).status).toBe(400);
    const [found] = rowsOf(await jsonOf("/iserver/secdef/info", { ...chain, strike: 480, right: "C" }));
    expect(found).toMatchObject({
      conid: expect.any(Number),
      symbol: "MSFT",
      secType: "OPT",
      right: "C",
      strike: "480.0",
      desc2: "JAN 15 '27 480 Call",
      maturityDate: "20270115",
      multiplier: "100",
    });
    expect(await jsonOf(`/iserver/contract/${String(found?.["conid"])}/info`)).toMatchObject({
      instrument_type: "OPT",
      right: "CALL",
      strike: "480.0",
      expiry_full: "20270115",
      contract_month: "202701",
      multiplier: "100",
      text: "JAN 15 '27 480 Call",
      underlying_con_id: 272093,
    });
    const weeklies = await jsonOf("/iserver/secdef/info", { ...chain, month: "DEC26", strike: 480, right: "P" });
    expect(rowsOf(weeklies).map((row) => row["maturityDate"])).toEqual(["20261204", "20261211", "20261218", "20261224", "20261231"]);
    expect((await get("/iserver/secdef/info", { ...chain, right: "C" })).status).toBe(400);
  });
});

describe("currencies", () => {
  it("have pairs and rates", async () => {
    expect(await jsonOf("/iserver/currency/pairs", { currency: "EUR" })).toEqual({
      EUR: [{ symbol: "EUR.USD", conid: 12087792, ccyPair: "USD" }],
    });
    expect(await jsonOf("/iserver/exchangerate", { source: "EUR", target: "USD" })).toEqual({
      rate: expect.stringMatching(/^[01]\.\d+$/),
    });
    expect(await jsonOf("/iserver/exchangerate", { source: "CHF", target: "CHF" })).toEqual({ rate: 1 });
    expect((await get("/iserver/exchangerate", { source: "EUR", target: "XXX" })).status).toBe(400);
  });
});

describe("schedules", () => {
  it("tell sessions by conid", async () => {
    const schedule = await jsonOf("/contract/trading-schedule", { conid: 265598 });
    const midnight = Date.parse("2026-11-23T05:00:00Z") / 1000;
    expect(schedule).toMatchObject({
      exchange_time_zone: "US/Eastern",
      schedules: { "20261123": { liquid_hours: [{ opening: midnight, closing: midnight + 86_400 }] } },
    });
    expect((await get("/contract/trading-schedule", { conid: 0 })).status).toBe(400);
  });

  it("tell the week and its exceptions by ticker, with the hours of the exchange", async () => {
    const other = await startSimulatorForTest({ alwaysOpen: false });
    await other.signIn();
    const query = { assetClass: "STK", symbol: "AAPL", exchange: "ISLAND" };
    const { json } = await other.call("GET", "/trsrv/secdef/schedule", { query });
    await other.close();
    const monday = {
      clearingCycleEndTime: "0000",
      tradingScheduleDate: "20000103",
      sessions: [{ openingTime: "0930", closingTime: "1600", prop: "LIQUID" }],
      tradingtimes: [{ openingTime: "0400", closingTime: "2000", cancelDayOrders: "Y" }],
    };
    const schedules = rowsOf(json)[0]?.["schedules"];
    expect(json).toMatchObject([{ exchange: "NASDAQ", timezone: "America/New_York" }]);
    expect(schedules).toContainEqual(monday);
    expect(schedules).toContainEqual({ clearingCycleEndTime: "0000", tradingScheduleDate: "20000101", sessions: [], tradingtimes: [] });
    expect(schedules).toContainEqual({ clearingCycleEndTime: "0000", tradingScheduleDate: "20261126", sessions: [], tradingtimes: [] });
    expect(schedules).toContainEqual({
      ...monday,
      tradingScheduleDate: "20261127",
      sessions: [{ openingTime: "0930", closingTime: "1300", prop: "LIQUID" }],
      tradingtimes: [{ openingTime: "0400", closingTime: "1700", cancelDayOrders: "Y" }],
    });
  });
});
