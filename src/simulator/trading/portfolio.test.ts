import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { isRecord } from "../../lib/json.ts";
import { startSimulatorForTest } from "../test-client.ts";
import type { TestClient } from "../test-client.ts";
import { CONID, DU1, DU2 } from "./test-world.ts";

type Fields = Readonly<Record<string, unknown>>;

let client: TestClient;

beforeEach(async () => {
  client = await startSimulatorForTest({ seed: "portfolio" });
  await client.login();
});

afterEach(() => client.close());

const get = async (path: string, query: Readonly<Record<string, string>> = {}): Promise<unknown> =>
  (await client.call("GET", path, { query })).json;
const rows = (list: unknown): readonly Fields[] => (Array.isArray(list) ? list.filter(isRecord) : []);
const record = (value: unknown): Fields => (isRecord(value) ? value : {});
const notAuthenticated = { error: "not authenticated", statusCode: 401 };

async function switchTo(body: unknown): Promise<readonly unknown[]> {
  const { status, json } = await client.call("POST", "/iserver/account", { body });
  return [status, json];
}

describe("trading accounts", () => {
  test("are listed with the selected one, and can be switched", async () => {
    expect(await get("/iserver/accounts")).toMatchObject({
      accounts: [DU1, DU2],
      selectedAccount: DU1,
      isPaper: true,
      aliases: { [DU1]: DU1 },
      acctProps: { [DU2]: { supportsFractions: true } },
    });
    expect(await switchTo({ acctId: DU2 })).toEqual([200, { set: true, acctId: DU2 }]);
    expect(await switchTo({ acctId: DU2 })).toEqual([200, { success: "Account already set" }]);
    expect(await switchTo({ acctId: "U0" })).toEqual([500, { error: "Invalid account ID", statusCode: 500 }]);
    expect((await switchTo({}))[0]).toBe(400);
    expect(await get("/iserver/accounts")).toMatchObject({ selectedAccount: DU2 });
  });

  test("have no dynamic account and no search", async () => {
    expect((await client.call("POST", "/iserver/dynaccount", { body: { acctId: DU1 } })).status).toBe(401);
    expect((await client.call("GET", "/iserver/account/search/DU")).status).toBe(503);
  });

  test("have a summary in numbers and its parts in texts", async () => {
    const summary = record(await get(`/iserver/account/${DU2}/summary`));
    const cash = rows(summary["cashBalances"]);
    expect(cash.map((row) => row["currency"])).toEqual(["EUR", "USD", "CHF", "GBP", "Total (in EUR)"]);
    expect(Number(summary["availableFunds"])).toBeCloseTo(Number(summary["equityWithLoanValue"]) - Number(summary["initialMargin"]), 1);
    expect(Number(summary["buyingPower"])).toBeCloseTo(4 * Number(summary["availableFunds"]), 1);
    const segments = {
      total: expect.anything(),
      securities: expect.anything(),
      commodities: expect.anything(),
      "Crypto at Paxos": expect.anything(),
    };
    for (const part of ["available_funds", "balances", "margins"])
      expect(await get(`/iserver/account/${DU1}/summary/${part}`)).toEqual(segments);
    expect(await get(`/iserver/account/${DU1}/summary/balances`)).toMatchObject({
      total: { net_liquidation: expect.stringMatching(/^\d{3},\d{3} USD$/) },
    });
    expect(await get(`/iserver/account/${DU1}/summary/market_value`)).toMatchObject({ GBP: { stock: expect.stringMatching(/^[\d,]+$/) } });
    expect((await client.call("GET", "/iserver/account/U0/summary")).status).toBe(400);
  });
});

describe("portfolio endpoints", () => {
  test("answer 401 before the accounts were listed, and for an account that isn't the user's", async () => {
    const path = `/portfolio/${DU1}/ledger`;
    expect([(await client.call("GET", path)).status, await get(path)]).toEqual([401, notAuthenticated]);
    await get("/portfolio/accounts");
    expect((await client.call("GET", path)).status).toBe(200);
    expect(await get("/portfolio/U0/ledger")).toEqual(notAuthenticated);
  });

  test("list the accounts with owner and currency", async () => {
    const accounts = rows(await get("/portfolio/accounts"));
    expect(accounts.map((row) => [row["accountId"], row["currency"], row["type"], row["accountTitle"]])).toEqual([
      [DU1, "USD", "DEMO", "Ada Example"],
      [DU2, "EUR", "DEMO", "Ada Example"],
    ]);
    expect(await get(`/portfolio/${DU2}/meta`)).toEqual(accounts[1]);
    expect(await get("/portfolio/subaccounts")).toEqual(accounts);
    expect(await get("/portfolio/subaccounts2", { page: "0" })).toEqual({
      metadata: { total: 2, pageSize: 20, pageNum: 0 },
      subaccounts: accounts,
    });
  });

  test("summarise an account in 114 keys", async () => {
    await get("/portfolio/accounts");
    const summary = record(await get(`/portfolio/${DU1}/summary`));
    expect(Object.keys(summary)).toHaveLength(114);
    expect(Object.keys(summary).filter((key) => key !== key.toLowerCase())).toEqual([]);
    expect(summary["netliquidation"]).toEqual({
      amount: expect.stringMatching(/^\d+\.\d+$/),
      currency: "USD",
      isNull: false,
      timestamp: client.clock.now(),
      value: null,
      severity: 0,
    });
    expect(summary["accountcode"]).toMatchObject({ amount: "0.0", currency: null, value: DU1 });
  });

  test("keep a ledger of each currency whose sum is the base's", async () => {
    await get("/portfolio/accounts");
    for (const [account, base] of [
      [DU1, "USD"],
      [DU2, "EUR"],
    ] as const) {
      const { BASE, ...currencies } = record(await get(`/portfolio/${account}/ledger`));
      expect(record(currencies[base])["exchangerate"]).toBe(1);
      for (const key of ["cashbalance", "stockmarketvalue", "netliquidationvalue", "unrealizedpnl", "realizedpnl"]) {
        const parts = Object.values(currencies).map((row) => Number(record(row)[key]) * Number(record(row)["exchangerate"]));
        const sum = parts.reduce((total, part) => total + part, 0);
        expect(Math.abs(sum - Number(record(BASE)[key]))).toBeLessThan(0.3);
      }
      expect(BASE).toMatchObject({ currency: "BASE", secondkey: "BASE", exchangerate: 1, acctcode: account, key: "LedgerList" });
    }
  });

  test("tell the allocation of one account and of several", async () => {
    await get("/portfolio/accounts");
    const own = record(await get(`/portfolio/${DU1}/allocation`));
    expect(own["assetClass"]).toEqual({
      long: { CASH: expect.anything(), STK: expect.anything(), OPT: expect.anything() },
      short: { OPT: expect.stringMatching(/^-/) },
    });
    const both = await client.call("POST", "/portfolio/allocation", { body: { acctIds: [DU1, DU2] } });
    const stocks = (answer: unknown): number => Number(record(record(record(answer)["assetClass"])["long"])["STK"]);
    expect(stocks(both.json)).toBeGreaterThan(stocks(own));
    expect((await client.call("POST", "/portfolio/allocation", { body: { acctIds: ["U0"] } })).status).toBe(401);
    expect((await client.call("POST", "/portfolio/allocation", { body: {} })).status).toBe(400);
  });
});

