import { createHmac, createSign, generateKeyPairSync, randomBytes } from "node:crypto";
import { request } from "node:http";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Simulator } from "./index.ts";
import { exchangeToken, startSimulatorForTest } from "./test-client.ts";
import type { TestClient } from "./test-client.ts";

/** How a client may differ from the plain one. */
interface Signing {
  readonly origin?: string;
  readonly host?: string;
  readonly path?: string;
  /** As it is sent. */
  readonly query?: string;
  /** The URL that is signed, when it holds the query. */
  readonly signedSuffix?: string;
  /** Pairs merged into the signed parameters. */
  readonly merged?: readonly string[];
  readonly change?: Readonly<Record<string, string>>;
  readonly token?: Buffer;
  readonly header?: (header: string) => string;
}

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

let client: TestClient;
let simulator: Simulator;
let token: Buffer;

beforeAll(async () => {
  client = await startSimulatorForTest({ pacing: { requestsPerSecond: 10_000 } });
  simulator = client.simulator;
  token = await exchangeToken(simulator.baseUrl, simulator.credentials, client.clock);
});

afterAll(() => client.close());

function parametersOf(signing: Signing, method: string): Record<string, string> {
  return {
    oauth_consumer_key: simulator.credentials.consumerKey,
    oauth_nonce: randomBytes(8).toString("hex"),
    oauth_signature_method: method,
    oauth_timestamp: String(client.clock.now() / 1000),
    oauth_token: simulator.credentials.accessToken,
    ...signing.change,
  };
}

function pairsOf(parameters: Readonly<Record<string, string>>): string[] {
  return Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
}

function headerOf(parameters: Readonly<Record<string, string>>, signature: string): string {
  const all = { ...parameters, oauth_signature: encodeURIComponent(signature) };
  return `OAuth realm="limited_poa", ${pairsOf(all)
    .map((pair) => pair.replace("=", '="') + '"')
    .join(", ")}`;
}

function send(method: string, path: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const outgoing = request(simulator.url + path, { method, headers: { "user-agent": "test", ...headers } }, (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => (text += chunk));
    response.on("end", () => resolve({ status: response.statusCode, text }));
  });
  outgoing.on("error", reject);
  outgoing.end();
  return promise;
}

function authorizationOf(signing: Signing): string {
  const path = signing.path ?? "/v1/api/iserver/auth/status";
  const parameters = parametersOf(signing, "HMAC-SHA256");
  const signed = [...pairsOf(parameters), ...(signing.merged ?? [])].toSorted().join("&");
  const url = `${signing.origin ?? simulator.url}${path}${signing.signedSuffix ?? ""}`;
  const base = ["GET", encodeURIComponent(url), encodeURIComponent(signed)].join("&");
  const signature = createHmac("sha256", signing.token ?? token)
    .update(base)
    .digest("base64");
  const header = headerOf(parameters, signature);
  return signing.header?.(header) ?? header;
}

function get(signing: Signing = {}): Promise<Answer> {
  const path = signing.path ?? "/v1/api/iserver/auth/status";
  const host = signing.host === undefined ? {} : { host: signing.host };
  const query = signing.query === undefined ? "" : `?${signing.query}`;
  return send("GET", path + query, { authorization: authorizationOf(signing), ...host });
}

