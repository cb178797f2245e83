import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { isRecord } from "../lib/json.ts";
import { createTestClient, startSimulatorForTest } from "./test-client.ts";
import type { TestClient } from "./test-client.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const noBridge = { error: "Bad Request: no bridge", statusCode: 400 };
const notAuthenticated = { error: "not authenticated", statusCode: 401 };

let client: TestClient;

beforeEach(async () => {
  client = await startSimulatorForTest();
});

afterEach(() => client.close());

const statusOf = async () => (await client.call("POST", "/iserver/auth/status")).json;
const init = () => client.call("POST", "/iserver/auth/ssodh/init", { body: { publish: true, compete: true } });

const keepAlive = async (ms: number): Promise<void> => {
  for (let passed = 0; passed < ms; passed += 5 * MINUTE_MS) {
    client.clock.advance(5 * MINUTE_MS);
    await client.call("POST", "/tickle");
  }
};

describe("signing in", () => {
  test("opens a brokerage session that is established after a moment", async () => {
    await client.signIn();
    const idle = { authenticated: false, connected: true, established: false, competing: false };
    expect(await statusOf()).toMatchObject(idle);
    expect((await init()).json).toEqual({
      passed: true,
      authenticated: true,
      connected: true,
      established: false,
      competing: false,
      hardware_info: expect.any(String),
    });
    expect((await client.call("GET", "/iserver/accounts")).json).toEqual(noBridge);
    client.clock.advance(2_000);
    expect(await statusOf()).toMatchObject({ ...idle, authenticated: true, established: true, fail: "", message: "" });
    expect((await client.call("GET", "/iserver/accounts")).status).toBe(200);
  });

  test("gives the read-only tier alone without a brokerage session", async () => {
    await client.signIn();
    expect((await client.call("GET", "/portfolio/accounts")).status).toBe(200);
    const refused = await client.call("GET", "/iserver/accounts");
    expect([refused.status, refused.json]).toEqual([400, noBridge]);
  });

  test("is needed for every endpoint", async () => {
    const refused = await client.call("GET", "/portfolio/accounts");
    expect([refused.status, refused.json]).toEqual([401, notAuthenticated]);
  });

  test("tells the user in validate, status and tickle, by GET and by POST", async () => {
    await client.login();
    expect((await client.call("GET", "/sso/validate")).json).toMatchObject({ USER_NAME: "simuser1", RESULT: true, LOGIN_TYPE: 2 });
    expect((await client.call("GET", "/iserver/auth/status")).json).toEqual(await statusOf());
    const tickle = await client.call("POST", "/tickle");
    expect(tickle.json).toEqual({
      session: expect.stringMatching(/^[0-9a-f]{32}$/),
      hmds: { error: "no bridge" },
      iserver: {
        authStatus: {
          authenticated: true,
          competing: false,
          connected: true,
          message: "",
          MAC: expect.any(String),
          serverInfo: { serverName: expect.any(String), serverVersion: expect.any(String) },
        },
      },
    });
    client.clock.advance(1_000);
    expect((await client.call("GET", "/tickle")).json).toEqual(tickle.json);
  });

  test("lets several tokens of one user share a session", async () => {
    await client.login();
    const other = createTestClient(client.simulator, client.clock);
    await other.signIn();
    expect((await other.call("GET", "/iserver/accounts")).status).toBe(200);
    expect((await client.call("GET", "/iserver/accounts")).status).toBe(200);
  });
});