describe("positions", () => {
  beforeEach(() => get("/portfolio/accounts"));

  test("are sparse at the first read and complete at the next", async () => {
    const sparse = rows(await get(`/portfolio/${DU1}/positions/0`));
    expect(sparse.map((row) => Object.keys(row).length)).toEqual(sparse.map(() => 21));
    expect(sparse[0]).toMatchObject({ conid: CONID.AAPL, strike: "0.0", multiplier: null, putOrCall: null, undConid: 0 });
    const complete = rows(await get(`/portfolio/${DU1}/positions/0`));
    expect(complete.map((row) => Object.keys(row).length)).toEqual(complete.map(() => 46));
    expect(complete[0]).toMatchObject({ acctId: DU1, position: "100.0", strike: "0", ticker: "AAPL", name: "APPLE INC", pageSize: 100 });
    expect(await get(`/portfolio/${DU1}/positions/1`)).toEqual([]);
    expect((await client.call("GET", `/portfolio/${DU1}/positions/x`)).status).toBe(400);
  });

  test("show options with multiplier, and London shares in pounds", async () => {
    await get(`/portfolio/${DU1}/positions/0`);
    const all = rows(await get(`/portfolio/${DU1}/positions/0`));
    const call = all.find((row) => row["putOrCall"] === "C");
    expect(call).toMatchObject({
      assetClass: "OPT",
      multiplier: "100.0",
      undConid: CONID.SPY,
      contractDesc: expect.stringMatching(/^SPY {4}[A-Z]{3}\d{4} \d+ C \[SPY {3}\d{6}C\d{8} 100\]$/),
      expiry: expect.stringMatching(/^\d{8}$/),
    });
    expect(Number(call?.["avgCost"]) / 100).toBeCloseTo(Number(call?.["avgPrice"]), 5);
    const vodafone = all.find((row) => row["conid"] === CONID.VOD);
    expect(vodafone?.["currency"]).toBe("GBP");
    expect(Number(vodafone?.["mktPrice"])).toBeLessThan(5);
    expect(Number(vodafone?.["mktValue"])).toBeCloseTo(5000 * Number(vodafone?.["mktPrice"]), 2);
  });

  test("can be sorted, and asked for by contract", async () => {
    const values = rows(await get(`/portfolio/${DU1}/positions/0`, { sort: "mktValue", direction: "d" })).map((row) =>
      Number(row["mktValue"]),
    );
    expect(values).toEqual(values.toSorted((a, b) => b - a));
    expect(rows(await get(`/portfolio/${DU1}/position/${CONID.AAPL}`))).toEqual([expect.objectContaining({ ticker: "AAPL" })]);
    expect(await get(`/portfolio/${DU1}/position/1`)).toEqual([]);
    expect(Object.keys(record(await get(`/portfolio/positions/${CONID.KO}`)))).toEqual([DU1, DU2]);
    expect(await get(`/portfolio/${DU1}/combo/positions`)).toEqual([]);
    expect((await client.call("POST", `/portfolio/${DU1}/positions/invalidate`)).json).toEqual({ message: "success" });
  });

  test("of the newer endpoint are never sparse and give the conid as text", async () => {
    const [row] = rows(await get(`/portfolio2/${DU1}/positions`));
    expect(row).toMatchObject({ conid: String(CONID.AAPL), position: "100.0", secType: "STK", description: "AAPL", sector: "Technology" });
  });

  test("stay listed with zero for the day on which they were closed", async () => {
    const order = { conid: CONID.KO, orderType: "MKT", side: "SELL", quantity: 25, tif: "DAY" };
    await client.call("POST", `/iserver/account/${DU1}/orders`, { body: { orders: [order] } });
    client.clock.advance(1000);
    expect(await get(`/portfolio/${DU1}/position/${CONID.KO}`)).toMatchObject([{ position: "0.0", mktValue: "0.0", avgCost: "0.0" }]);
    client.clock.advance(24 * 3_600_000);
    await client.login();
    await get("/portfolio/accounts");
    expect(await get(`/portfolio/${DU1}/position/${CONID.KO}`)).toEqual([]);
  });
});
