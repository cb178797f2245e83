import { constants, generateKeyPairSync, publicEncrypt } from "node:crypto";
import { readFileSync } from "node:fs";

import { z } from "zod";

import { Api } from "../../src/ibkr/api.ts";
import { GatewayLogin } from "../../src/ibkr/gateway-login.ts";
import type { Login } from "../../src/ibkr/login.ts";
import { proveIbkrMode } from "../../src/ibkr/mode-proof.ts";
import { OAuthLogin } from "../../src/ibkr/oauth-login.ts";
import { type Consumer, prepareConsumer } from "../../src/ibkr/oauth1a.ts";
import { Pacer } from "../../src/ibkr/pacing.ts";
import { Session } from "../../src/ibkr/session.ts";
import type { SessionOptions } from "../../src/ibkr/session-deps.ts";
import { Transport } from "../../src/ibkr/transport.ts";
import type { Random } from "../../src/lib/random.ts";
import { Secret } from "../../src/lib/secret.ts";
import { type FakeClock, fakeClock } from "./fake-clock.ts";
import { settableClock } from "./settable-clock.ts";
import { silentLog } from "./silent-log.ts";

const [vector] = Object.values(
  z
    .looseObject({
      lst_cases: z.record(
        z.string(),
        z.looseObject({ a: z.string(), diffie_hellman_response: z.string(), live_session_token_signature: z.string() }),
      ),
    })
    .parse(vectors()).lst_cases,
);

/** What the script answers to a request, at once or later: JSON with status 200, or a response of its own. */
export type ScriptedAnswer = (request: { readonly query: URLSearchParams; readonly body: string }) => unknown;

/** An IBKR whose every answer is written by the test, and our session with it. */
export interface ScriptedIbkr {
  readonly clock: FakeClock;
  readonly session: Session;
  readonly api: Api;
  /** Path below the base → what it answers; absent paths answer 404. */
  readonly answers: Map<string, ScriptedAnswer>;
  /** `METHOD path` of what was sent, in order. */
  readonly sent: string[];
  /** Bodies and queries of what was sent, in order. */
  readonly contents: string[];
  /** Sets this machine's clock without time passing. */
  readonly setClock: (byMs: number) => void;
  /** Turns the clock until the promise settles. */
  settle<T>(promise: Promise<T>): Promise<T>;
}

/** How the session behaves, and by which of IBKR's faces it logs in. */
export interface ScriptedOptions extends SessionOptions {
  readonly face?: Login["face"];
}

const READY = { authenticated: true, connected: true, established: true, competing: false };

/** Makes a script in which logging in works and a session stands. */
export function scriptedIbkr({ face = "oauth", ...options }: ScriptedOptions = {}): ScriptedIbkr {
  const time = fakeClock();
  const { clock, set } = settableClock(time);
  const sent: string[] = [];
  const contents: string[] = [];
  const answers = new Map<string, ScriptedAnswer>([
    ["/oauth/live_session_token", () => ({ ...vector, live_session_token_expiration: clock.now() + 86_400_000 })],
    ["/iserver/auth/status", () => READY],
    ["/iserver/auth/ssodh/init", () => READY],
    ["/iserver/accounts", () => ({ accounts: ["DU1234567"], selectedAccount: "DU1234567", isPaper: true })],
    ["/tickle", () => ({ session: "x", iserver: { authStatus: READY } })],
    ["/sso/validate", () => ({ USER_NAME: "ada99", LOGIN_TYPE: 2, RESULT: true })],
    ["/logout", () => ({ status: true })],
  ]);
  const edge: typeof fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    // The body of what changes something is read as it is on a network; whoever keeps it back sends nothing.
    const body = init?.body instanceof ReadableStream ? await new Response(init.body).text() : init?.body;
    const text = typeof body === "string" ? body : "";
    sent.push(`${init?.method ?? "GET"} ${url.pathname}`);
    contents.push(url.search + text);
    const answer =
      (await answers.get(url.pathname)?.({ query: url.searchParams, body: text })) ??
      new Response("<h1>Resource not found</h1>", { status: 404 });
    if (answer instanceof Error) throw answer;
    return answer instanceof Response ? answer : Response.json(answer);
  };
  const baseUrl = "https://ibkr.test";
  const transport = new Transport({
    baseUrl,
    fetch: edge,
    clock,
    log: silentLog,
    pacer: new Pacer({ clock, log: silentLog }),
    userAgent: "test",
  });
  const login =
    face === "oauth"
      ? new OAuthLogin({ consumer: (consumer ??= testConsumer()), baseUrl, clock, random: vectorRandom })
      : new GatewayLogin({ loginUrl: baseUrl, clock });
  const session = new Session(
    { transport, login, proveMode: proveIbkrMode, expectedMode: "paper", baseUrl, clock, random: vectorRandom, log: silentLog },
    options,
  );
  const settle = async <T>(promise: Promise<T>): Promise<T> => {
    const state = { isPending: true };
    const end = () => {
      state.isPending = false;
    };
    promise.then(end, end);
    for (let turns = 0; state.isPending && turns < 3000; turns += 1) await time.advance(turns < 20 ? 0 : 50);
    return await promise;
  };
  return { clock: time, session, api: new Api({ transport, session, clock }), answers, sent, contents, setClock: set, settle };
}

let consumer: Consumer | undefined;

/** Gives the exponent that the fixed vector was computed with. */
const vectorRandom: Random = { bytes: (length) => (length === 32 ? Buffer.from(vector?.a ?? "", "hex") : Buffer.alloc(length, 7)) };

function vectors(): { readonly dh_prime: string; readonly prepend_hex: string; readonly consumer_key: string } {
  const file = new URL("../../src/ibkr/oauth-vectors.json", import.meta.url);
  return z
    .looseObject({ dh_prime: z.string(), prepend_hex: z.string(), consumer_key: z.string() })
    .parse(JSON.parse(readFileSync(file, "utf8")));
}

function testConsumer(): Consumer {
  const { dh_prime: dhPrime, prepend_hex: prepend, consumer_key: consumerKey } = vectors();
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = new Secret(privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  const secret = publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(prepend, "hex"));
  return prepareConsumer({
    consumerKey,
    accessToken: "token",
    accessTokenSecret: new Secret(secret.toString("base64")),
    dhPrime,
    privateSignaturePem: pem,
    privateEncryptionPem: pem,
  });
}
