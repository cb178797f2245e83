import type { DatabaseSync } from "node:sqlite";

import { systemClock } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { systemRandom } from "../lib/random.ts";
import type { Random } from "../lib/random.ts";
import { createWorld } from "./create-world.ts";
import type { ControlAccess, World } from "./create-world.ts";
import type { FaultSpec } from "./control/faults.ts";
import { openCertificate } from "./gateway/certificate.ts";
import type { GatewayCertificate } from "./gateway/certificate.ts";
import { GATEWAY_PAGES } from "./gateway/create-gateway.ts";
import { knownOrigins } from "./http/origins.ts";
import type { PacingOptions } from "./http/pacing.ts";
import type { Route } from "./http/route.ts";
import { startHttpServer } from "./http/server.ts";
import type { HttpServerOptions } from "./http/server.ts";
import type { SimulatorCredentials } from "./session/consumer.ts";
import { openStore } from "./store.ts";
import type { UserKind } from "./trading/demo.ts";
import { takenOrders } from "./trading/taken-orders.ts";
import type { TakenOrder } from "./trading/taken-orders.ts";
import type { SocketServer } from "./websocket/socket-server.ts";

/** How a simulator is to run; everything has a default. */
export interface SimulatorOptions {
  /** Where it listens; loopback by default. */
  readonly host?: string;
  /** 0, the default, takes a free port. */
  readonly port?: number;
  /** The URL that clients know it by, where that is neither loopback nor their Host header; they sign it. */
  readonly publicUrl?: string;
  /** SQLite file of the accounts, orders, credentials and sign-ins; without one, nothing outlives the process. */
  readonly stateFile?: string;
  /** Text that decides the course of all prices. */
  readonly seed?: string;
  /** `always_open`, the default, trades day and night; `real` keeps the exchanges' hours and holidays. */
  readonly tradingHours?: "always_open" | "real";
  /** A consumer to take in; by default the state file's own, or a new one. */
  readonly credentials?: SimulatorCredentials;
  readonly pacing?: PacingOptions;
  /** True refuses to make alerts, as IBKR does for paper users over OAuth; false by default. */
  readonly paperOAuth?: boolean;
  /** True lets the simulator be steered: time, prices, sessions and faults, at `/simulator/control`. Off by default. */
  readonly control?: boolean;
  /** True keeps IBKR's reset at midnight in New York and its maintenance on Saturday evening. Off by default. */
  readonly maintenance?: boolean;
  /** Whose accounts it holds: a paper user's (the default), a live-like user's, or those of a (paper) advisor's clients. */
  readonly user?: UserKind;
  /** Port of the Client Portal Gateway's face, over TLS; 0 takes a free one. There is none by default. */
  readonly gatewayPort?: number;
  /** Share of confirmations that come too late whose order goes live all the same, 0 to 1. A quarter by default. */
  readonly lateOrderShare?: number;
  /** How long a cancellation is under way; until then a fill can still win. At once, with the next request, by default. */
  readonly cancelDelayMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Log;
}

/** The simulator as a Client Portal Gateway: no signatures, but a login page at its `url` and a self-signed certificate. */
export interface SimulatorGateway {
  /** Origin: `https://127.0.0.1:5000`. */
  readonly url: string;
  readonly certificatePem: string;
  /** SHA-256 of the certificate, in upper-case hex with colons. */
  readonly fingerprint: string;
}

/** Faults of a running simulator. */
export interface SimulatorFaults {
  /** Puts a fault in force and returns its id. Throws `RangeError` when there are too many. */
  add(fault: FaultSpec): number;
  /** Returns whether there was such a fault. */
  remove(id: number): boolean;
  clear(): void;
}

/** A running simulator. */
export interface Simulator {
  /** Origin: `http://127.0.0.1:41234`. */
  readonly url: string;
  /** Where the API begins: the origin and `/v1/api`. */
  readonly baseUrl: string;
  readonly credentials: SimulatorCredentials;
  readonly accountIds: readonly string[];
  /** Public half (PEM) of the Ed25519 key with which `POST /simulator/proof` signs a nonce. */
  readonly proofKey: string;
  /** Where and by which bearer token it is steered; undefined unless that was asked for. */
  readonly control: (ControlAccess & { readonly url: string }) | undefined;
  /** The face of the Client Portal Gateway, where it was asked for. */
  readonly gateway: SimulatorGateway | undefined;
  /** What goes wrong on purpose, as through the control endpoint, for programs that run the simulator themselves. */
  readonly faults: SimulatorFaults;
  /** Returns every order that was ever taken, the oldest first, at most 1,000 of each account, also those that the lists hide. */
  takenOrders(): readonly TakenOrder[];
  /** Finishes the requests under way, stores everything and frees the port. */
  close(): Promise<void>;
}

