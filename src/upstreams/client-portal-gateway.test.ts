import { X509Certificate } from "node:crypto";
import { createServer as createHttp, type RequestListener } from "node:http";
import { createServer, type Server } from "node:https";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { fastClock } from "../../test/support/fast-clock.ts";
import { silentLog } from "../../test/support/silent-log.ts";
import { TEST_CERTIFICATE, TEST_KEY } from "../../test/support/test-certificate.ts";
import { createConnectionOffer } from "../connections/connection-offer.ts";
import { createUserBudgets } from "../ibkr/user-budgets.ts";
import { systemRandom } from "../lib/random.ts";
import { createSimulator, type Simulator } from "../simulator/index.ts";
import { clientPortalGateway } from "./client-portal-gateway.ts";
import { readGatewayCertificate } from "./gateway-certificate.ts";
import { createGuardedEdge } from "./guarded-edge.ts";
import { createHostPolicy } from "./host-policy.ts";
import { connectUpstream } from "./index.ts";
import type { Link } from "./upstream.ts";

const hostPolicy = createHostPolicy({ hosts: [], isLocal: true });
const offer = createConnectionOffer(clientPortalGateway, { hostPolicy });
const clock = fastClock(10);
// One user behind all links of these tests: they share what IBKR allows them.
const budgets = createUserBudgets({ clock, log: silentLog });
const signal = AbortSignal.timeout(60_000);
const call = () => ({ signal: AbortSignal.timeout(15_000), caller: "test" });
const another = new X509Certificate(TEST_CERTIFICATE).fingerprint256;
let simulator: Simulator;
let address: string;
let fingerprint: string;

beforeAll(async () => {
  simulator = await createSimulator({ clock, gatewayPort: 0, pacing: { endpoints: false } });
  address = simulator.gateway?.url ?? "";
  fingerprint = simulator.gateway?.fingerprint ?? "";
});
afterAll(() => simulator.close());

function connect(settings: object, expectedMode: "paper" | "live" = "paper"): Link {
  const stored = { kind: "client-portal-gateway", settings, secrets: {} };
  return connectUpstream(stored, {
    clock,
    random: systemRandom,
    log: silentLog,
    fetch,
    expectedMode,
    embeddedSimulator: undefined,
    hostPolicy,
    budgets,
  });
}

/** Does what a person does in a browser. */
async function logIn(): Promise<void> {
  const edge = createGuardedEdge({ url: new URL(address), hostPolicy, fingerprint });
  expect((await edge.fetch(`${address}/sso/Login`, { method: "POST", headers: { "user-agent": "browser" } })).status).toBe(200);
}

describe("a gateway's certificate", () => {
  it("is read for a person to compare, without asking anything else", async () => {
    expect(await readGatewayCertificate(address, hostPolicy, signal)).toMatchObject({
      fingerprint,
      subject: expect.stringContaining("CN=localhost"),
      isSelfSigned: true,
    });
    expect(await offer.certificate?.read({ baseUrl: `${address}/` }, signal)).toMatchObject({ fingerprint });
  });

  it("is none where nobody answers, or nobody speaks TLS", async () => {
    await expect(readGatewayCertificate("https://127.0.0.1:1", hostPolicy, signal)).rejects.toThrow(/Nobody answers at 127\.0\.0\.1:1/);
    const plain = await serve((_req, res) => res.end("hello"), false);
    await expect(readGatewayCertificate(`https://127.0.0.1:${plain.port}`, hostPolicy, signal)).rejects.toThrow(/does not speak TLS/);
    expect(await readGatewayCertificate(`http://127.0.0.1:${plain.port}`, hostPolicy, signal)).toBeUndefined();
    await plain.close();
  });

  it("is not read at an address that may not be reached", async () => {
    await expect(readGatewayCertificate("https://169.254.169.254", hostPolicy, signal)).rejects.toThrow(/may not connect/);
  });
});

