import { describe, expect, it } from "vitest";

import type { Account, CashLedger } from "../../broker/account.ts";
import type { Instrument } from "../../broker/instrument.ts";
import { Decimal } from "../../lib/decimal.ts";
import { parseLossless } from "../../lib/json.ts";
import { zonedClock } from "../zoned-clock.ts";
import { futuresReply, toFutures } from "./futures.ts";
import { optionSnapshotRequest, toOptionQuote } from "./options.ts";
import * as performance from "./performance.ts";
import { scannerParametersReply, scannerRunReply, scannerRunRequest, toScannerHit, toScannerParameters } from "./scanners.ts";
import { scheduleReply, toDays, toDaysOfWeek, weeklyScheduleReply } from "./trading-schedule.ts";
import { toTransactions, transactionsReply } from "./transactions.ts";

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const account: Account = { accountId: "DU1234567", title: undefined, type: "DEMO", baseCurrency: "USD" };
const stock: Instrument = {
  conid: 265598,
  symbol: "AAPL",
  name: "APPLE INC",
  secType: "STK",
  currency: "USD",
  exchange: "NASDAQ",
  multiplier: undefined,
  right: undefined,
  strike: undefined,
  expiry: undefined,
  underlyingConid: undefined,
};

describe("profit and loss as IBKR writes it", () => {
  const ledger: CashLedger = { accountId: "DU1234567", baseCurrency: "USD", balances: [], total: undefined, asOf: 0 };
  const read = (json: string) => performance.toPnl(performance.pnlReply.parse(parseLossless(json)).upnl, { account, ledger }, 1);

  it("is read from the core model's row, in either spelling of the excess liquidity", () => {
    const row = `{"rowType":1,"dpl":-12.5,"nl":1004120.10,"upl":2714.5,"el":912400.0,"mv":35620.0}`;
    expect(plain(read(`{"upnl":{"DU1234567.Core":${row},"DU7654321.Core":{"dpl":1}}}`))).toMatchObject({
      accountId: "DU1234567",
      daily: "-12.5",
      netLiquidationValue: "1004120.1",
      excessLiquidity: "912400",
    });
    expect(plain(read(`{"upnl":{"DU1234567.Core":${row.replace('"el"', '"uel"')}}}`))).toMatchObject({ excessLiquidity: "912400" });
  });

  it("has no figures where IBKR has sent none yet, nor those of an account with a longer name", () => {
    for (const json of [`{"upnl":{}}`, `{}`, `{"upnl":{"DU12345678.Core":{"dpl":9}}}`])
      expect(read(json)).toMatchObject({ daily: undefined, netLiquidationValue: undefined });
  });

  it("has what the cash ledger knows where IBKR has no row", () => {
    const total = {
      currency: "USD",
      cash: undefined,
      settledCash: undefined,
      netLiquidationValue: Decimal.fromInteger(1000),
      unrealizedPnl: Decimal.fromInteger(12),
      realizedPnl: Decimal.fromInteger(-3),
      interest: undefined,
      dividends: undefined,
      exchangeRate: Decimal.one,
    };
    expect(plain(performance.toPnl({}, { account, ledger: { ...ledger, total } }, 1))).toEqual({
      accountId: "DU1234567",
      currency: "USD",
      unrealized: "12",
      realized: "-3",
      netLiquidationValue: "1000",
      asOf: 1,
    });
  });
});

describe("performance as IBKR writes it", () => {
  it("is read from the single period's answer by account", () => {
    const reply = performance.performanceReply.parse(
      parseLossless(`{"nav":{"freq":"D","dates":["20260302","20260303"],"data":[{"id":"DU1234567","startNAV":{"date":"20260227","val":1001000.0},
        "navs":[1001250.0,1001344.0],"baseCurrency":"USD"}]},
        "cps":{"freq":"D","dates":["20260302","20260303"],"data":[{"id":"DU1234567","returns":[0.000258,0.000344],"baseCurrency":"USD"}]}}`),
    );
    const series = performance.seriesOfPerformance(reply, "DU1234567");
    expect(plain(series)).toEqual({
      currency: "USD",
      startDate: "2026-02-27",
      startValue: "1001000",
      points: [
        { date: "2026-03-02", netAssetValue: "1001250", cumulativeReturn: "0.000258" },
        { date: "2026-03-03", netAssetValue: "1001344", cumulativeReturn: "0.000344" },
      ],
    });
    expect(performance.seriesOfPerformance(reply, "DU7654321")).toBeUndefined();
  });

  it("of all periods lacks those that IBKR left out", () => {
    const reply = performance.allPeriodsReply.parse(
      parseLossless(`{"view":["DU1234567"],"rc":0,"DU1234567":{"1D":{"freq":"D","startNAV":{"date":"20260401","val":1003988.0},
        "dates":["20260402"],"nav":[1004120.0],"cps":[0.000131]},"baseCurrency":"USD","periods":["1D"]}}`),
    );
    expect(performance.seriesOfPeriods(reply, "DU1234567", "1D")?.points).toHaveLength(1);
    expect(performance.seriesOfPeriods(reply, "DU1234567", "1Y")).toBeUndefined();
    expect(performance.seriesOfPeriods(reply, "view", "1D")).toBeUndefined();
  });

  it("of three months starts anew, and has no returns after a total loss", () => {
    const at = (date: string, value: number, cumulative: string) => ({
      date,
      netAssetValue: Decimal.fromInteger(value),
      cumulativeReturn: Decimal.parse(cumulative),
    });
    const points = [
      at("2026-03-31", 80, "-0.2"),
      at("2026-04-15", 110, "0.1"),
      at("2026-07-01", 121, "0.21"),
      at("2026-07-15", 132, "0.32"),
    ];
    const series = { currency: "USD", startDate: "2025-07-15", startValue: Decimal.fromInteger(100), points };
    const about = { account, period: "3M", asOf: 1 } as const;
    expect(plain(performance.toPerformance(series, about))).toMatchObject({
      startDate: "2026-04-15",
      startValue: "110",
      points: [{ date: "2026-07-01", cumulativeReturn: "0.1" }, { cumulativeReturn: "0.2" }],
    });
    const lost = { ...series, points: [at("2026-04-01", 0, "-1"), at("2026-07-15", 0, "-1")] };
    expect(performance.toPerformance(lost, about).points[0]?.cumulativeReturn).toBeUndefined();
  });
});

