import type { Mode } from "../broker/account.ts";
import type { Clock } from "../lib/clock.ts";
import { GatewayError } from "../lib/errors.ts";
import { authStatus, type AuthStatus, initRequest, STATUS, TRADING_ACCOUNTS, tradingAccountsReply } from "./endpoints/session.ts";
import type { TradingAccounts } from "./endpoints/session.ts";
import { readReply } from "./endpoints/reply.ts";
import { refuseForeignAnswer } from "./foreign-answer.ts";
import type { Login } from "./login.ts";
import type { ProveMode } from "./mode-proof.ts";
import {
  accessDenied,
  competing,
  frozen,
  initRefused,
  loggedOut,
  loginNotAccepted,
  notEstablished,
  SessionFault,
  statusUnavailable,
  networkFault,
  unreachable,
} from "./session-failures.ts";
import type { SessionHealth } from "./session-health.ts";
import type { Answer, ApiRequest, Sender } from "./transport.ts";
import { TransportError } from "./transport-error.ts";

/** IBKR takes 1–3 s from init to a usable session; some builds need longer. */
const ESTABLISH_LIMIT_MS = 20_000;
const POLL_EVERY_MS = 500;

export interface OpeningDeps {
  readonly login: Login;
  readonly proveMode: ProveMode;
  readonly expectedMode: Mode;
  readonly clock: Clock;
  readonly health: SessionHealth;
  readonly send: (request: ApiRequest, sender?: Sender) => Promise<Answer>;
  readonly signal: AbortSignal;
  /** IBKR's user name, where it is known. */
  readonly userName: string | undefined;
  /** Take the brokerage session from another login: a person asked for it. */
  readonly compete: boolean;
}

/** What an opening found. */
export interface Opened {
  readonly accounts: TradingAccounts;
  /** False when the brokerage session was found standing. */
  readonly wasInitialized: boolean;
  readonly provenMode: Mode;
}

/** One attempt to open the session: login, brokerage session, accounts, proof of the mode. */
export class Opening {
  readonly #deps: OpeningDeps;
  #hasInitialized = false;

  constructor(deps: OpeningDeps) {
    this.#deps = deps;
  }

  /** True once an init was sent: it must not be repeated soon unless it worked. */
  get hasInitialized(): boolean {
    return this.#hasInitialized;
  }

  /** Throws `SessionFault`, and the signal's reason when that aborts. */
  async run(): Promise<Opened> {
    const { health, signal } = this.#deps;
    try {
      const standing = await this.#enter();
      await this.#deps.login.identify?.(this.#deps.send);
      health.set("brokerage_session", "working");
      const wasInitialized = !isEstablished(standing);
      if (wasInitialized) await this.#establish(standing);
      const accounts = await this.#primeAccounts();
      const provenMode = await this.#prove(accounts);
      signal.throwIfAborted();
      return { accounts, wasInitialized, provenMode };
    } catch (error) {
      throw signal.aborted ? signal.reason : this.#faultOf(error);
    }
  }

