import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { describe, expect, it } from "vitest";

import { createClientAddress } from "./client-address.ts";

/** Sends requests with these headers from this machine, and answers what was told of untrusted proxies. */
async function toldOf(trusted: readonly string[], requests: readonly Record<string, string>[]): Promise<number> {
  let told = 0;
  const clientAddress = createClientAddress(trusted, () => (told += 1));
  const server = createServer((req, res) => res.end(clientAddress(req) ?? ""));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an address of this kind.
  const { port } = server.address() as AddressInfo;
  for (const headers of requests) await (await fetch(`http://127.0.0.1:${port}`, { headers })).text();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  return told;
}

describe("an address in whose name a request comes", () => {
  const forwarded = { "x-forwarded-for": "203.0.113.9" };

  it("is told of once when the peer is no trusted proxy", async () => {
    expect(await toldOf([], [{}, forwarded, { forwarded: "for=203.0.113.9" }])).toBe(1);
    expect(await toldOf(["203.0.113.1"], [forwarded, forwarded])).toBe(1);
  });

  it("is not told of when the peer is trusted, or names nobody", async () => {
    expect(await toldOf(["127.0.0.1"], [forwarded])).toBe(0);
    expect(await toldOf([], [{}])).toBe(0);
  });
});
