import type { Clock } from "../../src/lib/clock.ts";
import { isRecord, parseLossless } from "../../src/lib/json.ts";
import { seededRandom } from "../../src/lib/random.ts";
import { createWorld, type World } from "../../src/simulator/create-world.ts";
import { IBKR_MAINTENANCE } from "../../src/simulator/session/maintenance.ts";
import { ConnectionDropped } from "../../src/simulator/control/with-faults.ts";
import { openStore } from "../../src/simulator/store.ts";

/** A simulated IBKR user in this process, and what was seen of the requests that reached it. */
export interface WeekWorld {
  readonly name: string;
  readonly mode: "paper" | "live";
  readonly world: World;
  readonly fetch: typeof fetch;
  /** Orders by their `cOID`, as often as they were sent. */
  readonly orders: Map<string, number>;
  readonly accountsOfOrders: Set<string>;
  inits: number;
  competed: number;
  requests: number;
  /** True while nobody can be reached. */
  isCut: boolean;
  hasCompetitor: boolean;
}

const USER_NAME = "simuser1";

/** Opens a user's world, served without a network: requests go straight to what answers IBKR's API, signatures and all. */
export async function openWeekWorld(name: string, mode: "paper" | "live", options: { seed: string; clock: Clock }): Promise<WeekWorld> {
  const { seed, clock } = options;
  const random = seededRandom(`${seed} ${name}`);
  const world = await createWorld({ store: openStore(undefined), clock, random, furtherRoutes: [], maintenance: true, user: mode, seed });
  world.serveAs(["https://ibkr.test"]);
  const own: WeekWorld = {
    name,
    mode,
    world,
    orders: new Map(),
    accountsOfOrders: new Set(),
    inits: 0,
    competed: 0,
    requests: 0,
    isCut: false,
    hasCompetitor: false,
    fetch: async (input, init) => {
      const url = new URL(input instanceof Request ? input.url : input);
      const body = init?.body === undefined || init.body === null ? "" : await new Response(init.body).text();
      if (own.isCut) throw failed("ECONNREFUSED", "connect");
      const path = url.pathname.replace("/v1/api", "");
      note(own, path, body);
      const answering = world.answer({
        method: init?.method ?? "GET",
        rawPath: url.pathname,
        path,
        query: url.search.slice(1),
        authorization: new Headers(init?.headers).get("authorization") ?? undefined,
        host: url.host,
        ownEndpoint: false,
        forwarded: false,
        remoteAddress: "127.0.0.1",
        body,
      });
      const reply = await untilAborted(answering, init?.signal ?? undefined).catch((error: unknown) => {
        throw error instanceof ConnectionDropped ? failed("ECONNRESET", "read") : error;
      });
      const date = new Date(clock.now() + world.skewMs()).toUTCString();
      return new Response("text" in reply ? reply.text : JSON.stringify(reply.json), { status: reply.status, headers: { date } });
    },
  };
  return own;
}

/** Lets another login of the user come or go. */
export function setCompetitor(own: WeekWorld, competitor: { yields: boolean; beside: boolean } | undefined): void {
  if (competitor === undefined) own.world.sessions.otherLogout(USER_NAME);
  else own.world.sessions.otherLogin(USER_NAME, competitor);
  own.hasCompetitor = competitor !== undefined;
}

/** True while nothing stands in the way of a session. */
export function isQuiet({ world, isCut, hasCompetitor }: WeekWorld): boolean {
  const now = world.clock.now();
  return !isCut && !hasCompetitor && world.simulation.faults.list(now).length === 0 && IBKR_MAINTENANCE.windowAt(now) === "none";
}

function note(own: WeekWorld, path: string, body: string): void {
  own.requests += 1;
  const sent = body === "" ? undefined : parseLossless(body);
  if (path === "/iserver/auth/ssodh/init") {
    own.inits += 1;
    if (isRecord(sent) && sent["compete"] === true) own.competed += 1;
  }
  const [, accountId] = /^\/iserver\/account\/([^/]+)\/orders$/.exec(path) ?? [];
  if (accountId === undefined || !isRecord(sent) || !Array.isArray(sent["orders"])) return;
  own.accountsOfOrders.add(accountId);
  for (const order of sent["orders"]) {
    const id = isRecord(order) ? String(order["cOID"]) : "";
    own.orders.set(id, (own.orders.get(id) ?? 0) + 1);
  }
}

function failed(code: string, syscall: string): TypeError {
  return new TypeError("fetch failed", { cause: Object.assign(new Error(`${syscall} ${code}`), { code, syscall }) });
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", abort, { once: true });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener("abort", abort));
}
