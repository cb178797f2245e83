import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { callOptions as call, errorResponse, simulatedLink, type SimulatedLink } from "../../test/support/simulated-link.ts";
import type { Instrument } from "../broker/instrument.ts";
import { Decimal } from "../lib/decimal.ts";

const AAPL = 265598;
let world: SimulatedLink;
let first = "";
let second = "";

beforeAll(async () => {
  world = await simulatedLink();
  [first = "", second = ""] = world.simulator.accountIds;
});

afterAll(() => world.close());

const isDecimal = expect.any(Decimal);

async function listing(symbol: string, currency: string): Promise<Instrument> {
  const found = (await world.link.stocks(symbol, call())).find((stock) => stock.currency === currency);
  if (found === undefined) throw new Error(`the simulator has no ${symbol} in ${currency}`);
  return found;
}

describe("accounts", () => {
  it("are listed once for many who ask at the same time", async () => {
    const lists = await Promise.all(Array.from({ length: 20 }, () => world.link.accounts(call())));
    expect(lists[0]?.map((account) => account.accountId)).toEqual([first, second]);
    expect(world.requests(/^\/portfolio\/accounts$/)).toHaveLength(1);
    expect(world.requests(/live_session_token/)).toHaveLength(1);
  });

  it("that don't exist are named as unknown, before anything is asked about them", async () => {
    const before = world.sent.length;
    await expect(world.link.positions("U0000000", call())).rejects.toMatchObject({ code: "unknown_account" });
    await expect(world.link.orders("All", call())).rejects.toMatchObject({ code: "unknown_account" });
    expect(world.sent).toHaveLength(before);
  });
});

describe("portfolio", () => {
  it("has positions with all that IBKR adds on a second read", async () => {
    const positions = await world.link.positions(first, call());
    const apple = positions.find((position) => position.conid === AAPL);
    expect(apple).toMatchObject({ symbol: "AAPL", secType: "STK", currency: "USD", quantity: isDecimal, marketPrice: isDecimal });
    expect(positions.every((position) => position.symbol !== "" && !position.quantity.isZero())).toBe(true);
  });

  it("has prices that give the market values, also of a stock quoted in pence", async () => {
    const positions = [...(await world.link.positions(first, call())), ...(await world.link.positions(second, call()))];
    expect(positions.some((position) => position.currency === "GBP")).toBe(true);
    for (const { marketPrice, marketValue, quantity, multiplier } of positions) {
      const value = marketPrice?.times(quantity).times(multiplier ?? Decimal.one);
      expect(Math.abs((value?.toApproximation() ?? 0) / (marketValue?.toApproximation() ?? 1))).toBeCloseTo(1, 1);
    }
  });

  it("has an option position with its strike, right, expiry and multiplier", async () => {
    const positions = [...(await world.link.positions(first, call())), ...(await world.link.positions(second, call()))];
    const option = positions.find((position) => position.secType === "OPT");
    expect(option).toMatchObject({
      multiplier: isDecimal,
      strike: isDecimal,
      right: expect.stringMatching(/^[CP]$/),
      expiry: expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/),
    });
  });

  it("has a cash row per currency and the total in the base currency", async () => {
    const ledger = await world.link.cashLedger(second, call());
    expect(ledger).toMatchObject({ accountId: second, baseCurrency: "EUR", total: { currency: "EUR", cash: isDecimal } });
    expect(ledger.balances.map((balance) => balance.currency)).toContain("USD");
    expect(ledger.balances.map((balance) => balance.currency)).not.toContain("BASE");
    const inBase = Decimal.sum(ledger.balances.map((balance) => (balance.cash ?? Decimal.zero).times(balance.exchangeRate ?? Decimal.one)));
    expect(inBase.toApproximation()).toBeCloseTo(ledger.total?.cash?.toApproximation() ?? 0, -2);
  });

  it("is read although the login ends just before, and the new session knows nothing of the accounts yet", async () => {
    let isListed = true;
    world.fault(({ path }) => {
      if (path === "/portfolio/accounts") isListed = true;
      return isListed || !path.startsWith(`/portfolio/${first}/`) ? undefined : Promise.resolve(errorResponse(401, "Unauthorized"));
    });
    const { link } = world;
    for (const read of [() => link.cashLedger(first, call()), () => link.summary(first, call()), () => link.positions(first, call())]) {
      isListed = false;
      await expect(read()).resolves.toBeDefined();
    }
    world.fault(undefined);
  });

  it("has the account's figures in its base currency", async () => {
    expect(await world.link.summary(second, call())).toMatchObject({
      accountId: second,
      currency: "EUR",
      netLiquidationValue: isDecimal,
      buyingPower: isDecimal,
    });
  });
});

