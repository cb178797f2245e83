import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { fastClock, type FastClock } from "../../test/support/fast-clock.ts";
import { callOptions as call, errorResponse, simulatedLink, type SimulatedLink } from "../../test/support/simulated-link.ts";
import { Decimal } from "../lib/decimal.ts";

const AAPL = 265598;
const UNKNOWN = 999_999_998;
const QUARTER_MS = 16 * 60_000;
let clock: FastClock;
let world: SimulatedLink;
let first = "";
let second = "";

beforeAll(async () => {
  clock = fastClock(5);
  world = await simulatedLink({ clock });
  [first = "", second = ""] = world.simulator.accountIds;
  await world.link.accounts(call());
});

afterEach(() => world.fault(undefined));
afterAll(() => world.close());

const isDecimal = expect.any(Decimal);
const near = (value: Decimal | undefined, other: Decimal | undefined, share: number) => {
  const [a, b] = [value?.toApproximation() ?? Number.NaN, other?.toApproximation() ?? Number.NaN];
  expect(Math.abs(a - b)).toBeLessThanOrEqual(Math.abs(b) * share);
};

/** What a call sent. */
async function sentBy(run: () => Promise<unknown>): Promise<string[]> {
  const before = world.sent.length;
  await run();
  return world.sent.slice(before).map(({ path }) => path);
}

describe("accounts of others", () => {
  it("are named as unknown before anything is asked about them", async () => {
    const before = world.sent.length;
    const refusal = { code: "unknown_account" };
    await expect(world.link.pnl("U0000000", call())).rejects.toMatchObject(refusal);
    await expect(world.link.performance("U0000000", "1M", call())).rejects.toMatchObject(refusal);
    await expect(world.link.transactions({ accountId: "All", conid: AAPL, days: 30 }, call())).rejects.toMatchObject(refusal);
    expect(world.sent).toHaveLength(before);
  });
});

describe("profit and loss", () => {
  it("comes although IBKR's first answer is empty, and agrees with the account's figures", async () => {
    const pnl = await world.link.pnl(first, call());
    expect(pnl).toMatchObject({ accountId: first, currency: "USD", daily: isDecimal, unrealized: isDecimal, realized: isDecimal });
    const summary = await world.link.summary(first, call());
    near(pnl.netLiquidationValue, summary.netLiquidationValue, 0.01);
    near(pnl.excessLiquidity, summary.excessLiquidity, 0.01);
    expect(world.requests(/pnl\/partitioned/)).toHaveLength(2);
  });

  it("is of each account in its own currency, from one answer about all", async () => {
    const before = world.requests(/pnl\/partitioned/).length;
    const [own, other] = await Promise.all([world.link.pnl(first, call()), world.link.pnl(second, call())]);
    expect([own.currency, other.currency]).toEqual(["USD", "EUR"]);
    expect(world.requests(/pnl\/partitioned/).length - before).toBeLessThanOrEqual(1);
    expect(await sentBy(() => world.link.pnl(second, call()))).toEqual([]);
  });

  it("is read off the cash ledger where IBKR has no row, then without a figure of the day", async () => {
    // A link of its own, which has no stream yet that would tell.
    const other = world.connect();
    world.fault(({ path }) => (path.endsWith("pnl/partitioned") ? Promise.resolve(Response.json({ upnl: {} })) : undefined));
    const pnl = await other.pnl(first, call());
    await other.close();
    const ledger = await world.link.cashLedger(first, call());
    expect(pnl).toMatchObject({ daily: undefined, excessLiquidity: undefined, unrealized: isDecimal });
    near(pnl.netLiquidationValue, ledger.total?.netLiquidationValue, 0.01);
  });
});