  /** Logs in where that is needed, and asks how the brokerage session stands. */
  async #enter(): Promise<AuthStatus | undefined> {
    const { login } = this.#deps;
    let isNew = await this.#logIn();
    for (;;) {
      const status = await this.#status();
      if (status !== "login lost") return status;
      login.lost();
      if (isNew) throw login.face === "gateway" ? loggedOut(login.loginUrl) : loginNotAccepted("live_session_token");
      isNew = await this.#logIn();
    }
  }

  async #logIn(): Promise<boolean> {
    const { login, health, send } = this.#deps;
    const isNew = !login.isCurrent();
    if (isNew) {
      for (const layer of login.layers) health.set(layer, "working");
      await login.open(send);
    }
    return isNew;
  }

  async #establish(standing: AuthStatus | undefined): Promise<void> {
    const { compete, clock, signal } = this.#deps;
    if (standing?.competing === true && !compete) throw this.#taken(standing);
    this.#hasInitialized = true;
    const answer = await this.#deps.send(initRequest(compete));
    if (answer.status === 401) throw loginNotAccepted("brokerage_session");
    if (answer.status !== 200) throw initRefused(answer);
    const reply = readReply(authStatus, answer.body, "the brokerage session");
    if (lostCompetition(reply)) throw this.#taken(reply);
    const deadline = clock.now() + ESTABLISH_LIMIT_MS;
    for (;;) {
      const current = await this.#status();
      if (current !== "login lost" && isEstablished(current)) return;
      if (current !== "login lost" && current !== undefined && lostCompetition(current)) throw this.#taken(current);
      if (clock.now() >= deadline) throw notEstablished();
      await clock.wait(POLL_EVERY_MS, signal);
    }
  }

  async #status(): Promise<AuthStatus | undefined | "login lost"> {
    const { login, health } = this.#deps;
    const answer = await this.#deps.send(STATUS);
    if (answer.status === 401) return "login lost";
    if (answer.status === 403) throw new SessionFault("refused", "network", accessDenied(login.face === "gateway" ? "gateway" : "IBKR"));
    if (answer.status >= 500 || answer.status === 429) throw statusUnavailable(answer);
    refuseForeignAnswer(answer, login);
    if (answer.status !== 200) return undefined;
    const status = readReply(authStatus, answer.body, "the session's status");
    if (status.connected === false && status.authenticated !== true && status.competing !== true) return "login lost";
    for (const layer of login.layers) health.set(layer, "ok");
    return status;
  }

  /** Right after an init the bridge may not stand yet, and the list may be empty. */
  async #primeAccounts(): Promise<TradingAccounts> {
    const { clock, signal } = this.#deps;
    const deadline = clock.now() + ESTABLISH_LIMIT_MS;
    for (;;) {
      const answer = await this.#deps.send(TRADING_ACCOUNTS);
      const accounts = answer.status === 200 ? readReply(tradingAccountsReply, answer.body, "its accounts") : undefined;
      if (accounts !== undefined && accounts.accounts.length > 0) return accounts;
      if (clock.now() >= deadline) throw this.#noAccounts(answer);
      await clock.wait(POLL_EVERY_MS, signal);
    }
  }

  #noAccounts(answer: Answer): SessionFault {
    if (answer.status === 200) return this.#taken(undefined);
    if (answer.status === 401) return loginNotAccepted("brokerage_session");
    return answer.status >= 500 ? statusUnavailable(answer) : initRefused(answer);
  }

  async #prove(accounts: TradingAccounts): Promise<Mode> {
    const { login, proveMode, expectedMode, signal } = this.#deps;
    const proven = await proveMode({ isPaper: accounts.isPaper, loginType: login.identity?.loginType }, signal);
    if (proven === expectedMode) return proven;
    const because =
      proven === undefined
        ? `it was made for a ${expectedMode} account, and the broker does not prove that it is one.`
        : `it was made for a ${expectedMode} account, and the broker says that this one is ${proven}.`;
    throw new SessionFault("disproven", "brokerage_session", frozen(because));
  }

  #taken(status: AuthStatus | undefined): SessionFault {
    return competing(this.#deps.login.identity?.userName ?? this.#deps.userName, status);
  }

  #faultOf(error: unknown): SessionFault {
    if (error instanceof TransportError) return this.#missed(networkFault(error, this.#deps.login));
    if (error instanceof SessionFault) return error.kind === "unreachable" ? this.#missed(error) : error;
    const layer = this.#hasInitialized ? "brokerage_session" : "network";
    if (!(error instanceof GatewayError)) return new SessionFault("refused", layer, unreachable(error));
    const isPassing = error.code === "rate_limited" || error.code === "upstream_unavailable" || error.code === "timeout";
    const fault = new SessionFault(isPassing ? "unreachable" : "refused", isPassing ? layer : "brokerage_session", error);
    return isPassing ? this.#missed(fault) : fault;
  }

  /** An init without an answer may have been one too many. */
  #missed(fault: SessionFault): SessionFault {
    return this.#hasInitialized ? new SessionFault("refused", fault.layer, fault.failure) : fault;
  }
}

/** True for a brokerage session that answers requests. */
export function isEstablished(status: AuthStatus | undefined): boolean {
  return status?.authenticated === true && status.connected !== false && status.established !== false && status.competing !== true;
}

function lostCompetition(status: AuthStatus): boolean {
  return (status.competing === true && status.authenticated !== true) || /compete/i.test(status.fail ?? "");
}
