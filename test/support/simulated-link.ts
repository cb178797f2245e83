import type { CallOptions } from "../../src/broker/broker.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { createUserBudgets } from "../../src/ibkr/user-budgets.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { createSimulator, type Simulator, type SimulatorOptions } from "../../src/simulator/index.ts";
import { createHostPolicy } from "../../src/upstreams/host-policy.ts";
import { connectUpstream } from "../../src/upstreams/index.ts";
import type { Link, UpstreamDeps } from "../../src/upstreams/upstream.ts";
import { fastClock } from "./fast-clock.ts";
import { silentLog } from "./silent-log.ts";

/** One request as it left for the simulator. */
export interface SentRequest {
  readonly method: string;
  /** Path below `/v1/api`, without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
  readonly status: number | undefined;
}

/** Stands in the network: answers instead of the simulator, changes its answer (`pass` lets the request through), or throws. Undefined: no interest. */
export type Fault = (request: Omit<SentRequest, "status">, pass: () => Promise<Response>) => Promise<Response> | undefined;

/** A link to a simulator of its own, and everything that it sent. */
export interface SimulatedLink {
  readonly link: Link;
  readonly simulator: Simulator;
  readonly clock: Clock;
  readonly sent: SentRequest[];
  /** Sent requests whose path matches. */
  requests(path: RegExp): SentRequest[];
  /** Puts a fault into the network until it is replaced. */
  fault(fault: Fault | undefined): void;
  /** A second link with the same credentials. */
  connect(): Link;
  close(): Promise<void>;
}

/** Starts a simulator and a link to it over HTTP, both on one fast clock unless told otherwise. */
export async function simulatedLink(options: SimulatorOptions = {}, over: Partial<UpstreamDeps> = {}): Promise<SimulatedLink> {
  const clock = options.clock ?? fastClock(5);
  const simulator = await createSimulator({ clock, ...options });
  const sent: SentRequest[] = [];
  let fault: Fault | undefined;
  const edge: typeof fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const body = await textOf(init);
    const about = {
      method: init?.method ?? "GET",
      path: url.pathname.replace("/v1/api", ""),
      query: url.searchParams,
      body,
    };
    const pass = () => fetch(input, body === "" ? init : { ...init, body });
    let status: number | undefined;
    try {
      const response = await (fault?.(about, pass) ?? pass());
      ({ status } = response);
      return response;
    } finally {
      sent.push({ ...about, status });
    }
  };
  // As in the gateway: links with the same credentials share one budget.
  const budgets = createUserBudgets({ clock, log: silentLog });
  const connect = () =>
    connectUpstream(
      { kind: "simulator", settings: { baseUrl: "embedded" }, secrets: { ...simulator.credentials } },
      {
        clock,
        random: systemRandom,
        log: silentLog,
        fetch: edge,
        expectedMode: "simulated",
        embeddedSimulator: simulator,
        hostPolicy: createHostPolicy({ hosts: [], isLocal: true }),
        budgets,
        ...over,
      },
    );
  const link = connect();
  return {
    link,
    simulator,
    clock,
    sent,
    requests: (path) => sent.filter((request) => path.test(request.path)),
    fault: (next) => {
      fault = next;
    },
    connect,
    close: async () => {
      fault = undefined;
      await link.close();
      await simulator.close();
    },
  };
}

/** What a request carries; an order goes as a stream, which can be read once. */
async function textOf(init: RequestInit | undefined): Promise<string> {
  return init?.body === undefined || init.body === null ? "" : await new Response(init.body).text();
}

/** Options of a call that may take half a minute. */
export function callOptions(caller = "test"): CallOptions {
  return { signal: AbortSignal.timeout(30_000), caller };
}

/** IBKR's form of an error, as a response. */
export function errorResponse(status: number, error: string): Response {
  return Response.json({ error, statusCode: status }, { status });
}
