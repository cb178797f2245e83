import { request } from "node:http";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { KEYS, type McpStack, startMcpStack } from "../../test/support/mcp-stack.ts";

let stack: McpStack;
beforeAll(async () => {
  stack = await startMcpStack({ http: { allowedOrigins: ["https://friend.example"], trustedProxies: ["127.0.0.1"] } });
});
afterAll(() => stack.close());

/** Sends any headers, `Host` too, which `fetch` doesn't. */
function send(
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
  target = stack,
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, target.url), { method, headers }, (answer) => {
      let body = "";
      answer.on("data", (chunk: Buffer) => (body += chunk.toString()));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

describe("a request that a foreign page brought", () => {
  test.each([
    ["Host", { host: "evil.example" }],
    ["Host that only begins well", { host: "localhost.evil.example" }],
    ["Origin", { origin: "https://evil.example" }],
    ["opaque Origin", { origin: "null" }],
  ])("by a foreign %s is refused", async (_what, headers) => {
    for (const path of ["/mcp", "/", "/metrics"]) expect((await send(path, headers)).status).toBe(403);
  });

  test("is none by a loopback name or an allowed origin", async () => {
    for (const headers of [
      { host: "localhost:9" },
      { host: "127.0.0.1" },
      { host: "[::1]:8080" },
      { origin: "http://localhost:6274" },
      { origin: "https://friend.example" },
    ]) {
      expect((await send("/", headers)).status).toBe(200);
    }
  });

  test("an allowed origin may ask before it sends, and read the answer", async () => {
    const preflight = await send("/mcp", { origin: "https://friend.example" }, "OPTIONS");
    expect([preflight.status, preflight.headers["access-control-allow-origin"]]).toEqual([204, "https://friend.example"]);
    expect(String(preflight.headers["access-control-allow-headers"])).toContain("Authorization");
  });
});

test("a demo refuses what came through a proxy, and says why", async () => {
  const demo = await startMcpStack({ http: { refuseForwarded: true } });
  for (const name of ["forwarded", "x-forwarded-for", "x-forwarded-host"]) {
    const refused = await send("/", { [name]: "for=1.2.3.4" }, "GET", demo);
    expect(refused.status).toBe(403);
    expect(refused.body).toContain("DEMO=off");
  }
  expect((await send("/", {}, "GET", demo)).status).toBe(200);
  await demo.close();
});

describe("pages", () => {
  test("/healthz says ok, to any host", async () => {
    const health = await send("/healthz", { host: "10.0.0.7" });
    expect([health.status, JSON.parse(health.body)]).toEqual([200, { status: "ok", version: "0.0.0", checks: { database: "ok" } }]);
  });

  test("/ says what this is, and an unknown page that there is nothing", async () => {
    expect((await send("/")).body).toContain(`${stack.url}/mcp`);
    expect((await send("/nothing")).status).toBe(404);
    expect((await send("/", {}, "POST")).status).toBe(405);
  });

  test("every answer has an id of its own and the security headers", async () => {
    const [one, two] = [await send("/"), await send("/mcp")];
    expect(one.headers["x-request-id"]).not.toBe(two.headers["x-request-id"]);
    for (const answer of [one, two])
      expect(answer.headers).toMatchObject({ "x-content-type-options": "nosniff", "cache-control": "no-store" });
  });

  test("/metrics counts requests, calls and refused keys, and is for this machine only", async () => {
    await stack.post({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "echo" } });
    await stack.post({ jsonrpc: "2.0", id: 1, method: "tools/list" }, { Authorization: "Bearer ibkr_wrong" });
    const { body } = await send("/metrics");
    expect(body).toContain('gateway_tool_calls_total{tool="echo",outcome="ok"} 1');
    expect(body).toContain('gateway_unauthorized_total{reason="invalid"} 1');
    expect(body).toContain('gateway_http_requests_total{route="/mcp",status="200"}');
    expect((await send("/metrics", { "x-forwarded-for": "203.0.113.9" })).status).toBe(403);
  });

  test("/metrics is not shown to strangers whom a proxy on this machine brings, also when nobody has said that it is one", async () => {
    const direct = await startMcpStack();
    for (const name of ["x-forwarded-for", "x-real-ip", "forwarded", "x-forwarded-proto"])
      expect((await send("/metrics", { [name]: "203.0.113.9" }, "GET", direct)).status).toBe(403);
    expect((await send("/metrics", {}, "GET", direct)).status).toBe(200);
    await direct.close();
  });
});

test("the client's address is believed from a trusted proxy only", async () => {
  const ask = async (target: McpStack, forwardedFor: string) => {
    await target.post({ jsonrpc: "2.0", id: 1, method: "ping" }, { "X-Forwarded-For": forwardedFor, Authorization: `Bearer ${KEYS.read}` });
    return target.rows.at(-1)?.start.address;
  };
  expect(await ask(stack, "198.51.100.1, 203.0.113.9")).toBe("203.0.113.9");
  expect(await ask(stack, "203.0.113.9, 127.0.0.1")).toBe("203.0.113.9");
  expect(await ask(stack, "rubbish")).toBe("127.0.0.1");
  const direct = await startMcpStack();
  expect(await ask(direct, "203.0.113.9")).toBe("127.0.0.1");
  await direct.close();
});

test("a part that doesn't answer is reported without saying why", async () => {
  const { createHealth } = await import("./health.ts");
  const { systemClock } = await import("../lib/clock.ts");
  const { silentLog } = await import("../../test/support/silent-log.ts");
  const health = createHealth({
    checks: { database: () => Promise.reject(new Error("password wrong")) },
    clock: systemClock,
    log: silentLog,
    version: "1",
  });
  expect(await health(false)).toEqual({ status: "failing", version: "1", checks: { database: "failing" } });
});