describe("a signed request", () => {
  const query = "conids=265598%2C8314&fields=31";

  test.each<[string, Signing]>([
    ["without a query", {}],
    ["with the query left out of the signature", { query }],
    ["with the query merged into the parameters", { query, merged: ["conids=265598,8314", "fields=31"] }],
    ["with the query merged in its escaped form", { query, merged: ["conids=265598%2C8314", "fields=31"] }],
    ["with the query in the signed URL", { query, signedSuffix: `?${query}` }],
    ["under the old prefix", { path: "/v1/portal/iserver/auth/status" }],
    ["that names IBKR's host and signs its URL", { host: "api.ibkr.com", origin: "https://api.ibkr.com" }],
    ["that signs the URL of its Host header", { host: "sim.example:8443", origin: "https://sim.example:8443" }],
    ["with an unquoted realm", { header: (header) => header.replace('"limited_poa"', "limited_poa") }],
    ["with the realm at the end", { header: (header) => `${header.replace('realm="limited_poa", ', "")}, realm="limited_poa"` }],
    ["four minutes early", { change: { oauth_timestamp: String(1_795_447_800 - 240) } }],
  ])("%s is accepted", async (_kind, signing) => {
    expect(await get(signing)).toMatchObject({ status: 200 });
  });

  test("that names IBKR's host but signs the URL it calls is accepted", async () => {
    const origin = simulator.url.replace("127.0.0.1", "localhost");
    expect(await get({ host: "api.ibkr.com", origin })).toMatchObject({ status: 200 });
  });

  test.each<[string, Signing, string]>([
    ["of an unknown consumer", { change: { oauth_consumer_key: "NOBODYXYZ" } }, "id: 39687, error: invalid consumer"],
    ["with another access token", { change: { oauth_token: "0123" } }, "not authenticated"],
    ["signed with another key", { token: Buffer.alloc(20) }, "invalid signature"],
    ["signed for another host", { origin: "https://elsewhere.example" }, "invalid signature"],
    ["signed for another query", { query, merged: ["conids=1"] }, "invalid signature"],
    ["with a timestamp in milliseconds", { change: { oauth_timestamp: "1795447800000" } }, "timestamp"],
    ["ten minutes late", { change: { oauth_timestamp: String(1_795_447_800 - 600) } }, "timestamp"],
    ["by RSA", { change: { oauth_signature_method: "RSA-SHA256" } }, "invalid signature method"],
    ["with a broken header", { header: () => "OAuth nonsense" }, "not authenticated"],
    ["by another scheme", { header: () => "Bearer abc" }, "not authenticated"],
  ])("%s is refused", async (_kind, signing, text) => {
    const answer = await get(signing);
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.text)).toEqual({ error: expect.stringContaining(text), statusCode: 401 });
  });

  test("is good once", async () => {
    const authorization = authorizationOf({});
    expect(await send("GET", "/v1/api/iserver/auth/status", { authorization })).toMatchObject({ status: 200 });
    const replayed = await send("GET", "/v1/api/iserver/auth/status", { authorization });
    expect(replayed).toMatchObject({ status: 401, text: expect.stringContaining("nonce already used") });
  });

  test("can't use up a nonce with a bad signature", async () => {
    const change = { oauth_nonce: "used-by-a-stranger" };
    expect(await get({ change, token: Buffer.alloc(20) })).toMatchObject({ status: 401 });
    expect(await get({ change })).toMatchObject({ status: 200 });
  });
});

describe("a Live Session Token request", () => {
  const path = "/v1/api/oauth/live_session_token";

  const exchange = (change: Readonly<Record<string, string>>, key = simulator.credentials.privateSignaturePem): Promise<Answer> => {
    const parameters = { ...parametersOf({}, "RSA-SHA256"), diffie_hellman_challenge: "5", ...change };
    const base = ["POST", encodeURIComponent(simulator.url + path), encodeURIComponent(pairsOf(parameters).toSorted().join("&"))].join("&");
    const signature = createSign("sha256").update(base).sign(key, "base64");
    return send("POST", path, { authorization: headerOf(parameters, signature), "content-length": "0" });
  };

  test.each<[string, Readonly<Record<string, string>>, string]>([
    ["of an unknown consumer", { oauth_consumer_key: "NOBODYXYZ" }, "id: 39687, error: invalid consumer"],
    ["for an unknown access token", { oauth_token: "0123" }, "id: 118871, error: LST failed, error: No access secret key found for 0123"],
    ["with a timestamp in milliseconds", { oauth_timestamp: "1795447800000" }, "timestamp"],
    ["without the decrypted secret in front of its base string", {}, "error: invalid signature"],
  ])("%s is refused", async (_kind, change, text) => {
    const answer = await exchange(change);
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.text)).toEqual({ error: expect.stringContaining(text), statusCode: 401 });
  });

  test("signed with a key that is not the consumer's is refused", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const stranger = { ...simulator.credentials, privateSignaturePem: privateKey.export({ type: "pkcs1", format: "pem" }).toString() };
    await expect(exchangeToken(simulator.baseUrl, stranger, client.clock)).rejects.toThrow("invalid signature");
  });

  test("without any header is refused", async () => {
    expect(await send("POST", path, { "content-length": "0" })).toMatchObject({ status: 401 });
  });
});
