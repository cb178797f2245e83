import type { CallOptions } from "../broker/broker.ts";
import type { Clock } from "../lib/clock.ts";
import { GatewayError } from "../lib/errors.ts";
import { background, type Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import {
  authStatus,
  type AuthStatus,
  initRequest,
  LIVE_SESSION_TOKEN,
  liveSessionTokenReply,
  LOGOUT,
  STATUS,
  TICKLE,
  tickleReply,
  TRADING_ACCOUNTS,
  type TradingAccounts,
  tradingAccountsReply,
} from "./endpoints/session.ts";
import { readReply } from "./endpoints/reply.ts";
import { authorizationFor, beginLiveSessionToken, type Consumer, type LiveSessionToken, stampAt } from "./oauth1a.ts";
import { competing, initRefused, loginRefused, notEstablished, openingFailed } from "./session-failures.ts";
import { type Answer, type ApiRequest, type Transport, TransportError } from "./transport.ts";
import { abortable } from "./abortable.ts";

const TICKLE_EVERY_MS = 60_000;
/** IBKR takes 1–3 s from init to a usable session; some builds need longer. */
const ESTABLISH_LIMIT_MS = 20_000;
const POLL_EVERY_MS = 500;
const OPENING_LIMIT_MS = 60_000;
/** Renewed this long before its end, so that no request meets an expired token. */
const RENEW_BEFORE_MS = 300_000;
const DAY_MS = 86_400_000;
/** Repeated refused logins lock a user out: IBKR's advice is to wait longer each time. */
const FIRST_REFUSAL_PAUSE_MS = 60_000;
const MAX_REFUSAL_PAUSE_MS = 1_800_000;
/** When IBKR was not reached, asking again costs nothing but the request. */
const RETRY_PAUSE_MS = 1000;
/** Whether another login still holds the session can be asked without touching it. */
const COMPETING_PAUSE_MS = 10_000;
const LOGOUT_LIMIT_MS = 2000;

/** What the session does beyond what is needed; both off by default. */
export interface SessionOptions {
  /** Take the brokerage session from another login (TWS, phone) of the same user. A person must have asked for it. */
  readonly compete?: boolean;
  /** Log out on `close`, which frees the user's one brokerage session at once. */
  readonly logoutOnClose?: boolean;
}

/** What a session needs of the outside. */
export interface SessionDeps {
  readonly transport: Transport;
  readonly consumer: Consumer;
  readonly baseUrl: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Which of IBKR's two tiers was lost: the login (read-only tier), or the brokerage session above it. */
export type Layer = "login" | "brokerage";

/** A user's session at IBKR: opens it on demand, keeps it alive, notices its loss. Never competes unless told to. */
export class Session {
  readonly #deps: SessionDeps;
  readonly #options: SessionOptions;
  readonly #ended = new AbortController();
  #token: LiveSessionToken | undefined;
  #generation = 0;
  #isReady = false;
  #wasInitialized = false;
  #opening: Promise<void> | undefined;
  #accounts: TradingAccounts | undefined;
  #failure: GatewayError | undefined;
  #refusals = 0;
  #hasInitialized = false;
  #blockedUntil = 0;
  #stopKeepAlive: (() => void) | undefined;

  constructor(deps: SessionDeps, behaviour: SessionOptions = {}) {
    this.#deps = deps;
    this.#options = behaviour;
  }

  /** Counts the brokerage sessions that were opened: what IBKR remembers of one (primed, open, selected) is gone in the next. */
  get generation(): number {
    return this.#generation;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** True when this brokerage session was begun by us, false when it was found standing: then others may have used it just before. */
  get wasInitialized(): boolean {
    return this.#wasInitialized;
  }

  /** The trading accounts as IBKR listed them when the session was opened. */
  get accounts(): TradingAccounts | undefined {
    return this.#accounts;
  }

  /** Waits until requests can be sent. Throws `connection_not_ready`, `session_competing` or `upstream_unavailable`. */
  async ready(signal: AbortSignal): Promise<void> {
    if (this.#isReady && !this.#expires()) return;
    if (this.#ended.signal.aborted) throw closed();
    if (this.#opening === undefined) {
      const opening = this.#open().finally(() => (this.#opening = undefined));
      this.#opening = opening;
    }
    await abortable(this.#opening, signal);
  }

  /** Tells that a request of this generation met a lost session; the next `ready` opens it again. */
  lost(generation: number, layer: Layer): void {
    if (generation !== this.#generation) return;
    this.#isReady = false;
    if (layer === "login") this.#token = undefined;
  }

  /** The `Authorization` header with the current token. Throws when there is none: nothing was sent then. */
  readonly authorize = (method: string, url: string): string => {
    if (this.#token === undefined)
      throw new TransportError("the login to IBKR was lost before sending", { sent: "never", reason: "connection" });
    const stamp = stampAt(this.#deps.clock.now(), this.#deps.random);
    return authorizationFor(this.#deps.consumer, this.#token.key, { method, url, stamp });
  };

  /** Ends keep-alive, and the session at IBKR where the options say so. */
  async close(): Promise<void> {
    if (this.#ended.signal.aborted) return;
    this.#stopKeepAlive?.();
    const wasReady = this.#isReady;
    this.#isReady = false;
    const reason = closed();
    if (wasReady && this.#options.logoutOnClose === true) {
      try {
        const limit = new AbortController();
        this.#deps.clock.wait(LOGOUT_LIMIT_MS, this.#ended.signal).then(
          () => limit.abort(notEstablished()),
          () => undefined,
        );
        await abortable(this.#send(LOGOUT, this.#ended.signal), limit.signal);
      } catch (error) {
        this.#deps.log.info({ err: error }, "logout was not answered; IBKR ends the session by itself");
      }
    }
    this.#ended.abort(reason);
    this.#token = undefined;
  }

  #expires(): boolean {
    return this.#token === undefined || this.#deps.clock.now() >= this.#token.expiresAt - RENEW_BEFORE_MS;
  }

  async #open(): Promise<void> {
    const now = this.#deps.clock.now();
    if (this.#failure !== undefined && now < this.#blockedUntil) throw again(this.#failure, this.#blockedUntil - now);
    const limit = new AbortController();
    const signal = AbortSignal.any([limit.signal, this.#ended.signal]);
    const timer = new AbortController();
    this.#hasInitialized = false;
    this.#deps.clock.wait(OPENING_LIMIT_MS, timer.signal).then(
      () => limit.abort(notEstablished()),
      () => undefined,
    );
    try {
      if (this.#expires()) this.#token = await this.#exchange(signal);
      await this.#establish(signal);
      this.#accounts = await this.#primeAccounts(signal);
      signal.throwIfAborted();
      this.#succeeded();
    } catch (error) {
      throw this.#failed(signal.aborted ? signal.reason : error);
    } finally {
      timer.abort();
    }
  }

  #succeeded(): void {
    this.#generation += 1;
    this.#isReady = true;
    this.#failure = undefined;
    this.#refusals = 0;
    this.#stopKeepAlive ??= this.#deps.clock.every(TICKLE_EVERY_MS, () => background(this.#keepAlive(), this.#deps.log, "keep-alive"));
    this.#deps.log.info({ generation: this.#generation }, "session established");
  }

  #failed(error: unknown): GatewayError {
    const failure = openingFailed(error);
    const isCompeting = failure.code === "session_competing";
    // An init that did not work must not be repeated soon, and no more should a login that was refused.
    const wasRefused = this.#hasInitialized || !(error instanceof TransportError || isCompeting || failure.code === "rate_limited");
    this.#refusals = wasRefused ? this.#refusals + 1 : 0;
    const refusalPauseMs = Math.min(FIRST_REFUSAL_PAUSE_MS * 2 ** (this.#refusals - 1), MAX_REFUSAL_PAUSE_MS);
    const pauseMs = wasRefused ? refusalPauseMs : isCompeting ? COMPETING_PAUSE_MS : RETRY_PAUSE_MS;
    this.#failure = failure;
    this.#blockedUntil = this.#deps.clock.now() + pauseMs;
    this.#deps.log.warn({ code: failure.code, reason: failure.message, pauseMs }, "session could not be opened");
    return again(failure, pauseMs);
  }

  async #exchange(signal: AbortSignal): Promise<LiveSessionToken> {
    const { clock, random, consumer, baseUrl } = this.#deps;
    const exponent = BigInt(`0x${random.bytes(32).toString("hex")}`);
    const exchange = beginLiveSessionToken(consumer, baseUrl + LIVE_SESSION_TOKEN.path, { stamp: stampAt(clock.now(), random), exponent });
    const answer = await this.#deps.transport.send(LIVE_SESSION_TOKEN, options(signal), () => exchange.authorization);
    if (answer.status !== 200) throw loginRefused(answer);
    const reply = readReply(liveSessionTokenReply, answer.body, "the login");
    const key = exchange.complete(reply.diffie_hellman_response, reply.live_session_token_signature);
    const now = clock.now();
    // Some builds give the time of computation instead of the end.
    const given = reply.live_session_token_expiration ?? 0;
    return { key, expiresAt: given > now + RENEW_BEFORE_MS ? given : now + DAY_MS };
  }

  async #establish(signal: AbortSignal): Promise<void> {
    const status = await this.#status(signal);
    this.#wasInitialized = !isEstablished(status);
    if (!this.#wasInitialized) return;
    if (status?.competing === true && this.#options.compete !== true) throw competing();
    this.#hasInitialized = true;
    const answer = await this.#send(initRequest(this.#options.compete === true), signal);
    if (answer.status !== 200) throw initRefused(answer);
    const reply = readReply(authStatus, answer.body, "the brokerage session");
    if (lostCompetition(reply)) throw competing();
    const deadline = this.#deps.clock.now() + ESTABLISH_LIMIT_MS;
    for (;;) {
      const current = await this.#status(signal);
      if (isEstablished(current)) return;
      if (current !== undefined && lostCompetition(current)) throw competing();
      if (this.#deps.clock.now() >= deadline) throw notEstablished();
      await this.#deps.clock.wait(POLL_EVERY_MS, signal);
    }
  }

  async #status(signal: AbortSignal): Promise<AuthStatus | undefined> {
    const answer = await this.#send(STATUS, signal);
    return answer.status === 200 ? readReply(authStatus, answer.body, "the session's status") : undefined;
  }

  /** Right after an init the bridge may not stand yet, and the list may be empty. */
  async #primeAccounts(signal: AbortSignal): Promise<TradingAccounts> {
    const deadline = this.#deps.clock.now() + ESTABLISH_LIMIT_MS;
    for (;;) {
      const answer = await this.#send(TRADING_ACCOUNTS, signal);
      const accounts = answer.status === 200 ? readReply(tradingAccountsReply, answer.body, "its accounts") : undefined;
      if (accounts !== undefined && accounts.accounts.length > 0) return accounts;
      if (this.#deps.clock.now() >= deadline) throw answer.status === 200 ? competing() : initRefused(answer);
      await this.#deps.clock.wait(POLL_EVERY_MS, signal);
    }
  }

  async #keepAlive(): Promise<void> {
    if (this.#ended.signal.aborted || this.#opening !== undefined) return;
    if (this.#isReady && !this.#expires()) await this.#tickle();
    if (!this.#isReady || this.#expires()) await this.#reopen();
  }

  async #tickle(): Promise<void> {
    const generation = this.#generation;
    let answer: Answer;
    try {
      answer = await this.#send(TICKLE, this.#ended.signal);
    } catch (error) {
      // The next tickle is a minute away, IBKR's limit five: one that is lost is no loss of the session.
      this.#deps.log.info({ err: error }, "tickle was not answered");
      return;
    }
    if (answer.status === 401) return this.lost(generation, "login");
    const reply = tickleReply.safeParse(answer.body);
    const status = reply.success ? reply.data.iserver.authStatus : undefined;
    if (status?.authenticated === false || status?.connected === false) this.lost(generation, "brokerage");
    return undefined;
  }

  async #reopen(): Promise<void> {
    try {
      await this.ready(this.#ended.signal);
    } catch (error) {
      // Logged where it failed; the next keep-alive or request tries again after the pause.
      if (!(error instanceof GatewayError)) throw error;
    }
  }

  #send(request: ApiRequest, signal: AbortSignal): Promise<Answer> {
    return this.#deps.transport.send(request, options(signal), this.authorize);
  }
}

function options(signal: AbortSignal): CallOptions {
  return { signal, caller: "session" };
}

function isEstablished(status: AuthStatus | undefined): boolean {
  return status?.authenticated === true && status.connected !== false && status.established !== false && status.competing !== true;
}

function lostCompetition(status: AuthStatus): boolean {
  return (status.competing === true && status.authenticated !== true) || /compete/i.test(status.fail ?? "");
}

function again(failure: GatewayError, pauseMs: number): GatewayError {
  return new GatewayError(failure.code, failure.message, {
    whatToDo: failure.whatToDo,
    retryAfterSeconds: Math.max(1, Math.ceil(pauseMs / 1000)),
    cause: failure.cause,
  });
}

function closed(): GatewayError {
  return new GatewayError("connection_not_ready", "This connection has been closed.", { whatToDo: "Try again." });
}
