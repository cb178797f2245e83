import { describe, expect, it } from "vitest";

import { type ScriptedIbkr, scriptedIbkr } from "../../test/support/scripted-ibkr.ts";
import { silentLog } from "../../test/support/silent-log.ts";
import { Contracts } from "./contracts.ts";
import { Quotes } from "./quotes.ts";
import { Snapshots } from "./snapshots.ts";
import { Streams } from "./streams.ts";

const call = { signal: new AbortController().signal, caller: "test" };
const FULL = {
  "31": "233.42",
  "84": "233.41",
  "86": "233.43",
  "85": "300",
  "88": "1,200",
  "87": "45.3M",
  "87_raw": 4.53e7,
  "70": "235.10",
  "71": "231.02",
  "82": "+1.22",
  "83": "+0.53%",
  "7295": "232.50",
  "7741": "232.20",
  "7762": "45312345",
  "7293": "260",
  "7294": "164.08",
  "6509": "RpB",
  _updated: 1_775_169_600_000,
};

/** A market by contract: what each poll of a contract answers, the last answer for ever. */
function market(rows: Record<number, readonly object[]>): { ibkr: ScriptedIbkr; quotes: Quotes; open: Set<number>; most: () => number } {
  const ibkr = scriptedIbkr();
  const open = new Set<number>();
  let most = 0;
  const asked = new Map<number, number>();
  ibkr.answers.set("/trsrv/secdef", ({ query }) => ({
    secdef: idsOf(query).map((conid) => ({
      conid,
      ticker: `T${conid}`,
      name: "TEST",
      assetClass: conid === 7 ? "IND" : "STK",
      currency: conid >= 9000 ? "GBP" : "USD",
      listingExchange: "NASDAQ",
    })),
  }));
  ibkr.answers.set("/iserver/contract/rules", () => ({
    priceMagnifier: 100,
    orderTypes: ["limit"],
    incrementRules: [{ lowerEdge: 0, increment: 0.5 }],
  }));
  ibkr.answers.set("/iserver/marketdata/snapshot", ({ query }) => {
    const ids = idsOf(query);
    if (ids.includes(666))
      return ids.length > 1
        ? Response.json({ error: "bad conid" }, { status: 400 })
        : Response.json({ error: "unknown contract" }, { status: 400 });
    for (const conid of ids) open.add(conid);
    most = Math.max(most, open.size);
    return ids.map((conid) => {
      const poll = asked.get(conid) ?? 0;
      asked.set(conid, poll + 1);
      const script = rows[conid] ?? [{}, FULL];
      return Object.assign({ conid, conidEx: String(conid) }, script[poll] ?? script.at(-1));
    });
  });
  ibkr.answers.set("/iserver/marketdata/unsubscribe", ({ body }) => {
    open.delete(Number(/\d+/.exec(body)?.[0]));
    return { success: true };
  });
  ibkr.answers.set("/iserver/marketdata/unsubscribeall", () => {
    open.clear();
    return { unsubscribed: true };
  });
  const streams = new Streams({ api: ibkr.api, clock: ibkr.clock, log: silentLog });
  const snapshots = new Snapshots({ api: ibkr.api, streams, log: silentLog });
  return {
    ibkr,
    quotes: new Quotes({ api: ibkr.api, contracts: new Contracts(ibkr.api), snapshots, log: silentLog }),
    open,
    most: () => most,
  };
}

function idsOf(query: URLSearchParams): number[] {
  return (query.get("conids") ?? "").split(",").map(Number);
}

function polls(ibkr: ScriptedIbkr): number {
  return ibkr.sent.filter((request) => request.endsWith("/snapshot")).length;
}

