import { randomId } from "../../lib/random.ts";
import type { Random } from "../../lib/random.ts";
import type { Clock } from "../../lib/clock.ts";
import { NOT_FOUND } from "../http/read-request.ts";
import type { WireRequest } from "../http/read-request.ts";
import { failure } from "../http/route.ts";
import type { SimReply } from "../http/route.ts";
import type { Authenticator } from "../session/authenticator.ts";
import type { SimUser } from "../session/session.ts";
import type { Sessions } from "../session/sessions.ts";
import type { SocketClaim } from "../websocket/sign-in.ts";

/** Under this name the gateway keeps its sign-in beside those of the consumers; no consumer key has small letters. */
const SIGN_IN = "gateway";
const TOKEN_BYTES = 32;
const LOGIN_PATH = "/sso/Login";
const NOT_AUTHENTICATED = failure(401, "not authenticated");

/** The pages of the gateway, outside the API. */
export const GATEWAY_PAGES: ReadonlySet<string> = new Set(["/", LOGIN_PATH]);

export interface GatewayOptions {
  readonly sessions: Sessions;
  readonly user: SimUser;
  readonly random: Random;
  readonly clock: Clock;
}

/** The Client Portal Gateway: it signs in by a page, and then needs nothing of its clients. */
export interface Gateway {
  /** Knows every request as the one who has logged in at the page; nobody exchanges tokens here. */
  readonly authenticator: Authenticator;
  /** Who may open a socket: whoever has the session's cookie while the gateway is logged in. */
  readonly claim: SocketClaim;
  /** Answers a page: the way to the login, the login itself. */
  page(request: WireRequest): SimReply;
  /** Adds the cookie that the gateway sets on its clients. */
  withCookie(reply: SimReply): SimReply;
}

/** Makes the gateway's own part; the API behind it is IBKR's. */
export function createGateway({ sessions, user, random, clock }: GatewayOptions): Gateway {
  const cookie = `x-sess-uuid=0.${randomId(random, "", 8)}; path=/v1/api; secure; HttpOnly`;
  const signedIn = (now: number): string | undefined => sessions.tokens(SIGN_IN, now)[0]?.sessionId;

  function logIn(): SimReply {
    const now = clock.now();
    sessions.add(SIGN_IN, random.bytes(TOKEN_BYTES), now);
    const sessionId = signedIn(now);
    // The real gateway opens the brokerage session by itself.
    if (sessionId !== undefined) sessions.of(SIGN_IN, sessionId).openBrokerage(now, true);
    return html("<p>Client login succeeds</p>");
  }

  return {
    authenticator: {
      exchange: () => NOT_FOUND,
      authenticate: ({ now }) => {
        const sessionId = signedIn(now);
        return sessionId === undefined ? { refusal: NOT_AUTHENTICATED } : { session: sessions.of(SIGN_IN, sessionId) };
      },
    },
    claim: {
      login: (sessionId, now) => {
        if (signedIn(now) !== sessionId) return undefined;
        return { session: sessions.of(SIGN_IN, sessionId), isGood: (later) => signedIn(later) === sessionId };
      },
    },
    page: ({ method, path }) => {
      if (path !== LOGIN_PATH) return { ...html(""), status: 302, headers: { location: `${LOGIN_PATH}?forwardTo=22&RL=1&ip2loc=US` } };
      return method === "POST" ? logIn() : html(loginForm(user.userName));
    },
    withCookie: (reply) => ({ ...reply, headers: { ...reply.headers, "set-cookie": cookie } }),
  };
}

function loginForm(userName: string): string {
  return `<h1>Simulated login</h1>
<p>This is a simulator. It asks for no password: the user is <b>${userName}</b>.</p>
<form method="post" action="${LOGIN_PATH}"><button type="submit">Log in as ${userName}</button></form>`;
}

function html(content: string): SimReply & { readonly text: string } {
  const text = `<!doctype html><html lang="en"><head><title>IBKR simulator</title></head><body>${content}</body></html>`;
  return { status: 200, text, contentType: "text/html; charset=utf-8" };
}
