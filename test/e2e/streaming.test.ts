/** The stream in the running gateway: a second quote costs the broker nothing, for the demo and for a connection by IBKR's own OAuth. */
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { keyCommand } from "../../src/cli-key.ts";
import { databasePlace } from "../../src/app.ts";
import { loadConfig } from "../../src/config.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { createSimulator, type Simulator } from "../../src/simulator/index.ts";
import { findConnection, insertConnection } from "../../src/storage/connections.ts";
import { openStorage } from "../../src/storage/open-storage.ts";
import { createSealer } from "../../src/storage/sealing.ts";
import { loadSealingKey } from "../../src/storage/sealing-key.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { listUsers } from "../../src/storage/users.ts";
import { fastClock } from "../support/fast-clock.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { callTool } from "../support/mcp-call.ts";
import { silentLog } from "../support/silent-log.ts";

/** A polled quote is kept for a second: what costs nothing after two comes from the stream. */
const PAST_KEEPING_MS = 2000;
const MAX_LOOKS = 300;
/** One request a minute, which comes by the clock and for no call. */
const UPKEEP = /\/tickle$/;

const clock = fastClock(5);
const upstream: string[] = [];
const edge: typeof fetch = (input, init) => {
  const { pathname } = new URL(input instanceof Request ? input.url : input);
  if (!UPKEEP.test(pathname)) upstream.push(`${init?.method ?? "GET"} ${pathname}`);
  return fetch(input, init);
};
let ibkr: Simulator;
let gateway: TestGateway;
let storage: Storage;
let userId = "";

beforeAll(async () => {
  ibkr = await createSimulator({ clock });
  gateway = await startGateway({ deps: { fetch: edge, clock, ibkrBaseUrls: { automatic: ibkr.baseUrl } } });
  storage = await openStorage({ ...databasePlace(loadConfig({ DATA_DIR: gateway.dataDir })), log: silentLog });
  [{ id: userId } = { id: "" }] = await listUsers(storage, 1);
});
afterAll(async () => {
  await storage.close();
  await gateway.close();
  await ibkr.close();
});

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  const line = text.split("\n").find((each) => each.startsWith(`${name} `));
  if (line === undefined) throw new Error(`no ${name} among the metrics`);
  return Number(line.slice(name.length));
}

/** Looks until a figure is this high. */
async function untilMetric(name: string, atLeast: number): Promise<void> {
  for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
    if ((await metric(name)) >= atLeast) return;
    await clock.wait(100);
  }
  throw new Error(`${name} is ${await metric(name)}, not ${atLeast}`);
}

/** A key of a connection to `ibkr` by IBKR's own OAuth, as its set-up stores it. */
async function connectByOAuth(connectionId: string): Promise<string> {
  const sealingKey = await loadSealingKey({ setting: undefined, file: join(gateway.dataDir, "sealing.key"), random: systemRandom });
  const { consumerKey, ...secrets } = ibkr.credentials;
  await insertConnection(storage, {
    id: connectionId,
    user_id: userId,
    kind: "ibkr-oauth",
    label: "Paper",
    mode: "paper",
    settings: JSON.stringify({ consumerKey, region: "automatic" }),
    sealed_secrets: createSealer(sealingKey).seal(JSON.stringify(secrets), {
      table: "connections",
      column: "sealed_secrets",
      rowId: connectionId,
      userId,
    }),
    created_at: clock.now(),
  });
  const printed: string[] = [];
  const face = { environment: { DATA_DIR: gateway.dataDir }, print: (line: string) => void printed.push(line) };
  await keyCommand(face, ["create", "--connection", connectionId, "--scope", "read"]);
  return printed[0] ?? "";
}

/** Asks for a quote and, once the stream lives, again. */
async function expectSecondForNothing(key: string, streams: number): Promise<void> {
  const ask = () => callTool({ url: gateway.url, key }, "get_quote", { symbol: "AAPL" });
  const first = await ask();
  expect(first.isError, first.text).toBe(false);
  expect(upstream.some((request) => request.endsWith("/snapshot"))).toBe(true);
  await untilMetric('gateway_streams{state="live"}', streams);
  // The contract's first frame has to come as well before the stream is trusted with it.
  await untilMetric("gateway_stream_subscriptions", streams);
  for (let asked = 0; asked < 20; asked += 1) {
    await clock.wait(PAST_KEEPING_MS);
    const counted = await metric('gateway_upstream_calls_total{tool="get_quote"}');
    upstream.length = 0;
    const answer = await ask();
    expect(answer, answer.text).toMatchObject({ isError: false, structured: { symbol: "AAPL" } });
    if (upstream.length > 0) continue;
    expect(await metric('gateway_upstream_calls_total{tool="get_quote"}')).toBe(counted);
    return;
  }
  throw new Error("no quote came by the stream");
}

describe("a stream in the running gateway", () => {
  it("answers the demo's second quote without a request to the simulator", async () => {
    await expectSecondForNothing(gateway.key, 1);
  });

  it("answers the second quote of a connection by IBKR's OAuth, and teaches the user name that its page shows", async () => {
    const key = await connectByOAuth("con_paper");
    await expectSecondForNothing(key, 2);
    for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
      const row = await findConnection(storage, { connectionId: "con_paper", userId });
      if (row?.ibkr_user_name === "simuser1") break;
      await clock.wait(100);
    }
    expect(await findConnection(storage, { connectionId: "con_paper", userId })).toMatchObject({ ibkr_user_name: "simuser1" });
    expect(await metric("gateway_stream_frames_total")).toBeGreaterThan(0);
    expect(await metric("gateway_stream_malformed_total")).toBe(0);
  });
});