describe("a brokerage session", () => {
  test("ends after about six minutes without a request", async () => {
    await client.login();
    client.clock.advance(5 * MINUTE_MS);
    await client.call("POST", "/tickle");
    client.clock.advance(5 * MINUTE_MS);
    expect((await client.call("GET", "/iserver/accounts")).status).toBe(200);
    client.clock.advance(6 * MINUTE_MS);
    expect((await client.call("GET", "/iserver/accounts")).json).toEqual(noBridge);
    expect(await statusOf()).toMatchObject({ authenticated: false, connected: true, established: false });
    await init();
    client.clock.advance(2_000);
    expect((await client.call("GET", "/iserver/accounts")).status).toBe(200);
  });

  test("ends after a day however busy it is", async () => {
    await client.login();
    for (let hour = 0; hour < 12; hour += 1) await keepAlive(HOUR_MS);
    await client.signIn();
    for (let hour = 12; hour < 24; hour += 1) await keepAlive(HOUR_MS);
    expect(await statusOf()).toMatchObject({ authenticated: false });
  });

  test("is made anew by init and by reauthenticate", async () => {
    await client.login();
    await init();
    expect(await statusOf()).toMatchObject({ authenticated: true, established: false });
    client.clock.advance(2_000);
    expect((await client.call("POST", "/iserver/reauthenticate")).json).toEqual({ message: "triggered" });
    expect(await statusOf()).toMatchObject({ established: false });
    client.clock.advance(2_000);
    expect(await statusOf()).toMatchObject({ established: true });
  });

  test("is refused when its body is not an object", async () => {
    await client.signIn();
    expect((await client.call("POST", "/iserver/auth/ssodh/init", { body: [1] })).status).toBe(400);
  });
});

describe("a Live Session Token", () => {
  test("is good for a day", async () => {
    await client.signIn();
    client.clock.advance(24 * HOUR_MS - 1_000);
    expect((await client.call("POST", "/tickle")).status).toBe(200);
    client.clock.advance(1_000);
    expect((await client.call("POST", "/tickle")).json).toEqual(notAuthenticated);
  });

  test("ends with logout, and with it the session", async () => {
    await client.login();
    const { json: before } = await client.call("POST", "/tickle");
    expect((await client.call("POST", "/logout")).json).toEqual({ status: true });
    expect((await client.call("GET", "/portfolio/accounts")).json).toEqual(notAuthenticated);
    await client.signIn();
    client.clock.advance(1_000);
    const { json: after } = await client.call("POST", "/tickle");
    expect(after).toMatchObject({ iserver: { authStatus: { authenticated: false } } });
    expect(after).toMatchObject({ session: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(isRecord(before) && isRecord(after) && before["session"] !== after["session"]).toBe(true);
  });

  test("is one of four; a fifth ends the first", async () => {
    await client.signIn();
    const others = Array.from({ length: 4 }, () => createTestClient(client.simulator, client.clock));
    for (const other of others.slice(0, 3)) await other.signIn();
    expect((await client.call("GET", "/iserver/auth/status")).status).toBe(200);
    await others[3]?.signIn();
    expect((await client.call("GET", "/iserver/auth/status")).status).toBe(401);
    expect((await others[0]?.call("GET", "/iserver/auth/status"))?.status).toBe(200);
  });
});

describe("pacing", () => {
  test("refuses the fifty-first request in a second", async () => {
    await client.signIn();
    const replies = await Promise.all(Array.from({ length: 60 }, () => client.call("GET", "/iserver/auth/status")));
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(50);
    expect(replies.find(({ status }) => status === 429)?.json).toEqual({ error: "Too Many Requests", statusCode: 429 });
  });

  test("refuses a second tickle within a second", async () => {
    await client.signIn();
    expect((await client.call("POST", "/tickle")).status).toBe(200);
    expect((await client.call("GET", "/tickle")).status).toBe(429);
    client.clock.advance(1_000);
    expect((await client.call("GET", "/tickle")).status).toBe(200);
  });

  test("keeps an offender in the penalty box where there is one", async () => {
    const strict = await startSimulatorForTest({ clock: client.clock, pacing: { penaltyBoxMs: 10 * MINUTE_MS } });
    await strict.signIn();
    await strict.call("POST", "/tickle");
    await strict.call("POST", "/tickle");
    strict.clock.advance(9 * MINUTE_MS);
    expect((await strict.call("GET", "/portfolio/accounts")).status).toBe(429);
    strict.clock.advance(MINUTE_MS);
    expect((await strict.call("GET", "/portfolio/accounts")).status).toBe(200);
    await strict.close();
  });
});