describe("a connection through a Client Portal Gateway", () => {
  it("shows where to log in while nobody is, then works without a signature, and leaves the login standing when it is closed", async () => {
    const link = connect({ baseUrl: address, fingerprint });
    await expect(link.accounts(call())).rejects.toMatchObject({ code: "connection_not_ready", link: address });
    expect(link.health()).toMatchObject({ state: "logged_out" });
    await link.close();
    await logIn();
    for (const round of [1, 2]) {
      const again = connect({ baseUrl: address, fingerprint });
      expect((await again.accounts(call())).length, `round ${round}`).toBe(simulator.accountIds.length);
      expect(again.health()).toMatchObject({ state: "established", provenMode: "paper" });
      // Who is logged in may be asked once a minute, whatever link asks; the mode is proven by the accounts, too.
      if (round === 1) expect(again.health().userName).toBe("simuser1");
      await again.close();
    }
  });

  it("freezes when another kind of user is logged in there than it was made for", async () => {
    await logIn();
    const link = connect({ baseUrl: address, fingerprint }, "live");
    await expect(link.accounts(call())).rejects.toMatchObject({ code: "connection_frozen" });
    await link.close();
  });

  it("sends nothing to a server with another certificate than the confirmed one, and says so", async () => {
    const visits: string[] = [];
    const impostor = await serve((req, res) => {
      visits.push(req.url ?? "");
      res.end("{}");
    });
    const link = connect({ baseUrl: `https://127.0.0.1:${impostor.port}`, fingerprint });
    await expect(link.accounts(call())).rejects.toMatchObject({
      code: "connection_not_ready",
      message: expect.stringMatching(new RegExp(`not the one that was confirmed.*${another}`)),
      whatToDo: expect.stringContaining("setting the connection up anew"),
    });
    expect(visits).toEqual([]);
    await link.close();
    const edge = createGuardedEdge({ url: new URL(`https://127.0.0.1:${impostor.port}`), hostPolicy, fingerprint });
    const reason = await new Promise<string>((resolve) => {
      edge.socket(`wss://127.0.0.1:${impostor.port}/v1/api/ws`, { headers: {}, listener: { text: () => undefined, ended: resolve } });
    });
    expect(reason).toContain("not the one that was confirmed");
    expect(visits).toEqual([]);
    await impostor.close();
  });

  it("follows no redirect, and reaches no other address", async () => {
    const server = await serve((_req, res) => res.writeHead(302, { Location: "https://127.0.0.1:1/" }).end());
    const edge = createGuardedEdge({ url: new URL(`https://127.0.0.1:${server.port}`), hostPolicy, fingerprint: another });
    expect((await edge.fetch(`https://127.0.0.1:${server.port}/v1/api/x`, { redirect: "follow" })).status).toBe(302);
    await expect(edge.fetch(`https://127.0.0.1:${server.port + 1}/`)).rejects.toThrow(/way to/);
    await server.close();
  });

  it("looks its host up at each connection, and goes nowhere when the answer has changed", async () => {
    const answers = ["127.0.0.1", "169.254.169.254"];
    const rebinding = createHostPolicy({
      hosts: ["gateway.example"],
      isLocal: false,
      resolve: () => Promise.resolve([{ address: answers.shift() ?? "", family: 4 }]),
    });
    const server = await serve((_req, res) => res.writeHead(200, { Connection: "close" }).end("{}"));
    const url = new URL(`https://gateway.example:${server.port}`);
    const edge = createGuardedEdge({ url, hostPolicy: rebinding, fingerprint: another });
    expect((await edge.fetch(`${url.origin}/`)).status).toBe(200);
    await expect(edge.fetch(`${url.origin}/`)).rejects.toMatchObject({ cause: { message: expect.stringContaining("may not connect") } });
    await server.close();
  });

  it("needs the fingerprint for https, and none for http on this machine", () => {
    expect(offer.read({ baseUrl: "https://localhost:5000/" })).toEqual({ wrong: [{ field: "fingerprint", fault: "wrong" }] });
    const lower = fingerprint.replaceAll(":", "").toLowerCase();
    expect(offer.read({ baseUrl: "https://localhost:5000/v1/api/", fingerprint: `sha256 Fingerprint=${lower}` })).toEqual({
      entry: { settings: { baseUrl: "https://localhost:5000", fingerprint }, secrets: {} },
    });
    expect(offer.read({ baseUrl: "http://localhost:5000" })).toMatchObject({ entry: { settings: { baseUrl: "http://localhost:5000" } } });
    expect(offer.check({ fingerprint: "12:34" })).toMatchObject([{ field: "fingerprint", whatToDo: expect.stringContaining("browser") }]);
    expect(offer.check({ baseUrl: "localhost:5000" })).toMatchObject([{ field: "baseUrl", whatToDo: expect.stringContaining("https://") }]);
    expect(offer.check({ baseUrl: "https://8.8.8.8" })).toMatchObject([
      { field: "baseUrl", whatToDo: expect.stringContaining("GATEWAY_HOSTS") },
    ]);
  });
});

async function serve(listener: RequestListener, isTls = true) {
  const server: Server | ReturnType<typeof createHttp> = isTls
    ? createServer({ key: TEST_KEY, cert: TEST_CERTIFICATE }, listener)
    : createHttp(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port: typeof bound === "object" && bound !== null ? bound.port : 0, close };
}
