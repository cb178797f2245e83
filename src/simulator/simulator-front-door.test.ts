import { request } from "node:http";
import type { RequestOptions } from "node:http";
import { connect } from "node:net";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { startSimulatorForTest } from "./test-client.ts";
import type { TestClient } from "./test-client.ts";

let client: TestClient;

beforeAll(async () => {
  client = await startSimulatorForTest();
});

afterAll(() => client.close());

interface RawReply {
  readonly status: number | undefined;
  readonly contentType: string | undefined;
  readonly text: string;
}

/** A request exactly as given, with no header of a client's own but Host. */
function send(path: string, options: RequestOptions, body?: string): Promise<RawReply> {
  const { promise, resolve, reject } = Promise.withResolvers<RawReply>();
  const outgoing = request(client.simulator.url + path, options, (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => (text += chunk));
    response.on("end", () => resolve({ status: response.statusCode, contentType: response.headers["content-type"], text }));
  });
  outgoing.on("error", reject);
  outgoing.end(body);
  return promise;
}

const headers = { "user-agent": "test" };

describe("the front door", () => {
  test.each([
    ["no User-Agent", {}],
    ["an empty User-Agent", { "user-agent": "" }],
  ])("answers a request with %s by an HTML 403", async (_case, none) => {
    const reply = await send("/v1/api/tickle", { headers: none });
    expect(reply).toMatchObject({ status: 403, contentType: expect.stringContaining("text/html") });
  });

  test.each([["/v1/api/nothing/here"], ["/v1/api/"], ["/"], ["/v2/api/tickle"], ["/oauth/live_session_token"]])(
    "answers the unknown path %s by an HTML 404",
    async (path) => {
      const reply = await send(path, { headers });
      expect(reply).toMatchObject({ status: 404, text: "<html><body><h1>Resource not found</h1></body></html>" });
    },
  );

  test("answers a POST that does not say its length by 411", async () => {
    const chunked = { method: "POST", headers: { ...headers, "transfer-encoding": "chunked" } };
    expect(await send("/v1/api/tickle", chunked, "{}")).toMatchObject({ status: 411 });
    expect(await sendBytes("POST /v1/api/tickle HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\n\r\n")).toMatch(/^HTTP\/1\.1 411 /);
  });

  test("answers a body over the limit by 413", async () => {
    const head = `POST /v1/api/tickle HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\nContent-Length: ${2 ** 21}\r\n\r\n`;
    expect(await sendBytes(head)).toMatch(/^HTTP\/1\.1 413 /);
  });

  test("serves the old prefix too", async () => {
    expect(await send("/v1/portal/iserver/auth/status", { headers })).toMatchObject({ status: 401 });
  });

  test("answers a body that is no JSON by 400", async () => {
    await client.signIn();
    const reply = await client.call("POST", "/iserver/auth/ssodh/init", { text: "{not json" });
    expect([reply.status, reply.json]).toEqual([400, { error: "Bad Request: Failed to parse body as JSON", statusCode: 400 }]);
    const deep = await client.call("POST", "/iserver/auth/ssodh/init", { text: "[".repeat(500_000) });
    expect(deep.status).toBe(400);
  });

  test("lives on when a client hangs up in the middle of a body", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const socket = connect(Number(new URL(client.simulator.url).port), "127.0.0.1", () => {
      socket.write("POST /v1/api/tickle HTTP/1.1\r\nHost: x\r\nUser-Agent: test\r\nContent-Length: 100\r\n\r\n{", () => {
        socket.destroy();
        resolve();
      });
    });
    await promise;
    expect(await send("/v1/api/tickle", { headers })).toMatchObject({ status: 401 });
  });
});

function sendBytes(text: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(Number(new URL(client.simulator.url).port), "127.0.0.1", () => socket.write(text));
  socket.setEncoding("utf8");
  socket.once("data", (answer) => {
    resolve(String(answer));
    socket.destroy();
  });
  socket.on("error", reject);
  return promise;
}
