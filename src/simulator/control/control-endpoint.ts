import { createHash, timingSafeEqual } from "node:crypto";

import { z } from "zod";

import { Decimal } from "../../lib/decimal.ts";
import { parseLossless } from "../../lib/json.ts";
import type { WireRequest } from "../http/read-request.ts";
import { failure, ok } from "../http/route.ts";
import type { SimReply } from "../http/route.ts";
import type { Market } from "../market/market.ts";
import type { StoredSteering } from "../market/steering.ts";
import type { Sessions } from "../session/sessions.ts";
import { takenOrders } from "../trading/taken-orders.ts";
import type { TakenOrder } from "../trading/taken-orders.ts";
import type { Trading } from "../trading/trading.ts";
import { clockBody, faultBody, instrumentBody, priceBody, pushBody, sessionBody } from "./control-schema.ts";
import type { Fault, Faults } from "./faults.ts";
import type { SocketServer } from "../websocket/socket-server.ts";
import type { SteeredClock } from "./steered-clock.ts";

const PREFIX = "/simulator/control";
const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/;

export interface ControlOptions {
  /** Whoever sends it as a bearer token may steer. */
  readonly token: string;
  readonly clock: SteeredClock;
  readonly faults: Faults;
  readonly market: Market;
  readonly steering: StoredSteering;
  readonly sessions: Sessions;
  readonly userName: string;
  /** Whose table of orders can be read as it is. */
  readonly trading: Pick<Trading, "accountIds" | "orders">;
  /** The open WebSockets. */
  readonly sockets: Pick<SocketServer, "push" | "drop">;
}

/** Answers requests to `/simulator/control/…`. */
export type Control = (request: WireRequest) => SimReply;

/**
 * Makes the control endpoint, which steers time, prices, sessions and faults. It hears requests from this machine alone,
 * not passed on by a proxy, that carry its token; everybody else finds nothing there.
 */
export function createControl(options: ControlOptions): Control {
  const actions: Readonly<Record<string, (body: unknown) => SimReply>> = {
    [`GET ${PREFIX}`]: () => ok(stateOf(options)),
    [`POST ${PREFIX}/clock`]: (body) => advance(options, clockBody.parse(body)),
    [`POST ${PREFIX}/price`]: (body) => movePrice(options, priceBody.parse(body)),
    [`POST ${PREFIX}/halt`]: (body) => halt(options, instrumentBody.parse(body).conid),
    [`POST ${PREFIX}/resume`]: (body) => resume(options, instrumentBody.parse(body).conid),
    [`POST ${PREFIX}/session`]: (body) => happen(options, sessionBody.parse(body)),
    [`POST ${PREFIX}/sockets/push`]: (body) => push(options, pushBody.parse(body)),
    [`POST ${PREFIX}/sockets/drop`]: () => {
      options.sockets.drop();
      return ok({ dropped: true });
    },
    [`GET ${PREFIX}/orders`]: () => ok({ orders: takenOrders(options.trading).map(orderRow) }),
    [`GET ${PREFIX}/faults`]: () => ok({ faults: options.faults.list(options.clock.now()).map(faultRow) }),
    [`POST ${PREFIX}/faults`]: (body) => addFault(options, faultBody.parse(body)),
    [`DELETE ${PREFIX}/faults`]: () => {
      options.faults.clear();
      return ok({ cleared: true });
    },
  };
  return (request) => {
    if (!isAllowed(request, options.token)) return NOTHING_THERE;
    const path = request.path.replace(/\/$/, "");
    const fault = /^\/simulator\/control\/faults\/(\d{1,9})$/.exec(path)?.[1];
    if (fault !== undefined && request.method === "DELETE")
      return options.faults.remove(Number(fault)) ? ok({ cleared: true }) : failure(404, `there is no fault ${fault}`);
    const action = actions[`${request.method} ${path}`];
    if (action === undefined) return failure(404, `no such control: ${request.method} ${path}`);
    try {
      return action(request.body.trim() === "" ? {} : parseLossless(request.body));
    } catch (error) {
      if (error instanceof z.ZodError) return failure(400, z.prettifyError(error));
      if (error instanceof SyntaxError || error instanceof RangeError) return failure(400, error.message);
      throw error;
    }
  };
}

