import { describe, expect, it } from "vitest";

import { type ScriptedIbkr, scriptedIbkr } from "../../test/support/scripted-ibkr.ts";
import type { Instrument } from "../broker/instrument.ts";
import { Contracts } from "./contracts.ts";

const call = { signal: new AbortController().signal, caller: "test" };
const instrument: Omit<Instrument, "conid" | "symbol"> = {
  secType: "STK",
  name: "A share",
  exchange: "NASDAQ",
  currency: "USD",
  multiplier: undefined,
  expiry: undefined,
  strike: undefined,
  right: undefined,
  underlyingConid: undefined,
};

/** An IBKR that opens the way to derivatives by a search by symbol, and closes it again by one by name. */
function setUp(): { ibkr: ScriptedIbkr; contracts: Contracts; opened: Set<string>; searches: () => string[] } {
  const ibkr = scriptedIbkr();
  const opened = new Set<string>();
  ibkr.answers.set("/iserver/secdef/search", ({ query }) => {
    const symbol = query.get("symbol") ?? "";
    if (query.get("name") === "true") opened.clear();
    else opened.add(symbol);
    return [
      { conid: String(symbol.length), symbol, companyName: symbol, sections: [{ secType: "STK" }, { secType: "OPT", months: "DEC26" }] },
    ];
  });
  const searches = () => ibkr.contents.filter((content) => content.includes("symbol=")).map((content) => content.slice(1));
  return { ibkr, contracts: new Contracts(ibkr.api), opened, searches };
}

describe("searches", () => {
  it("ask by symbol and by name once, and not at all when warm", async () => {
    const { ibkr, contracts, searches } = setUp();
    await ibkr.settle(Promise.all([contracts.search("aapl", call), contracts.search(" AAPL ", { ...call, caller: "other" })]));
    await ibkr.settle(contracts.search("AAPL", call));
    expect(searches()).toEqual(["symbol=aapl&name=false", "symbol=aapl&name=true"]);
  });

  it("need no second search by symbol after one that opened the way to options, nor the other way round", async () => {
    const { ibkr, contracts, searches } = setUp();
    await ibkr.settle(contracts.withSearch({ ...instrument, conid: 3, symbol: "SPY" }, call, () => Promise.resolve()));
    await ibkr.settle(contracts.search("SPY", call));
    expect(searches()).toEqual(["symbol=SPY&name=false", "symbol=SPY&name=true"]);
    expect(await contracts.optionMonths({ ...instrument, conid: 3, symbol: "SPY" }, call)).toEqual(["2026-12"]);
    await ibkr.settle(contracts.primeMarketData({ ...instrument, conid: 99, symbol: "SPY", secType: "OPT" }, call));
    expect(searches()).toHaveLength(2);
  });

  it("are remembered only when they were answered", async () => {
    const { ibkr, contracts, searches } = setUp();
    const answer = ibkr.answers.get("/iserver/secdef/search");
    ibkr.answers.set("/iserver/secdef/search", () => Response.json({ error: "Internal", statusCode: 500 }, { status: 500 }));
    const option: Instrument = { ...instrument, conid: 99, symbol: "SPY", secType: "OPT" };
    await expect(ibkr.settle(contracts.primeMarketData(option, call))).rejects.toThrow();
    const failed = searches().length;
    if (answer !== undefined) ibkr.answers.set("/iserver/secdef/search", answer);
    await ibkr.settle(contracts.primeMarketData(option, call));
    expect(searches()).toHaveLength(failed + 1);
  });

  it("by name never come between a search by symbol and the reads that rest on it", async () => {
    const { ibkr, contracts, opened } = setUp();
    const reads: boolean[] = [];
    const all = Array.from({ length: 60 }, async (_, index) => {
      const options = { ...call, caller: `caller ${index % 20}` };
      if (index % 3 === 0) return void (await contracts.search(`company ${index}`, options));
      const symbol = `S${index % 7}`;
      await contracts.withSearch({ ...instrument, conid: index, symbol }, options, async () => {
        for (let read = 0; read < 3; read += 1) {
          await ibkr.clock.wait(100);
          reads.push(opened.has(symbol));
        }
      });
      return undefined;
    });
    await ibkr.settle(Promise.all(all));
    expect(reads).toHaveLength(120);
    expect(reads.every(Boolean)).toBe(true);
  });

  it("of one caller don't hold up those of others", async () => {
    const { ibkr, contracts } = setUp();
    await ibkr.settle(ibkr.api.session.ready(call.signal));
    const greedy = Array.from({ length: 90 }, (_, index) => contracts.search(`greedy ${index}`, { ...call, caller: "greedy" }));
    let greedyDone = 0;
    for (const search of greedy)
      search.then(
        () => (greedyDone += 1),
        () => undefined,
      );
    await ibkr.settle(contracts.search("modest", { ...call, caller: "modest" }));
    expect(greedyDone).toBeLessThan(45);
    await ibkr.settle(Promise.allSettled(greedy));
  });
});
