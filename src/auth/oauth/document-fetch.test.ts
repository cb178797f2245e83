import { createServer, type Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { TEST_CERTIFICATE, TEST_KEY } from "../../../test/support/test-certificate.ts";
import { createDocumentFetch, type DocumentFetchOptions } from "./document-fetch.ts";

let server: Server;
let port: number;
let visits: string[];
let answer: (req: IncomingMessage, res: ServerResponse) => void;

beforeAll(async () => {
  visits = [];
  server = createServer({ key: TEST_KEY, cert: TEST_CERTIFICATE }, (req, res) => {
    visits.push(req.url ?? "");
    answer(req, res);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** A fetch that reaches the test's server, which pretends to be on the internet. */
const reaching = (options: Partial<DocumentFetchOptions> = {}) =>
  createDocumentFetch({
    resolve: () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]),
    isAllowed: () => true,
    isAllowedPort: () => true,
    ca: TEST_CERTIFICATE,
    ...options,
  });
const at = (path: string, host = "host.example"): string => `https://${host}:${port}${path}`;

describe("fetching a document", () => {
  it("answers status, type and text, and follows no redirect", async () => {
    answer = (_req, res) => res.writeHead(200, { "Content-Type": "application/json", "Cache-Control": "max-age=60" }).end('{"a":1}');
    expect(await reaching()(at("/c.json"))).toEqual({
      status: 200,
      contentType: "application/json",
      cacheHeaders: { "cache-control": "max-age=60" },
      text: '{"a":1}',
    });
    answer = (_req, res) => res.writeHead(302, { Location: at("/elsewhere") }).end();
    expect((await reaching()(at("/moved"))).status).toBe(302);
    expect(visits).toEqual(["/c.json", "/moved"]);
  });

  it("gives up on what is too large or too slow", async () => {
    answer = (_req, res) => res.end("x".repeat(70_000));
    await expect(reaching()(at("/large"))).rejects.toMatchObject({ reason: "too_large" });
    answer = (_req, res) => void res.write("{");
    await expect(reaching({ limitMs: 200 })(at("/slow"))).rejects.toMatchObject({ reason: "failed" });
    await expect(reaching({ limitMs: 50, resolve: () => new Promise(() => undefined) })(at("/"))).rejects.toMatchObject({
      reason: "failed",
    });
  });

  it("trusts only certificates for the name", async () => {
    answer = (_req, res) => res.end("{}");
    await expect(reaching()(at("/", "wrong.example"))).rejects.toMatchObject({ reason: "failed" });
    await expect(
      createDocumentFetch({
        resolve: () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]),
        isAllowed: () => true,
        isAllowedPort: () => true,
      })(at("/")),
    ).rejects.toMatchObject({ reason: "failed" });
  });
});

describe("where documents are not fetched from", () => {
  it("any address but a public name's over https", async () => {
    visits = [];
    const fetchDocument = createDocumentFetch({
      resolve: () => Promise.reject(new Error("looked up")),
      isAllowedPort: (asked) => asked === 443,
    });
    for (const url of [
      "http://host.example/c.json",
      "ftp://host.example/c.json",
      "https://127.0.0.1/c.json",
      "https://2130706433/c.json",
      "https://0x7f.0.0.1/c.json",
      "https://0177.0.0.1/c.json",
      "https://127.1/c.json",
      "https://[::1]/c.json",
      "https://[::ffff:127.0.0.1]/c.json",
      "https://[64:ff9b::7f00:1]/c.json",
      "https://8.8.8.8/c.json",
      "https://localhost/c.json",
      "https://app.localhost/c.json",
      "https://intranet/c.json",
      "https://printer.local/c.json",
      "https://metadata.google.internal/c.json",
      "https://user:password@host.example/c.json",
      "https://host.example/c.json#part",
      "https://host.example:22/c.json",
      "https://host.example:8443/c.json",
      "not an address",
    ]) {
      await expect(fetchDocument(url), url).rejects.toMatchObject({ reason: "forbidden" });
    }
  });

  it.each([
    [["127.0.0.1"]],
    [["10.1.2.3"]],
    [["169.254.169.254"]],
    [["::1"]],
    [["fd00::1"]],
    [["::ffff:10.0.0.1"]],
    [["64:ff9b::a00:1"]],
    // One bad among good ones is enough: which of them is taken isn't ours to say.
    [["93.184.216.34", "192.168.0.1"]],
  ])("a public name that resolves to %s", async (addresses) => {
    visits = [];
    const fetchDocument = createDocumentFetch({
      resolve: () => Promise.resolve(addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }))),
      isAllowedPort: () => true,
      ca: TEST_CERTIFICATE,
    });
    await expect(fetchDocument(at("/c.json"))).rejects.toMatchObject({ reason: "forbidden" });
    expect(visits).toEqual([]);
  });

  it("a name whose second look-up would lead elsewhere: it is looked up once", async () => {
    const looked: string[] = [];
    answer = (_req, res) => res.end("{}");
    const fetchDocument = reaching({
      resolve: (hostname) => {
        looked.push(hostname);
        return Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
      },
    });
    await fetchDocument(at("/c.json"));
    expect(looked).toEqual(["host.example"]);
  });

  it("a name without an address", async () => {
    await expect(reaching({ resolve: () => Promise.resolve([]) })(at("/"))).rejects.toMatchObject({ reason: "failed" });
  });
});
