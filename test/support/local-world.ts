import type { Clock } from "../../src/lib/clock.ts";
import { seededRandom } from "../../src/lib/random.ts";
import { createWorld, type World } from "../../src/simulator/create-world.ts";
import { textOf } from "../../src/simulator/http/route.ts";
import { generateCredentials, type SimulatorCredentials } from "../../src/simulator/session/consumer.ts";
import { openStore } from "../../src/simulator/store.ts";
import type { OwnSimulator } from "../../src/upstreams/upstream.ts";

/** A simulator in this process without a server: nothing but its clock makes anybody wait. */
export interface LocalWorld extends OwnSimulator {
  readonly fetch: typeof fetch;
  close(): void;
}

const ORIGIN = "https://simulator.test";
const API = "/v1/api";
const ADVANCE_EVERY_MS = 1_000;

/** Made once for all worlds, since its keys take long to compute. */
let made: Promise<SimulatorCredentials> | undefined;

/** Opens one whose course the seed decides. It keeps no pacing of single endpoints. */
export async function openLocalWorld(clock: Clock, seed: string): Promise<LocalWorld> {
  const credentials = await (made ??= generateCredentials(seededRandom("local world")));
  const world = await createWorld({
    store: openStore(undefined),
    clock,
    random: seededRandom(seed),
    furtherRoutes: [],
    credentials,
    seed,
    pacing: { endpoints: false },
  });
  world.serveAs([ORIGIN]);
  const stop = clock.every(ADVANCE_EVERY_MS, () => world.advance());
  return {
    baseUrl: ORIGIN + API,
    credentials,
    proofKey: world.proofKey,
    fetch: (input, init) => answer(world, new URL(input instanceof Request ? input.url : input), init),
    close: () => {
      stop();
      world.close();
    },
  };
}

async function answer(world: World, url: URL, init: RequestInit = {}): Promise<Response> {
  const { method = "GET", headers, body } = init;
  const ownEndpoint = !url.pathname.startsWith(`${API}/`);
  const reply = await world.answer({
    method,
    rawPath: url.pathname,
    path: ownEndpoint ? url.pathname : url.pathname.slice(API.length),
    query: url.search.slice(1),
    authorization: new Headers(headers).get("authorization") ?? undefined,
    host: url.host,
    ownEndpoint,
    forwarded: false,
    remoteAddress: "127.0.0.1",
    body: await new Response(body ?? null).text(),
  });
  return new Response(textOf(reply), { status: reply.status, headers: { date: new Date(world.clock.now()).toUTCString() } });
}
