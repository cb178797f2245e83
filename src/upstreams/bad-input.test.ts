/** Every kind of wrong entry that only the other side can find names its fault and its cure. What is found at once stands with its kind. */
import type { RequestListener } from "node:http";
import { createServer as createTls } from "node:https";
import { constants, generateKeyPairSync, publicEncrypt, X509Certificate } from "node:crypto";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { fastClock } from "../../test/support/fast-clock.ts";
import { silentLog } from "../../test/support/silent-log.ts";
import { TEST_CERTIFICATE, TEST_KEY } from "../../test/support/test-certificate.ts";
import type { Clock } from "../lib/clock.ts";
import type { GatewayError } from "../lib/errors.ts";
import { systemRandom } from "../lib/random.ts";
import { createSimulator, type Simulator } from "../simulator/index.ts";
import { createHostPolicy } from "./host-policy.ts";
import { connectUpstream } from "./index.ts";
import { makePrivateKeyPem } from "./oauth-keys.ts";

const clock = fastClock(10);
const call = () => ({ signal: AbortSignal.timeout(15_000), caller: "test" });
let ibkr: Simulator;

beforeAll(async () => {
  ibkr = await createSimulator({ clock, pacing: { endpoints: false } });
});
afterAll(() => ibkr.close());

interface Entered {
  readonly secrets?: Readonly<Record<string, string>>;
  readonly consumerKey?: string;
  readonly ours?: Clock;
  readonly fetch?: typeof fetch;
}

/** What a person is told who entered this for IBKR's own OAuth. */
async function told({ secrets, consumerKey, ours = clock, fetch: edge = fetch }: Entered): Promise<GatewayError> {
  const { consumerKey: known, ...rest } = ibkr.credentials;
  const settings = { consumerKey: consumerKey ?? known, region: "automatic" };
  const link = connectUpstream(
    { kind: "ibkr-oauth", settings, secrets: { ...rest, ...secrets } },
    {
      clock: ours,
      random: systemRandom,
      log: silentLog,
      fetch: edge,
      expectedMode: "paper",
      embeddedSimulator: undefined,
      hostPolicy: createHostPolicy({ hosts: [], isLocal: false }),
      ibkrBaseUrls: { automatic: ibkr.baseUrl },
    },
  );
  try {
    return await link.accounts(call()).then(
      () => Promise.reject(new Error("it worked")),
      (error: GatewayError) => error,
    );
  } finally {
    await link.close();
  }
}

describe("IBKR by OAuth says what is wrong with", () => {
  it("a consumer that isn't active yet", async () => {
    expect(await told({ consumerKey: "NOTYETKEY" })).toMatchObject({
      code: "connection_not_ready",
      message: expect.stringContaining("does not know the consumer key"),
      whatToDo: expect.stringMatching(/nightly reset/),
      link: expect.stringContaining("interactivebrokers.com"),
    });
  });

  it("a token of another consumer", async () => {
    expect(await told({ secrets: { accessToken: "0123456789abcdef0123" } })).toMatchObject({
      code: "connection_not_ready",
      message: expect.stringContaining("another consumer"),
      whatToDo: expect.stringContaining("Generate access token and secret again"),
    });
  });

  it("a signature key that is not the one at IBKR", async () => {
    expect(await told({ secrets: { privateSignaturePem: await makePrivateKeyPem() } })).toMatchObject({
      code: "connection_not_ready",
      message: expect.stringContaining("signature"),
      whatToDo: expect.stringContaining("private signature key"),
    });
  });

  it("a secret that was made for another encryption key, before anything is sent", async () => {
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const foreign = publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, systemRandom.bytes(32)).toString("base64");
    await expect(told({ secrets: { accessTokenSecret: foreign } })).rejects.toMatchObject({
      code: "connection_not_ready",
      message: expect.stringContaining("not encrypted to this private encryption key"),
    });
  });

  it.each([10, -10])("a clock that is off by %i minutes", async (minutes) => {
    const ours: Clock = {
      now: () => clock.now() + minutes * 60_000,
      monotonic: () => clock.monotonic(),
      wait: (delayMs, signal) => clock.wait(delayMs, signal),
      every: (intervalMs, action) => clock.every(intervalMs, action),
    };
    // IBKR's answers carry its time.
    const dated: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      const headers = new Headers(response.headers);
      headers.set("date", new Date(clock.now()).toUTCString());
      return new Response(response.body, { status: response.status, headers });
    };
    expect(await told({ ours, fetch: dated })).toMatchObject({
      code: "connection_not_ready",
      message: `This machine's clock is 10 minutes ${minutes > 0 ? "ahead of" : "behind"} IBKR's.`,
      whatToDo: expect.stringContaining("NTP"),
    });
  });

  it.each<[string, () => Response]>([
    ["a web page", () => new Response("<!doctype html><p>Welcome", { headers: { "content-type": "text/html" } })],
    ["a page that isn't found", () => new Response("<html>404</html>", { status: 404 })],
    ["a redirect to a sign-in page", () => new Response(null, { status: 302, headers: { location: "http://hotel.example/login" } })],
  ])("an address that isn't IBKR: %s", async (_what, answer) => {
    expect(await told({ fetch: () => Promise.resolve(answer()) })).toMatchObject({
      code: "connection_not_ready",
      message: expect.stringContaining("not IBKR's Web API"),
      whatToDo: expect.stringContaining("proxy"),
    });
  });
});

describe("a Client Portal Gateway's address", () => {
  it.each<[string, RequestListener]>([
    ["a web page", (_req, res) => res.end("<html>AirPlay</html>")],
    ["nothing", (_req, res) => res.writeHead(404).end()],
    ["a list", (_req, res) => res.end("[]")],
    ["a redirect elsewhere", (_req, res) => res.writeHead(301, { location: "https://example.com/" }).end()],
  ])("where another program answers with %s is told from a gateway", async (_what, listener) => {
    const server = createTls({ key: TEST_KEY, cert: TEST_CERTIFICATE }, listener);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const bound = server.address();
    const baseUrl = `https://127.0.0.1:${typeof bound === "object" ? bound?.port : 0}`;
    const link = connectUpstream(
      {
        kind: "client-portal-gateway",
        settings: { baseUrl, fingerprint: new X509Certificate(TEST_CERTIFICATE).fingerprint256 },
        secrets: {},
      },
      {
        clock,
        random: systemRandom,
        log: silentLog,
        fetch,
        expectedMode: "paper",
        embeddedSimulator: undefined,
        hostPolicy: createHostPolicy({ hosts: [], isLocal: true }),
      },
    );
    await expect(link.accounts(call())).rejects.toMatchObject({
      code: "connection_not_ready",
      message: `What answers at ${baseUrl} is not a Client Portal Gateway.`,
      whatToDo: expect.stringContaining("port"),
    });
    await link.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});