describe("performance", () => {
  it("ends with what the account is worth now", async () => {
    const year = await world.link.performance(first, "1Y", call());
    expect(year).toMatchObject({
      accountId: first,
      currency: "USD",
      period: "1Y",
      startDate: expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/),
    });
    expect(year.points.map(({ date }) => date)).toEqual(year.points.map(({ date }) => date).toSorted());
    near(year.points.at(-1)?.netAssetValue, (await world.link.summary(first, call())).netLiquidationValue, 0.01);
  });

  it("of every period and account costs one call in 15 minutes, and says of when it is", async () => {
    const before = await world.link.performance(first, "1Y", call());
    const all = await Promise.all(
      (["1D", "7D", "MTD", "1M", "3M", "6M", "YTD"] as const).map((each) => world.link.performance(second, each, call())),
    );
    expect(all.every(({ currency, points, asOf }) => currency === "EUR" && points.length > 0 && asOf === before.asOf)).toBe(true);
    expect(all[0]?.points).toHaveLength(1);
    expect(world.requests(/^\/pa\//)).toHaveLength(1);
    clock.jump(QUARTER_MS);
    const later = await world.link.performance(first, "1Y", call());
    expect(later.asOf).toBeGreaterThan(before.asOf + 900_000);
    expect(world.requests(/^\/pa\//)).toHaveLength(2);
  });

  it("of three months is the end of the year, its returns counted from its own start", async () => {
    const year = await world.link.performance(first, "1Y", call());
    const quarter = await world.link.performance(first, "3M", call());
    const base = year.points.find(({ date }) => date === quarter.startDate);
    expect(quarter.points.length).toBeGreaterThan(55);
    expect(quarter.points.length).toBeLessThan(70);
    expect(quarter.startValue?.equals(base?.netAssetValue ?? Decimal.zero)).toBe(true);
    const one = Decimal.one;
    const together = one
      .plus(base?.cumulativeReturn ?? one)
      .times(one.plus(quarter.points.at(-1)?.cumulativeReturn ?? one))
      .minus(one);
    near(together.plus(one), year.points.at(-1)?.cumulativeReturn?.plus(one), 1e-9);
  });

  it("comes from the single period's answer where IBKR has none for all", async () => {
    const other = world.connect();
    clock.jump(QUARTER_MS);
    world.fault(({ path }) => (path === "/pa/allperiods" ? Promise.resolve(errorResponse(404, "not found")) : undefined));
    const month = await other.performance(second, "1M", call());
    expect(month).toMatchObject({ currency: "EUR", period: "1M", startValue: isDecimal });
    expect(month.points.at(-1)).toMatchObject({ netAssetValue: isDecimal, cumulativeReturn: isDecimal });
    await expect(other.performance(second, "1Y", call())).rejects.toMatchObject({
      code: "rate_limited",
      message: expect.stringContaining("once in 15 minutes"),
    });
    expect(await other.performance(second, "1M", call())).toBe(month);
    await other.close();
  });
});

describe("transactions", () => {
  it("add up to the position, newest first, and serve every account and span for 15 minutes", async () => {
    const found = await world.link.transactions({ accountId: first, conid: AAPL, days: 365 }, call());
    expect(found).toMatchObject({ accountId: first, conid: AAPL, days: 365, currency: "USD", realizedPnl: isDecimal });
    const position = (await world.link.positions(first, call())).find(({ conid }) => conid === AAPL);
    const sum = Decimal.sum(found.rows.map(({ quantity }) => quantity ?? Decimal.zero));
    expect(sum.toString()).toBe(position?.quantity.toString());
    expect(found.rows.map(({ date }) => date)).toEqual(
      found.rows
        .map(({ date }) => date)
        .toSorted()
        .toReversed(),
    );
    for (const { quantity, amount } of found.rows) expect(quantity?.isNegative()).toBe(amount?.isPositive());
    const week = await world.link.transactions({ accountId: first, conid: AAPL, days: 7 }, call());
    expect(week.rows.length).toBeLessThan(found.rows.length);
    expect((await world.link.transactions({ accountId: second, conid: AAPL, days: 365 }, call())).asOf).toBe(found.asOf);
    expect(world.requests(/\/pa\/transactions/)).toHaveLength(1);
  });

  it("of a second contract have to wait, in words; afterwards the first one's are still given", async () => {
    await expect(world.link.transactions({ accountId: first, conid: 8314, days: 30 }, call())).rejects.toMatchObject({
      code: "rate_limited",
      message: expect.stringContaining("15 minutes"),
      whatToDo: expect.stringMatching(/Try again in \d+ s/),
    });
    clock.jump(QUARTER_MS);
    expect((await world.link.transactions({ accountId: first, conid: 4762, days: 30 }, call())).rows).toEqual([]);
    expect((await world.link.transactions({ accountId: first, conid: AAPL, days: 365 }, call())).rows).not.toEqual([]);
    expect(world.requests(/\/pa\/transactions/).map(({ status }) => status)).toEqual([200, 200]);
  });

  it("of a stock quoted in pence have prices in pounds", async () => {
    const held = [...(await world.link.positions(first, call())), ...(await world.link.positions(second, call()))];
    const conid = held.find((position) => position.currency === "GBP")?.conid ?? 0;
    clock.jump(QUARTER_MS);
    const found = await Promise.all([first, second].map((accountId) => world.link.transactions({ accountId, conid, days: 365 }, call())));
    const rows = found.flatMap((each) => each.rows);
    expect(found.map(({ currency }) => currency)).toEqual(["GBP", "GBP"]);
    expect(rows.length).toBeGreaterThan(0);
    for (const { price, quantity, amount } of rows) near(price?.times(quantity ?? Decimal.one).abs(), amount?.abs(), 0.01);
  });

  it("of an unknown contract are refused", async () => {
    await expect(world.link.transactions({ accountId: first, conid: UNKNOWN, days: 30 }, call())).rejects.toMatchObject({
      code: "contract_not_found",
    });
  });
});

describe("futures", () => {
  it("are listed nearest first, each with its last day, and kept", async () => {
    const futures = await world.link.futures(["es", "CL", "ZZZZ"], call());
    expect(new Set(futures.map(({ symbol }) => symbol))).toEqual(new Set(["ES", "CL"]));
    expect(futures.map(({ expiry }) => expiry)).toEqual(futures.map(({ expiry }) => expiry).toSorted());
    expect(futures[0]).toMatchObject({
      conid: expect.any(Number),
      underlyingConid: expect.any(Number),
      lastTradingDay: expect.any(String),
    });
    const [instrument] = await world.link.instruments([futures[0]?.conid ?? 0], call());
    expect(instrument).toMatchObject({ secType: "FUT", symbol: futures[0]?.symbol });
    expect(await sentBy(() => world.link.futures(["CL", "ES"], call()))).toEqual([]);
    expect(await sentBy(() => world.link.futures(["CL", "NQ"], call()))).toEqual(["/trsrv/futures"]);
  });

  it("of unknown symbols are none, and of what is no symbol a mistake", async () => {
    expect(await world.link.futures(["ZZZZ"], call())).toEqual([]);
    expect(await world.link.futures([], call())).toEqual([]);
    await expect(world.link.futures(["ES,CL"], call())).rejects.toMatchObject({ code: "invalid_arguments" });
  });
});

describe("exchange rates", () => {
  it("come in both directions, and of a currency to itself without asking", async () => {
    const rate = await world.link.exchangeRate("eur", "USD", call());
    expect(rate).toMatchObject({ from: "EUR", to: "USD", rate: isDecimal });
    near(rate.rate.times(rate.inverse), Decimal.one, 1e-9);
    const ledger = await world.link.cashLedger(second, call());
    const inEuro = ledger.balances.find(({ currency }) => currency === "USD")?.exchangeRate;
    near(rate.inverse, inEuro, 0.01);
    expect(await sentBy(() => world.link.exchangeRate("EUR", "USD", call()))).toEqual([]);
    const same = await world.link.exchangeRate("SEK", "SEK", call());
    expect([same.rate.toString(), same.inverse.toString()]).toEqual(["1", "1"]);
  });

  it("are turned round where IBKR knows the other direction only", async () => {
    world.fault(({ path, query }) =>
      path === "/iserver/exchangerate" && query.get("source") === "GBP" ? Promise.resolve(errorResponse(400, "no such pair")) : undefined,
    );
    const rate = await world.link.exchangeRate("GBP", "CHF", call());
    expect(rate.rate.greaterThan(Decimal.one)).toBe(true);
    near(rate.rate.times(rate.inverse), Decimal.one, 1e-9);
  });

  it("of currencies that don't exist are refused in words", async () => {
    const refusal = { code: "invalid_arguments", message: expect.stringContaining("no exchange rate") };
    await expect(world.link.exchangeRate("EUR", "XXX", call())).rejects.toMatchObject(refusal);
    await expect(world.link.exchangeRate("euro", "USD", call())).rejects.toMatchObject(refusal);
  });
});

describe("scanners", () => {
  it("are listed once in 15 minutes, with the places of each instrument", async () => {
    const parameters = await world.link.scannerParameters(call());
    expect(parameters.types.map(({ code }) => code)).toContain("TOP_PERC_GAIN");
    expect(parameters.filters.map(({ code }) => code)).toContain("priceAbove");
    expect(parameters.locations).toContainEqual({ code: "STK.US.MAJOR", name: "US Stocks / Listed/NASDAQ", instrument: "STK" });
    expect(await sentBy(() => world.link.scannerParameters(call()))).toEqual([]);
  });

  it("find contracts that pass the filters, ranked as asked", async () => {
    const filters = [{ code: "priceAbove", value: "300" }];
    const run = await world.link.runScanner({ instrument: "STK", type: "TOP_PERC_GAIN", location: "STK.US.MAJOR", filters }, call());
    expect(run.valueName).toBe("Chg%");
    expect(run.hits.length).toBeGreaterThan(0);
    const changes = run.hits.map(({ value }) => Number.parseFloat(value ?? ""));
    expect(changes).toEqual(changes.toSorted((a, b) => b - a));
    const [quote] = await world.link.quotes([run.hits[0]?.conid ?? 0], call());
    expect(quote?.last?.toApproximation()).toBeGreaterThan(290);
    const none = [{ code: "priceAbove", value: "10000000" }];
    const empty = await world.link.runScanner({ instrument: "STK", type: "MOST_ACTIVE", location: "STK.US", filters: none }, call());
    expect(empty.hits).toEqual([]);
  });

  it("refuse codes that they don't know in IBKR's words", async () => {
    await expect(world.link.runScanner({ instrument: "STK", type: "NOPE", location: "STK.US", filters: [] }, call())).rejects.toMatchObject(
      { code: "invalid_arguments", message: expect.stringContaining("invalid scan type: NOPE") },
    );
  });

  it("never run into a limit, however many scans are asked for at once", async () => {
    const types = ["TOP_PERC_LOSE", "HOT_BY_VOLUME", "HIGH_VS_52W_HL", "LOW_VS_52W_HL"];
    await Promise.all(types.map((type) => world.link.runScanner({ instrument: "STK", type, location: "STK.US", filters: [] }, call(type))));
    expect(world.requests(/scanner/).filter(({ status }) => status === 429)).toEqual([]);
  });
});
