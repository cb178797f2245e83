import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Decimal } from "../../lib/decimal.ts";
import { isRecord } from "../../lib/json.ts";
import { startSimulatorForTest, type TestClient, type TestSimulatorOptions } from "../test-client.ts";
import { TestClock } from "../test-clock.ts";

const AAPL = 265598;
const VODAFONE = 29612193;
const SNAPSHOT = "/iserver/marketdata/snapshot";
const HISTORY = "/iserver/marketdata/history";

let client: TestClient;

beforeAll(async () => {
  client = await start({});
});

beforeEach(() => client.call("GET", "/iserver/marketdata/unsubscribeall"));

afterAll(() => client.close());

async function start(options: TestSimulatorOptions): Promise<TestClient> {
  const started = await startSimulatorForTest({ seed: "market-data", ...options });
  await started.login();
  return started;
}

type Query = Readonly<Record<string, string | number | boolean>>;

const rowsOf = (json: unknown): readonly Record<string, unknown>[] => (Array.isArray(json) ? json.filter(isRecord) : []);

/** Polls a snapshot several times, a second apart, and answers the rows of the last poll. */
async function poll(target: TestClient, query: Query, polls = 3): Promise<readonly Record<string, unknown>[]> {
  let rows: readonly Record<string, unknown>[] = [];
  for (let count = 0; count < polls; count += 1) {
    target.clock.advance(1000);
    rows = rowsOf((await target.call("GET", SNAPSHOT, { query })).json);
  }
  return rows;
}

async function history(target: TestClient, query: Query) {
  target.clock.advance(1000);
  const reply = await target.call("GET", HISTORY, { query });
  const json = isRecord(reply.json) ? reply.json : {};
  return { status: reply.status, json, bars: rowsOf(json["data"]) };
}

const numbers = (count: number): string => Array.from({ length: count }, (_, index) => index + 1).join(",");
const statusOf = async (query: Query): Promise<number> => (await history(client, query)).status;
const decimal = (value: unknown): Decimal => Decimal.parse(String(value));

