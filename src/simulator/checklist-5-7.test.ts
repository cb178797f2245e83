import { afterEach, beforeAll, describe, expect, test } from "vitest";

import { systemRandom } from "../lib/random.ts";
import { generateCredentials } from "./session/consumer.ts";
import type { SimulatorCredentials } from "./session/consumer.ts";
import { startSimulatorForTest } from "./test-client.ts";
import type { TestClient, TestReply, TestSimulatorOptions } from "./test-client.ts";
import { TestClock } from "./test-clock.ts";

// The checklist of the reference (section J), items 5 and 7. Proved elsewhere: idle and 24 h expiry in simulator.test.ts, the
// question flow in trading/orders.test.ts and trading/order-desk.test.ts, steering by hand in control/control-endpoint.test.ts.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** A Friday, four minutes before midnight in New York. */
const BEFORE_MIDNIGHT = Date.UTC(2026, 10, 21, 4, 56);
/** A Saturday, four minutes before eight in the evening in New York. */
const BEFORE_WEEKEND = Date.UTC(2026, 10, 22, 0, 56);

let credentials: SimulatorCredentials;
let client: TestClient;

beforeAll(async () => {
  credentials = await generateCredentials(systemRandom);
});

afterEach(() => client.close());

async function start(options: TestSimulatorOptions): Promise<void> {
  client = await startSimulatorForTest({ ...options, credentials });
  await client.login();
}

const status = async (): Promise<unknown> => (await client.call("POST", "/iserver/auth/status")).json;
const init = (compete: boolean): Promise<TestReply> =>
  client.call("POST", "/iserver/auth/ssodh/init", { body: { publish: true, compete } });

async function session(body: object): Promise<number> {
  const { url, token } = client.simulator.control ?? { url: "", token: "" };
  const headers = { "user-agent": "test", authorization: `Bearer ${token}` };
  const response = await fetch(`${url}/session`, { method: "POST", headers, body: JSON.stringify(body) });
  return response.status;
}

describe("5: a question", () => {
  test("that went stale may still place its order: how often is an option", async () => {
    await start({ lateOrderShare: 1 });
    const path = "/iserver/account/DU7100001/orders";
    const stop = { conid: 265598, orderType: "STP", side: "SELL", quantity: 1, tif: "GTC", price: 100, cOID: "late" };
    const asked = await client.call("POST", path, { body: { orders: [stop] } });
    const id = /"id":"([^"]+)"/.exec(asked.text)?.[1] ?? "";
    await client.call("POST", path, { body: { orders: [{ ...stop, cOID: "other" }] } });
    expect(await client.call("POST", `/iserver/reply/${id}`, { body: { confirmed: true } })).toMatchObject({ status: 503 });
    client.clock.advance(5000);
    await client.call("GET", "/iserver/account/orders");
    expect((await client.call("GET", "/iserver/account/orders")).text).toContain('"order_ref":"late"');
  });
});

describe("7: another login of the user", () => {
  test("takes the session, which comes back to one who competes for it", async () => {
    await start({ control: true });
    expect(await session({ event: "other_login" })).toBe(200);
    expect(await status()).toMatchObject({ authenticated: false, competing: true, connected: true, established: false });
    expect(await client.call("GET", "/iserver/accounts")).toMatchObject({ status: 400, json: { error: "Bad Request: no bridge" } });
    expect(await init(false)).toMatchObject({ status: 200, json: { authenticated: false, competing: true } });
    expect(await status()).toMatchObject({ fail: "Force compete capability must be used together with compete flag" });
    expect(await init(true)).toMatchObject({ json: { authenticated: true, competing: false } });
    client.clock.advance(2000);
    expect(await status()).toMatchObject({ established: true, competing: false, fail: "" });
  });

  test("may win the competition, until it leaves", async () => {
    await start({ control: true });
    await session({ event: "other_login", yields: false });
    expect(await init(true)).toMatchObject({ status: 200, json: { authenticated: false, competing: true } });
    expect([await session({ event: "other_logout" }), await session({ event: "other_logout" })]).toEqual([200, 404]);
    expect(await init(false)).toMatchObject({ json: { authenticated: true, competing: false } });
  });

  test("may stand beside ours, which then gets no data", async () => {
    await start({ control: true });
    await session({ event: "other_login", beside: true });
    expect(await status()).toMatchObject({ authenticated: true, competing: true, established: false });
    expect(await client.call("GET", "/iserver/account/orders")).toMatchObject({ status: 400 });
    expect(await client.call("GET", "/iserver/accounts")).toMatchObject({ status: 200, json: {} });
    await init(true);
    client.clock.advance(2000);
    expect(await status()).toMatchObject({ established: true, competing: false });
  });
});

describe("7: the end of everything", () => {
  test("comes at midnight in New York, and a few minutes later one can sign in again", async () => {
    await start({ clock: new TestClock(BEFORE_MIDNIGHT), maintenance: true });
    expect(await status()).toMatchObject({ established: true });
    client.clock.advance(5 * MINUTE);
    expect(await client.call("POST", "/iserver/auth/status")).toMatchObject({ status: 401 });
    await expect(client.signIn()).rejects.toThrow("503");
    client.clock.advance(5 * MINUTE);
    await client.login();
    expect(await status()).toMatchObject({ established: true });
  });

  test("comes with the maintenance of Saturday evening, until midnight and its reset", async () => {
    await start({ clock: new TestClock(BEFORE_WEEKEND), maintenance: true });
    client.clock.advance(5 * MINUTE);
    expect(await client.call("POST", "/iserver/auth/status")).toMatchObject({ status: 503 });
    await expect(client.signIn()).rejects.toThrow("503");
    client.clock.advance(4 * HOUR + 10 * MINUTE);
    await client.login();
    expect(await status()).toMatchObject({ established: true });
  });

  test("never comes by itself unless it was asked for, but by hand at any time", async () => {
    await start({ clock: new TestClock(BEFORE_MIDNIGHT), control: true });
    client.clock.advance(5 * MINUTE);
    expect(await status()).toMatchObject({ established: true });
    await session({ event: "end_brokerage" });
    expect(await status()).toMatchObject({ authenticated: false, established: false, competing: false });
    await session({ event: "daily_reset" });
    expect(await client.call("POST", "/tickle")).toMatchObject({ status: 401 });
    await client.login();
    await session({ event: "maintenance", for_ms: HOUR });
    expect(await client.call("POST", "/tickle")).toMatchObject({ status: 503 });
    client.clock.advance(HOUR);
    await client.login();
  });
});
