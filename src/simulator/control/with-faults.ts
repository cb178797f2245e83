import type { Clock } from "../../lib/clock.ts";
import type { WireRequest } from "../http/read-request.ts";
import { failure, ok } from "../http/route.ts";
import type { SimReply } from "../http/route.ts";
import type { Maintenance } from "../session/maintenance.ts";
import type { FaultKind, Faults } from "./faults.ts";

const TOKEN_PATH = "/oauth/live_session_token";
const INIT_PATH = "/iserver/auth/ssodh/init";

const UNAVAILABLE = failure(503, "Service Unavailable");
const INVALID_CONSUMER = failure(401, "id: 39687, error: invalid consumer");
const INIT_ERROR = failure(500, "failed to generate sso dh token");

/** How a Live Session Token may be refused: IBKR's words for a consumer, a token or a signature that is not good (yet). */
export const TOKEN_FAILURES: Readonly<Record<string, SimReply>> = {
  invalid_consumer: INVALID_CONSUMER,
  no_secret: failure(401, "id: 118871, error: LST failed, error: No access secret key found for 0123456789abcdef"),
  not_propagated: failure(401, "id: 118871, error: LST failed, error: "),
  invalid_signature: failure(401, "id: 41278, error: invalid signature"),
  unavailable: UNAVAILABLE,
};

/** How an init may come to nothing; `never_authenticated` is what users see who were limited after too many logins. */
export const INIT_FAILURES: Readonly<Record<string, SimReply>> = {
  gone: { status: 410, json: { error: "Gone", statusCode: 410 } },
  error: INIT_ERROR,
  never_authenticated: ok({
    passed: true,
    authenticated: false,
    connected: true,
    established: false,
    competing: false,
    hardware_info: "7c19a2d4|02:00:5E:10:00:01",
  }),
};

/** What one use of a fault answers in place of the endpoint. */
const REPLIES: readonly (readonly [FaultKind, SimReply])[] = [
  ["too_many_requests", failure(429, "Too Many Requests")],
  ["unauthorized", failure(401, "not authenticated")],
  ["unavailable", UNAVAILABLE],
];
const NO_BRIDGE = failure(400, "Bad Request: no bridge");

/** Thrown where a connection is to end without an answer. */
export class ConnectionDropped extends Error {
  constructor() {
    super("the connection was dropped on purpose");
    this.name = "ConnectionDropped";
  }
}

export interface WithFaultsOptions {
  readonly faults: Faults;
  readonly maintenance: Maintenance;
  readonly clock: Clock;
}

type Answer = (request: WireRequest) => Promise<SimReply>;

/** Lets faults and maintenance come before and after what answers IBKR's API. */
export function withFaults(answer: Answer, { faults, maintenance, clock }: WithFaultsOptions): Answer {
  function replyInstead(request: WireRequest): SimReply | undefined {
    const now = clock.now();
    const under = maintenance.windowAt(now);
    if (under === "weekend" || (under === "daily_reset" && request.path === TOKEN_PATH)) return UNAVAILABLE;
    for (const [kind, reply] of REPLIES) if (faults.take(kind, request, now) !== undefined) return reply;
    if (needsBridge(request.path) && faults.take("no_bridge", request, now) !== undefined) return NO_BRIDGE;
    if (request.path === TOKEN_PATH) {
      const failed = faults.take("token_failure", request, now);
      if (failed !== undefined) return TOKEN_FAILURES[failed.reason ?? ""] ?? INVALID_CONSUMER;
    }
    if (request.path !== INIT_PATH) return undefined;
    const failed = faults.take("init_failure", request, now);
    return failed === undefined ? undefined : (INIT_FAILURES[failed.reason ?? ""] ?? INIT_ERROR);
  }

  return async (request) => {
    const late = faults.take("latency", request, clock.now());
    if (late?.ms !== undefined) await clock.wait(late.ms);
    if (faults.take("drop_before", request, clock.now()) !== undefined) throw new ConnectionDropped();
    const reply = replyInstead(request) ?? (await answer(request));
    if (faults.take("drop_after", request, clock.now()) !== undefined) throw new ConnectionDropped();
    return reply;
  };
}

/** True for what works in a brokerage session only. */
function needsBridge(path: string): boolean {
  return path.startsWith("/iserver/") && !path.startsWith("/iserver/auth/") && path !== "/iserver/reauthenticate";
}
