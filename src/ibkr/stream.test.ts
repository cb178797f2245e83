import { beforeEach, describe, expect, it } from "vitest";

import { type ScriptedIbkr, scriptedIbkr } from "../../test/support/scripted-ibkr.ts";
import { type ScriptedSockets, scriptedSockets } from "../../test/support/scripted-sockets.ts";
import { recordingLog } from "../../test/support/silent-log.ts";
import type { StreamFrame } from "./endpoints/stream.ts";
import { Stream } from "./stream.ts";

const signal = new AbortController().signal;
let ibkr: ScriptedIbkr;
let sockets: ScriptedSockets;
let stream: Stream;
let heard: StreamFrame[];
let events: string[];
let lines: Record<string, unknown>[];

beforeEach(async () => {
  ibkr = scriptedIbkr();
  sockets = scriptedSockets();
  const recording = recordingLog();
  ({ lines } = recording);
  heard = [];
  events = [];
  stream = new Stream({
    session: ibkr.session,
    socket: sockets.edge,
    clock: ibkr.clock,
    random: { bytes: (length) => Buffer.alloc(length) },
    log: recording.log,
    userAgent: "test",
  });
  stream.attach({
    subscriptions: 1,
    opened: (generation) => void events.push(`opened ${generation}`),
    heard: (frame) => void heard.push(frame),
    lost: () => void events.push("lost"),
    tick: () => undefined,
  });
  await ibkr.settle(ibkr.session.ready(signal));
});

async function open(): Promise<void> {
  stream.need();
  await ibkr.clock.advance(0);
  sockets.last().greet();
}

/** Lets time pass with IBKR's heartbeat. */
async function beat(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10_000) {
    await ibkr.clock.advance(10_000);
    sockets.last().say({ topic: "system", hb: ibkr.clock.now() });
  }
}

