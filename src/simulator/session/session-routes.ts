import { isRecord } from "../../lib/json.ts";
import { failure, ok } from "../http/route.ts";
import type { Route, SimReply, SimRequest } from "../http/route.ts";
import { SERVER_INFO } from "./server-info.ts";
import type { Session } from "./session.ts";
import type { UserSession } from "./user-session.ts";

const MAC = "02:00:5E:10:00:01";
const HARDWARE_INFO = `7c19a2d4|${MAC}`;

const SSO_LIFETIME_MS = 24 * 60 * 60_000;
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

/** What these endpoints do to sessions beyond the contract's own view of one. */
export interface SessionKeeper {
  /** The session behind the contract's face. */
  find(session: Session): UserSession;
  logOut(session: UserSession): void;
}

/** Builds the endpoints that open, keep, tell and end sessions. */
export function createSessionRoutes(keeper: SessionKeeper): readonly Route[] {
  const init = (request: SimRequest, session: Session): SimReply => {
    if (request.body !== undefined && !isRecord(request.body)) return failure(400, "Bad Request: body is not a JSON object");
    keeper.find(session).openBrokerage(request.now, isRecord(request.body) && request.body["compete"] === true);
    return ok({ passed: true, ...standingOf(keeper.find(session), request.now), hardware_info: HARDWARE_INFO });
  };
  const status = (request: SimRequest, session: Session): SimReply =>
    ok({
      ...standingOf(keeper.find(session), request.now),
      message: "",
      MAC,
      serverInfo: SERVER_INFO,
      hardware_info: HARDWARE_INFO,
      fail: keeper.find(session).fail,
    });
  const tickle = (request: SimRequest, session: Session): SimReply => {
    const { established: _, ...standing } = standingOf(keeper.find(session), request.now);
    return ok({
      session: session.id,
      hmds: { error: "no bridge" },
      iserver: { authStatus: { ...standing, message: "", MAC, serverInfo: SERVER_INFO } },
    });
  };
  const reauthenticate = (request: SimRequest, session: Session): SimReply => {
    keeper.find(session).openBrokerage(request.now, false);
    return ok({ message: "triggered" });
  };
  const logout = (_request: SimRequest, session: Session): SimReply => {
    keeper.logOut(keeper.find(session));
    return ok({ status: true });
  };
  const tickling = { tier: "sso", pacing: { requests: 1, perMs: SECOND_MS }, handle: tickle } as const;
  return [
    { method: "POST", path: "/iserver/auth/ssodh/init", tier: "sso", handle: init },
    { method: "POST", path: "/iserver/auth/status", tier: "sso", handle: status },
    { method: "GET", path: "/iserver/auth/status", tier: "sso", handle: status },
    { method: "POST", path: "/tickle", ...tickling },
    { method: "GET", path: "/tickle", ...tickling },
    { method: "GET", path: "/sso/validate", tier: "sso", pacing: { requests: 1, perMs: MINUTE_MS }, handle: validate },
    { method: "POST", path: "/iserver/reauthenticate", tier: "sso", handle: reauthenticate },
    { method: "GET", path: "/iserver/reauthenticate", tier: "sso", handle: reauthenticate },
    { method: "POST", path: "/logout", tier: "sso", handle: logout },
    { method: "GET", path: "/logout", tier: "sso", handle: logout },
  ];
}

/** Where a session stands, as status, tickle and the socket tell it. */
export interface Standing {
  readonly authenticated: boolean;
  readonly connected: boolean;
  readonly established: boolean;
  readonly competing: boolean;
}

/** Tells where a session stands. */
export function standingOf(session: UserSession, now: number): Standing {
  const standing = session.standing(now);
  return { authenticated: standing !== "none", connected: true, established: standing === "established", competing: session.competing };
}

function validate(request: SimRequest, { user }: Session): SimReply {
  return ok({
    USER_ID: user.userId,
    USER_NAME: user.userName,
    RESULT: true,
    AUTH_TIME: request.now,
    SF_ENABLED: false,
    IS_FREE_TRIAL: false,
    CREDENTIAL: user.userName,
    IP: "203.0.113.7",
    EXPIRES: SSO_LIFETIME_MS,
    QUALIFIED_FOR_MOBILE_AUTH: null,
    LANDING_APP: "UNIVERSAL",
    IS_MASTER: false,
    lastAccessed: request.now,
    LOGIN_TYPE: user.paper ? 2 : 1,
    PAPER_USER_NAME: user.userName,
    features: { env: "PROD", wlms: true, realtime: true, bond: true, optionChains: true, calendar: true, newMf: true },
    region: "NJ",
  });
}
