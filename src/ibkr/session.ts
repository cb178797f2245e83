import type { Account } from "../broker/account.ts";
import type { CallOptions } from "../broker/broker.ts";
import type { HealthLayer, LinkHealth } from "../broker/health.ts";
import { GatewayError } from "../lib/errors.ts";
import { background } from "../lib/log.ts";
import { abortable } from "./abortable.ts";
import { type AuthStatus, LOGOUT, ownAccountIds, TICKLE, tickleReply, type TradingAccounts } from "./endpoints/session.ts";
import { heardByBoth } from "./login.ts";
import type { SessionDeps, SessionOptions } from "./session-deps.ts";
import { again, closed, competing, frozen, networkFault, SessionFault, tooSlow, unavailable, unreachable } from "./session-failures.ts";
import { SessionHealth } from "./session-health.ts";
import { type Opened, Opening } from "./session-opening.ts";
import { initialState, type SessionEvent, type SessionState, transition } from "./session-state.ts";
import { senderUntil } from "./session-sender.ts";
import { accessToSocket, type SocketAccess } from "./socket-access.ts";
import { timeLimit } from "./time-limit.ts";
import type { Answer, ApiRequest, Sender } from "./transport.ts";
import type { TransportError } from "./transport-error.ts";

const TICKLE_EVERY_MS = 60_000;
const OPENING_LIMIT_MS = 60_000;
/** IBKR ends a brokerage session after about six minutes without a request: by then a tickle that goes unanswered has lost it. */
const UNANSWERED_LIMIT_MS = 330_000;
const LOGOUT_LIMIT_MS = 2000;
/** A person's own attempts: as often as one can press a button in earnest. */
const CHECK_EVERY_MS = 10_000;
/** Repeated refused logins lock a user out, however often a person presses. */
const CHECK_REFUSED_EVERY_MS = 60_000;

/** Which of IBKR's two tiers was lost: the login (read-only tier), or the brokerage session above it. */
export type Layer = "login" | "brokerage";

/** What is learnt of the user beside an opening, as from the WebSocket's greeting. */
export interface Learned {
  readonly userName?: string | undefined;
  readonly isPaper?: boolean | undefined;
  readonly accounts?: readonly Account[];
}

/** A user's session at IBKR: opens it on demand, keeps it alive, notices its loss, yields to other logins unless a person says otherwise. */
export class Session {
  /** In whose name the session's own requests go. */
  readonly #sender: Sender;
  readonly #deps: SessionDeps;
  readonly #options: SessionOptions;
  readonly #ended = new AbortController();
  readonly #health: SessionHealth;
  readonly #listeners = new Set<(health: LinkHealth) => void>();
  #state: SessionState;
  #opening: Promise<void> | undefined;
  #failure: GatewayError | undefined;
  #generation = 0;
  #opened: Opened | undefined;
  #accounts: readonly Account[] | undefined;
  #userName: string | undefined;
  #verifiedAt: number | undefined;
  #socketSession: { readonly generation: number; readonly id: string } | undefined;
  /** These by the monotonic clock. */
  #attemptedAt = -Infinity;
  #tookOverAt = -Infinity;
  #pausedUntil = -Infinity;
  #stopKeepAlive: (() => void) | undefined;
  /** From the first call of `close`: a farewell takes a while, and nobody may open the session meanwhile. */
  #isClosing = false;

