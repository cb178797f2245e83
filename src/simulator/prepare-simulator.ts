import type { DatabaseSync } from "node:sqlite";

import { systemClock } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { systemRandom } from "../lib/random.ts";
import type { Random } from "../lib/random.ts";
import { createAnswerRequest } from "./http/answer-request.ts";
import { originsOfHost, knownOrigins } from "./http/origins.ts";
import { Pacing } from "./http/pacing.ts";
import type { PacingOptions } from "./http/pacing.ts";
import type { Route } from "./http/route.ts";
import { createRouter } from "./http/router.ts";
import { startHttpServer } from "./http/server.ts";
import { createMarket } from "./market/create-market.ts";
import { marketRoutes } from "./market/routes.ts";
import { createAuthenticator } from "./session/authenticator.ts";
import type { SimulatorCredentials } from "./session/consumer.ts";
import { loadConsumers } from "./session/consumers.ts";
import { createSessionRoutes } from "./session/session-routes.ts";
import type { SimUser } from "./session/session.ts";
import { Sessions } from "./session/sessions.ts";
import { openStore } from "./store.ts";
import { createTrading } from "./trading/create-trading.ts";
import { tradingRoutes } from "./trading/routes.ts";

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
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Log;
}

/** A running simulator. */
export interface Simulator {
  /** Origin: `http://127.0.0.1:41234`. */
  readonly url: string;
  /** Where the API begins: the origin and `/v1/api`. */
  readonly baseUrl: string;
  readonly credentials: SimulatorCredentials;
  readonly accountIds: readonly string[];
  /** Finishes the requests under way, stores everything and frees the port. */
  close(): Promise<void>;
}

/** A simulator with its state open, not serving yet. */
export interface PreparedSimulator {
  readonly credentials: SimulatorCredentials;
  readonly accountIds: readonly string[];
  /** Starts serving. Rejects with node's error, and closes everything, when it can't listen. */
  listen(): Promise<Simulator>;
}

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_SEED = "ibkr-simulator";
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
  const { host = DEFAULT_HOST, clock = systemClock, random = systemRandom, log } = options;
  const consumers = await loadConsumers({ store, random, now: clock.now(), credentials: options.credentials });
  const market = createMarket({ seed: options.seed ?? DEFAULT_SEED, alwaysOpen: options.tradingHours !== "real" });
  const trading = createTrading({ market, random, store, now: clock.now() });
  const user: SimUser = { userName: "simuser1", userId: 123_456_789, paper: true, accountIds: trading.accountIds };
  const brokerageEnded = (userName: string): void => trading.sessionEnded(userName);
  const sessions = new Sessions({ store, random, userOf: () => user, brokerageEnded });
  let origins: readonly string[] = [];
  const answer = createAnswerRequest({
    simulation: { clock, random, market, trading },
    authenticator: createAuthenticator({ consumers, sessions, random }),
    pacing: new Pacing(clock, options.pacing ?? {}),
    router: createRouter([...createSessionRoutes(sessions), ...marketRoutes, ...tradingRoutes, ...furtherRoutes]),
    originsFor: (hostHeader) => [...new Set([...origins, ...originsOfHost(hostHeader)])],
    log,
  });
  const closeWorld = (): void => {
    trading.close();
    store.close();
  };
  const listen = async (): Promise<Simulator> => {
    const server = await startHttpServer({ host, port: options.port ?? 0, clock, log, answer }).catch((error: unknown) => {
      closeWorld();
      throw error;
    });
    const url = `http://${host.includes(":") ? `[${host}]` : host}:${server.port}`;
    origins = knownOrigins(url, options.publicUrl, server.port);
    const stopAdvancing = clock.every(ADVANCE_EVERY_MS, () => {
      try {
        sessions.expire(clock.now());
        trading.advance(clock.now());
      } catch (error) {
        // One bad second must not end the process that the simulator is part of; the next one tries again.
        log?.error({ err: error }, "the simulated world did not move on");
      }
    });
    const close = async (): Promise<void> => {
      stopAdvancing();
      await server.close();
      closeWorld();
    };
    return { url, baseUrl: `${url}/v1/api`, credentials: consumers.credentials, accountIds: trading.accountIds, close };
  };
  return { credentials: consumers.credentials, accountIds: trading.accountIds, listen };
}
