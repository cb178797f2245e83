import { constants, createHash, createHmac, createPrivateKey, createSign, privateDecrypt, randomBytes } from "node:crypto";

import type { Clock } from "../lib/clock.ts";
import { isRecord, parseLossless } from "../lib/json.ts";
import type { Route } from "./http/route.ts";
import type { Simulator, SimulatorCredentials, SimulatorOptions } from "./index.ts";
import { prepareSimulator } from "./prepare-simulator.ts";
import { TestClock } from "./test-clock.ts";

/** What a test sends beside method and path. */
export interface TestCall {
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, in place of `body`. */
  readonly text?: string;
}

/** A reply as a test reads it: JSON parsed losslessly (non-integers are text), other bodies as text. */
export interface TestReply {
  readonly status: number;
  readonly json: unknown;
  readonly text: string;
}

/** A small client of the simulator for tests, with signing code of its own. */
export interface TestClient {
  readonly simulator: Simulator;
  /** Stands still until the test turns it, unless the test brought its own clock. */
  readonly clock: TestClock;
  /** Sends one signed request; `path` is without `/v1/api`. */
  call(method: string, path: string, call?: TestCall): Promise<TestReply>;
  /** Gets a Live Session Token, opens the brokerage session, waits until it is established, and calls `/iserver/accounts`. */
  login(): Promise<void>;
  /** Gets a Live Session Token only: the read-only tier. */
  signIn(): Promise<void>;
  /** The same client with the same token, at a simulator that was started anew. */
  at(simulator: Simulator): TestClient;
  close(): Promise<void>;
}

export interface TestSimulatorOptions extends Omit<SimulatorOptions, "clock" | "tradingHours"> {
  readonly clock?: TestClock;
  /** True by default. */
  readonly alwaysOpen?: boolean;
  /** Endpoints beside IBKR's own. */
  readonly routes?: readonly Route[];
}

/** Starts a simulator on a free port with a clock that stands still, and a client for it. */
export async function startSimulatorForTest(options: TestSimulatorOptions = {}): Promise<TestClient> {
  const { clock = new TestClock(), alwaysOpen = true, routes = [], ...rest } = options;
  const prepared = await prepareSimulator({ ...rest, clock, tradingHours: alwaysOpen ? "always_open" : "real" }, routes);
  return createTestClient(await prepared.listen(), clock);
}

/** Makes another client of a running simulator. */
export function createTestClient(simulator: Simulator, clock: TestClock, goodToken?: Buffer): TestClient {
  let token = goodToken;
  const { credentials, baseUrl } = simulator;

  const signIn = async (): Promise<void> => {
    token = await exchangeToken(baseUrl, credentials, clock);
  };
  const call = async (method: string, path: string, { query, body, text: rawBody }: TestCall = {}): Promise<TestReply> => {
    const url = baseUrl + path;
    const entries = Object.entries(query ?? {}).map(([name, value]): [string, string] => [name, String(value)]);
    const search = entries.length === 0 ? "" : `?${new URLSearchParams(entries).toString()}`;
    const headers: Record<string, string> = { "user-agent": "test-client" };
    if (token !== undefined) headers["authorization"] = signWithToken({ method, url, token, credentials, clock });
    const payload = body === undefined ? rawBody : JSON.stringify(body);
    if (payload !== undefined) headers["content-type"] = "application/json";
    const response = await fetch(url + search, { method, headers, ...(payload === undefined ? {} : { body: payload }) });
    const text = await response.text();
    const isJson = (response.headers.get("content-type") ?? "").startsWith("application/json");
    return { status: response.status, text, json: isJson ? parseLossless(text) : undefined };
  };
  const login = async (): Promise<void> => {
    await signIn();
    await call("POST", "/iserver/auth/ssodh/init", { body: { publish: true, compete: true } });
    clock.advance(2_000);
    const status = await call("POST", "/iserver/auth/status");
    if (!isRecord(status.json) || status.json["established"] !== true) throw new Error(`not established: ${status.text}`);
    await call("GET", "/iserver/accounts");
  };
  const at = (restarted: Simulator): TestClient => createTestClient(restarted, clock, token);
  return { simulator, clock, call, login, signIn, at, close: () => simulator.close() };
}

