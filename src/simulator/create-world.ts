import type { DatabaseSync } from "node:sqlite";

import type { Clock } from "../lib/clock.ts";
import { isRecord, parseLossless } from "../lib/json.ts";
import { randomId } from "../lib/random.ts";
import type { Random } from "../lib/random.ts";
import { createControl } from "./control/control-endpoint.ts";
import type { Control } from "./control/control-endpoint.ts";
import { Faults } from "./control/faults.ts";
import { openProof } from "./control/proof.ts";
import type { Proof } from "./control/proof.ts";
import { SteeredClock } from "./control/steered-clock.ts";
import { withFaults } from "./control/with-faults.ts";
import { GATEWAY_PAGES, createGateway } from "./gateway/create-gateway.ts";
import { createAnswerRequest } from "./http/answer-request.ts";
import { originsOfHost } from "./http/origins.ts";
import { Pacing } from "./http/pacing.ts";
import { NOT_FOUND } from "./http/read-request.ts";
import type { WireRequest } from "./http/read-request.ts";
import type { Route, SimReply } from "./http/route.ts";
import { createRouter } from "./http/router.ts";
import { createMarket } from "./market/create-market.ts";
import { marketRoutes } from "./market/routes.ts";
import { StoredSteering } from "./market/steering.ts";
import { createAlertRoutes } from "./notices/alert-routes.ts";
import { openDocuments } from "./notices/documents.ts";
import { createFyiRoutes } from "./notices/fyi-routes.ts";
import { createWatchlistRoutes } from "./notices/watchlist-routes.ts";
import type { SimulatorOptions } from "./prepare-simulator.ts";
import { createAuthenticator } from "./session/authenticator.ts";
import type { SimulatorCredentials } from "./session/consumer.ts";
import { loadConsumers } from "./session/consumers.ts";
import { IBKR_MAINTENANCE, NO_MAINTENANCE } from "./session/maintenance.ts";
import { createSessionRoutes } from "./session/session-routes.ts";
import type { SimUser } from "./session/session.ts";
import { Sessions } from "./session/sessions.ts";
import type { Simulation } from "./simulation.ts";
import { createTrading } from "./trading/create-trading.ts";
import { MASTER_ACCOUNT_ID } from "./trading/demo.ts";
import type { UserKind } from "./trading/demo.ts";
import { tradingRoutes } from "./trading/routes.ts";
import { claimOfAccessToken } from "./websocket/sign-in.ts";
import type { SocketClaim } from "./websocket/sign-in.ts";
import { SocketServer } from "./websocket/socket-server.ts";

const DEFAULT_SEED = "ibkr-simulator";
const CONTROL_TOKEN_BYTES = 24;
/** IBKR's limit for all requests of a user through a gateway. */
const GATEWAY_REQUESTS_PER_SECOND = 10;

/** What lets somebody steer the simulator. */
export interface ControlAccess {
  /** Sent as `Authorization: Bearer …`. */
  readonly token: string;
}

/** The simulated world with all that answers for it, and no server yet. */
export interface World {
  /** The simulation's own clock, which may be ahead of the machine's. */
  readonly clock: Clock;
  readonly simulation: Simulation;
  readonly sessions: Sessions;
  readonly credentials: SimulatorCredentials;
  readonly accountIds: readonly string[];
  readonly proofKey: string;
  readonly control: ControlAccess | undefined;
  /** How far the clock by which signatures are judged was shifted on purpose. */
  readonly skewMs: () => number;
  readonly answer: (request: WireRequest) => Promise<SimReply>;
  /** As `answer`, at the face of the Client Portal Gateway. */
  readonly answerAtGateway: (request: WireRequest) => Promise<SimReply>;
  /** Who may open a socket there. */
  readonly gatewayClaim: SocketClaim;
  /** The WebSocket; to be closed before the server that it hangs on. */
  readonly sockets: SocketServer;
  /** Names the origins that it is served at, which clients may sign. */
  serveAs(origins: readonly string[]): void;
  /** Lets time pass: sessions end, orders meet the market. */
  advance(): void;
  close(): void;
}

export interface WorldOptions extends SimulatorOptions {
  readonly store: DatabaseSync;
  readonly clock: Clock;
  readonly random: Random;
  readonly furtherRoutes: readonly Route[];
}