describe("a quote", () => {
  it("is gathered over polls until it is complete, bids and asks each in their place", async () => {
    const { "84": bid, "31": last, "6509": availability, ...rest } = FULL;
    const { ibkr, quotes } = market({ 1: [{}, { "31": last, "6509": availability }, { "84": bid }, rest] });
    const [quote] = await ibkr.settle(quotes.quotes([1], call));
    expect(JSON.parse(JSON.stringify(quote))).toEqual({
      conid: 1,
      currency: "USD",
      last: "233.42",
      lastIsPriorClose: false,
      halted: false,
      bid: "233.41",
      ask: "233.43",
      bidSize: "1200",
      askSize: "300",
      dayOpen: "232.5",
      dayHigh: "235.1",
      dayLow: "231.02",
      priorClose: "232.2",
      change: "1.22",
      changePct: "0.53",
      volume: "45312345",
      week52High: "260",
      week52Low: "164.08",
      dataStatus: "live",
      subscribed: true,
      missingFields: [],
      asOf: 1_775_169_600_000,
    });
    expect(polls(ibkr)).toBe(4);
  });

  it("is served from memory for a second with the time it had, then fetched anew", async () => {
    const { ibkr, quotes } = market({
      1: [
        { ...FULL, _updated: 5 },
        { ...FULL, _updated: 6 },
      ],
    });
    const [first] = await ibkr.settle(quotes.quotes([1], call));
    await ibkr.clock.advance(990);
    const [kept] = await quotes.quotes([1], call);
    expect(kept?.asOf).toBe(first?.asOf);
    expect(polls(ibkr)).toBe(1);
    await ibkr.clock.advance(20);
    const [anew] = await ibkr.settle(quotes.quotes([1], call));
    expect(anew?.asOf).toBe(6);
  });

  it("that is warm costs microseconds", async () => {
    const { ibkr, quotes } = market({ 1: [FULL] });
    await ibkr.settle(quotes.quotes([1], call));
    const started = performance.now();
    for (let index = 0; index < 10_000; index += 1) await quotes.quotes([1], call);
    expect((performance.now() - started) / 10_000).toBeLessThan(0.05);
  });

  it("of an index isn't waited for to have a bid, an ask or a volume", async () => {
    const { "84": _bid, "86": _ask, "85": _askSize, "88": _bidSize, "87": _volume, "87_raw": _raw, "7762": _exact, ...index } = FULL;
    const { ibkr, quotes } = market({ 7: [{}, index] });
    const [quote] = await ibkr.settle(quotes.quotes([7], call));
    expect(quote?.missingFields).toEqual(["bid", "ask", "bid_size", "ask_size", "volume"]);
    expect(polls(ibkr)).toBe(2);
  });

  it("that many ask for at the same time is fetched once, together with others", async () => {
    const { ibkr, quotes } = market({});
    const asked = Array.from({ length: 60 }, (_, index) => quotes.quotes([1 + (index % 6)], { ...call, caller: `caller ${index}` }));
    await ibkr.settle(Promise.all(asked));
    expect(polls(ibkr)).toBeLessThanOrEqual(4);
  });

  it("says after two seconds what did not come, and doesn't wait for it the next time", async () => {
    const { "84": _bid, "86": _ask, ...index } = FULL;
    const { ibkr, quotes } = market({ 1: [{}, index] });
    const started = ibkr.clock.now();
    const [quote] = await ibkr.settle(quotes.quotes([1], call));
    expect(quote).toMatchObject({ bid: undefined, ask: undefined, missingFields: ["bid", "ask"] });
    expect(ibkr.clock.now() - started).toBeLessThan(3000);
    await ibkr.clock.advance(2000);
    const before = polls(ibkr);
    await ibkr.settle(quotes.quotes([1], call));
    expect(polls(ibkr) - before).toBe(1);
  });

  it.each([
    ["a prior close", { ...FULL, "31": "C232.20" }, { lastIsPriorClose: true, halted: false }],
    ["a halted stock", { ...FULL, "31": "H233.42" }, { lastIsPriorClose: false, halted: true }],
    ["delayed data", { ...FULL, "6509": "DPB" }, { dataStatus: "delayed" }],
    ["frozen data", { ...FULL, "6509": "ZB" }, { dataStatus: "frozen" }],
    ["frozen delayed data", { ...FULL, "6509": "YB" }, { dataStatus: "frozen" }],
    ["no subscription", { "6509": "N" }, { subscribed: false, dataStatus: "stale", last: undefined }],
    ["terms that were not accepted", { "6509": "O" }, { subscribed: false }],
  ])("tells of %s", async (_name, row, expected) => {
    const { ibkr, quotes } = market({ 1: [row] });
    const [quote] = await ibkr.settle(quotes.quotes([1], call));
    expect(quote).toMatchObject(expected);
    expect(polls(ibkr)).toBe(1);
  });

  it("without any field is stale, and never an error", async () => {
    const { ibkr, quotes } = market({ 1: [{}] });
    const [quote] = await ibkr.settle(quotes.quotes([1], call));
    expect(quote).toMatchObject({ dataStatus: "stale", last: undefined, asOf: expect.any(Number) });
  });

  it("of a stock quoted in hundredths is in its currency, its sizes and percent as they are", async () => {
    const { ibkr, quotes } = market({ 9000: [{ ...FULL, "31": "7,350.5" }] });
    const [quote] = await ibkr.settle(quotes.quotes([9000], call));
    expect(JSON.parse(JSON.stringify(quote))).toMatchObject({
      currency: "GBP",
      last: "73.505",
      bid: "2.3341",
      change: "0.0122",
      changePct: "0.53",
      bidSize: "1200",
    });
  });

  it("refused by IBKR fails alone, not with the others of its request", async () => {
    const { ibkr, quotes } = market({});
    const bad = expect(ibkr.settle(quotes.quotes([666], call))).rejects.toMatchObject({ code: "broker_rejected" });
    await expect(ibkr.settle(quotes.quotes([1, 2], call))).resolves.toHaveLength(2);
    await bad;
  });

  it("that nobody waits for any more is not asked for again", async () => {
    const { ibkr, quotes } = market({ 1: [{}] });
    const hangUp = new AbortController();
    const gone = expect(quotes.quotes([1], { signal: hangUp.signal, caller: "a" })).rejects.toThrow("hung up");
    await ibkr.clock.advance(500);
    hangUp.abort(new Error("hung up"));
    await gone;
    const before = polls(ibkr);
    await ibkr.clock.advance(5000);
    expect(polls(ibkr)).toBe(before);
  });
});

describe("market data lines", () => {
  it("never exceed what IBKR gives a user, however many contracts are asked for", async () => {
    const { ibkr, quotes, most } = market({});
    for (let start = 1; start <= 400; start += 50) {
      const conids = Array.from({ length: 50 }, (_, index) => start + index);
      await expect(ibkr.settle(quotes.quotes(conids, call))).resolves.toHaveLength(50);
    }
    const all = Array.from({ length: 7 }, (_, part) => Array.from({ length: 40 }, (_unused, index) => 1000 + part * 40 + index));
    await ibkr.settle(Promise.all(all.map((conids) => quotes.quotes(conids, call))));
    expect(most()).toBeLessThanOrEqual(100);
  });

  it("that are idle are closed after some minutes", async () => {
    const { ibkr, quotes, open } = market({});
    await ibkr.settle(quotes.quotes([1, 2, 3], call));
    expect(open.size).toBe(3);
    await ibkr.clock.advance(200_000);
    await ibkr.settle(quotes.quotes([1], call));
    await ibkr.clock.advance(200_000);
    expect([...open]).toEqual([1]);
  });
});