/** A simulator with its state open, not serving yet. */
export interface PreparedSimulator extends Pick<Simulator, "credentials" | "accountIds" | "proofKey"> {
  /** The token of the control endpoint, where there is one. */
  readonly control: ControlAccess | undefined;
  /** The WebSocket: what it tells unasked, and its cut connections. */
  readonly sockets: SocketServer;
  /** Starts serving. Rejects with node's error, and closes everything, when it can't listen. */
  listen(): Promise<Simulator>;
}

const DEFAULT_HOST = "127.0.0.1";
/** How often orders meet the market while nobody calls. */
const ADVANCE_EVERY_MS = 1_000;

/**
 * Opens the simulated world, with further endpoints beside IBKR's own where given.
 * Rejects when the state file or the credentials can't be used.
 */
export async function prepareSimulator(options: SimulatorOptions, furtherRoutes: readonly Route[] = []): Promise<PreparedSimulator> {
  const store = openStore(options.stateFile);
  try {
    return await prepareOver(store, options, furtherRoutes);
  } catch (error) {
    store.close();
    throw error;
  }
}

async function prepareOver(store: DatabaseSync, options: SimulatorOptions, furtherRoutes: readonly Route[]): Promise<PreparedSimulator> {
  const { clock = systemClock, random = systemRandom } = options;
  const world = await createWorld({ ...options, store, clock, random, furtherRoutes });
  const { credentials, accountIds, proofKey, control, sockets } = world;
  const certificate = options.gatewayPort === undefined ? undefined : await openCertificate(store);
  return { credentials, accountIds, proofKey, control, sockets, listen: () => listen(world, { ...options, clock, certificate }) };
}

interface ListenOptions extends SimulatorOptions {
  readonly clock: Clock;
  readonly certificate: GatewayCertificate | undefined;
}

/** Starts the gateway's face, where there is a certificate for it. */
async function startGateway(world: World, { host = DEFAULT_HOST, gatewayPort = 0, clock, log, certificate }: ListenOptions) {
  if (certificate === undefined) return undefined;
  const { answerAtGateway: answer, gatewayClaim: claim, sockets } = world;
  const upgrade: HttpServerOptions["upgrade"] = (incoming, transport, head) => sockets.upgrade(incoming, transport, { head, claim });
  const date = (): number => clock.now() + world.skewMs();
  const server = await startHttpServer({
    host,
    port: gatewayPort,
    clock,
    log,
    answer,
    date,
    upgrade,
    tls: certificate,
    pages: GATEWAY_PAGES,
  });
  const { certificatePem, fingerprint } = certificate;
  return { close: () => server.close(), face: { url: originOf("https", host, server.port), certificatePem, fingerprint } };
}

function originOf(scheme: "http" | "https", host: string, port: number): string {
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function faultsOf({ clock, simulation: { faults } }: World): SimulatorFaults {
  return {
    add: (fault) => faults.add(fault, clock.now()).id,
    remove: (id) => faults.remove(id),
    clear: () => faults.clear(),
  };
}

async function listen(world: World, options: ListenOptions): Promise<Simulator> {
  const { host = DEFAULT_HOST, clock, log } = options;
  const { answer, sockets } = world;
  const upgrade: HttpServerOptions["upgrade"] = (incoming, transport, head) => sockets.upgrade(incoming, transport, { head });
  const date = (): number => clock.now() + world.skewMs();
  const server = await startHttpServer({ host, port: options.port ?? 0, clock, log, answer, date, upgrade }).catch(
    async (error: unknown) => {
      await sockets.close();
      world.close();
      throw error;
    },
  );
  const gateway = await startGateway(world, options).catch(async (error: unknown) => {
    await sockets.close();
    await server.close();
    world.close();
    throw error;
  });
  const url = originOf("http", host, server.port);
  world.serveAs(knownOrigins(url, options.publicUrl, server.port));
  const stopAdvancing = world.clock.every(ADVANCE_EVERY_MS, () => {
    try {
      world.advance();
    } catch (error) {
      // One bad second must not end the process that the simulator is part of; the next one tries again.
      log?.error({ err: error }, "the simulated world did not move on");
    }
  });
  const { credentials, accountIds, proofKey } = world;
  const control = world.control === undefined ? undefined : { ...world.control, url: `${url}/simulator/control` };
  const close = async (): Promise<void> => {
    stopAdvancing();
    await sockets.close();
    await Promise.all([server.close(), gateway?.close()]);
    world.close();
  };
  return {
    url,
    baseUrl: `${url}/v1/api`,
    credentials,
    accountIds,
    proofKey,
    control,
    gateway: gateway?.face,
    faults: faultsOf(world),
    takenOrders: () => takenOrders(world.simulation.trading),
    close,
  };
}