const NOTHING_THERE = failure(404, "Not Found");

function isAllowed({ remoteAddress, forwarded, authorization = "" }: WireRequest, token: string): boolean {
  const given = /^Bearer\s+(\S+)$/i.exec(authorization)?.[1] ?? "";
  return LOOPBACK.test(remoteAddress) && !forwarded && timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}

function stateOf({ clock, faults, steering, sessions }: ControlOptions): unknown {
  const now = clock.now();
  return {
    now,
    ahead_ms: clock.aheadMs,
    halted: steering.halted(),
    sessions: sessions.all().map((session) => ({
      user_name: session.user.userName,
      brokerage: session.standing(now),
      competing: session.competing,
    })),
    faults: faults.list(now).map(faultRow),
  };
}

function faultRow({ id, kind, path, method, count, used, since, until, ms, reason, after, status, bytes }: Fault): unknown {
  return { id, kind, path, method, count, used, since, until, ms, reason, after, status, bytes };
}

function orderRow({ orderId, accountId, customerOrderId, conid, side, quantity, state, placedAt }: TakenOrder): unknown {
  return { order_id: orderId, account_id: accountId, order_ref: customerOrderId, conid, side, quantity, state, placed_at: placedAt };
}

function advance({ clock }: ControlOptions, { advance_ms: advanceMs }: z.infer<typeof clockBody>): SimReply {
  clock.advance(advanceMs);
  return ok({ now: clock.now(), ahead_ms: clock.aheadMs });
}

function movePrice({ clock, market, steering }: ControlOptions, { conid, price, percent }: z.infer<typeof priceBody>): SimReply {
  const instrument = market.instrument(conid);
  if (instrument === undefined) return failure(404, `unknown conid ${conid}`);
  if (instrument.underlyingConid !== undefined) return failure(400, "a derivative's price follows its underlying: move that one");
  if ((price === undefined) === (percent === undefined)) return failure(400, "either price or percent is needed");
  const now = clock.now();
  const { last } = market.quote(conid, now);
  const wanted = price === undefined ? undefined : Decimal.parse(price);
  if (wanted?.isPositive() === false) return failure(400, "price must be positive");
  const factor = wanted === undefined ? 1 + (percent ?? 0) / 100 : wanted.dividedBy(last, 12).toApproximation();
  steering.move(conid, factor, now);
  return ok({ conid, last: market.quote(conid, now).last.toString() });
}

function halt({ clock, market, steering }: ControlOptions, conid: number): SimReply {
  if (market.instrument(conid) === undefined) return failure(404, `unknown conid ${conid}`);
  steering.halt(conid, clock.now());
  return ok({ conid, halted: true });
}

function resume({ clock, steering }: ControlOptions, conid: number): SimReply {
  return steering.resume(conid, clock.now()) ? ok({ conid, halted: false }) : failure(404, `conid ${conid} was not halted here`);
}

/** Sends a frame that nobody asked for to every socket of the simulated user: accounts, status, a bulletin, a notice or an order's prompt. */
function push({ sockets, userName }: ControlOptions, { topic, args }: z.infer<typeof pushBody>): SimReply {
  sockets.push(topic, args, userName);
  return ok({ topic });
}

function addFault({ faults, clock }: ControlOptions, body: z.infer<typeof faultBody>): SimReply {
  const { for_ms: forMs, ...spec } = body;
  return ok(faultRow(faults.add({ ...spec, forMs }, clock.now())));
}

function happen({ sessions, faults, clock, userName }: ControlOptions, body: z.infer<typeof sessionBody>): SimReply {
  switch (body.event) {
    case "other_login":
      sessions.otherLogin(userName, body);
      break;
    case "other_logout":
      if (!sessions.otherLogout(userName)) return failure(404, "there is no other login");
      break;
    case "end_brokerage":
      sessions.endBrokerage();
      break;
    case "daily_reset":
      sessions.reset();
      break;
    case "maintenance":
      sessions.reset();
      faults.add({ kind: "unavailable", forMs: body.for_ms }, clock.now());
      break;
  }
  return ok({ event: body.event });
}