  constructor(deps: SessionDeps, behaviour: SessionOptions = {}) {
    const { clock, login } = deps;
    this.#deps = deps;
    this.#options = behaviour;
    this.#state = initialState(clock.now());
    const layers: readonly HealthLayer[] = ["network", ...login.layers, "brokerage_session", "market_data"];
    this.#health = new SessionHealth(layers, { now: () => clock.now(), onChange: () => this.#tell() });
    this.#sender = {
      headers: (method, url) => login.headers(method, url),
      heard: (headers) => {
        login.heard?.(headers);
        this.#health.set("network", "ok");
      },
      missed: (error) => this.#missed(error),
    };
  }

  /** Counts the brokerage sessions that were opened: what IBKR remembers of one (primed, open, selected) is gone in the next. */
  get generation(): number {
    return this.#generation;
  }

  get isReady(): boolean {
    return this.#state.name === "established";
  }

  /** True when this brokerage session was begun by us, false when it was found standing: then others may have used it just before. */
  get wasInitialized(): boolean {
    return this.#opened?.wasInitialized ?? false;
  }

  /** The trading accounts as IBKR listed them when the session was opened. */
  get accounts(): TradingAccounts | undefined {
    return this.#opened?.accounts;
  }

  /** In whose name a caller's requests of this generation go. What waited for its turn until that had ended is not sent. */
  senderOf(generation: number): Sender {
    return senderUntil(this.#sender, () => {
      if (this.isReady && generation === this.#generation) return undefined;
      return this.#refusal() ?? this.#failure ?? unavailable("IBKR's session ended before the request was sent.");
    });
  }

  /** What is known of the session by layer. Asks nobody. */
  health(): LinkHealth {
    const { name, since, retryAt } = this.#state;
    const { login } = this.#deps;
    return {
      state: name,
      since,
      provenMode: this.#opened?.provenMode,
      userName: login.identity?.userName ?? this.#userName,
      accounts: this.#accounts,
      verifiedAt: this.#verifiedAt,
      retryAt,
      layers: this.#health.layers,
    };
  }

  /** Tells of each change of health. Returns how to stop. */
  onHealth(listener: (health: LinkHealth) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Waits until requests can be sent. Throws `connection_not_ready`, `connection_frozen`, `session_competing` or `upstream_unavailable`. */
  async ready(signal: AbortSignal): Promise<void> {
    if (this.isReady && this.#deps.login.isCurrent()) return;
    this.#refuseEnded();
    if (this.#opening === undefined) this.#refusePaused();
    await abortable(this.#openOnce(false), signal);
  }

  /** Tries at once, also in a pause, because a person asked; but no more often than every ten seconds, and once a minute where IBKR refused. */
  async check(signal: AbortSignal): Promise<void> {
    const everyMs = this.#state.refusals > 0 ? CHECK_REFUSED_EVERY_MS : CHECK_EVERY_MS;
    const isSoon = this.#deps.clock.monotonic() - this.#attemptedAt < everyMs;
    if (isSoon || this.isReady) return await this.ready(signal);
    this.#refuseEnded();
    return await abortable(this.#openOnce(false), signal);
  }

  /** Takes the brokerage session from another login of the same user, once. Only ever because a person asked for it. */
  async takeOver(signal: AbortSignal): Promise<void> {
    this.#refuseEnded();
    await abortable(this.#opening?.catch(() => undefined) ?? Promise.resolve(), signal);
    if (this.isReady && this.#deps.login.isCurrent()) return;
    this.#refuseEnded();
    const { clock } = this.#deps;
    const leftMs = this.#tookOverAt + CHECK_EVERY_MS - clock.monotonic();
    if (leftMs > 0 && this.#failure !== undefined) throw again(this.#failure, leftMs);
    this.#tookOverAt = clock.monotonic();
    await abortable(this.#openOnce(true), signal);
  }

  /** Tells that a request of this generation met a lost session; the next `ready` opens it again. */
  lost(generation: number, layer: Layer): void {
    // An opening that is under way finds out by itself.
    if (generation !== this.#generation || this.#opening !== undefined) return;
    const { login } = this.#deps;
    if (layer === "login") login.lost();
    if (!this.isReady) return;
    const failure = unavailable(layer === "login" ? "IBKR ended the login." : "IBKR ended the brokerage session.");
    this.#health.fail(layer === "login" ? (login.layers.at(-1) ?? "network") : "brokerage_session", "waiting", failure);
    this.#apply({ type: "lost" });
  }

  /** Takes in what IBKR told of this generation's session unasked (`sts`): some fields or all. */
  heardStatus(generation: number, status: Partial<AuthStatus>): void {
    if (generation !== this.#generation || !this.isReady) return;
    if (status.competing === true) this.#yield(competing(this.health().userName, status));
    else if (status.authenticated === false || status.connected === false) this.lost(generation, "brokerage");
  }

  /** Takes in what was learnt of the user; an `isPaper` that contradicts the proven mode freezes the session. */
  learned({ userName, isPaper, accounts }: Learned): void {
    const provenMode = this.#opened?.provenMode;
    const isNews = (userName !== undefined && userName !== this.#userName) || (accounts !== undefined && accounts !== this.#accounts);
    this.#userName = userName ?? this.#userName;
    this.#accounts = accounts ?? this.#accounts;
    if (isPaper !== undefined && provenMode !== undefined && provenMode !== "simulated" && isPaper !== (provenMode === "paper"))
      this.#freeze(frozen(`it was made for a ${provenMode} account, and the broker says that this one is ${isPaper ? "paper" : "live"}.`));
    else if (isNews) this.#tell();
  }

  /** Notes how a layer does that is seen by others, such as market data; a trouble that it works in spite of leaves it `ok`. */
  note(layer: HealthLayer, outcome: "ok" | GatewayError, state: "ok" | "waiting" = "waiting"): void {
    if (outcome === "ok") this.#health.set(layer, "ok");
    else this.#health.fail(layer, state, outcome);
  }

  /** How the WebSocket is opened. Waits for the session; throws as `ready` does. */
  async socketAccess(signal: AbortSignal): Promise<SocketAccess> {
    await this.ready(signal);
    const generation = this.#generation;
    if (this.#socketSession?.generation !== generation) await abortable(this.#tickle(), signal);
    const id = this.#socketSession?.generation === generation ? this.#socketSession.id : undefined;
    if (id === undefined) throw unavailable("IBKR did not name the session that streams belong to.");
    return accessToSocket(this.#deps, { id, generation });
  }

  /** Ends it, also at IBKR where the options say so. */
  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#stopKeepAlive?.();
    const wasReady = this.isReady;
    this.#apply({ type: "close" });
    if (wasReady && this.#options.logoutOnClose === true) await this.#logOut();
    this.#ended.abort(closed());
    this.#deps.login.lost();
    this.#listeners.clear();
  }

  #refuseEnded(): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
  }

  /** Why nothing will ever be sent any more. */
  #refusal(): GatewayError | undefined {
    if (this.#isClosing) return closed();
    return this.#state.name === "frozen" ? this.#failure : undefined;
  }

  /** In a pause nobody waits: each is told at once when it ends. */
  #refusePaused(): void {
    const { clock } = this.#deps;
    // A clock that is set right, back or ahead, makes no pause longer.
    const leftMs = Math.min((this.#state.retryAt ?? 0) - clock.now(), this.#pausedUntil - clock.monotonic());
    if (leftMs > 0 && this.#failure !== undefined) throw again(this.#failure, leftMs);
  }

  /** One opening at a time; whoever comes meanwhile waits for that one. */
  #openOnce(compete: boolean): Promise<void> {
    this.#opening ??= this.#open(compete).finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  async #open(compete: boolean): Promise<void> {
    const { clock, login, log } = this.#deps;
    this.#attemptedAt = clock.monotonic();
    this.#stopKeepAlive ??= clock.every(TICKLE_EVERY_MS, () => background(this.#keepAlive(), log, "keep-alive"));
    this.#apply({ type: "open" });
    const limit = timeLimit(clock, OPENING_LIMIT_MS, tooSlow);
    const signal = AbortSignal.any([limit.signal, this.#ended.signal]);
    const opening = new Opening({
      ...this.#deps,
      health: this.#health,
      send: (request, sender) => this.#send(request, signal, sender),
      signal,
      userName: this.#userName,
      compete,
    });
    try {
      this.#succeeded(await opening.run());
      if (login.clockFault !== undefined) this.#health.fail(login.layers[0] ?? "network", "ok", login.clockFault);
    } catch (error) {
      throw this.#failed(error, opening.hasInitialized);
    } finally {
      limit.end();
    }
  }

  #succeeded(opened: Opened): void {
    // The stream may have contradicted the mode meanwhile: what was frozen stays so.
    this.#refuseEnded();
    const accountIds = ownAccountIds(opened.accounts);
    this.#generation += 1;
    this.#opened = opened;
    this.#failure = undefined;
    this.#verifiedAt = this.#deps.clock.now();
    if (this.#accounts?.map(({ accountId }) => accountId).join() !== accountIds.join())
      this.#accounts = accountIds.map((accountId) => ({ accountId, title: undefined, type: undefined, baseCurrency: undefined }));
    this.#health.set("brokerage_session", "ok");
    this.#apply({ type: "established" });
    this.#deps.log.info({ generation: this.#generation }, "session established");
  }

  #failed(error: unknown, hasInitialized: boolean): GatewayError {
    if (this.#isClosing) return closed();
    if (this.#state.name === "frozen" && this.#failure !== undefined) return this.#failure;
    const fault = error instanceof SessionFault ? error : new SessionFault("refused", "brokerage_session", unreachable(error));
    if (fault.kind === "disproven") return this.#freeze(fault.failure);
    this.#failure = fault.failure;
    this.#health.fail(fault.layer, fault.failure.code === "connection_not_ready" ? "down" : "waiting", fault.failure);
    this.#health.forgetAbove(fault.layer);
    this.#apply({ type: fault.kind, afterInit: hasInitialized, jitter: this.#deps.random.bytes(2).readUInt16BE() / 0x10000 });
    const pauseMs = Math.max(0, (this.#state.retryAt ?? 0) - this.#deps.clock.now());
    this.#deps.log.warn({ code: fault.failure.code, reason: fault.failure.message, pauseMs }, "session could not be opened");
    if (this.#state.name === "backing_off") background(this.#retryAfter(pauseMs, this.#state), this.#deps.log, "reopening");
    return again(fault.failure, pauseMs);
  }

  #freeze(failure: GatewayError): GatewayError {
    this.#failure = failure;
    this.#health.fail("brokerage_session", "down", failure);
    this.#apply({ type: "disproven" });
    this.#deps.log.error({ code: failure.code, reason: failure.message }, "connection frozen");
    return failure;
  }

  /** Another login took the session: it is theirs. */
  #yield(fault: SessionFault): void {
    this.#failure = fault.failure;
    this.#health.fail(fault.layer, "waiting", fault.failure);
    this.#health.forgetAbove(fault.layer);
    this.#apply({ type: "taken" });
    this.#deps.log.warn({ code: fault.failure.code, reason: fault.failure.message }, "session taken by another login");
  }

  async #retryAfter(pauseMs: number, state: SessionState): Promise<void> {
    await this.#deps.clock.wait(pauseMs, this.#ended.signal).catch(() => undefined);
    if (this.#state === state && !this.#ended.signal.aborted) await this.#reopen();
  }

  async #keepAlive(): Promise<void> {
    if (this.#ended.signal.aborted || this.#opening !== undefined || this.#state.name === "frozen") return;
    if (this.isReady && this.#deps.login.isCurrent()) await this.#tickle();
    if (!this.isReady || !this.#deps.login.isCurrent()) await this.#reopen();
  }

  async #tickle(): Promise<void> {
    const { login } = this.#deps;
    const generation = this.#generation;
    let answer: Answer | undefined;
    try {
      answer = await this.#send(TICKLE, this.#ended.signal);
    } catch (error) {
      this.#deps.log.info({ err: error }, "tickle was not answered");
    }
    if (generation !== this.#generation || this.#ended.signal.aborted) return;
    if (answer?.status === 401) return this.lost(generation, "login");
    const reply = tickleReply.safeParse(answer?.body);
    if (answer?.status !== 200 || !reply.success) return this.#unanswered(generation);
    this.#verifiedAt = this.#deps.clock.now();
    const { session: id } = reply.data;
    // A person has logged in anew at the gateway, perhaps as somebody else: who it is has to be proven again.
    if (login.face === "gateway" && this.#socketSession?.generation === generation && this.#socketSession.id !== id)
      return this.lost(generation, "login");
    if (id !== undefined) this.#socketSession = { generation, id };
    return this.heardStatus(generation, reply.data.iserver.authStatus);
  }

  /** The next tickle is a minute away, IBKR's limit about six: one that is lost is no loss of the session, but five are. */
  #unanswered(generation: number): void {
    if (this.#deps.clock.now() - (this.#verifiedAt ?? 0) >= UNANSWERED_LIMIT_MS) this.lost(generation, "brokerage");
  }

  async #reopen(): Promise<void> {
    try {
      await this.ready(this.#ended.signal);
    } catch (error) {
      // Logged where it failed; the next keep-alive or request tries again after the pause.
      if (!(error instanceof GatewayError)) throw error;
    }
  }

  async #logOut(): Promise<void> {
    const limit = timeLimit(this.#deps.clock, LOGOUT_LIMIT_MS, tooSlow);
    try {
      await abortable(this.#send(LOGOUT, this.#ended.signal), limit.signal);
    } catch (error) {
      this.#deps.log.info({ err: error }, "logout was not answered; IBKR ends the session by itself");
    } finally {
      limit.end();
    }
  }

  #missed(error: TransportError): void {
    if (error.reason === "connection" || error.reason === "timeout")
      this.#health.fail("network", "waiting", networkFault(error, this.#deps.login).failure);
  }

  #apply(event: Omit<SessionEvent, "at">): void {
    const next = transition(this.#state, { ...event, at: this.#deps.clock.now() });
    if (next === this.#state) return;
    this.#state = next;
    this.#pausedUntil = next.retryAt === undefined ? -Infinity : this.#deps.clock.monotonic() + next.retryAt - next.since;
    this.#tell();
  }

  #tell(): void {
    if (this.#listeners.size === 0) return;
    const health = this.health();
    for (const listener of this.#listeners) listener(health);
  }

  #send(request: ApiRequest, signal: AbortSignal, sender?: Sender): Promise<Answer> {
    const inName = sender === undefined ? this.#sender : heardByBoth(sender, this.#sender);
    const options: CallOptions = { signal, caller: "session" };
    return this.#deps.transport.send(request, options, inName);
  }
}