describe("a stream", () => {
  it("is opened when something streamed is needed, in the name of the session", async () => {
    await ibkr.clock.advance(60_000);
    expect(sockets.all).toHaveLength(0);
    stream.need();
    stream.need();
    await ibkr.clock.advance(0);
    expect(sockets.all).toHaveLength(1);
    expect(sockets.last()).toMatchObject({
      url: "wss://ibkr.test/ws?oauth_token=token",
      headers: { cookie: "api=x", "user-agent": "test" },
    });
  });

  it("sends nothing before the greeting, which IBKR would lose", async () => {
    stream.need();
    await ibkr.clock.advance(0);
    sockets.last().say({ message: "waiting for session" });
    sockets.last().say({ topic: "smd+1", conid: 1, "31": "5" });
    stream.send("sor+{}");
    expect([sockets.last().sent, heard, events, stream.isLive]).toEqual([[], [], [], false]);
    sockets.last().greet();
    stream.send("sor+{}");
    expect([sockets.last().sent, events, stream.isLive]).toEqual([["sor+{}"], ["opened 1"], true]);
  });

  it("tells the session who is logged in, and what IBKR tells of it", async () => {
    await open();
    expect(ibkr.session.health().userName).toBe("user123");
    sockets.last().say({ topic: "sts", args: { competing: true } });
    expect(ibkr.session.health().state).toBe("competing");
    expect([stream.isLive, events, sockets.last().hasEnded()]).toEqual([false, ["opened 1", "lost"], true]);
  });

  it("ends a session whose login was for paper and turns out to be live", async () => {
    stream.need();
    await ibkr.clock.advance(0);
    sockets.last().say({ topic: "system", success: "user123", isPaper: false });
    expect(ibkr.session.health().state).toBe("frozen");
    expect([stream.isLive, events]).toEqual([false, []]);
    await ibkr.clock.advance(600_000);
    expect(sockets.all).toHaveLength(1);
  });

  it("gives a sign of life at least once a minute", async () => {
    await open();
    await beat(300_000);
    expect(sockets.last().sent.filter((frame) => frame === "tic").length).toBeGreaterThanOrEqual(5);
    expect(sockets.all).toHaveLength(1);
  });

  it("that is silent is not trusted, and opened anew", async () => {
    await open();
    await ibkr.clock.advance(24_000);
    expect(stream.isLive).toBe(true);
    await ibkr.clock.advance(1000);
    expect(stream.isLive).toBe(false);
    await ibkr.clock.advance(7000);
    expect(sockets.all).toHaveLength(2);
    sockets.last().greet();
    expect([stream.isLive, events]).toEqual([true, ["opened 1", "lost", "opened 1"]]);
    expect(stream.figures()).toMatchObject({ openings: 2, reconnects: 1, state: "live", subscriptions: 1 });
  });

  it("that can't be had is tried again ever more seldom, at most five minutes apart", async () => {
    const tries: number[] = [];
    for (let seconds = 0; seconds < 3600; seconds += 1) {
      if (seconds % 60 === 0) stream.need();
      await ibkr.clock.advance(1000);
      if (sockets.all.length > tries.length) {
        tries.push(ibkr.clock.now());
        sockets.last().cut("refused");
      }
    }
    const pauses = tries.slice(1).map((at, index) => Math.round((at - (tries[index] ?? 0)) / 1000));
    expect(pauses.slice(0, 8)).toEqual([1, 2, 4, 8, 16, 32, 64, 128]);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(301);
    expect(tries.length).toBeGreaterThan(15);
    const market = ibkr.session.health().layers.find(({ layer }) => layer === "market_data");
    expect(market).toMatchObject({ state: "ok", lastError: { code: "upstream_unavailable", message: expect.stringContaining("refused") } });
  });

  it("without a greeting is given up", async () => {
    stream.need();
    await ibkr.clock.advance(26_000);
    expect(sockets.all[0]?.hasEnded()).toBe(true);
    expect(sockets.all.length).toBeGreaterThan(1);
  });

  it("is closed when nobody needs it for ten minutes, and opened again when somebody does", async () => {
    await open();
    await beat(610_000);
    expect([sockets.last().hasEnded(), stream.figures().state]).toEqual([true, "off"]);
    await ibkr.clock.advance(600_000);
    expect(sockets.all).toHaveLength(1);
    await open();
    expect([sockets.all.length, stream.isLive]).toEqual([2, true]);
  });

  it("never opens a session by itself, and follows the next one", async () => {
    await open();
    ibkr.answers.set("/iserver/auth/status", () => new Response("", { status: 503 }));
    ibkr.session.lost(ibkr.session.generation, "brokerage");
    const before = ibkr.sent.length;
    await ibkr.clock.advance(20_000);
    expect([ibkr.sent.length - before, sockets.all.length, stream.isLive]).toEqual([0, 1, false]);
    ibkr.answers.set("/iserver/auth/status", () => ({ authenticated: true, connected: true, established: true, competing: false }));
    await ibkr.settle(ibkr.session.ready(signal));
    await ibkr.clock.advance(2000);
    const first = sockets.all[0];
    sockets.last().greet();
    expect([sockets.all.length, events]).toEqual([2, ["opened 1", "lost", "opened 2"]]);
    first?.say({ topic: "smd+1", conid: 1, "31": "5" });
    expect(heard).toEqual([]);
  });

  it("passes over what it can't read, and says so without showing it", async () => {
    await open();
    for (const frame of [
      "",
      "<html>U1234567</html>",
      "[1]",
      "null",
      '{"topic":"sor","args":7}',
      '{"topic":"new","args":{}}',
      '{"error":"no","code":1}',
    ])
      sockets.last().say(frame);
    sockets.last().say({ topic: "smd+5", "31": "7.1" });
    expect(heard.map(({ kind }) => kind)).toEqual(["orders", "other", "quote"]);
    expect(stream.figures()).toMatchObject({ malformed: 4 });
    expect(lines.filter(({ level }) => level === 40)).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toContain("U1234567");
  });

  it("is never opened again once it is closed", async () => {
    await open();
    stream.close();
    expect(sockets.last().hasEnded()).toBe(true);
    sockets.last().cut();
    stream.need();
    await ibkr.clock.advance(600_000);
    expect(sockets.all).toHaveLength(1);
  });
});
