import type { Consumers } from "../session/consumers.ts";
import type { Sessions } from "../session/sessions.ts";
import type { UserSession } from "../session/user-session.ts";

/** A session that a socket shows. */
export interface SocketLogin {
  readonly session: UserSession;
  /** False once its sign-in has ended or run out. */
  isGood(now: number): boolean;
}

/** Who may open a socket. */
export interface SocketClaim {
  /** The session with this id (the value of `tickle.session`), where it is the claimant's and still good. */
  login(sessionId: string, now: number): SocketLogin | undefined;
}

/** Checks the access token in a socket's address: undefined when it belongs to no consumer. */
export function claimOfAccessToken(consumers: Consumers, sessions: Sessions, accessToken: string): SocketClaim | undefined {
  const consumer = consumers.ofAccessToken(accessToken);
  if (consumer === undefined) return undefined;
  const { consumerKey } = consumer;
  const isGood = (sessionId: string, now: number): boolean =>
    sessions.tokens(consumerKey, now).some((token) => token.sessionId === sessionId);
  return {
    login: (sessionId, now) => {
      if (!isGood(sessionId, now)) return undefined;
      return { session: sessions.of(consumerKey, sessionId), isGood: (later) => isGood(sessionId, later) };
    },
  };
}

/** Reads the session out of a Cookie header: `api=<id>` or `api={"session":"<id>"}`, plain or percent-encoded. */
export function sessionIdOfCookie(header: string | undefined): string | undefined {
  // A cookie's value may hold quotes and braces here, but never a semicolon.
  for (const part of (header ?? "").split(";")) {
    const [name = "", ...rest] = part.trim().split("=");
    if (name !== "api") continue;
    const value = decoded(rest.join("=")).trim();
    return /^\{\s*"session"\s*:\s*"([^"]+)"\s*\}$/.exec(value)?.[1] ?? value;
  }
  return undefined;
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