/** Opens the world of a store. Rejects when its credentials can't be used. */
export async function createWorld({ store, random, furtherRoutes, log, ...options }: WorldOptions): Promise<World> {
  const clock = new SteeredClock(options.clock, store);
  const consumers = await loadConsumers({ store, random, now: clock.now(), credentials: options.credentials });
  const steering = new StoredSteering(store);
  const market = createMarket({ seed: options.seed ?? DEFAULT_SEED, alwaysOpen: options.tradingHours !== "real", steering });
  const faults = new Faults();
  const { lateOrderShare, cancelDelayMs, user: kind = "paper" } = options;
  const trading = createTrading({ market, random, store, now: clock.now(), faults }, { lateOrderShare, cancelDelayMs, user: kind });
  const user = userOf(kind, trading.accountIds);
  const maintenance = options.maintenance === true ? IBKR_MAINTENANCE : NO_MAINTENANCE;
  const brokerageEnded = (userName: string): void => trading.sessionEnded(userName);
  const sessions = new Sessions({ store, random, userOf: () => user, brokerageEnded, lastReset: maintenance.lastReset });
  const simulation = { clock, random, market, trading, faults };
  const sockets = new SocketServer({ simulation, claimOf: (token) => claimOfAccessToken(consumers, sessions, token), log });
  const documents = openDocuments(store);
  const alertRoutes = createAlertRoutes({ documents, refused: options.paperOAuth === true });
  const noticeRoutes = [...alertRoutes, ...createWatchlistRoutes(documents), ...createFyiRoutes(documents)];
  let origins: readonly string[] = [];
  const gateway = createGateway({ sessions, user, random, clock });
  const skewMs = (): number => faults.find("clock_skew", SIGNED, clock.now())?.ms ?? 0;
  const common = {
    simulation,
    router: createRouter([...createSessionRoutes(sessions), ...marketRoutes, ...tradingRoutes, ...noticeRoutes, ...furtherRoutes]),
    originsFor: (hostHeader: string | undefined) => [...new Set([...origins, ...originsOfHost(hostHeader)])],
    aheadMs: () => clock.aheadMs - skewMs(),
    log,
  };
  const oauth = createAuthenticator({ consumers, sessions, random });
  const api = createAnswerRequest({ ...common, authenticator: oauth, pacing: new Pacing(clock, options.pacing ?? {}) });
  const gatewayPacing = new Pacing(clock, { requestsPerSecond: GATEWAY_REQUESTS_PER_SECOND, ...options.pacing });
  const gatewayApi = createAnswerRequest({ ...common, authenticator: gateway.authenticator, pacing: gatewayPacing });
  const proof = openProof(store);
  const access = options.control === true ? { token: randomId(random, "", CONTROL_TOKEN_BYTES) } : undefined;
  const control =
    access === undefined
      ? undefined
      : createControl({ ...access, clock, faults, market, steering, sessions, sockets, trading, userName: user.userName });
  const faulty = withFaults(api, { faults, maintenance, clock });
  const faultyGateway = withFaults(gatewayApi, { faults, maintenance, clock });
  return {
    clock,
    simulation,
    sessions,
    credentials: consumers.credentials,
    accountIds: trading.accountIds,
    proofKey: proof.publicKeyPem,
    control: access,
    skewMs,
    answer: async (request) => (request.ownEndpoint ? answerOwn(request, proof, control) : faulty(request)),
    answerAtGateway: async (request) => {
      if (GATEWAY_PAGES.has(request.path)) return gateway.page(request);
      return request.ownEndpoint ? answerOwn(request, proof, control) : gateway.withCookie(await faultyGateway(request));
    },
    gatewayClaim: gateway.claim,
    sockets,
    serveAs: (known) => {
      origins = known;
    },
    advance: () => {
      sessions.expire(clock.now());
      trading.advance(clock.now());
    },
    close: () => {
      trading.close();
      store.close();
    },
  };
}

function userOf(kind: UserKind, accountIds: readonly string[]): SimUser {
  const masterAccountId = kind === "advisor" ? MASTER_ACCOUNT_ID : undefined;
  return { userName: "simuser1", userId: 123_456_789, paper: kind !== "live", masterAccountId, accountIds };
}

/** Every signed request: a clock that is wrong is wrong for all of them. */
const SIGNED = { method: "POST", path: "/oauth/live_session_token" };

/** Answers the simulator's own endpoints, outside IBKR's API: its proof, always, and its control where it is on. */
function answerOwn(request: WireRequest, proof: Proof, control: Control | undefined): SimReply {
  if (request.path === "/simulator/proof" && request.method === "POST") return proof.answer(readBody(request));
  return control === undefined || !request.path.startsWith("/simulator/control") ? NOT_FOUND : control(request);
}

function readBody({ body }: WireRequest): unknown {
  try {
    const parsed = parseLossless(body);
    return isRecord(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
