import { z } from "zod";

import type { ApiRequest } from "../transport.ts";
import { flag, integer, listOf, text } from "./reply.ts";

/** `POST /oauth/live_session_token`. */
export const LIVE_SESSION_TOKEN: ApiRequest = {
  method: "POST",
  path: "/oauth/live_session_token",
  endpoint: "/oauth/live_session_token",
  urgent: true,
};

/** `POST /iserver/auth/status`. */
export const STATUS: ApiRequest = { method: "POST", path: "/iserver/auth/status", endpoint: "/iserver/auth/status", urgent: true };

/** `GET /sso/validate`: who is logged in. IBKR answers one a minute. */
export const VALIDATE: ApiRequest = { method: "GET", path: "/sso/validate", endpoint: "/sso/validate", urgent: true };

/** `POST /tickle`. */
export const TICKLE: ApiRequest = { method: "POST", path: "/tickle", endpoint: "/tickle", urgent: true };

/** `POST /logout`. */
export const LOGOUT: ApiRequest = { method: "POST", path: "/logout", endpoint: "/logout", urgent: true };

/** `GET /iserver/accounts`, which also primes orders, order status, trades and snapshots. */
export const TRADING_ACCOUNTS: ApiRequest = { method: "GET", path: "/iserver/accounts", endpoint: "/iserver/accounts", urgent: true };

/** `POST /iserver/auth/ssodh/init`. With `compete`, it takes the session from whoever holds it. */
export function initRequest(compete: boolean): ApiRequest {
  const path = "/iserver/auth/ssodh/init";
  return { method: "POST", path, endpoint: path, urgent: true, body: { publish: true, compete } };
}

/** `POST /iserver/account`: makes an account the session's selected one. */
export function selectRequest(accountId: string): ApiRequest {
  return { method: "POST", path: "/iserver/account", endpoint: "/iserver/account", body: { acctId: accountId } };
}

/** IBKR's part of the Live Session Token exchange. */
export const liveSessionTokenReply = z.looseObject({
  diffie_hellman_response: z.string(),
  live_session_token_signature: z.string(),
  live_session_token_expiration: integer,
});

/** State of the brokerage session, as `init`, `status` and `tickle` tell it. */
export const authStatus = z.looseObject({
  authenticated: flag,
  connected: flag,
  established: flag,
  competing: flag,
  message: text,
  fail: text,
});

/** State of the brokerage session. */
export type AuthStatus = z.output<typeof authStatus>;

/** `/tickle`: its inner status counts, since the login may live on without the brokerage session. */
export const tickleReply = z.looseObject({ session: text, iserver: z.looseObject({ authStatus }) });

/** `/sso/validate`. `LOGIN_TYPE` is 1 for live, 2 for paper. */
export const validateReply = z.looseObject({ USER_NAME: text, LOGIN_TYPE: integer, RESULT: flag });

/** `/iserver/accounts`: `{}` while another login holds the session. */
export const tradingAccountsReply = z.looseObject({
  accounts: listOf(z.string()),
  groups: listOf(z.union([z.string(), z.looseObject({ name: text }).transform((group) => group.name)])),
  profiles: listOf(z.union([z.string(), z.looseObject({ name: text }).transform((profile) => profile.name)])),
  selectedAccount: text,
  isPaper: flag,
});

/** The session's trading accounts. */
export type TradingAccounts = z.output<typeof tradingAccountsReply>;

/** The user's own accounts among them: without `All`, groups and profiles. */
export function ownAccountIds(reply: TradingAccounts | undefined): readonly string[] {
  const groups = new Set([...(reply?.groups ?? []), ...(reply?.profiles ?? [])]);
  return (reply?.accounts ?? []).filter((accountId) => accountId.toLowerCase() !== "all" && !groups.has(accountId));
}
