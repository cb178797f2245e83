import { beforeEach, describe, expect, it } from "vitest";

import { type ScriptedIbkr, scriptedIbkr } from "../../test/support/scripted-ibkr.ts";
import { type ScriptedSockets, scriptedSockets } from "../../test/support/scripted-sockets.ts";
import { silentLog } from "../../test/support/silent-log.ts";
import type { Quote } from "../broker/market-data.ts";
import { Contracts } from "./contracts.ts";
import { createLiveData, type LiveData } from "./live-data.ts";
import { Quotes } from "./quotes.ts";
import { Snapshots } from "./snapshots.ts";
import { Streams } from "./streams.ts";

const call = { signal: new AbortController().signal, caller: "test" };
const FULL = {
  "31": "10.00",
  "84": "9.99",
  "86": "10.01",
  "85": "300",
  "88": "1,200",
  "88_raw": 1200,
  "87": "45.3M",
  "87_raw": 4.53e7,
  "70": "11",
  "71": "9",
  "82": "+1",
  "83": "+1%",
  "7295": "10",
  "7741": "9",
  "7762": "45312345",
  "7293": "20",
  "7294": "5",
  "6509": "RpB",
};
let ibkr: ScriptedIbkr;
let sockets: ScriptedSockets;
let live: LiveData;
let lines: Streams;
let quotes: Quotes;
/** What IBKR's snapshots show; the time of sending is added. */
let shown: Record<string, unknown>;

beforeEach(() => {
  ibkr = scriptedIbkr();
  sockets = scriptedSockets();
  shown = FULL;
  ibkr.answers.set("/trsrv/secdef", ({ query }) => ({
    secdef: idsOf(query).map((conid) => ({ conid, ticker: `T${conid}`, name: "TEST", assetClass: "STK", currency: "USD" })),
  }));
  ibkr.answers.set("/iserver/marketdata/snapshot", ({ query }) =>
    idsOf(query).map((conid) => Object.assign({ conid, conidEx: String(conid), _updated: ibkr.clock.now() }, shown)),
  );
  ibkr.answers.set("/iserver/marketdata/unsubscribe", () => ({ success: true }));
  ibkr.answers.set("/iserver/marketdata/unsubscribeall", () => ({ unsubscribed: true }));
  const { api, clock, session } = ibkr;
  lines = new Streams({ api, clock, log: silentLog });
  live = createLiveData({
    session,
    socket: sockets.edge,
    lines,
    clock,
    random: { bytes: (length) => Buffer.alloc(length) },
    log: silentLog,
    userAgent: "test",
  });
  quotes = new Quotes({
    api,
    contracts: new Contracts(api),
    snapshots: new Snapshots({ api, streams: lines, log: silentLog }),
    log: silentLog,
    live: live.quotes,
  });
});

function idsOf(query: URLSearchParams): number[] {
  return (query.get("conids") ?? "").split(",").map(Number);
}

function snapshots(): number {
  return ibkr.sent.filter((request) => request.endsWith("/snapshot")).length;
}

async function quote(conid: number): Promise<Quote> {
  const [answer] = await ibkr.settle(quotes.quotes([conid], call));
  if (answer === undefined) throw new Error("no quote");
  return answer;
}

/** A frame of the stream; sizes and prices as IBKR writes them. */
function tell(conid: number, row: object): void {
  sockets.last().say({ topic: `smd+${conid}`, conid, conidEx: String(conid), _updated: ibkr.clock.now(), ...row });
}

/** Asks for a contract and lets the stream open and tell of it. */
async function warm(conid: number): Promise<void> {
  await quote(conid);
  await ibkr.clock.advance(0);
  if (live.stream.figures().state !== "live") sockets.last().greet();
  tell(conid, FULL);
}

/** Lets time pass while IBKR beats, the contract is asked for, and both sides keep on. */
async function pass(ms: number, conid?: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10_000) {
    await ibkr.clock.advance(10_000);
    sockets.last().say({ topic: "system", hb: ibkr.clock.now() });
    if (conid !== undefined) await quote(conid);
  }
}

function subscribed(conid: number): number {
  return sockets.all.flatMap(({ sent }) => sent).filter((frame) => frame.startsWith(`smd+${conid}+`)).length;
}

