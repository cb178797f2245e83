import type { Log } from "../../lib/log.ts";
import { parseLossless } from "../../lib/json.ts";
import { ConnectionDropped } from "../control/with-faults.ts";
import type { Authenticator, AuthenticRequest } from "../session/authenticator.ts";
import type { Session } from "../session/session.ts";
import type { UserSession } from "../session/user-session.ts";
import type { Simulation } from "../simulation.ts";
import type { Pacing } from "./pacing.ts";
import { NOT_FOUND } from "./read-request.ts";
import type { WireRequest } from "./read-request.ts";
import { failure, ok } from "./route.ts";
import type { SimReply } from "./route.ts";
import type { RouteMatch, Router } from "./router.ts";

/** After this long IBKR gives up on a request. */
const TIME_LIMIT_MS = 10_000;

const TOO_MANY_REQUESTS = failure(429, "Too Many Requests");
const NO_BRIDGE = failure(400, "Bad Request: no bridge");

export interface AnswerRequestOptions {
  readonly simulation: Simulation;
  readonly authenticator: Authenticator;
  readonly pacing: Pacing;
  readonly router: Router;
  /** Origins that a client may have signed, by the Host header it sent. */
  readonly originsFor: (host: string | undefined) => readonly string[];
  /** How far the simulation's time is ahead of the clock that clients sign by. */
  readonly aheadMs: () => number;
  readonly log: Log | undefined;
}

/** Builds the way of a request: penalty box, sign-in, pacing, the tier gate, its body, its endpoint. */
export function createAnswerRequest(options: AnswerRequestOptions): (request: WireRequest) => Promise<SimReply> {
  const { simulation, authenticator, pacing, router } = options;

  function authenticRequest(request: WireRequest, now: number): AuthenticRequest {
    const { method, query, authorization } = request;
    return {
      method,
      origins: options.originsFor(request.host),
      path: request.rawPath,
      query,
      authorization,
      now,
      aheadMs: options.aheadMs(),
    };
  }

  function refuse(request: WireRequest): SimReply {
    pacing.punish(request.remoteAddress);
    return TOO_MANY_REQUESTS;
  }

  async function answerFor(session: UserSession, match: RouteMatch, request: WireRequest): Promise<SimReply> {
    const now = simulation.clock.now();
    const { route, params } = match;
    if (!pacing.admit(session, now)) return refuse(request);
    session.use(now);
    if (route.tier === "brokerage" && session.standing(now) !== "established")
      // Where another login stands beside ours, IBKR lists no accounts but doesn't call it an error.
      return session.standsBesideAnother(now) && route.path === "/iserver/accounts" ? ok({}) : NO_BRIDGE;
    const body = parseBody(request.body);
    if ("problem" in body) return failure(400, body.problem);
    const query = new URLSearchParams(request.query);
    const held = await holdUp(simulation, request, session);
    const release = pacing.enter({ session, route, query, now });
    if (release === undefined) return refuse(request);
    const { method, path, arrivedAt = now } = request;
    let status = 503;
    try {
      const at = simulation.clock.now();
      simulation.trading.advance(at);
      const handled = route.handle({ method, path, params, query, body: body.value, now: at, arrivedAt }, held, simulation);
      doubled(simulation, request, (then) => {
        simulation.trading.advance(then);
        return route.handle({ method, path, params, query, body: body.value, now: then, arrivedAt }, held, simulation);
      });
      const reply = handled instanceof Promise ? await withinLimit(simulation, handled) : handled;
      status = reply.status;
      return reply;
    } catch (error) {
      status = 500;
      options.log?.error({ err: error, method, path }, "endpoint failed");
      return failure(500, "Internal Server Error");
    } finally {
      release(status);
    }
  }

  return async (request) => {
    if (pacing.isBoxed(request.remoteAddress)) return TOO_MANY_REQUESTS;
    const now = simulation.clock.now();
    if (request.path === "/oauth/live_session_token" && request.method === "POST")
      return authenticator.exchange(authenticRequest(request, now));
    const match = router(request.method, request.path);
    if (match === undefined) return NOT_FOUND;
    const authentication = authenticator.authenticate(authenticRequest(request, now));
    if ("refusal" in authentication) return authentication.refusal;
    return answerFor(authentication.session, match, request);
  };
}

type ParsedBody = { readonly value: unknown } | { readonly problem: string };

function parseBody(text: string): ParsedBody {
  if (text.trim() === "") return { value: undefined };
  try {
    return { value: parseLossless(text) };
  } catch {
    return { problem: "Bad Request: Failed to parse body as JSON" };
  }
}

/**
 * Holds a signed request up before its endpoint while a `late` fault is active. The endpoint then sees the session that the request
 * came in, though it may have ended since: an order that IBKR has received outlives it. Throws `ConnectionDropped` for a lost request.
 */
async function holdUp({ clock, faults }: Simulation, request: WireRequest, session: Session): Promise<Session> {
  const late = faults.take("late", request, clock.now());
  if (late === undefined) return session;
  const { user, id, brokerage, portfolioPrimed, positionsPrimed } = session;
  await clock.wait(late.ms ?? 0);
  if (late.reason === "lost") throw new ConnectionDropped();
  return { user, id, brokerage, portfolioPrimed, positionsPrimed };
}

/** Lets a request come a second time where a `doubled` fault is active: something on the way has copied it. The copy's reply is lost. */
function doubled({ clock, faults }: Simulation, request: WireRequest, again: (now: number) => unknown): void {
  const copy = faults.take("doubled", request, clock.now());
  if (copy !== undefined) void clock.wait(copy.ms ?? 0).then(() => again(clock.now()));
}

/** Waits for an endpoint, but not longer than IBKR would. */
async function withinLimit({ clock }: Simulation, handled: Promise<SimReply>): Promise<SimReply> {
  const limit = new AbortController();
  try {
    return await Promise.race([handled, clock.wait(TIME_LIMIT_MS, limit.signal).then(giveUp, giveUp)]);
  } finally {
    limit.abort();
  }
}

function giveUp(): SimReply {
  return failure(503, "Service Unavailable");
}
