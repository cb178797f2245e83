/** What leaves a machine, and when: a bare TCP server sees each byte. */
import { createServer, type Server, type Socket } from "node:net";

import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";

import type { Leave } from "../broker/broker.ts";
import { systemClock } from "../lib/clock.ts";
import { Pacer } from "./pacing.ts";
import { type ApiRequest, Transport } from "./transport.ts";

let server: Server;
let bytes: string;
let connections: number;
const sockets = new Set<Socket>();
const log = pino({ level: "silent" });
const ORDER: ApiRequest = { method: "POST", path: "/orders", endpoint: "/orders", body: { orders: [{ quantity: 1 }] }, committing: true };
const DATE = "Mon, 07 Jun 2027 10:00:00 GMT";

beforeEach(async () => {
  bytes = "";
  connections = 0;
  server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => sockets.delete(socket));
    socket.on("data", (chunk) => {
      bytes += chunk.toString();
      if (bytes.includes("}]}")) socket.write(`HTTP/1.1 200 OK\r\ndate: ${DATE}\r\ncontent-length: 2\r\n\r\n{}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await new Promise((resolve) => server.close(resolve));
});

function transport(): Transport {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server listens on TCP");
  const baseUrl = `http://127.0.0.1:${address.port}`;
  return new Transport({ baseUrl, fetch, clock: systemClock, log, pacer: new Pacer({ clock: systemClock, log }), userAgent: "test" });
}

const send = (leave: Leave, edge = transport()) =>
  edge.send(ORDER, { signal: AbortSignal.timeout(5_000), caller: "test", leave }, { headers: () => ({}) });

test("permission is asked once the connection stands, before the first byte, and then the order leaves once", async () => {
  const seen: unknown[] = [];
  const edge = transport();
  const note = (what: string): void => void seen.push([what, connections, bytes]);
  const answer = await send({ allow: async () => note("allow"), check: () => note("check") }, edge);
  expect(answer).toEqual({ status: 200, body: {} });
  expect(seen).toEqual([
    ["allow", 1, ""],
    ["check", 1, ""],
  ]);
  expect(bytes.match(/POST \/orders HTTP\/1\.1/g)).toHaveLength(1);
  expect(bytes.endsWith('\r\n\r\n{"orders":[{"quantity":1}]}')).toBe(true);
  expect(bytes).toMatch(/content-length: 27/i);
});

test.each([
  ["allow", { allow: () => Promise.reject(new Error("revoked")), check: () => undefined }],
  [
    "check",
    {
      allow: () => Promise.resolve(),
      check: () => {
        throw new Error("revoked");
      },
    },
  ],
])("not a byte leaves when %s refuses", async (_which, leave) => {
  const error: unknown = await send(leave).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: "TransportError", sent: "never", reason: "refused", cause: { message: "revoked" } });
  expect(bytes).toBe("");
});

test("permission is never asked where nobody listens", async () => {
  const edge = transport();
  await new Promise((resolve) => server.close(resolve));
  let asked = 0;
  const leave = { allow: async () => void (asked += 1), check: () => undefined };
  await expect(send(leave, edge)).rejects.toMatchObject({ sent: "never", reason: "connection" });
  expect(asked).toBe(0);
});

test("a no needs no permission", async () => {
  const options = { signal: AbortSignal.timeout(5_000), caller: "test" };
  expect(await transport().send(ORDER, options, { headers: () => ({}) })).toMatchObject({ status: 200 });
});

test("IBKR's time is that of its last answer, carried on", async () => {
  const edge = transport();
  expect(edge.time()).toBeUndefined();
  await send({ allow: () => Promise.resolve(), check: () => undefined }, edge);
  const now = edge.time() ?? 0;
  expect(now - Date.parse(DATE)).toBeGreaterThanOrEqual(0);
  expect(now - Date.parse(DATE)).toBeLessThan(5_000);
});
