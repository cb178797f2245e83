import { pino } from "pino";

import { systemClock } from "../src/lib/clock.ts";
import { systemRandom } from "../src/lib/random.ts";
import type { SocketEdge } from "../src/ibkr/socket-edge.ts";
import { createSimulator } from "../src/simulator/index.ts";
import { createHostPolicy } from "../src/upstreams/host-policy.ts";
import { connectUpstream } from "../src/upstreams/index.ts";
import type { Link } from "../src/upstreams/upstream.ts";

/** Calls of one contract's quote, at a person's pace and longer than a quote is kept, so that polling shows its cost. */
const CALLS = 40;
const EVERY_MS = 250;

/** What warm quotes cost by one way: upstream requests for all calls, and the time of one. */
export interface QuoteCost {
  readonly calls: number;
  readonly upstreamRequests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** A network in which WebSockets can't be had. */
const noSocket: SocketEdge = (_url, { listener }) => {
  queueMicrotask(() => listener.ended("sockets are refused here"));
  return { send: () => undefined, end: () => undefined };
};

/** Measures a warm quote kept current by the stream, and one that is polled, each on a link of its own to its own simulator. */
export async function measureQuotes(): Promise<{ readonly stream: QuoteCost; readonly poll: QuoteCost }> {
  return { stream: await measureWay(undefined), poll: await measureWay(noSocket) };
}

async function measureWay(socket: SocketEdge | undefined): Promise<QuoteCost> {
  const simulator = await createSimulator();
  let requests = 0;
  const link = connectUpstream(
    { kind: "simulator", settings: { baseUrl: "embedded" }, secrets: {} },
    {
      clock: systemClock,
      random: systemRandom,
      log: pino({ level: "silent" }),
      fetch: (...args) => {
        requests += 1;
        return fetch(...args);
      },
      expectedMode: "simulated",
      embeddedSimulator: simulator,
      hostPolicy: createHostPolicy({ hosts: [], isLocal: true }),
      ...(socket === undefined ? {} : { socket }),
    },
  );
  try {
    const [instrument] = await link.stocks("AAPL", { signal: AbortSignal.timeout(20_000), caller: "bench" });
    const conid = instrument?.conid ?? 0;
    // The first calls open what there is to open.
    await timeCalls(link, conid, 12);
    requests = 0;
    const times = await timeCalls(link, conid, CALLS);
    const at = (part: number): number => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? Number.NaN;
    return { calls: CALLS, upstreamRequests: requests, p50Ms: at(0.5), p99Ms: at(0.99) };
  } finally {
    await link.close();
    await simulator.close();
  }
}

/** Times of single calls in milliseconds, ascending. */
async function timeCalls(link: Link, conid: number, calls: number): Promise<number[]> {
  const times: number[] = [];
  for (let call = 0; call < calls; call += 1) {
    const started = performance.now();
    await link.quotes([conid], { signal: AbortSignal.timeout(20_000), caller: "bench" });
    times.push(performance.now() - started);
    await systemClock.wait(EVERY_MS);
  }
  return times.toSorted((a, b) => a - b);
}