describe("contracts", () => {
  it("are found by ticker and by company name, once asked and then remembered", async () => {
    const matches = await world.link.search("apple", call());
    expect(matches.map((match) => match.conid)).toContain(AAPL);
    expect(matches.find((match) => match.conid === AAPL)?.secTypes[0]).toBe("STK");
    const before = world.sent.length;
    await world.link.search(" APPLE", call());
    expect(world.sent).toHaveLength(before);
    expect(await world.link.search("ZZZZQQ", call())).toEqual([]);
  });

  it("are listed by exact ticker", async () => {
    expect(await world.link.stocks("aapl", call())).toMatchObject([{ conid: AAPL, symbol: "AAPL", currency: "USD", exchange: "NASDAQ" }]);
    expect(await world.link.stocks("ZZZZQQ", call())).toEqual([]);
  });

  it("are known by id; unknown ids are absent", async () => {
    const instruments = await world.link.instruments([AAPL, 999_999_998, 8314, AAPL, -1], call());
    expect(instruments.map((instrument) => instrument.conid)).toEqual([AAPL, 8314]);
  });

  it("have rules with increments in the instrument's currency", async () => {
    expect(await world.link.tradingRules(AAPL, call())).toMatchObject({
      conid: AAPL,
      orderTypes: expect.arrayContaining(["MKT", "LMT", "STP", "STP_LIMIT"]),
    });
    const london = await listing("VOD", "GBP");
    const { priceIncrements } = await world.link.tradingRules(london.conid, call());
    expect(priceIncrements?.[0]?.lowerEdge.isZero()).toBe(true);
    expect(priceIncrements?.[0]?.increment.lessThan(Decimal.parse("0.01"))).toBe(true);
  });

  it("of options are found by month, strike and right, even after a search by name", async () => {
    await world.link.search("spdr", call());
    const option = (await world.link.positions(first, call())).find((position) => position.secType === "OPT");
    const [known] = await world.link.instruments([option?.conid ?? 0], call());
    const query = { month: known?.expiry?.slice(0, 7) ?? "", strike: known?.strike?.toString() ?? "", right: known?.right ?? "C" };
    const found = await world.link.options(known?.underlyingConid ?? 0, query, call());
    expect(found.map((contract) => contract.conid)).toContain(option?.conid);
    expect(await world.link.options(known?.underlyingConid ?? 0, { ...query, strike: "3.33" }, call())).toEqual([]);
    await expect(world.link.options(known?.underlyingConid ?? 0, { ...query, month: "soon" }, call())).rejects.toMatchObject({
      code: "invalid_arguments",
    });
  });
});

describe("quotes", () => {
  it("come complete, in the order asked, once for each id", async () => {
    const quotes = await world.link.quotes([8314, AAPL, 8314], call());
    expect(quotes.map((quote) => quote.conid)).toEqual([8314, AAPL]);
    expect(quotes[1]).toMatchObject({
      currency: "USD",
      last: isDecimal,
      bid: isDecimal,
      ask: isDecimal,
      dataStatus: "live",
      subscribed: true,
      missingFields: [],
    });
  });

  it("leave out ids that IBKR doesn't know", async () => {
    expect((await world.link.quotes([999_999_998, AAPL], call())).map((quote) => quote.conid)).toEqual([AAPL]);
    expect(await world.link.quotes([], call())).toEqual([]);
  });

  it("are in pounds for a London stock that is quoted in pence", async () => {
    const london = await listing("VOD", "GBP");
    const [quote] = await world.link.quotes([london.conid], call());
    const history = await world.link.history({ conid: london.conid, period: "1m", bar: "1d", outsideRth: false }, call());
    const pounds = quote?.last?.toApproximation() ?? 0;
    expect(quote?.currency).toBe("GBP");
    expect(pounds).toBeLessThan(20);
    expect(history.bars.at(-1)?.close.toApproximation()).toBeGreaterThan(pounds / 2);
    expect(history.bars.at(-1)?.close.toApproximation()).toBeLessThan(pounds * 2);
  });

  it("of many contracts that many ask for at once share requests", async () => {
    const { conid: london } = await listing("VOD", "GBP");
    await world.clock.wait(1100);
    const before = world.requests(/snapshot/).length;
    const conids = [AAPL, 8314, 272093, 3691937, 4815747, 756733, london];
    await Promise.all(Array.from({ length: 50 }, (_, index) => world.link.quotes(conids.slice(index % 7), call(`caller ${index}`))));
    expect(world.requests(/snapshot/).length - before).toBeLessThan(12);
  });
});

describe("history", () => {
  it("of days carries the exchange's dates, ascending", async () => {
    const history = await world.link.history({ conid: AAPL, period: "1m", bar: "1d", outsideRth: false }, call());
    expect(history).toMatchObject({ currency: "USD", timeZone: "America/New_York", dataStatus: "live", bar: "1d" });
    const dates = history.bars.map((bar) => bar.date ?? "");
    expect(dates.length).toBeGreaterThan(10);
    expect(dates).toEqual(dates.toSorted());
    expect(new Set(dates).size).toBe(dates.length);
    for (const bar of history.bars) expect(bar.high.lessThan(bar.low)).toBe(false);
  });

  it("of minutes has no dates and real volumes", async () => {
    const { bars } = await world.link.history({ conid: AAPL, period: "1d", bar: "5min", outsideRth: false }, call());
    expect(bars.every((bar) => bar.date === undefined && bar.volume.isInteger())).toBe(true);
  });

  it("of an unknown contract says so", async () => {
    await expect(world.link.history({ conid: 999_999_998, period: "1d", bar: "1h", outsideRth: false }, call())).rejects.toMatchObject({
      code: "contract_not_found",
    });
  });
});

describe("pacing", () => {
  it("never runs into a 429, whatever is asked in parallel", async () => {
    const reads = Array.from({ length: 150 }, async (_, index) => {
      const options = call(`caller ${index % 9}`);
      const account = index % 2 === 0 ? first : second;
      const asked = [
        () => world.link.positions(account, options),
        () =>
          world.link.history({ conid: AAPL, period: "1d", bar: index % 3 === 0 ? "1h" : "30min", outsideRth: index % 2 === 0 }, options),
        () => world.link.orders(account, options),
        () => world.link.trades(account, 1 + (index % 2), options),
        () => world.link.quotes([AAPL, 8314], options),
        () => world.link.order(account, "123", options),
      ][index % 6];
      return await asked?.();
    });
    const results = await Promise.allSettled(reads);
    const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
    expect(failures.filter((failure) => !(failure instanceof Error && "code" in failure && failure.code === "rate_limited"))).toEqual([]);
    expect(world.sent.filter((request) => request.status === 429)).toEqual([]);
  });
});
