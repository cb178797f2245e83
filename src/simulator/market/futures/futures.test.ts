import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { Decimal } from "../../../lib/decimal.ts";
import { isRecord } from "../../../lib/json.ts";
import { startSimulatorForTest, type TestClient } from "../../test-client.ts";
import { compactDate, dayNumber } from "../calendar/civil-date.ts";
import { createMarket } from "../create-market.ts";
import { FUTURE_CLASSES } from "./future-classes.ts";
import { createFutureContracts, futureLocalSymbol } from "./future-contract.ts";

const ES = 11_004_968;
const CL = 17_340_715;

const rowsOf = (json: unknown): readonly Record<string, unknown>[] => (Array.isArray(json) ? json.filter((row) => isRecord(row)) : []);

describe("the rules of futures", () => {
  const contracts = createFutureContracts();
  const lastDays = (code: string, count: number): readonly string[] => {
    const underlying = FUTURE_CLASSES.find(({ symbol }) => symbol === code)?.underlyingConid ?? 0;
    const listed = contracts.listedOn(underlying, dayNumber(2026, 11, 23));
    return listed.slice(0, count).map((each) => `${futureLocalSymbol(each)} ${compactDate(each.lastDay)}`);
  };

  it("end each contract on the day of its exchange", () => {
    expect(lastDays("ES", 3)).toEqual(["ESZ6 20261218", "ESH7 20270319", "ESM7 20270617"]);
    // A third Friday on which New York rests, and a 25th that is Christmas: both move to the business day before.
    expect(lastDays("CL", 2)).toEqual(["CLF7 20261221", "CLG7 20270120"]);
    expect(lastDays("NG", 2)).toEqual(["NGZ6 20261125", "NGF7 20261229"]);
    expect(lastDays("GC", 2)).toEqual(["GCZ6 20261229", "GCG7 20270224"]);
    expect(lastDays("ZN", 1)).toEqual(["ZNZ6 20261221"]);
  });

  it("give each contract one conid for ever", () => {
    for (const { underlyingConid } of FUTURE_CLASSES)
      for (const contract of contracts.listedOn(underlyingConid, dayNumber(2026, 11, 23)))
        expect(contracts.ofConid(contract.conid)).toEqual(contract);
    expect(contracts.ofConid(600_000_000)).toBeUndefined();
    expect(contracts.ofConid(1)).toBeUndefined();
  });
});

describe("a future", () => {
  const now = Date.parse("2026-11-23T15:30:12Z");

  it("costs what its underlying costs with the cost of carrying, on its own grid", () => {
    for (const alwaysOpen of [true, false]) {
      const market = createMarket({ seed: "futures", alwaysOpen });
      for (const { underlyingConid, increment, carry } of FUTURE_CLASSES) {
        const spot = market.quote(underlyingConid, now).last.toApproximation();
        for (const { conid } of market.futures(underlyingConid, now)) {
          const quote = market.quote(conid, now);
          expect(quote.last.isMultipleOf(Decimal.parse(increment))).toBe(true);
          expect(quote.bid.lessThan(quote.ask)).toBe(true);
          expect(Math.abs(quote.last.toApproximation() / spot - 1)).toBeLessThan(Math.abs(carry) * 2 + 0.005);
        }
      }
    }
  });

  it("trades nearly round the clock, with a pause of an hour, and on half a day at Thanksgiving", () => {
    const market = createMarket({ seed: "futures", alwaysOpen: false });
    const [front] = market.futures(ES, now);
    const isOpen = (time: string): boolean => market.isOpen(front?.conid ?? 0, Date.parse(time), false);
    expect(isOpen("2026-11-23T03:00:00Z")).toBe(true);
    expect(isOpen("2026-11-23T22:30:00Z")).toBe(false);
    expect(isOpen("2026-11-23T23:30:00Z")).toBe(true);
    expect(isOpen("2026-11-26T17:30:00Z")).toBe(true);
    expect(isOpen("2026-11-26T18:30:00Z")).toBe(false);
    expect(isOpen("2026-11-28T15:00:00Z")).toBe(false);
  });
});

