import type { Clock } from "../lib/clock.ts";
import { GatewayError } from "../lib/errors.ts";
import type { Random } from "../lib/random.ts";
import { LIVE_SESSION_TOKEN, liveSessionTokenReply } from "./endpoints/session.ts";
import { readReply } from "./endpoints/reply.ts";
import { refuseForeignAnswer } from "./foreign-answer.ts";
import type { Login, SendForLogin } from "./login.ts";
import { authorizationFor, beginLiveSessionToken, type Consumer, type LiveSessionToken, stampAt } from "./oauth1a.ts";
import { clockWrong, loginRefused, loginUnusable } from "./session-failures.ts";
import { TransportError } from "./transport-error.ts";

/** Renewed this long before its end, so that no request meets an expired token. */
const RENEW_BEFORE_MS = 300_000;
const DAY_MS = 86_400_000;
/** IBKR refuses stamps that are minutes off; less than this is no reason. */
const CLOCK_TOLERANCE_MS = 60_000;

export interface OAuthLoginDeps {
  readonly consumer: Consumer;
  /** Part of what is signed. */
  readonly baseUrl: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** Logs in by OAuth 1.0a: a Live Session Token of about a day, which signs every request. */
export class OAuthLogin implements Login {
  readonly face = "oauth";
  readonly layers = ["oauth_consumer", "live_session_token"] as const;
  readonly loginUrl = undefined;
  readonly identity = undefined;
  readonly cookie = undefined;
  readonly #deps: OAuthLoginDeps;
  #token: LiveSessionToken | undefined;
  /** How far our clock is ahead of IBKR's, as its last answer told. */
  #aheadMs = 0;

  constructor(deps: OAuthLoginDeps) {
    this.#deps = deps;
  }

  isCurrent(): boolean {
    return this.#token !== undefined && this.#deps.clock.now() < this.#token.expiresAt - RENEW_BEFORE_MS;
  }

  async open(send: SendForLogin): Promise<void> {
    const { clock, random, consumer, baseUrl } = this.#deps;
    const exponent = BigInt(`0x${random.bytes(32).toString("hex")}`);
    const exchange = beginLiveSessionToken(consumer, baseUrl + LIVE_SESSION_TOKEN.path, { stamp: stampAt(clock.now(), random), exponent });
    const answer = await send(LIVE_SESSION_TOKEN, {
      headers: () => ({ authorization: exchange.authorization }),
      heard: (headers) => this.heard(headers),
    });
    refuseForeignAnswer(answer, this);
    if (answer.status !== 200) throw loginRefused(answer, this.clockFault);
    try {
      const reply = readReply(liveSessionTokenReply, answer.body, "the login");
      const key = exchange.complete(reply.diffie_hellman_response, reply.live_session_token_signature);
      const now = clock.now();
      // Some builds give the time of computation instead of the end.
      const given = reply.live_session_token_expiration ?? 0;
      this.#token = { key, expiresAt: given > now + RENEW_BEFORE_MS ? given : now + DAY_MS };
    } catch (error) {
      throw error instanceof GatewayError ? loginUnusable(error) : error;
    }
  }

  lost(): void {
    this.#token = undefined;
  }

  headers(method: string, url: string): Readonly<Record<string, string>> {
    if (this.#token === undefined)
      throw new TransportError("the login to IBKR was lost before sending", { sent: "never", reason: "session" });
    const stamp = stampAt(this.#deps.clock.now(), this.#deps.random);
    return { authorization: authorizationFor(this.#deps.consumer, this.#token.key, { method, url, stamp }) };
  }

  heard(headers: Headers): void {
    const theirs = Date.parse(headers.get("date") ?? "");
    if (!Number.isNaN(theirs)) this.#aheadMs = this.#deps.clock.now() - theirs;
  }

  socketQuery(): Readonly<Record<string, string>> {
    return { oauth_token: this.#deps.consumer.accessToken };
  }

  get clockFault(): GatewayError | undefined {
    return Math.abs(this.#aheadMs) < CLOCK_TOLERANCE_MS ? undefined : clockWrong(this.#aheadMs);
  }
}
