import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { Decimal } from "../../lib/decimal.ts";
import { isRecord } from "../../lib/json.ts";
import { startSimulatorForTest } from "../test-client.ts";
import type { TestClient } from "../test-client.ts";

const ACCOUNTS = ["DU7100001", "DU7100002"];
const MSFT = 272093;
const QUARTER_HOUR_MS = 900_000;

let client: TestClient;

beforeEach(async () => {
  client = await startSimulatorForTest({ seed: "performance" });
  await client.login();
});

afterEach(() => client.close());

const at = (value: unknown, ...path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>((inner, key) => (isRecord(inner) || Array.isArray(inner) ? Reflect.get(inner, key) : undefined), value);
const decimal = (value: unknown): Decimal => Decimal.parse(String(value));
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

describe("partitioned profit and loss", () => {
  test("is empty at first, then tells every account's figures, as the summary does", async () => {
    expect((await client.call("GET", "/iserver/account/pnl/partitioned")).json).toEqual({ upnl: {} });
    const { json } = await client.call("GET", "/iserver/account/pnl/partitioned");
    const { json: summary } = await client.call("GET", "/iserver/account/DU7100001/summary");
    expect(json).toMatchObject({
      upnl: {
        "DU7100001.Core": { rowType: 1, nl: at(summary, "netLiquidationValue"), el: at(summary, "excessLiquidity") },
        "DU7100002.Core": { dpl: expect.anything(), upl: expect.anything(), mv: expect.anything() },
      },
    });
    expect((await client.call("GET", "/iserver/account/pnl/partitioned")).status).toBe(429);
  });
});

describe("performance", () => {
  test.each(["1D", "7D", "MTD", "1M", "YTD", "1Y"])("of %s ends with today's net liquidation value", async (period) => {
    const { json } = await client.call("POST", "/pa/performance", { body: { acctIds: ACCOUNTS, period } });
    expect(json).toMatchObject({ currencyType: "base", rc: 0, pm: "TWR", id: "getPerformanceData", included: ACCOUNTS });
    for (const [index, id] of ACCOUNTS.entries()) {
      const { json: summary } = await client.call("GET", `/iserver/account/${id}/summary`);
      const navs = list(at(json, "nav", "data", index, "navs"));
      expect(navs.at(-1)).toBe(at(summary, "netLiquidationValue"));
      const dates = list(at(json, "nav", "dates"));
      expect(dates).toHaveLength(navs.length);
      expect(dates.at(-1)).toBe("20261123");
      const returns = list(at(json, "cps", "data", index, "returns"));
      expect(returns).toHaveLength(navs.length);
      const start = decimal(at(json, "nav", "data", index, "startNAV", "val"));
      const growth = decimal(navs.at(-1)).dividedBy(start, 20).minus(Decimal.one);
      // No money came in after the account was opened, so the time-weighted return is the growth.
      expect(decimal(returns.at(-1)).minus(growth).abs().lessThan(Decimal.parse("0.00001"))).toBe(true);
    }
    const again = await client.call("POST", "/pa/performance", { body: { acctIds: ACCOUNTS, period } });
    expect(again.status).toBe(429);
  });

  test("compounds its months to the whole", async () => {
    const { json } = await client.call("POST", "/pa/performance", { body: { acctIds: ["DU7100001"], period: "1Y" } });
    const months = list(at(json, "tpps", "data", 0, "returns")).map(decimal);
    expect(list(at(json, "tpps", "dates"))).toHaveLength(months.length);
    const whole = months.reduce((factor, month) => factor.times(month.plus(Decimal.one)), Decimal.one).minus(Decimal.one);
    const total = decimal(list(at(json, "cps", "data", 0, "returns")).at(-1));
    expect(whole.minus(total).abs().lessThan(Decimal.parse("0.0001"))).toBe(true);
  });

  test("refuses other periods, no account and a stranger's", async () => {
    const ask = (body: unknown) => {
      client.clock.advance(QUARTER_HOUR_MS);
      return client.call("POST", "/pa/performance", { body });
    };
    await client.signIn();
    expect(await ask({ acctIds: ACCOUNTS, period: "3M" })).toMatchObject({
      status: 400,
      json: { error: "400 Bad Request: Invalid period: 3M" },
    });
    expect((await ask({ period: "1M" })).status).toBe(400);
    expect((await ask({ acctIds: ["U1"], period: "1M" })).status).toBe(500);
  });

  test("comes for all periods at once", async () => {
    const { json } = await client.call("POST", "/pa/allperiods", { body: { acctIds: ["DU7100002"] } });
    expect(json).toMatchObject({ id: "getPerformanceAllPeriods", included: ["DU7100002"], rc: 0 });
    const own = at(json, "DU7100002");
    expect(own).toMatchObject({ baseCurrency: "EUR", end: "20261123", periods: ["1D", "7D", "MTD", "1M", "YTD", "1Y"] });
    expect(at(own, "1D", "dates")).toEqual(["20261123"]);
    expect(list(at(own, "7D", "nav")).length).toBeLessThanOrEqual(7);
    expect(list(at(own, "1Y", "cps"))).toHaveLength(list(at(own, "1Y", "dates")).length);
    expect((await client.call("POST", "/pa/allperiods", { body: { acctIds: ["DU7100002"] } })).status).toBe(429);
  });
});

describe("transactions", () => {
  test("lists the purchases and sales of an instrument with what was realised", async () => {
    const body = { acctIds: ["DU7100001"], conids: [MSFT], currency: "USD", days: 90 };
    const { json } = await client.call("POST", "/pa/transactions", { body });
    expect(json).toMatchObject({ rc: 0, nd: 90, currency: "USD", id: "getTransactions", includesRealTime: true });
    expect(at(json, "transactions")).toMatchObject([
      { cur: "USD", fxRate: 1, qty: "-20.0", type: "Sell", conid: MSFT, acctid: "DU7100001", desc: expect.stringContaining("MICROSOFT") },
      {
        qty: "60.0",
        type: "Buy",
        date: expect.stringMatching(/^\w{3} \w{3} \d\d 00:00:00 E[SD]T 2026$/),
        rawDate: expect.stringMatching(/^2026\d{4}$/),
      },
    ]);
    expect(decimal(at(json, "transactions", 1, "amt")).isNegative()).toBe(true);
    const rows = list(at(json, "rpnl", "data"));
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ side: expect.stringMatching(/^[GL]$/), conid: String(MSFT), amt: at(json, "rpnl", "amt") });
  });

  test("wants accounts, instruments and a currency", async () => {
    await client.signIn();
    for (const [body, status] of [
      [{ acctIds: ["DU7100001"], conids: [MSFT] }, 400],
      [{}, 400],
      [{ acctIds: ["U1"], conids: [MSFT], currency: "USD" }, 500],
      [{ acctIds: ["DU7100001"], conids: [MSFT], currency: "XXX" }, 400],
    ] as const) {
      client.clock.advance(QUARTER_HOUR_MS);
      expect((await client.call("POST", "/pa/transactions", { body })).status).toBe(status);
    }
  });
});