describe("transactions as IBKR writes them", () => {
  const reply = (price: string, amount: string) =>
    transactionsReply.parse(
      parseLossless(`{"rc":0,"nd":90,"currency":"USD","rpnl":{"data":[{"date":"20260331","cur":"USD","fxRate":1,"side":"L","acctid":"DU1234567",
        "amt":"12.4","conid":"265598"}],"amt":"-12.4"},"transactions":[{"date":"Tue Mar 31 00:00:00 EDT 2026","rawDate":"20260331","cur":"USD",
        "fxRate":1,"pr":${price},"qty":5,"acctid":"DU1234567","amt":${amount},"conid":265598,"type":"Buy","desc":"APPLE INC"}]}`),
    );
  const scope = { accountId: "DU1234567", instrument: stock, magnifier: undefined, since: "2026-03-31" };

  it("are those of the account since the day, losses negative", () => {
    expect(plain(toTransactions(reply("233.1", "-1165.5"), scope))).toEqual({
      rows: [
        { date: "2026-03-31", type: "Buy", description: "APPLE INC", quantity: "5", price: "233.1", amount: "-1165.5", currency: "USD" },
      ],
      realizedPnl: "-12.4",
    });
    const none = { rows: [], realizedPnl: "0" };
    expect(plain(toTransactions(reply("233.1", "-1165.5"), { ...scope, since: "2026-04-01" }))).toEqual(none);
    expect(plain(toTransactions(reply("233.1", "-1165.5"), { ...scope, accountId: "DU7654321" }))).toEqual(none);
  });

  it("may be none at all", () => {
    expect(plain(toTransactions(transactionsReply.parse({ rc: 0 }), scope))).toEqual({ rows: [], realizedPnl: "0" });
  });

  it("in pence are told by their amount, which is in pounds", () => {
    const inPence = { ...scope, magnifier: Decimal.fromInteger(100) };
    expect(toTransactions(reply("233.1", "-11.655"), inPence).rows[0]?.price?.toString()).toBe("2.331");
    expect(toTransactions(reply("2.331", "-11.655"), inPence).rows[0]?.price?.toString()).toBe("2.331");
  });
});

describe("options as IBKR writes them", () => {
  const option: Instrument = {
    ...stock,
    secType: "OPT",
    right: "P",
    strike: Decimal.fromInteger(235),
    multiplier: Decimal.fromInteger(100),
  };

  it("have percentages turned into fractions and shortened numbers into whole ones", () => {
    const row = { "6509": "RpB", "84": "1.20", "86": "1.25", "7308": "-0.41", "7310": "-.05", "7633": "25.3%", "7638": "1.2K" };
    expect(plain(toOptionQuote(row, { instrument: option, magnifier: undefined, now: 1 }))).toMatchObject({
      impliedVolatility: "0.253",
      delta: "-0.41",
      theta: "-0.05",
      openInterest: "1200",
      quote: { bid: "1.2", ask: "1.25" },
    });
    const exact = toOptionQuote({ ...row, "7638_raw": 1234 }, { instrument: option, magnifier: undefined, now: 1 });
    expect(exact?.openInterest?.toString()).toBe("1234");
    expect(toOptionQuote(row, { instrument: stock, magnifier: undefined, now: 1 })).toBeUndefined();
  });

  it("are asked for with at most fifty fields", () => {
    const fields = optionSnapshotRequest([1, 2]).query?.["fields"]?.split(",") ?? [];
    expect(fields).toEqual(expect.arrayContaining(["31", "84", "86", "87", "7308", "7309", "7310", "7311", "7633", "7638", "6509"]));
    expect(fields.length).toBeLessThanOrEqual(50);
  });
});