describe("futures at the endpoints", () => {
  let client: TestClient;

  beforeAll(async () => {
    client = await startSimulatorForTest({ seed: "futures" });
    await client.login();
  });

  afterAll(() => client.close());

  const get = async (path: string, query: Readonly<Record<string, string | number>> = {}) => {
    client.clock.advance(1_000);
    return (await client.call("GET", path, { query })).json;
  };

  it("are listed by symbol", async () => {
    const json = await get("/trsrv/futures", { symbols: "ES,CL,ZZ" });
    const [first] = isRecord(json) ? rowsOf(json["ES"]) : [];
    expect(first).toEqual({
      symbol: "ES",
      conid: expect.any(Number),
      underlyingConid: ES,
      expirationDate: 20261218,
      ltd: 20261217,
      shortFuturesCutOff: 20261217,
      longFuturesCutOff: 20261217,
    });
    expect(json).toMatchObject({ ZZ: [] });
    expect(isRecord(json) && rowsOf(json["CL"])).toHaveLength(18);
  });

  it("are found by a search and described", async () => {
    const chain = { conid: CL, sectype: "FUT", month: "JAN27" };
    expect(await get("/iserver/secdef/info", chain)).toEqual([]);
    expect(await get("/iserver/secdef/search", { symbol: "CL", secType: "FUT" })).toMatchObject([
      {
        conid: String(CL),
        sections: [
          { secType: "IND", exchange: "NYMEX;" },
          { secType: "FUT", months: expect.stringMatching(/^JAN27;FEB27;/) },
        ],
      },
    ]);
    expect(await get("/iserver/secdef/strikes", chain)).toEqual({ call: [], put: [] });
    const rows = rowsOf(await get("/iserver/secdef/info", chain));
    expect(rows).toMatchObject([
      {
        symbol: "CL",
        secType: "FUT",
        exchange: "NYMEX",
        right: "?",
        strike: "0.0",
        maturityDate: "20261221",
        multiplier: "1000",
        desc2: "DEC 21 '26",
      },
    ]);
    expect(rowsOf(await get("/iserver/secdef/info", { conid: CL, sectype: "FUT" }))).toHaveLength(18);
    expect(await get(`/iserver/contract/${String(rows[0]?.["conid"])}/info`)).toMatchObject({
      instrument_type: "FUT",
      local_symbol: "CLF7",
      contract_month: "202701",
      expiry_full: "20261221",
      multiplier: "1000",
      underlying_con_id: CL,
    });
    expect(await get("/trsrv/secdef", { conids: String(rows[0]?.["conid"]) })).toMatchObject({
      secdef: [{ assetClass: "FUT", multiplier: "1000.0", undConid: CL, expiry: "20261221" }],
    });
  });

  it("have quotes and a past that agree", async () => {
    await get("/iserver/secdef/search", { symbol: "ES" });
    const [front] = rowsOf(await get("/iserver/secdef/info", { conid: ES, sectype: "FUT", month: "DEC26" }));
    const conid = Number(front?.["conid"]);
    for (let poll = 0; poll < 3; poll += 1) await get("/iserver/marketdata/snapshot", { conids: conid, fields: "31" });
    const query = { conids: conid, fields: "31,70,71,84,86,87,7697,7219" };
    const [row] = rowsOf(await get("/iserver/marketdata/snapshot", query));
    expect(row).toMatchObject({ "84": expect.any(String), "87": expect.any(String), "7697": expect.any(String), "7219": "ES DEC 18 '26" });
    client.clock.advance(-1_000);
    const history = await get("/iserver/marketdata/history", { conid, period: "5d", bar: "1d" });
    const bars = isRecord(history) ? rowsOf(history["data"]) : [];
    expect(bars).toHaveLength(5);
    expect(Number(bars.at(-1)?.["c"])).toBe(Number(row?.["31"]));
    expect(Number(bars.at(-1)?.["h"])).toBe(Number(row?.["70"]));
    expect(Number(bars.at(-1)?.["v"])).toBeGreaterThan(0);
  });

  it("can't be traded in these accounts", async () => {
    const [front] = rowsOf(await get("/iserver/secdef/info", { conid: ES, sectype: "FUT", month: "DEC26" }));
    const order = { conid: front?.["conid"], orderType: "MKT", side: "BUY", tif: "DAY", quantity: 1, manualIndicator: true };
    const { json } = await client.call("POST", "/iserver/account/DU7100001/orders", { body: { orders: [order] } });
    expect(json).toMatchObject({ error: expect.stringContaining("No trading permissions") });
  });
});
