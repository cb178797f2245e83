import type { Clock } from "../../lib/clock.ts";
import type { WireRequest } from "../http/read-request.ts";
import { failure, ok, textOf } from "../http/route.ts";
import type { SimReply } from "../http/route.ts";
import type { Maintenance } from "../session/maintenance.ts";
import type { Fault, FaultKind, Faults } from "./faults.ts";

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

/** What one use of a fault sends in place of the endpoint's reply. */
const REPLIES: readonly (readonly [FaultKind, SimReply])[] = [
  ["too_many_requests", failure(429, "Too Many Requests")],
  ["unauthorized", failure(401, "not authenticated")],
  ["request_timeout", failure(408, "Request Timeout")],
  ["server_error", failure(500, "Internal Server Error")],
  ["unavailable", UNAVAILABLE],
];
const NO_BRIDGE = failure(400, "Bad Request: no bridge");
/** A page of IBKR's front door, which may come with any status. */
const HTML = "<html><head><title>Interactive Brokers</title></head><body><h1>Access Denied</h1></body></html>";
/** What half a reply is cut from where the endpoint has not replied. */
const SOME_JSON = '[{"order_id":"1234567890","order_status":"Submitted","encrypt_message":"1"}]';

/** Kinds that send a reply of their own, before or (`after: true`) once the endpoint has done its work. */
export const REPLY_KINDS: ReadonlySet<FaultKind> = new Set([...REPLIES.map(([kind]) => kind), "no_bridge", "html", "half_json"]);

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

/** What a fault is looked for with: the request, the time, and the endpoint's own reply once there is one. */
interface Moment {
  readonly request: WireRequest;
  readonly now: number;
  readonly replied?: SimReply;
}

/** The reply of a fault in place of the endpoint's; undefined where none is in force for this moment. */
function faultReply(faults: Faults, { request, now, replied }: Moment): SimReply | undefined {
  const isDue = ({ after }: Fault): boolean => (after === true) === (replied !== undefined);
  for (const [kind, reply] of REPLIES) if (faults.take(kind, request, now, isDue) !== undefined) return reply;
  if (needsBridge(request.path) && faults.take("no_bridge", request, now, isDue) !== undefined) return NO_BRIDGE;
  const page = faults.take("html", request, now, isDue);
  if (page !== undefined) return { status: page.status ?? 200, text: HTML, contentType: "text/html; charset=utf-8" };
  const half = faults.take("half_json", request, now, isDue);
  if (half === undefined) return undefined;
  const whole = replied === undefined ? SOME_JSON : textOf(replied);
  const text = whole.slice(0, Math.ceil(whole.length / 2));
  return { status: half.status ?? replied?.status ?? 200, text, contentType: "application/json; charset=utf-8" };
}

/** Lets faults and maintenance come before and after what answers IBKR's API. */
export function withFaults(answer: Answer, { faults, maintenance, clock }: WithFaultsOptions): Answer {
  function replyInstead(request: WireRequest): SimReply | undefined {
    const now = clock.now();
    const under = maintenance.windowAt(now);
    if (under === "weekend" || (under === "daily_reset" && request.path === TOKEN_PATH)) return UNAVAILABLE;
    const reply = faultReply(faults, { request, now });
    if (reply !== undefined) return reply;
    if (request.path === TOKEN_PATH) {
      const failed = faults.take("token_failure", request, now);
      if (failed !== undefined) return TOKEN_FAILURES[failed.reason ?? ""] ?? INVALID_CONSUMER;
    }
    if (request.path !== INIT_PATH) return undefined;
    const failed = faults.take("init_failure", request, now);
    return failed === undefined ? undefined : (INIT_FAILURES[failed.reason ?? ""] ?? INIT_ERROR);
  }

  async function replied(request: WireRequest): Promise<SimReply> {
    const reply = await answer(request);
    return faultReply(faults, { request, now: clock.now(), replied: reply }) ?? reply;
  }

  return async (request) => {
    const arrived = { ...request, arrivedAt: clock.now() };
    const held = faults.take("latency", request, clock.now());
    if (held?.ms !== undefined) await clock.wait(held.ms);
    if (faults.take("drop_before", request, clock.now()) !== undefined) throw new ConnectionDropped();
    const reply = replyInstead(request) ?? (await replied(arrived));
    if (faults.take("drop_after", request, clock.now()) !== undefined) throw new ConnectionDropped();
    const cut = faults.take("cut", request, clock.now());
    return cut?.bytes === undefined ? reply : { ...reply, cutAfter: cut.bytes };
  };
}

/** True for what works in a brokerage session only. */
function needsBridge(path: string): boolean {
  return path.startsWith("/iserver/") && !path.startsWith("/iserver/auth/") && path !== "/iserver/reauthenticate";
}