describe("a snapshot", () => {
  it("is refused until the accounts were asked for", async () => {
    const other = await startSimulatorForTest();
    await other.signIn();
    await other.call("POST", "/iserver/auth/ssodh/init", { body: { publish: true, compete: true } });
    other.clock.advance(3000);
    const refused = await other.call("GET", SNAPSHOT, { query: { conids: AAPL, fields: "31" } });
    expect([refused.status, refused.json]).toEqual([500, { error: "Please query /accounts first", statusCode: 500 }]);
    await other.close();
  });

  it("is empty at first, then has prices, then the rest", async () => {
    const query = { conids: `${AAPL},8314`, fields: "31,84,86,85,88,87,55,7293,82,83,7762" };
    expect(await poll(client, query, 1)).toEqual([
      { conidEx: "265598", conid: 265598 },
      { conidEx: "8314", conid: 8314 },
    ]);
    const [prices] = await poll(client, query, 1);
    expect(prices).toMatchObject({
      conidEx: "265598",
      conid: 265598,
      "6509": "RpB",
      _updated: client.clock.now(),
      "55": "AAPL",
      "31": expect.stringMatching(/^\d+\.\d\d$/),
      "84": expect.stringMatching(/^\d+\.\d\d$/),
      "86": expect.stringMatching(/^\d+\.\d\d$/),
      "85": expect.stringMatching(/^[\d,]+$/),
      "88": expect.stringMatching(/^[\d,]+$/),
      "82": expect.stringMatching(/^[+-]?\d+\.\d\d$/),
      "83": expect.stringMatching(/^[+-]?\d+\.\d\d%$/),
    });
    expect(prices).not.toHaveProperty("87");
    const [all] = await poll(client, query, 1);
    expect(all).toMatchObject({ "87": expect.stringMatching(/^[\d.]+M$/), "7762": String(all?.["87_raw"]), "7293": expect.any(String) });
    expect(decimal(all?.["84"]).lessThan(decimal(all?.["86"]))).toBe(true);
  });

  it("is empty again after the end of its stream", async () => {
    const query = { conids: AAPL, fields: "31" };
    const bare = [{ conidEx: "265598", conid: 265598 }];
    expect((await poll(client, query))[0]).toHaveProperty("31");
    const unsubscribe = () => client.call("POST", "/iserver/marketdata/unsubscribe", { body: { conid: AAPL } });
    expect((await unsubscribe()).json).toEqual({ success: true });
    const again = await unsubscribe();
    expect([again.status, again.json]).toMatchObject([500, { error: "unknown" }]);
    expect(await poll(client, query, 1)).toEqual(bare);
    expect((await client.call("GET", "/iserver/marketdata/unsubscribeall")).json).toEqual({ unsubscribed: true });
    expect(await poll(client, query, 1)).toEqual(bare);
    expect((await poll(client, query, 1))[0]).toHaveProperty("31");
  });

  it("says by field 6509 and the prefix of the last price what kind of data it has", async () => {
    const conids = "68001001,68001002,68001003,68001004,68001005";
    const rows = await poll(client, { conids, fields: "31,55,84" });
    expect(rows.map((row) => row["6509"])).toEqual(["DPB", "ZB", "N", "RpB", "RpB"]);
    expect(rows[2]).toMatchObject({ "55": "NSUB" });
    expect(rows[2]).not.toHaveProperty("31");
    expect(rows[3]?.["31"]).toMatch(/^H\d/);
    expect(rows[4]?.["31"]).toMatch(/^C\d/);
  });

  it("gives options their greeks once the underlying was searched", async () => {
    client.clock.advance(1000);
    const chain = { conid: AAPL, sectype: "OPT", month: "JAN27", strike: 230, right: "C" };
    await client.call("GET", "/iserver/secdef/search", { query: { symbol: "AAPL" } });
    const [found] = rowsOf((await client.call("GET", "/iserver/secdef/info", { query: chain })).json);
    const conid = String(found?.["conid"]);
    const [row] = await poll(client, { conids: conid, fields: "31,84,86,7308,7309,7310,7311,7633,7638,201,6457" });
    expect(row).toMatchObject({
      "201": "C",
      "6457": "265598",
      "7308": expect.stringMatching(/^0\.\d{3}$/),
      "7310": expect.stringMatching(/^-\d/),
      "7633": expect.stringMatching(/%$/),
      "7638": expect.any(String),
    });
    client.clock.advance(1000);
    await client.call("POST", "/iserver/auth/ssodh/init", { body: { publish: true, compete: true } });
    client.clock.advance(3000);
    await client.call("GET", "/iserver/accounts");
    expect(await poll(client, { conids: conid, fields: "31" })).toEqual([{ conidEx: conid, conid: Number(conid) }]);
  });

  it("knows its bounds, and answers an empty row for a conid that is none", async () => {
    expect(await poll(client, { conids: 0, fields: "31" })).toEqual([{ conidEx: "0", conid: 0 }]);
    const status = async (query: Query): Promise<number> => {
      client.clock.advance(1000);
      return (await client.call("GET", SNAPSHOT, { query })).status;
    };
    expect(await status({ conids: numbers(101), fields: "31" })).toBe(400);
    expect(await status({ conids: AAPL, fields: numbers(51) })).toBe(400);
    expect(await status({ fields: "31" })).toBe(400);
    expect(await status({ conids: "AAPL", fields: "31" })).toBe(400);
  });

  it("leaves contracts beyond a hundred lines empty", async () => {
    client.clock.advance(1000);
    const stocks = rowsOf((await client.call("GET", "/trsrv/all-conids", { query: { exchange: "NYSE" } })).json);
    const others = await Promise.all(
      ["NASDAQ", "ARCA", "LSE", "IBIS", "AEB", "SBF", "EBS", "BM", "TSE"].map((exchange) =>
        client.call("GET", "/trsrv/all-conids", { query: { exchange } }),
      ),
    );
    const conids = [...stocks, ...others.flatMap(({ json }) => rowsOf(json))].map((row) => String(row["conid"]));
    expect(conids.length).toBeGreaterThan(100);
    await poll(client, { conids: conids.slice(0, 100).join(","), fields: "31" }, 1);
    const last = conids[100] ?? "";
    expect(await poll(client, { conids: last, fields: "31" })).toEqual([{ conidEx: last, conid: Number(last) }]);
  });

  it("of a closed exchange lacks the last price in Europe and the book in America", async () => {
    const weekend = await start({ alwaysOpen: false, clock: new TestClock(Date.parse("2026-11-22T15:30:00Z")) });
    const [american, european] = await poll(weekend, { conids: `${AAPL},${VODAFONE}`, fields: "31,84,86" });
    await weekend.close();
    expect(american).toMatchObject({ "6509": "DPB", "31": expect.any(String) });
    expect(american).not.toHaveProperty("84");
    expect(european).toMatchObject({ "6509": "ZB", "84": expect.any(String), "86": expect.any(String) });
    expect(european).not.toHaveProperty("31");
  });
});

