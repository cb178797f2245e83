import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { fakeClock } from "../../test/support/fake-clock.ts";
import { systemClock } from "../lib/clock.ts";
import { rawNumber } from "../lib/json.ts";
import { Pacer } from "./pacing.ts";
import { type ApiRequest, Transport } from "./transport.ts";

let respond: (request: IncomingMessage, response: ServerResponse, body: string) => void;
let received: { method: string | undefined; url: string | undefined; headers: IncomingMessage["headers"]; body: string }[] = [];
let lines: string[] = [];
const server = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk: Buffer) => (body += chunk.toString()));
  request.on("end", () => {
    received.push({ method: request.method, url: request.url, headers: request.headers, body });
    respond(request, response, body);
  });
});

function portOf(listening: Server): number {
  const address = listening.address();
  if (address === null || typeof address === "string") throw new Error("the server listens on TCP");
  return address.port;
}

/** A port that was free a moment ago. */
async function closedPort(): Promise<number> {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const port = portOf(other);
  await new Promise((resolve) => other.close(resolve));
  return port;
}

beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  received = [];
  lines = [];
  respond = (_request, response) => response.end("{}");
});

function transport(baseUrl?: string): Transport {
  const log = pino({ level: "debug" }, { write: (line: string) => lines.push(line) });
  return new Transport({
    baseUrl: baseUrl ?? `http://127.0.0.1:${portOf(server)}/v1/api`,
    fetch,
    clock: systemClock,
    log,
    pacer: new Pacer({ clock: systemClock, log }),
    userAgent: "ibkr-gateway/test",
  });
}

const options = () => ({ signal: AbortSignal.timeout(5000), caller: "test" });
const read: ApiRequest = { method: "GET", path: "/portfolio/DU1234567/ledger", endpoint: "/portfolio/{accountId}/ledger" };
const order: ApiRequest = {
  method: "POST",
  path: "/iserver/account/DU1234567/orders",
  endpoint: "/iserver/account/{accountId}/orders",
  committing: true,
};
const send = (request: ApiRequest, over: Partial<Parameters<Transport["send"]>[1]> = {}) =>
  transport().send(request, { ...options(), ...over }, { headers: () => ({ authorization: "OAuth secret-header" }) });

describe("a request", () => {
  it("says who we are, takes anything, and tells its length, also when it has no body", async () => {
    await send({ ...order, path: "/tickle" });
    expect(received[0]).toMatchObject({
      method: "POST",
      url: "/v1/api/tickle",
      headers: {
        "user-agent": "ibkr-gateway/test",
        accept: "*/*",
        "content-length": "0",
        authorization: "OAuth secret-header",
        connection: "keep-alive",
      },
    });
    expect(received[0]?.headers["transfer-encoding"]).toBeUndefined();
    expect(received[0]?.headers["accept-encoding"]).toContain("gzip");
  });

  it("goes before others when an order is at its end, or when an order waits for it", async () => {
    const heard: boolean[] = [];
    const observer = { sent: ({ urgent }: { urgent: boolean }) => heard.push(urgent), refused: () => undefined, limited: () => undefined };
    const log = pino({ enabled: false });
    const baseUrl = `http://127.0.0.1:${portOf(server)}/v1/api`;
    const pacer = new Pacer({ clock: systemClock, log, observer });
    const paced = new Transport({ baseUrl, fetch, clock: systemClock, log, pacer, userAgent: "ibkr-gateway/test" });
    const sender = { headers: () => ({}) };
    await paced.send(read, options(), sender);
    await paced.send(read, { ...options(), urgent: true }, sender);
    await paced.send({ ...read, urgent: true }, options(), sender);
    expect(heard).toEqual([false, true, true]);
  });

  it("writes numbers with exactly their digits, and its length", async () => {
    await send({ ...order, body: { price: rawNumber("150.10"), quantity: rawNumber("0.00000001") } });
    expect(received[0]?.body).toBe('{"price":150.10,"quantity":0.00000001}');
    expect(received[0]?.headers).toMatchObject({ "content-type": "application/json", "content-length": "38" });
  });

  it("that commits is sent once, also when it is answered 421, which fetch would repeat by itself", async () => {
    respond = (_request, response) => response.writeHead(421).end();
    const answer = await send({ ...order, body: { side: "BUY", note: "é" } });
    expect(answer.status).toBe(421);
    expect(received.map(({ body }) => body)).toEqual(['{"side":"BUY","note":"é"}']);
    expect(received[0]?.headers).toMatchObject({ "content-type": "application/json", "content-length": "26" });
    expect(received[0]?.headers["transfer-encoding"]).toBeUndefined();
  });

  it("leaves the query out of what is signed", async () => {
    const signed: string[] = [];
    await transport().send({ ...read, query: { symbol: "A B&C" } }, options(), {
      headers: (method, url) => {
        signed.push(`${method} ${url}`);
        return { authorization: "x" };
      },
    });
    expect(signed[0]).toMatch(/^GET http:\/\/127\.0\.0\.1:\d+\/v1\/api\/portfolio\/DU1234567\/ledger$/);
    expect(received[0]?.url).toBe("/v1/api/portfolio/DU1234567/ledger?symbol=A+B%26C");
  });

  it("is told to whoever counts, and logged without account or secret", async () => {
    let count = 0;
    respond = (_request, response) => response.end('{"secret":"answer"}');
    await send({ ...order, body: { acctId: "DU1234567" } }, { onUpstreamCall: () => (count += 1) });
    expect(count).toBe(1);
    expect(lines.join()).toContain("/iserver/account/{accountId}/orders");
    expect(lines.join()).not.toMatch(/DU1234567|secret/);
  });
});

