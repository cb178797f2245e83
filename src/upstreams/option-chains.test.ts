import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { fastClock, type FastClock } from "../../test/support/fast-clock.ts";
import { callOptions as call, errorResponse, simulatedLink, type SimulatedLink } from "../../test/support/simulated-link.ts";
import type { OptionExpiry, OptionQuote } from "../broker/research.ts";
import { Decimal } from "../lib/decimal.ts";

const SPY = 756733;
const AAPL = 265598;
let clock: FastClock;
let world: SimulatedLink;
let months: readonly string[];
let around: readonly Decimal[];

beforeAll(async () => {
  clock = fastClock(5);
  world = await simulatedLink({ clock });
  months = await world.link.optionMonths(SPY, call());
  const [quote] = await world.link.quotes([SPY], call());
  const { calls } = await world.link.optionStrikes(SPY, months[1] ?? "", call());
  const at = calls.findIndex((strike) => !strike.lessThan(quote?.last ?? Decimal.zero));
  around = calls.slice(at - 2, at + 3);
});

afterEach(() => world.fault(undefined));
afterAll(() => world.close());

const window = (month: string | undefined) => ({ underlyingConid: SPY, month: month ?? "", strikes: around, rights: ["C", "P"] as const });
const numberOf = (value: Decimal | undefined) => value?.toApproximation() ?? Number.NaN;

async function sentBy(run: () => Promise<unknown>): Promise<string[]> {
  const before = world.sent.length;
  await run();
  return world.sent.slice(before).map(({ path }) => path);
}

describe("an option chain", () => {
  it("has months, ascending; none where there are no options", async () => {
    expect(months.length).toBeGreaterThan(5);
    expect(months.every((month) => /^\d{4}-\d{2}$/.test(month))).toBe(true);
    expect(months).toEqual(months.toSorted());
    expect(await sentBy(() => world.link.optionMonths(SPY, call()))).toEqual([]);
    expect(await world.link.optionMonths(8894, call())).toEqual([]);
    await expect(world.link.optionMonths(999_999_998, call())).rejects.toMatchObject({ code: "contract_not_found" });
  });

  it("has strikes in each month; none in a month without options", async () => {
    const { calls, puts } = await world.link.optionStrikes(SPY, months[1] ?? "", call());
    expect(calls.length).toBeGreaterThan(50);
    expect(puts.length).toBe(calls.length);
    expect(await world.link.optionStrikes(SPY, "2099-01", call())).toEqual({ calls: [], puts: [] });
    expect(await world.link.optionStrikes(8894, months[1] ?? "", call())).toEqual({ calls: [], puts: [] });
    await expect(world.link.optionStrikes(SPY, "soon", call())).rejects.toMatchObject({ code: "invalid_arguments" });
  });

  it("has the weeklies of a month day by day, each with the strikes asked for", async () => {
    const days = await world.link.optionContracts(window(months[1]), call());
    expect(days.length).toBeGreaterThan(1);
    expect(days.map(({ expiry }) => expiry)).toEqual(days.map(({ expiry }) => expiry).toSorted());
    for (const { expiry, contracts } of days) {
      expect(expiry.slice(0, 7)).toBe(months[1]);
      expect(contracts.every((contract) => contract.expiry === expiry && contract.underlyingConid === SPY)).toBe(true);
      expect(contracts.map(({ strike, right }) => `${strike?.toString()} ${right}`)).toEqual(
        around.flatMap((strike) => [`${strike.toString()} C`, `${strike.toString()} P`]),
      );
    }
  });

  it("costs one request for each strike and right, and nothing when it is asked for again", async () => {
    const month = months[2] ?? "";
    const sent = await sentBy(() =>
      Promise.all([world.link.optionContracts(window(month), call()), world.link.optionContracts(window(month), call())]),
    );
    expect(sent.filter((path) => path === "/iserver/secdef/info")).toHaveLength(10);
    expect(sent.filter((path) => path === "/iserver/secdef/strikes")).toHaveLength(1);
    expect(await sentBy(() => world.link.optionContracts(window(month), call()))).toEqual([]);
    clock.jump(7 * 3_600_000);
    const later = await sentBy(() => world.link.optionContracts(window(month), call()));
    expect(later.filter((path) => path === "/iserver/secdef/info")).toHaveLength(10);
  });

  it("leaves out strikes that aren't listed, and refuses too many at once", async () => {
    const odd = { ...window(months[1]), strikes: [Decimal.parse("3.33")] };
    expect(await world.link.optionContracts(odd, call())).toEqual([]);
    expect(await world.link.optionContracts({ ...odd, strikes: [] }, call())).toEqual([]);
    const many = { ...odd, strikes: Array.from({ length: 31 }, (_, index) => Decimal.fromInteger(500 + 5 * index)) };
    await expect(world.link.optionContracts(many, call())).rejects.toMatchObject({ code: "invalid_arguments" });
  });

  it("is opened by a search for its symbol, again after a search by name", async () => {
    await world.link.optionStrikes(AAPL, months[1] ?? "", call());
    await world.link.search("microsoft", call());
    const before = world.sent.length;
    await world.link.optionStrikes(AAPL, months[3] ?? "", call());
    const sent = world.sent.slice(before).map(({ path, query }) => [path, query.get("name")]);
    expect(sent).toEqual([
      ["/iserver/secdef/search", "false"],
      ["/iserver/secdef/strikes", null],
    ]);
  });

  it("is complete although the session is lost in the middle of it", async () => {
    let left = 1;
    world.fault(({ path }) => {
      if (path !== "/iserver/secdef/strikes" || left === 0) return undefined;
      left -= 1;
      return Promise.resolve(errorResponse(400, "Bad Request: no bridge"));
    });
    const days = await world.link.optionContracts(window(months[4]), call());
    expect(days.flatMap(({ contracts }) => contracts).length).toBeGreaterThanOrEqual(10);
  });
});