describe("history", () => {
  it("has the documented shape, and a volume factor", async () => {
    const { status, json, bars } = await history(client, { conid: 756733, period: "1w", bar: "1d" });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      serverId: expect.any(String),
      symbol: "SPY",
      text: "SS SPDR S&P 500 ETF TRUST-US",
      priceFactor: 100,
      startTime: "20261117-05:00:00",
      chartPanStartTime: "20261117-05:00:00",
      timePeriod: "1w",
      barLength: 86_400,
      mdAvailability: "S",
      mktDataDelay: 0,
      outsideRth: false,
      tradingDayDuration: 1440,
      volumeFactor: 40,
      priceDisplayRule: 1,
      priceDisplayValue: "2",
      direction: -1,
      negativeCapable: false,
      messageVersion: 2,
      points: 6,
      high: expect.stringMatching(/^\d+\/[\d.]+\/\d+$/),
      low: expect.stringMatching(/^\d+\/[\d.]+\/\d+$/),
    });
    expect(bars).toHaveLength(7);
    expect(bars[6]?.["t"]).toBe(Date.parse("2026-11-23T05:00:00Z"));
    const highest = Decimal.max(Decimal.zero, ...bars.map((bar) => decimal(bar["h"])));
    expect(String(json["high"]).split("/")[0]).toBe(highest.times(decimal(100)).toString());
  });

  it("agrees with the quote: last, day range, volume, and the change of a day", async () => {
    for (const conid of [AAPL, VODAFONE]) {
      const [row] = await poll(client, { conids: conid, fields: "31,70,71,82,7295,7741,7762" });
      const reply = await client.call("GET", HISTORY, { query: { conid, period: "2d", bar: "1h" } });
      const daily = await client.call("GET", HISTORY, { query: { conid, period: "1w", bar: "1d" } });
      const json = isRecord(daily.json) ? daily.json : {};
      const [before, today] = rowsOf(json["data"]).slice(-2);
      const hours = rowsOf(isRecord(reply.json) ? reply.json["data"] : []);
      const close = decimal(today?.["c"]);
      expect(close.equals(decimal(row?.["31"]))).toBe(true);
      expect(decimal(hours.at(-1)?.["c"]).equals(close)).toBe(true);
      expect(decimal(before?.["c"]).equals(decimal(row?.["7741"]))).toBe(true);
      expect(close.minus(decimal(before?.["c"])).equals(decimal(String(row?.["82"]).replace("+", "")))).toBe(true);
      expect(decimal(today?.["h"]).equals(decimal(row?.["70"]))).toBe(true);
      expect(decimal(today?.["l"]).equals(decimal(row?.["71"]))).toBe(true);
      expect(decimal(today?.["o"]).equals(decimal(row?.["7295"]))).toBe(true);
      expect(decimal(today?.["v"]).times(decimal(json["volumeFactor"])).toString()).toBe(row?.["7762"]);
    }
  });

  it("looks back from startTime, and only back", async () => {
    const { bars } = await history(client, { conid: AAPL, period: "1d", bar: "1h", startTime: "20261118-12:00:00" });
    expect(bars.map((bar) => bar["t"])).toEqual([5, 6, 7, 8, 9, 10, 11, 12].map((hour) => Date.UTC(2026, 10, 18, hour)));
    const forward = await history(client, { conid: AAPL, period: "1d", bar: "1h", startTime: "20261118-12:00:00", direction: 1 });
    expect([forward.status, forward.json]).toEqual([200, { error: "Chart data unavailable" }]);
  });

  it("is at most a thousand bars, and one placeholder where nothing traded", async () => {
    const busy = await history(client, { conid: AAPL, period: "1d", bar: "1min", startTime: "20261119-04:59:59" });
    expect(busy.bars).toHaveLength(1000);
    expect(busy.bars[999]?.["t"]).toBe(Date.parse("2026-11-19T04:59:00Z"));
    expect((await history(client, { conid: AAPL, period: "1000d", bar: "1d" })).bars).toHaveLength(1000);
    const empty = await history(client, { conid: AAPL, period: "1d", bar: "1h", startTime: "20050103-12:00:00" });
    expect(empty.bars).toEqual([{ o: 0, c: 0, h: 0, l: 0, v: 0 }]);
    expect(empty.json).toMatchObject({ points: 0 });
  });

  it("has weekly and monthly bars over years", async () => {
    const weekly = await history(client, { conid: 416904, period: "5y" });
    expect(weekly.json).toMatchObject({ barLength: 604_800, volumeFactor: 1 });
    expect(weekly.bars.length).toBeGreaterThan(255);
    expect(weekly.bars.every((bar) => bar["v"] === 0)).toBe(true);
    expect((await history(client, { conid: AAPL, period: "1y", bar: "1m" })).bars).toHaveLength(13);
  });

  it("leaves extended hours out unless they are wanted", async () => {
    const weekday = await start({ alwaysOpen: false, clock: new TestClock(Date.parse("2026-11-20T22:30:00Z")) });
    const regular = await history(weekday, { conid: AAPL, period: "1d", bar: "30min" });
    const extended = await history(weekday, { conid: AAPL, period: "1d", bar: "30min", outsideRth: true });
    const friday = await history(weekday, { conid: AAPL, period: "1w", bar: "1d" });
    const [row] = await poll(weekday, { conids: AAPL, fields: "31,70,87" });
    await weekday.close();
    expect(regular.bars).toHaveLength(13);
    expect(regular.bars[0]?.["t"]).toBe(Date.parse("2026-11-20T14:30:00Z"));
    expect(extended.bars).toHaveLength(28);
    expect(extended.bars[0]?.["t"]).toBe(Date.parse("2026-11-20T09:00:00Z"));
    expect(friday.bars).toHaveLength(5);
    expect(friday.bars[4]?.["h"]).toEqual(decimal(row?.["70"]).toString());
  });

  it("refuses what it can't read", async () => {
    expect(await statusOf({ conid: AAPL, period: "5x" })).toBe(400);
    expect(await statusOf({ conid: AAPL, period: "31min" })).toBe(400);
    expect(await statusOf({ conid: AAPL, period: "1y", bar: "1min" })).toBe(400);
    expect(await statusOf({ conid: AAPL, period: "1w", bar: "30secs" })).toBe(400);
    expect(await statusOf({ conid: AAPL, period: "1d", startTime: "yesterday" })).toBe(400);
    expect(await statusOf({ period: "1d" })).toBe(400);
    expect(await statusOf({ conid: 1, period: "1d" })).toBe(500);
    expect(await statusOf({ conid: 68001003, period: "1d" })).toBe(500);
    expect(await statusOf({ conid: AAPL, period: "6M", bar: "1min" })).toBe(200);
  });
});
