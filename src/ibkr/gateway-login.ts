import type { Clock } from "../lib/clock.ts";
import { GatewayError } from "../lib/errors.ts";
import { VALIDATE, validateReply } from "./endpoints/session.ts";
import type { Login, LoginIdentity, SendForLogin } from "./login.ts";
import { accessDenied, loggedOut, SessionFault } from "./session-failures.ts";
import type { Answer } from "./transport.ts";

/** IBKR answers who is logged in once a minute. */
const VALIDATE_EVERY_MS = 61_000;
/** The gateway sets one or two; more come from something else. */
const MAX_COOKIES = 10;
const MAX_COOKIE_LENGTH = 4096;

export interface GatewayLoginDeps {
  /** Where a person logs in: the gateway's own address. */
  readonly loginUrl: string;
  readonly clock: Clock;
}

/**
 * Goes through a Client Portal Gateway, where a person has logged in with a browser: requests need no signature, since the
 * gateway holds the login. Keeps the cookies that it sets.
 */
export class GatewayLogin implements Login {
  readonly face = "gateway";
  readonly layers = ["sso"] as const;
  readonly loginUrl: string;
  readonly clockFault = undefined;
  readonly #clock: Clock;
  readonly #cookies = new Map<string, string>();
  #isIn = false;
  #identity: LoginIdentity | undefined;
  #askedAt = -Infinity;

  constructor({ loginUrl, clock }: GatewayLoginDeps) {
    this.loginUrl = loginUrl;
    this.#clock = clock;
  }

  get identity(): LoginIdentity | undefined {
    return this.#identity;
  }

  get cookie(): string | undefined {
    return this.#cookies.size === 0 ? undefined : Array.from(this.#cookies, ([name, value]) => `${name}=${value}`).join("; ");
  }

  isCurrent(): boolean {
    return this.#isIn;
  }

  /** Only a person can log in; whether one has is told by the session's status, which may be asked as often as is needed. */
  open(): Promise<void> {
    this.#isIn = true;
    return Promise.resolve();
  }

  async identify(send: SendForLogin): Promise<void> {
    const now = this.#clock.now();
    if (now - this.#askedAt < VALIDATE_EVERY_MS) return;
    this.#askedAt = now;
    const answer = await unlessLimited(send(VALIDATE));
    // Another link of this user has just asked: until it can be asked again, the accounts alone prove the mode.
    if (answer === undefined) return;
    if (answer.status === 401) throw loggedOut(this.loginUrl);
    if (answer.status === 403) throw new SessionFault("refused", "network", accessDenied("gateway"));
    const reply = validateReply.safeParse(answer.body);
    if (answer.status !== 200 || !reply.success) return;
    if (reply.data.RESULT === false) throw loggedOut(this.loginUrl);
    this.#identity = { userName: reply.data.USER_NAME, loginType: reply.data.LOGIN_TYPE };
  }

  lost(): void {
    this.#isIn = false;
    this.#identity = undefined;
  }

  headers(): Readonly<Record<string, string>> {
    const { cookie } = this;
    return cookie === undefined ? {} : { cookie };
  }

  heard(headers: Headers): void {
    for (const line of headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)=([^;,\s]*)/.exec(line) ?? [];
      if (name === "" || line.length > MAX_COOKIE_LENGTH) continue;
      if (this.#cookies.has(name) || this.#cookies.size < MAX_COOKIES) this.#cookies.set(name, value);
    }
  }

  socketQuery(): Readonly<Record<string, string>> {
    return {};
  }
}

/** The answer; undefined when IBKR's limit leaves no room to ask. */
async function unlessLimited(asking: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof GatewayError && error.code === "rate_limited") return undefined;
    throw error;
  }
}
