import { createPublicKey, verify } from "node:crypto";

import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { isRecord, parseLossless } from "../../lib/json.ts";
import { systemRandom } from "../../lib/random.ts";
import { generateCredentials } from "../session/consumer.ts";
import type { SimulatorCredentials } from "../session/consumer.ts";
import { startSimulatorForTest } from "../test-client.ts";
import type { TestClient, TestReply } from "../test-client.ts";
import { PROOF_PREFIX } from "./proof.ts";

const AAPL = 265598;
const HOUR = 3_600_000;

let credentials: SimulatorCredentials;
let client: TestClient;

beforeAll(async () => {
  credentials = await generateCredentials(systemRandom);
});

beforeEach(async () => {
  client = await startSimulatorForTest({ credentials, control: true });
});

afterEach(() => client.close());

interface Sent {
  readonly body?: unknown;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function send(
  method: string,
  path: string,
  { body, token = client.simulator.control?.token, headers }: Sent = {},
): Promise<TestReply> {
  const response = await fetch(client.simulator.url + path, {
    method,
    headers: { "user-agent": "test", authorization: `Bearer ${token}`, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, text, json: text.startsWith("{") ? parseLossless(text) : undefined };
}

const control = (method: string, path: string, body?: unknown): Promise<TestReply> =>
  send(method, `/simulator/control${path}`, body === undefined ? {} : { body });
const fault = (body: unknown): Promise<TestReply> => control("POST", "/faults", body);

async function lastPrice(): Promise<number> {
  const query = { conids: AAPL, fields: "31" };
  await client.call("GET", "/iserver/marketdata/snapshot", { query });
  const { json } = await client.call("GET", "/iserver/marketdata/snapshot", { query });
  const row: unknown = Array.isArray(json) ? json[0] : undefined;
  return Number(isRecord(row) ? String(row["31"]).replace(/^[CH]/, "") : Number.NaN);
}

describe("the control endpoint", () => {
  test("is not there unless it was asked for, nor without its token, nor through a proxy", async () => {
    const closed = await startSimulatorForTest({ credentials });
    const response = await fetch(`${closed.simulator.url}/simulator/control`, { headers: { "user-agent": "test" } });
    expect([response.status, closed.simulator.control]).toEqual([404, undefined]);
    await closed.close();
    expect(await send("GET", "/simulator/control", { token: "wrong" })).toMatchObject({ status: 404 });
    expect(await send("GET", "/simulator/control", { headers: { "x-forwarded-for": "203.0.113.7" } })).toMatchObject({ status: 404 });
    expect(await control("GET", "")).toMatchObject({ status: 200, json: { ahead_ms: 0, faults: [], halted: [] } });
  });

  test("says what is wrong with a request", async () => {
    expect(await control("POST", "/nothing")).toMatchObject({ status: 404 });
    expect(await control("POST", "/clock", { advance_ms: -1 })).toMatchObject({ status: 400 });
    expect(await control("POST", "/price", { conid: AAPL })).toMatchObject({ status: 400 });
    expect(await control("POST", "/price", { conid: AAPL, price: "cheap" })).toMatchObject({ status: 400 });
    expect(await control("POST", "/price", { conid: 1, percent: 1 })).toMatchObject({ status: 404 });
    expect(await fault({ kind: "earthquake" })).toMatchObject({ status: 400 });
    expect(await fault({ kind: "latency" })).toMatchObject({ status: 400 });
    expect(await fault({ kind: "no_bridge", reason: "gone" })).toMatchObject({ status: 400 });
  });

  test("moves time on: what is due happens, and clients go on signing by their own clock", async () => {
    await client.login();
    expect(await control("POST", "/clock", { advance_ms: HOUR })).toMatchObject({ json: { ahead_ms: HOUR } });
    expect(await client.call("GET", "/iserver/accounts")).toMatchObject({ status: 400, json: { error: "Bad Request: no bridge" } });
    expect(await client.call("POST", "/tickle")).toMatchObject({ status: 200 });
    await control("POST", "/clock", { advance_ms: 24 * HOUR });
    client.clock.advance(1000);
    expect(await client.call("POST", "/tickle")).toMatchObject({ status: 401 });
    await client.login();
    expect(await client.call("GET", "/iserver/accounts")).toMatchObject({ status: 200 });
  });

  test("moves a price, halts and resumes", async () => {
    await client.login();
    const before = await lastPrice();
    expect(await control("POST", "/price", { conid: AAPL, percent: 10 })).toMatchObject({ status: 200 });
    expect((await lastPrice()) / before).toBeCloseTo(1.1, 3);
    expect(await control("POST", "/price", { conid: AAPL, price: "200.01" })).toMatchObject({ json: { last: "200.01" } });
    expect(await control("POST", "/halt", { conid: AAPL })).toMatchObject({ json: { halted: true } });
    client.clock.advance(HOUR / 60);
    expect(await lastPrice()).toBe(200.01);
    expect(await control("GET", "")).toMatchObject({ json: { halted: [AAPL] } });
    expect(await control("POST", "/resume", { conid: AAPL })).toMatchObject({ json: { halted: false } });
    expect(await control("POST", "/resume", { conid: AAPL })).toMatchObject({ status: 404 });
  });
});

describe("a fault", () => {
  beforeEach(() => client.login());

  test.each([
    ["too_many_requests", 429],
    ["unauthorized", 401],
    ["unavailable", 503],
    ["no_bridge", 400],
  ])("%s answers in place of the endpoint, as often as it was told", async (kind, status) => {
    await fault({ kind, path: "/iserver/accounts", count: 2 });
    const answered = [];
    for (let call = 0; call < 3; call += 1) answered.push((await client.call("GET", "/iserver/accounts")).status);
    expect(answered).toEqual([status, status, 200]);
  });

  test("keeps to its path and method", async () => {
    await fault({ kind: "unavailable", path: "/iserver/account/*/orders", method: "POST" });
    expect(await client.call("GET", "/iserver/account/orders")).toMatchObject({ status: 200 });
    expect(await client.call("POST", "/iserver/account/DU7100001/orders", { body: {} })).toMatchObject({ status: 503 });
    await fault({ kind: "unauthorized", path: "/portfolio/**" });
    expect(await client.call("GET", "/portfolio/DU7100001/summary")).toMatchObject({ status: 401 });
  });

  test("ends with its time, and can be listed and cleared", async () => {
    const made = await fault({ kind: "unavailable", path: "/iserver/accounts", for_ms: 1000 });
    expect(made).toMatchObject({ json: { id: 1, used: 0, path: "/iserver/accounts" } });
    expect(await client.call("GET", "/iserver/accounts")).toMatchObject({ status: 503 });
    expect(await control("GET", "/faults")).toMatchObject({ json: { faults: [{ id: 1, kind: "unavailable", used: 1 }] } });
    client.clock.advance(1000);
    expect(await client.call("GET", "/iserver/accounts")).toMatchObject({ status: 200 });
    await fault({ kind: "unavailable" });
    expect(await control("DELETE", "/faults/2")).toMatchObject({ status: 200 });
    expect(await control("DELETE", "/faults/2")).toMatchObject({ status: 404 });
    await fault({ kind: "unavailable" });
    expect(await control("DELETE", "/faults")).toMatchObject({ status: 200 });
    expect(await client.call("GET", "/iserver/accounts")).toMatchObject({ status: 200 });
  });

  test("holds a request up", async () => {
    await fault({ kind: "latency", ms: 5000, count: 1, path: "/iserver/accounts" });
    let answered = false;
    const call = client.call("GET", "/iserver/accounts").then((reply) => {
      answered = true;
      return reply;
    });
    await client.call("GET", "/iserver/auth/status");
    expect(answered).toBe(false);
    client.clock.advance(5000);
    expect(await call).toMatchObject({ status: 200 });
  });

  test("drops the connection before or after an order was taken", async () => {
    const path = "/iserver/account/DU7100001/orders";
    const order = (cOID: string) => ({ orders: [{ conid: AAPL, orderType: "MKT", side: "BUY", quantity: 1, tif: "DAY", cOID }] });
    await fault({ kind: "drop_before", path, count: 1 });
    await expect(client.call("POST", path, { body: order("never-taken") })).rejects.toThrow("fetch failed");
    await fault({ kind: "drop_after", path, count: 1 });
    await expect(client.call("POST", path, { body: order("taken") })).rejects.toThrow("fetch failed");
    await client.call("GET", "/iserver/account/orders");
    const { text } = await client.call("GET", "/iserver/account/orders");
    expect([text.includes('"taken"'), text.includes("never-taken")]).toEqual([true, false]);
  });

  test.each([
    ["invalid_consumer", "39687, error: invalid consumer"],
    ["not_propagated", "LST failed, error: "],
    ["no_secret", "No access secret key found"],
    ["invalid_signature", "invalid signature"],
  ])("refuses a Live Session Token: %s", async (reason, words) => {
    await fault({ kind: "token_failure", reason, count: 1 });
    await expect(client.signIn()).rejects.toThrow(words);
    await client.signIn();
  });

  test.each([
    ["gone", 410],
    ["error", 500],
  ])("lets init fail: %s", async (reason, status) => {
    await fault({ kind: "init_failure", reason, count: 1 });
    expect(await client.call("POST", "/iserver/auth/ssodh/init", { body: { compete: true } })).toMatchObject({ status });
  });

  test("judges signatures by a clock that is wrong", async () => {
    await fault({ kind: "clock_skew", ms: -10 * 60_000 });
    expect(await client.call("POST", "/tickle")).toMatchObject({ status: 401, text: expect.stringContaining("timestamp") });
    await control("DELETE", "/faults");
    expect(await client.call("POST", "/tickle")).toMatchObject({ status: 200 });
  });
});

describe("the proof of being a simulator", () => {
  test("is a signed nonce, also where nobody may steer, by a key that the simulator names", async () => {
    const nonce = "0123456789abcdef-nonce";
    const { status, json } = await send("POST", "/simulator/proof", { body: { nonce } });
    expect(status).toBe(200);
    const signature = Buffer.from(isRecord(json) ? String(json["signature"]) : "", "base64");
    const key = createPublicKey(client.simulator.proofKey);
    expect(verify(null, Buffer.from(PROOF_PREFIX + nonce), key, signature)).toBe(true);
    expect(verify(null, Buffer.from(`${PROOF_PREFIX}another-nonce-1234`), key, signature)).toBe(false);
  });

  test.each([[{}], [{ nonce: "short" }], [{ nonce: "x".repeat(200) }], [{ nonce: "spaces are not allowed" }]])(
    "refuses to sign %j",
    async (body) => {
      expect(await send("POST", "/simulator/proof", { body })).toMatchObject({ status: 400 });
    },
  );
});