describe("an answer", () => {
  it.each([
    ["JSON, keeping every digit", 200, '{"v":1004120.10,"n":5}', { v: "1004120.10", n: 5 }],
    ["HTML", 404, "<html><body><h1>Resource not found</h1></body></html>", "<html><body><h1>Resource not found</h1></body></html>"],
    ["text", 401, "not authenticated", "not authenticated"],
    ["nothing", 200, "", ""],
  ])("may be %s", async (_name, status, body, expected) => {
    respond = (_request, response) => response.writeHead(status).end(body);
    await expect(send(read)).resolves.toEqual({ status, body: expected });
  });

  it("is no redirect that we follow", async () => {
    respond = (_request, response) => response.writeHead(307, { location: "/elsewhere" }).end();
    await expect(send(order)).resolves.toMatchObject({ status: 307 });
    expect(received).toHaveLength(1);
  });

  it("that is too large is not taken in, whether it tells its size or not", async () => {
    respond = (_request, response) => {
      response.on("error", () => undefined);
      for (let part = 0; part < 9; part += 1) response.write("x".repeat(1024 * 1024));
      response.end();
    };
    await expect(send(read)).rejects.toMatchObject({ reason: "oversized", sent: "maybe" });
    respond = (_request, response) => response.writeHead(200, { "content-length": String(9 * 1024 * 1024) }).write("x");
    await expect(send(read)).rejects.toMatchObject({ reason: "oversized" });
  });
});

/** A network that never answers. */
const hang: typeof fetch = (_input, init) =>
  new Promise((_resolve, reject) => {
    init?.signal?.addEventListener("abort", () => reject(new Error("aborted")));
  });

describe("a failure", () => {
  it.each([
    ["nobody listens", "127.0.0.1"],
    ["nobody listens on any of a name's addresses", "localhost"],
    ["the host has no address", "nowhere.invalid"],
  ])("is proven unsent when %s", async (_name, host) => {
    await expect(
      transport(`http://${host}:${await closedPort()}/v1/api`).send(order, options(), { headers: () => ({ authorization: "x" }) }),
    ).rejects.toMatchObject({
      sent: "never",
      reason: "connection",
    });
  });

  it.each([
    ["the connection breaks before an answer", (request: IncomingMessage) => request.socket.destroy()],
    ["the connection is reset", (request: IncomingMessage) => request.socket.resetAndDestroy()],
    [
      "the answer breaks off",
      (request: IncomingMessage, response: ServerResponse) => {
        response.writeHead(200, { "content-length": "100" }).write('{"a":', () => request.socket.destroy());
      },
    ],
  ])("may have been sent when %s", async (_name, fail) => {
    respond = fail;
    await expect(send(order)).rejects.toMatchObject({ sent: "maybe", reason: "connection" });
    expect(received).toHaveLength(1);
  });

  it("of time ends a read after 15 s and an order after 30 s, and either may have been sent", async () => {
    const clock = fakeClock();
    const log = pino({ enabled: false });
    const slow = new Transport({ baseUrl: "http://test", fetch: hang, clock, log, pacer: new Pacer({ clock, log }), userAgent: "x" });
    const ended: string[] = [];
    const watch = (name: string, request: ApiRequest) =>
      slow
        .send(request, { ...options(), signal: new AbortController().signal }, { headers: () => ({ authorization: "x" }) })
        .catch((error: unknown) => {
          expect(error).toMatchObject({ reason: "timeout", sent: "maybe" });
          ended.push(name);
        });
    const all = Promise.all([watch("order", order), watch("read", read)]);
    await clock.advance(14_900);
    expect(ended).toEqual([]);
    await clock.advance(200);
    expect(ended).toEqual(["read"]);
    await clock.advance(15_000);
    await all;
    expect(ended).toEqual(["read", "order"]);
  });

  it("of a caller who hangs up ends a read, but not an order on its way", async () => {
    const hangUp = new AbortController();
    respond = (_request, response) => {
      hangUp.abort(new Error("hung up"));
      setImmediate(() => response.end("[]"));
    };
    await expect(send(read, { signal: hangUp.signal })).rejects.toMatchObject({ reason: "aborted", sent: "maybe" });
    const other = new AbortController();
    respond = (_request, response) => {
      other.abort(new Error("hung up"));
      setImmediate(() => response.end("[]"));
    };
    await expect(send(order, { signal: other.signal })).resolves.toMatchObject({ status: 200 });
  });

  it("of a caller who had hung up before sends nothing", async () => {
    await expect(send(order, { signal: AbortSignal.abort(new Error("gone")) })).rejects.toThrow("gone");
    expect(received).toHaveLength(0);
  });
});
