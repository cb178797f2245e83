import { createServer } from "node:http";
import type { Socket } from "node:net";
import type { DatabaseSync } from "node:sqlite";
import { duplexPair } from "node:stream";

import { createSocketEdge, type SocketEdge } from "../../src/ibkr/socket-edge.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { isRecord, parseLossless } from "../../src/lib/json.ts";
import { seededRandom } from "../../src/lib/random.ts";
import { ConnectionDropped } from "../../src/simulator/control/with-faults.ts";
import { createWorld, type World } from "../../src/simulator/create-world.ts";
import type { SimReply } from "../../src/simulator/http/route.ts";
import { IBKR_MAINTENANCE } from "../../src/simulator/session/maintenance.ts";
import { openStore } from "../../src/simulator/store.ts";
import { Told } from "./week-told.ts";

/** A simulated IBKR user in this process, and what was seen of the requests that reached it. */
export interface WeekWorld {
  readonly name: string;
  readonly mode: "paper" | "live";
  readonly world: World;
  /** The simulator's own database. */
  readonly store: DatabaseSync;
  readonly fetch: typeof fetch;
  readonly socket: SocketEdge;
  /** What this user was told of their holdings. */
  readonly told: Told;
  /** Orders by their `cOID`, as often as they were sent. */
  readonly orders: Map<string, number>;
  readonly accountsOfOrders: Set<string>;
  inits: number;
  competed: number;
  requests: number;
  sockets: number;
  /** True while nobody can be reached. */
  isCut: boolean;
  hasCompetitor: boolean;
}

const USER_NAME = "simuser1";
/** The sockets of the simulator look so often at what has changed; often enough for greetings and signs of life. */
const SOCKET_TICK_MS = 12_000;
const AAPL = 265598;

/** Opens a user's world, served without a network: requests and sockets go straight to what answers IBKR's API, signatures and all. */
export async function openWeekWorld(name: string, mode: "paper" | "live", options: { seed: string; clock: Clock }): Promise<WeekWorld> {
  const seed = `${options.seed} ${name}`;
  const random = seededRandom(seed);
  const clock: Clock = { ...options.clock, every: (ms, action) => options.clock.every(Math.max(ms, SOCKET_TICK_MS), action) };
  const store = openStore(undefined);
  const world = await createWorld({ store, clock, random, furtherRoutes: [], control: true, maintenance: true, user: mode, seed });
  world.serveAs(["https://ibkr.test"]);
  const own: WeekWorld = {
    name,
    mode,
    world,
    store,
    told: new Told(),
    orders: new Map(),
    accountsOfOrders: new Set(),
    inits: 0,
    competed: 0,
    requests: 0,
    sockets: 0,
    isCut: false,
    hasCompetitor: false,
    fetch: (input, init) => answer(own, new URL(input instanceof Request ? input.url : input), init),
    socket: socketEdge(() => own),
  };
  return own;
}

async function answer(own: WeekWorld, url: URL, init: RequestInit | undefined): Promise<Response> {
  const { world } = own;
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
  const text = "text" in reply ? reply.text : JSON.stringify(reply.json);
  if (reply.status === 200) own.told.take(path, text);
  const date = new Date(world.clock.now() + world.skewMs()).toUTCString();
  return new Response(text, { status: reply.status, headers: { date } });
}

/** Sockets over pipes in memory: both ends are the real ones, HTTP upgrade and frames included. */
function socketEdge(own: () => WeekWorld): SocketEdge {
  const server = createServer();
  server.on("upgrade", (incoming, transport, head) => own().world.sockets.upgrade(incoming, transport, { head }));
  return createSocketEdge({
    createConnection: (_options, callback) => {
      const { isCut } = own();
      const [here, there] = duplexPair();
      own().sockets += 1;
      if (isCut) queueMicrotask(() => here.destroy(failed("ECONNREFUSED", "connect")));
      else server.emit("connection", there);
      // A pipe is all that HTTP and WebSocket need of a socket.
      queueMicrotask(() => callback(null, here as Socket));
      return undefined;
    },
  });
}

/** Moves a user's prices far from everybody else's, so that a quote tells whose it is. */
export async function movePrices(own: WeekWorld, percent: number): Promise<void> {
  const { world } = own;
  const reply: SimReply = await world.answer({
    method: "POST",
    rawPath: "/simulator/control/price",
    path: "/simulator/control/price",
    query: "",
    authorization: `Bearer ${world.control?.token ?? ""}`,
    host: "localhost",
    ownEndpoint: true,
    forwarded: false,
    remoteAddress: "127.0.0.1",
    body: JSON.stringify({ conid: AAPL, percent }),
  });
  if (reply.status !== 200) throw new Error("the prices were not moved");
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
  const faults = world.simulation.faults.list(now).filter(({ kind }) => kind !== "stream_silence");
  return !isCut && !hasCompetitor && faults.length === 0 && IBKR_MAINTENANCE.windowAt(now) === "none";
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