describe("futures as IBKR writes them", () => {
  it("have dates for numbers, and are left out without one", () => {
    const reply = futuresReply.parse({
      ES: [{ symbol: "ES", conid: 1, underlyingConid: 11004968, expirationDate: 20261218, ltd: 20261217 }, { conid: 2 }, "?"],
    });
    expect(toFutures(reply["ES"] ?? [], "ES")).toEqual([
      { conid: 1, symbol: "ES", underlyingConid: 11004968, expiry: "2026-12-18", lastTradingDay: "2026-12-17" },
    ]);
  });
});

describe("scanners as IBKR writes them", () => {
  it("have nested places, which become one list with whole names", () => {
    const location_tree = [
      {
        display_name: "US Stocks",
        type: "STK",
        locations: [{ display_name: "Listed", type: "STK.US.MAJOR", locations: [{ display_name: "NYSE", type: "STK.NYSE" }] }],
      },
    ];
    const { locations, types } = toScannerParameters(scannerParametersReply.parse({ location_tree, scan_type_list: [{ code: "X" }] }), 1);
    expect(locations).toEqual([
      { code: "STK.US.MAJOR", name: "US Stocks / Listed", instrument: "STK" },
      { code: "STK.NYSE", name: "US Stocks / Listed / NYSE", instrument: "STK" },
    ]);
    expect(types).toEqual([{ code: "X", name: "X", instruments: [] }]);
  });

  it("have hits whose id may be a text, and which may have no figure", () => {
    const { contracts } = scannerRunReply.parse({
      contracts: [{ conidex: "123456", symbol: "XYZ", listing_exchange: "NASDAQ.NMS", sec_type: "STK" }, { symbol: "NONE" }],
    });
    expect(contracts.flatMap((row) => toScannerHit(row) ?? [])).toEqual([
      { conid: 123_456, symbol: "XYZ", name: undefined, secType: "STK", exchange: "NASDAQ", value: undefined },
    ]);
  });

  it("are sent numbers as numbers, digit for digit", () => {
    const filters = [
      { code: "priceAbove", value: "5.10" },
      { code: "sector", value: "tech" },
    ];
    const { body } = scannerRunRequest({ instrument: "STK", type: "X", location: "STK.US", filters });
    expect(JSON.stringify(body)).toContain(`[{"code":"priceAbove","value":5.1},{"code":"sector","value":"tech"}]`);
  });
});

describe("trading hours as IBKR writes them", () => {
  it("are in seconds, with breaks, and extended hours only where they differ", () => {
    const reply = scheduleReply.parse({
      exchange_time_zone: "Japan",
      schedules: {
        "20261125": {
          liquid_hours: [
            { opening: 1795564800, closing: 1795573800 },
            { opening: 1795577400, closing: 1795590000 },
          ],
        },
        "20261124": {
          liquid_hours: [{ opening: 1795478400, closing: 1795503600 }],
          extended_hours: [{ opening: 1795478400, closing: 1795503600 }],
        },
        soon: {},
      },
    });
    expect(toDays(reply).map(({ date, sessions }) => [date, sessions.length])).toEqual([
      ["2026-11-24", 1],
      ["2026-11-25", 2],
    ]);
    expect(toDays(reply)[0]?.sessions).toEqual([{ opensAt: 1_795_478_400_000, closesAt: 1_795_503_600_000, isLiquidHours: true }]);
  });

  it("of the older form follow the weekday's template, except on dates of their own", () => {
    const open = { sessions: [{ openingTime: "1700", closingTime: "1600", prop: "LIQUID" }], tradingtimes: [] };
    const week = Array.from({ length: 7 }, (_, index) => ({ tradingScheduleDate: String(20000101 + index), ...(index < 2 ? {} : open) }));
    const exception = { tradingScheduleDate: "20261126", sessions: [{ openingTime: "0000", closingTime: "2400" }] };
    const [venue] = weeklyScheduleReply.parse([{ exchange: "CME", timezone: "US/Central", schedules: [...week, exception] }]);
    const clock = zonedClock("America/Chicago");
    if (venue === undefined || clock === undefined) throw new Error("neither may be missing");
    const days = toDaysOfWeek(venue, clock, { from: "2026-11-25", days: 4 });
    expect(days.map(({ date, sessions }) => [date, sessions.length])).toEqual([
      ["2026-11-25", 1],
      ["2026-11-26", 1],
      ["2026-11-27", 1],
      ["2026-11-28", 0],
    ]);
    expect(days[0]?.sessions[0]).toMatchObject({
      opensAt: Date.parse("2026-11-24T23:00:00Z"),
      closesAt: Date.parse("2026-11-25T22:00:00Z"),
    });
    expect(days[1]?.sessions[0]).toMatchObject({
      opensAt: Date.parse("2026-11-26T06:00:00Z"),
      closesAt: Date.parse("2026-11-27T06:00:00Z"),
    });
  });
});