describe("option quotes", () => {
  let day: OptionExpiry | undefined;
  let quotes: readonly OptionQuote[];
  const of = (right: "C" | "P") => quotes.filter((quote) => quote.right === right);

  beforeAll(async () => {
    const days = await world.link.optionContracts(window(months[1]), call());
    day = days.at(-1);
    quotes = await world.link.optionQuotes(day?.contracts.map(({ conid }) => conid) ?? [], call());
  });

  it("have prices, volatility as a fraction, Greeks and open interest, in the order asked", () => {
    expect(quotes.map(({ instrument }) => instrument.conid)).toEqual(day?.contracts.map(({ conid }) => conid));
    for (const { quote, impliedVolatility, openInterest, gamma, vega, theta } of quotes) {
      expect(quote).toMatchObject({ currency: "USD", bid: expect.any(Decimal), ask: expect.any(Decimal), subscribed: true });
      expect(numberOf(impliedVolatility)).toBeGreaterThan(0.03);
      expect(numberOf(impliedVolatility)).toBeLessThan(2);
      expect(openInterest?.isInteger()).toBe(true);
      expect(gamma?.isNegative()).toBe(false);
      expect(vega?.isNegative()).toBe(false);
      expect(theta?.isPositive()).toBe(false);
    }
  });

  it("have deltas of calls from 0 to 1 and of puts from -1 to 0, falling with the strike", () => {
    for (const right of ["C", "P"] as const) {
      const deltas = of(right).map(({ delta }) => numberOf(delta));
      expect(deltas).toHaveLength(5);
      expect(deltas).toEqual(deltas.toSorted((a, b) => b - a));
      expect(deltas.every((delta) => (right === "C" ? delta >= 0 && delta <= 1 : delta <= 0 && delta >= -1))).toBe(true);
    }
  });

  it("are ordered: calls cheaper, puts dearer at higher strikes, and call less put is spot less strike", async () => {
    const middle = ({ quote }: OptionQuote) => (numberOf(quote.bid) + numberOf(quote.ask)) / 2;
    const calls = of("C").map(middle);
    const puts = of("P").map(middle);
    expect(calls).toEqual(calls.toSorted((a, b) => b - a));
    expect(puts).toEqual(puts.toSorted((a, b) => a - b));
    const [spot] = await world.link.quotes([SPY], call());
    for (const [index, strike] of around.entries()) {
      const difference = (calls[index] ?? 0) - (puts[index] ?? 0);
      expect(Math.abs(difference - (numberOf(spot?.last) - numberOf(strike)))).toBeLessThan(numberOf(strike) * 0.02);
    }
  });

  it("share one snapshot that is polled until the Greeks have come, and cost nothing a moment later", async () => {
    const days = await world.link.optionContracts(window(months[3]), call());
    const conids = days.flatMap(({ contracts }) => contracts.map(({ conid }) => conid));
    const sent = await sentBy(() => Promise.all([world.link.optionQuotes(conids, call()), world.link.optionQuotes(conids, call("other"))]));
    expect(sent.filter((path) => path === "/iserver/marketdata/snapshot").length).toBeLessThanOrEqual(4);
    expect(await sentBy(() => world.link.optionQuotes(conids, call()))).toEqual([]);
  });

  it("leave out unknown ids, and refuse what is no option and more than fifty", async () => {
    const [conid = 0] = day?.contracts.map((contract) => contract.conid) ?? [];
    expect((await world.link.optionQuotes([999_999_998, conid], call())).map(({ instrument }) => instrument.conid)).toEqual([conid]);
    expect(await world.link.optionQuotes([], call())).toEqual([]);
    const refusal = { code: "invalid_arguments" };
    await expect(world.link.optionQuotes([AAPL], call())).rejects.toMatchObject(refusal);
    await expect(
      world.link.optionQuotes(
        Array.from({ length: 51 }, (_, index) => 700_000_000 + index),
        call(),
      ),
    ).rejects.toMatchObject(refusal);
  });
});
