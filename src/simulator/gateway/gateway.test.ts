import { X509Certificate } from "node:crypto";
import { request } from "node:https";

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";

import { isRecord, parseLossless } from "../../lib/json.ts";
import { startSimulatorForTest } from "../test-client.ts";
import type { TestClient } from "../test-client.ts";

let client: TestClient;

beforeAll(async () => {
  client = await startSimulatorForTest({ gatewayPort: 0, pacing: { requestsPerSecond: 1000 } });
});

afterAll(() => client.close());

interface GatewayReply {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly json: unknown;
}

/** A request of a client that trusts the gateway's certificate alone. */
function send(method: string, path: string, body = ""): Promise<GatewayReply> {
  const { promise, resolve, reject } = Promise.withResolvers<GatewayReply>();
  const { url = "", certificatePem: ca = "" } = client.simulator.gateway ?? {};
  const headers = { "user-agent": "test", "content-length": Buffer.byteLength(body) };
  const outgoing = request(url + path, { method, ca, headers }, (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => (text += chunk));
    response.on("end", () => {
      const json = text.startsWith("{") || text.startsWith("[") ? parseLossless(text) : undefined;
      resolve({ status: response.statusCode, headers: response.headers, text, json });
    });
  });
  outgoing.on("error", reject);
  outgoing.end(body);
  return promise;
}

describe("the gateway's face", () => {
  test("has a certificate of its own, whose fingerprint the simulator names", () => {
    const { certificatePem = "", fingerprint } = client.simulator.gateway ?? {};
    const certificate = new X509Certificate(certificatePem);
    expect(certificate.fingerprint256).toBe(fingerprint);
    expect([certificate.checkHost("localhost"), certificate.checkIP("127.0.0.1")]).toEqual(["localhost", "127.0.0.1"]);
  });

  test("answers 401 until somebody has logged in, and nothing of OAuth", async () => {
    expect(await send("GET", "/v1/api/iserver/accounts")).toMatchObject({ status: 401, json: { error: "not authenticated" } });
    expect(await send("POST", "/v1/api/iserver/auth/status")).toMatchObject({ status: 401 });
    expect(await send("POST", "/v1/api/oauth/live_session_token")).toMatchObject({ status: 404 });
    expect(await send("GET", "/oauth2/api/v1/token")).toMatchObject({ status: 404 });
  });

  test("leads to its login page, where a click logs the simulated user in", async () => {
    const start = await send("GET", "/");
    expect([start.status, start.headers["location"]]).toEqual([302, "/sso/Login?forwardTo=22&RL=1&ip2loc=US"]);
    expect((await send("GET", "/sso/Login?forwardTo=22")).text).toContain("Log in as simuser1");
    expect((await send("POST", "/sso/Login")).text).toContain("Client login succeeds");
    client.clock.advance(2000);
    const status = await send("GET", "/v1/api/iserver/auth/status");
    expect(status.json).toMatchObject({ authenticated: true, established: true, competing: false });
    expect(String(status.headers["set-cookie"])).toMatch(/^x-sess-uuid=0\.[0-9a-f]+; path=\/v1\/api; secure; HttpOnly$/);
  });

  test("needs nothing of its clients then, under both prefixes, and proves that it is a simulator", async () => {
    expect((await send("GET", "/v1/api/iserver/accounts")).json).toMatchObject({ accounts: client.simulator.accountIds });
    expect((await send("GET", "/v1/portal/sso/validate")).json).toMatchObject({ USER_NAME: "simuser1", LOGIN_TYPE: 2, RESULT: true });
    const proof = await send("POST", "/simulator/proof", JSON.stringify({ nonce: "0123456789abcdef" }));
    expect(proof.json).toMatchObject({ nonce: "0123456789abcdef", public_key: client.simulator.proofKey });
  });

  test("opens a socket for whoever has the session's cookie", async () => {
    const { json } = await send("POST", "/v1/api/tickle");
    const { url = "", certificatePem: ca = "" } = client.simulator.gateway ?? {};
    const cookie = `api=${isRecord(json) ? String(json["session"]) : ""}`;
    const socket = new WebSocket(`${url.replace("https", "wss")}/v1/api/ws`, { ca, headers: { cookie, "user-agent": "test" } });
    const first = await new Promise<string>((resolve, reject) => {
      socket.once("message", (data: Buffer) => resolve(data.toString("utf8")));
      socket.once("error", reject);
      // The greeting comes with the server's next tick.
      socket.once("open", () => client.clock.advance(1000));
    });
    expect(parseLossless(first)).toMatchObject({ topic: "system", success: "simuser1" });
    socket.terminate();
  });

  test("is logged out by logout", async () => {
    expect((await send("POST", "/v1/api/logout")).json).toEqual({ status: true });
    expect(await send("GET", "/v1/api/iserver/auth/status")).toMatchObject({ status: 401 });
  });
});

test("there is no gateway unless it was asked for", async () => {
  const plain = await startSimulatorForTest();
  expect(plain.simulator.gateway).toBeUndefined();
  await plain.close();
});
