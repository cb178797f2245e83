import type { DatabaseSync, StatementSync } from "node:sqlite";

import { randomId } from "../../lib/random.ts";
import type { Random } from "../../lib/random.ts";
import type { Session, SimUser } from "./session.ts";
import { Competition } from "./competition.ts";
import type { Competitor } from "./competition.ts";
import { UserSession } from "./user-session.ts";

/** How long a Live Session Token is good for. */
const TOKEN_LIFETIME_MS = 24 * 60 * 60_000;
/** Live Session Tokens of one consumer that are good at the same time; a further one ends the oldest. */
const MAX_TOKENS_PER_CONSUMER = 4;

export interface SessionsOptions {
  readonly store: DatabaseSync;
  readonly random: Random;
  /** Whom a consumer belongs to. */
  readonly userOf: (consumerKey: string) => SimUser;
  /** Called when a user's brokerage session is gone or made anew. */
  readonly brokerageEnded: (userName: string) => void;
  /** Epoch ms of the latest instant at which IBKR ended every session and took every token back. */
  readonly lastReset: (now: number) => number;
}

/** A Live Session Token that is still good. */
export interface LiveSessionToken {
  readonly token: Buffer;
  readonly sessionId: string;
}

/**
 * The sessions of all users. Tokens are stored, so that a sign-in outlives a restart of the simulator; a brokerage
 * session does not, as at IBKR. The tokens of one user share one session.
 */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #byUser = new Map<string, UserSession>();
  readonly #competition = new Competition();
  readonly #selectTokens: StatementSync;
  readonly #selectSessions: StatementSync;

  constructor(options: SessionsOptions) {
    this.#options = options;
    const newestFirst = "expires_at > ? AND created_at >= ? ORDER BY created_at DESC, rowid DESC";
    this.#selectTokens = options.store.prepare(
      `SELECT token, session_id FROM live_session_token WHERE consumer_key = ? AND ${newestFirst}`,
    );
    this.#selectSessions = options.store.prepare(`SELECT consumer_key, session_id FROM live_session_token WHERE ${newestFirst}`);
  }

  /** Stores a new token of a consumer and answers when it expires, in epoch ms. */
  add(consumerKey: string, token: Buffer, now: number): number {
    for (const { token: old } of this.tokens(consumerKey, now).slice(MAX_TOKENS_PER_CONSUMER - 1)) this.#forget(old);
    const sessionId = this.#sessionIdOf(this.#options.userOf(consumerKey), now) ?? randomId(this.#options.random, "", 16);
    const expiresAt = now + TOKEN_LIFETIME_MS;
    this.#options.store
      .prepare("INSERT INTO live_session_token VALUES (?, ?, ?, ?, ?)")
      .run(token.toString("base64"), consumerKey, sessionId, now, expiresAt);
    return expiresAt;
  }

  /** The good tokens of a consumer, the newest first. */
  tokens(consumerKey: string, now: number): readonly LiveSessionToken[] {
    return this.#selectTokens
      .all(consumerKey, now, this.#oldestGood(now))
      .map((row) => ({ token: Buffer.from(String(row["token"]), "base64"), sessionId: String(row["session_id"]) }));
  }

  /** The session that a good token belongs to; begun when its user has none. */
  of(consumerKey: string, sessionId: string): UserSession {
    const user = this.#options.userOf(consumerKey);
    const known = this.#byUser.get(user.userName);
    if (known?.id === sessionId) return known;
    known?.closeBrokerage();
    const { brokerageEnded, lastReset } = this.#options;
    const session = new UserSession(user, sessionId, { competition: this.#competition, lastReset, brokerageEnded });
    this.#byUser.set(user.userName, session);
    return session;
  }

  /** The session behind the face that endpoints see. Throws when its user has signed out meanwhile. */
  find(session: Session): UserSession {
    const known = this.#byUser.get(session.user.userName);
    if (known !== session) throw new Error("the session has ended");
    return known;
  }

  /** Ends a session: its brokerage session and every token of it. */
  logOut(session: UserSession): void {
    session.closeBrokerage();
    this.#byUser.delete(session.user.userName);
    this.#options.store.prepare("DELETE FROM live_session_token WHERE session_id = ?").run(session.id);
  }

  /** Lets another login of a user come, which takes the brokerage session or stands beside it. */
  otherLogin(userName: string, competitor: Competitor): void {
    this.#competition.enter(userName, competitor);
    if (!competitor.beside) this.#byUser.get(userName)?.closeBrokerage();
  }

  /** Ends the other login. Answers whether there was one. */
  otherLogout(userName: string): boolean {
    return this.#competition.leave(userName);
  }

  /** Ends the brokerage sessions of all users; who is signed in stays so. */
  endBrokerage(): void {
    for (const session of this.#byUser.values()) session.closeBrokerage();
  }

  /** Ends everything, as the daily reset does: every brokerage session and every token. */
  reset(): void {
    this.endBrokerage();
    this.#byUser.clear();
    this.#options.store.exec("DELETE FROM live_session_token");
  }

  /** The sessions that were used since the simulator started. */
  all(): readonly UserSession[] {
    return [...this.#byUser.values()];
  }

  /** Ends what has outlived its limits, also where nobody calls any more. */
  expire(now: number): void {
    for (const session of this.#byUser.values()) if (session.standing(now) === "none") session.closeBrokerage();
    this.#options.store.prepare("DELETE FROM live_session_token WHERE expires_at <= ? OR created_at < ?").run(now, this.#oldestGood(now));
  }

  #sessionIdOf(user: SimUser, now: number): string | undefined {
    const rows = this.#selectSessions.all(now, this.#oldestGood(now));
    const own = rows.find((row) => this.#options.userOf(String(row["consumer_key"])).userName === user.userName);
    return own === undefined ? undefined : String(own["session_id"]);
  }

  /** Tokens from before this instant are good no more. */
  #oldestGood(now: number): number {
    return Math.max(0, this.#options.lastReset(now));
  }

  #forget(token: Buffer): void {
    this.#options.store.prepare("DELETE FROM live_session_token WHERE token = ?").run(token.toString("base64"));
  }
}