describe("a streamed quote", () => {
  it("is the snapshot with what changed since, at the time at which it changed", async () => {
    await warm(1);
    const before = snapshots();
    await ibkr.clock.advance(5000);
    const at = ibkr.clock.now();
    tell(1, { "31": "12.5", "84": "12.4" });
    await ibkr.clock.advance(3000);
    const answer = await quote(1);
    expect(JSON.parse(JSON.stringify(answer))).toMatchObject({
      last: "12.5",
      bid: "12.4",
      ask: "10.01",
      week52High: "20",
      asOf: at,
      missingFields: [],
    });
    expect(snapshots()).toBe(before);
  });

  it("is not served before the stream has told of the contract", async () => {
    await quote(1);
    sockets.last().greet();
    await ibkr.clock.advance(2000);
    await quote(1);
    expect(snapshots()).toBe(2);
  });

  it("never shows an old exact size beside a new rounded one", async () => {
    await warm(1);
    tell(1, { "88": "900", "87": "46M" });
    expect(JSON.parse(JSON.stringify(await quote(1)))).toMatchObject({ bidSize: "900", volume: "46000000" });
  });

  it("is not disturbed by frames of contracts that nobody asked for, nor by one without fields", async () => {
    await warm(1);
    tell(2, { "31": "99" });
    tell(1, { something: "else" });
    expect(JSON.parse(JSON.stringify(await quote(1)))).toMatchObject({ last: "10" });
    expect(live.quotes.get(2)).toBeUndefined();
  });

  it("costs microseconds", async () => {
    await warm(1);
    const started = performance.now();
    for (let index = 0; index < 10_000; index += 1) await quotes.quotes([1], call);
    expect((performance.now() - started) / 10_000).toBeLessThan(0.05);
  });

  it("is subscribed anew before IBKR ends it, and asked for when nothing was told for ten minutes", async () => {
    await warm(1);
    await pass(480_000, 1);
    await pass(10_000, 1);
    expect(subscribed(1)).toBe(2);
    const before = snapshots();
    await pass(110_000, 1);
    expect(snapshots()).toBe(before + 1);
  });

  it("whose subscription died without a word is asked for each time, until IBKR tells of it again", async () => {
    await warm(1);
    const { "84": _bid, ...rest } = FULL;
    shown = rest;
    await pass(610_000, 1);
    expect((await quote(1)).missingFields).toEqual(["bid"]);
    const before = snapshots();
    await pass(30_000, 1);
    expect(snapshots()).toBe(before + 3);
    expect(subscribed(1)).toBe(3);
    tell(1, { "31": "12.5" });
    expect(JSON.parse(JSON.stringify(await quote(1)))).toMatchObject({ last: "12.5" });
    expect(snapshots()).toBe(before + 3);
  });
});

describe("a stream's gap", () => {
  it("is filled by a snapshot of what is in use; until then nothing is served from before", async () => {
    await warm(1);
    sockets.last().cut();
    await ibkr.clock.advance(1500);
    expect(sockets.all).toHaveLength(2);
    const before = snapshots();
    shown = { ...FULL, "31": "20.00" };
    sockets.last().greet();
    tell(1, { "84": "19.9" });
    expect(live.quotes.get(1)).toBeUndefined();
    await ibkr.clock.advance(500);
    expect(snapshots()).toBe(before + 1);
    expect(JSON.parse(JSON.stringify(live.quotes.get(1)))).toMatchObject({ last: "20", bid: "9.99" });
    expect(subscribed(1)).toBe(2);
  });

  it("between two sessions mixes nothing of the first into the second", async () => {
    await warm(1);
    const old = sockets.last();
    ibkr.session.lost(ibkr.session.generation, "brokerage");
    expect(live.quotes.get(1)).toBeUndefined();
    const { "84": _bid, ...rest } = FULL;
    shown = { ...rest, "31": "30.00" };
    await ibkr.settle(ibkr.session.ready(call.signal));
    await ibkr.clock.advance(2000);
    sockets.last().greet();
    old.say({ topic: "smd+1", conid: 1, "84": "1" });
    await ibkr.clock.advance(5000);
    tell(1, { "86": "30.1" });
    const answer = live.quotes.get(1);
    expect(JSON.parse(JSON.stringify(answer))).toMatchObject({ last: "30", ask: "30.1", missingFields: ["bid"] });
  });
});

describe("market data lines", () => {
  it("are counted together with those of snapshots, and never more than IBKR gives", async () => {
    for (let conid = 1; conid <= 120; conid += 1) await warm(conid);
    expect(lines.size).toBeLessThanOrEqual(90);
    expect(live.quotes.subscriptions).toBeLessThanOrEqual(90);
    const { sent } = sockets.last();
    const ended = sent.filter((frame) => frame.startsWith("umd+")).length;
    expect(sent.filter((frame) => frame.startsWith("smd+")).length - ended).toBe(live.quotes.subscriptions);
    expect(live.quotes.get(1)).toBeUndefined();
    expect(live.quotes.get(120)).toBeDefined();
  });

  it("that nobody uses for five minutes are given back; those in use are kept", async () => {
    await warm(1);
    await warm(2);
    await pass(400_000, 1);
    expect([lines.size, live.quotes.subscriptions]).toEqual([1, 1]);
    expect(sockets.last().sent).toContain("umd+2+{}");
    expect(ibkr.sent.filter((request) => request.endsWith("/unsubscribe"))).toHaveLength(1);
    expect(live.quotes.get(1)).toBeDefined();
  });

  it("given back all together end every subscription, also those of contracts that are asked for at the time", async () => {
    const many = Array.from({ length: 50 }, (_, index) => 100 + index);
    await ibkr.settle(quotes.quotes(many, call));
    await ibkr.clock.advance(0);
    sockets.last().greet();
    const others = Array.from({ length: 50 }, (_, index) => 300 + index);
    await ibkr.settle(quotes.quotes(others, call));
    expect(live.quotes.subscriptions).toBeLessThanOrEqual(90);
    expect(lines.size).toBeLessThanOrEqual(90);
    for (const conid of many) tell(conid, FULL);
    const isHeld = (conid: number) =>
      sockets.last().sent.lastIndexOf(`umd+${conid}+{}`) < sockets.last().sent.findLastIndex((frame) => frame.startsWith(`smd+${conid}+`));
    for (const conid of [...many, ...others]) if (live.quotes.get(conid) !== undefined) expect(isHeld(conid)).toBe(true);
  });
});
