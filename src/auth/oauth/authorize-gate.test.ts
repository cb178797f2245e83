import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { fakeClock } from "../../../test/support/fake-clock.ts";
import { createAuthorizeGate } from "./authorize-gate.ts";

const HTML = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const clock = fakeClock();
let server: Server;
let url: string;

beforeAll(async () => {
  const gate = createAuthorizeGate(clock);
  server = createServer((req, res) => {
    const address = String(req.headers["x-test-address"] ?? "203.0.113.1");
    void gate(req, res, { begins: req.url === "/authorize", address }).then((isAnswered) => (isAnswered ? undefined : res.end("passed")));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an address with a port.
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));

const begin = (address: string, headers: Readonly<Record<string, string>> = {}) =>
  fetch(`${url}/authorize`, { headers: { ...headers, "x-test-address": address } });

describe("the gate of /authorize", () => {
  it("tells people in a page and programs in JSON that only GET begins an authorization", async () => {
    const json = await fetch(`${url}/authorize`, { method: "POST" });
    expect([json.status, json.headers.get("allow")]).toEqual([405, "GET"]);
    expect(await json.json()).toMatchObject({ error: "invalid_request" });
    const page = await fetch(`${url}/authorize`, { method: "POST", headers: HTML });
    expect([page.status, page.headers.get("content-type")]).toEqual([405, "text/html; charset=utf-8"]);
    expect(page.headers.get("content-security-policy")).toContain("form-action 'none'");
    expect(await page.text()).toContain("This address begins an authorization");
  });

  it("bounds what one address begins, what all begin in a minute, and not the steps after", async () => {
    for (let count = 0; count < 300; count += 1) expect((await begin("203.0.113.1")).status).toBe(200);
    const own = await begin("203.0.113.1");
    expect(own.status).toBe(429);
    expect(await own.json()).toMatchObject({
      error: "temporarily_unavailable",
      error_description: expect.stringContaining("your address"),
    });
    for (let count = 0; count < 300; count += 1) expect((await begin(`198.51.100.${count % 250}`)).status).toBe(200);
    const inAll = await begin("192.0.2.1", HTML);
    expect(inAll.status).toBe(429);
    expect(Number(inAll.headers.get("retry-after"))).toBeLessThanOrEqual(60);
    expect(await inAll.text()).toContain("Too many apps are being connected");
    expect((await fetch(`${url}/authorize/abc`)).status).toBe(200);
    await clock.advance(60_000);
    expect((await begin("192.0.2.1")).status).toBe(200);
  });
});