/** Does the Live Session Token exchange as the specification describes it. Throws when IBKR's side refuses or does not check out. */
export async function exchangeToken(baseUrl: string, credentials: SimulatorCredentials, clock: Clock): Promise<Buffer> {
  const url = `${baseUrl}/oauth/live_session_token`;
  const secret = decryptSecret(credentials);
  const prime = BigInt(`0x${credentials.dhPrime}`);
  const exponent = BigInt(`0x${randomBytes(32).toString("hex")}`);
  const parameters: Record<string, string> = {
    diffie_hellman_challenge: power(2n, exponent, prime).toString(16),
    ...oauthParameters(credentials, clock, "RSA-SHA256"),
  };
  const base = `${secret.toString("hex")}POST&${encodeURIComponent(url)}&${encodeURIComponent(joinSorted(parameters))}`;
  const signature = createSign("sha256").update(base).sign(credentials.privateSignaturePem, "base64");
  const authorization = headerOf({ ...parameters, oauth_signature: encodeURIComponent(signature) });
  const response = await fetch(url, { method: "POST", headers: { "user-agent": "test-client", authorization } });
  const reply: unknown = JSON.parse(await response.text());
  if (!response.ok || !isRecord(reply)) throw new Error(`no Live Session Token: ${response.status} ${JSON.stringify(reply)}`);
  const shared = power(BigInt(`0x${String(reply["diffie_hellman_response"])}`), exponent, prime);
  let hex = shared.toString(16);
  if (hex.length % 2 === 1) hex = `0${hex}`;
  if (shared.toString(2).length % 8 === 0) hex = `00${hex}`;
  const token = createHmac("sha1", Buffer.from(hex, "hex")).update(secret).digest();
  const check = createHmac("sha1", token).update(credentials.consumerKey).digest("hex");
  if (check !== reply["live_session_token_signature"]) throw new Error("the Live Session Token does not check out");
  return token;
}

interface Signing {
  readonly method: string;
  readonly url: string;
  readonly token: Buffer;
  readonly credentials: SimulatorCredentials;
  readonly clock: Clock;
}

function signWithToken({ method, url, token, credentials, clock }: Signing): string {
  const parameters = oauthParameters(credentials, clock, "HMAC-SHA256");
  const base = `${method}&${encodeURIComponent(url)}&${encodeURIComponent(joinSorted(parameters))}`;
  const signature = createHmac("sha256", token).update(base).digest("base64");
  return headerOf({ ...parameters, oauth_signature: encodeURIComponent(signature) });
}

function oauthParameters(credentials: SimulatorCredentials, clock: Clock, method: string): Record<string, string> {
  return {
    oauth_consumer_key: credentials.consumerKey,
    oauth_nonce: createHash("sha256").update(randomBytes(16)).digest("hex").slice(0, 32),
    oauth_signature_method: method,
    oauth_timestamp: String(Math.floor(clock.now() / 1000)),
    oauth_token: credentials.accessToken,
  };
}

function joinSorted(parameters: Readonly<Record<string, string>>): string {
  return Object.keys(parameters)
    .toSorted()
    .map((name) => `${name}=${parameters[name]}`)
    .join("&");
}

function headerOf(parameters: Readonly<Record<string, string>>): string {
  const names = Object.keys(parameters).toSorted();
  return `OAuth realm="limited_poa", ${names.map((name) => `${name}="${parameters[name]}"`).join(", ")}`;
}

function decryptSecret({ accessTokenSecret, privateEncryptionPem }: SimulatorCredentials): Buffer {
  const key = createPrivateKey(privateEncryptionPem);
  const padded = privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, Buffer.from(accessTokenSecret, "base64"));
  return padded.subarray(padded.indexOf(0, 2) + 1);
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  if (exponent === 0n) return 1n;
  const half = power((base * base) % modulus, exponent / 2n, modulus);
  return exponent % 2n === 1n ? (half * base) % modulus : half;
}
