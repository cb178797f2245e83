import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Caller } from "../../src/connections/caller.ts";
import { createConnections } from "../../src/connections/pool.ts";
import type { PacingObserver } from "../../src/ibkr/pacing-observer.ts";
import type { SocketEdge } from "../../src/ibkr/socket-edge.ts";
import { createUserBudgets } from "../../src/ibkr/user-budgets.ts";
import { GatewayError } from "../../src/lib/errors.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { systemRandom } from "../../src/lib/random.ts";
import type { CompleteAnswer, InputResponse, Tool, ToolAnswer, ToolContext } from "../../src/mcp/define-tool.ts";
import { createSimulator, type Simulator } from "../../src/simulator/index.ts";
import { insertConnection } from "../../src/storage/connections.ts";
import { createSealer } from "../../src/storage/sealing.ts";
import { openProcessSockets } from "../../src/storage/process-socket.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { insertUser } from "../../src/storage/users.ts";
import { createHostPolicy } from "../../src/upstreams/host-policy.ts";
import { createTrading } from "../../src/trading/create-trading.ts";
import type { Trading } from "../../src/trading/trading.ts";
import { type FastClock, fastClock } from "./fast-clock.ts";
import { letIn } from "./let-in.ts";
import { silentLog as log } from "./silent-log.ts";
import { type ENGINES, startEngine } from "./storages.ts";

/** Stands between the client and the simulator: may pass a request on, lose it, lose its answer, or change it. */
export type Network = (url: string, init: RequestInit | undefined, pass: () => Promise<Response>) => Promise<Response>;

/** How one call differs from a plain one of the default caller. */
export interface CallOptions {
  readonly caller?: Partial<Caller>;
  readonly signal?: AbortSignal;
  readonly canElicitForm?: boolean;
  readonly inputResponse?: InputResponse;
  /** Told of each request that goes to the simulator for it. */
  readonly onUpstreamCall?: () => void;
  /** Which further process runs it. */
  readonly peer?: number;
}

/** Tools, pipeline, client and simulator over a database of their own, without the HTTP server in front. */
export interface TradingStack {
  readonly simulator: Simulator;
  readonly storage: Storage;
  readonly clock: FastClock;
  readonly caller: Caller;
  /** The present pipeline; `restart` makes a new one. */
  trading(): Trading;
  /** `METHOD path` of each request that went to the simulator. */
  readonly sent: readonly string[];
  setNetwork(network: Network | undefined): void;
  run(tool: Tool, args: JsonObject, options?: CallOptions): Promise<ToolAnswer>;
  /** Runs a tool that must finish; throws its `GatewayError`. */
  complete(tool: Tool, args: JsonObject, options?: CallOptions): Promise<CompleteAnswer["structured"]>;
  /** Drops pipeline and connections as a kill would: what was under way writes nothing more. New ones take the same database. */
  crash(): Promise<void>;
  /** Starts another process beside this one on the same database; answers its number for `CallOptions.peer`. */
  addPeer(): Promise<number>;
  close(): Promise<void>;
}

/** How much faster than the machine's its clock runs. */
const SPEED = 4;

/** How the world around a stack differs from a plain one. */
export interface StackWorld {
  /** When its clock starts, in epoch ms. */
  readonly startAt?: number;
  /** True where the simulator keeps to all of IBKR's limits. Then the stack must stay one process. */
  readonly isPaced?: boolean;
  /** False where the WebSocket is refused, so that everything is asked for. */
  readonly hasStream?: boolean;
  /** Hears what pacing does. */
  readonly observer?: PacingObserver;
}

/** Starts one on a database of this engine; a slower clock leaves the simulator time for long answers on a busy machine. */
export async function startTradingStack(
  engineName: (typeof ENGINES)[number] = "sqlite",
  speed = SPEED,
  { startAt, isPaced = false, hasStream = true, observer }: StackWorld = {},
): Promise<TradingStack> {
  const engine = await startEngine(engineName);
  const database = await engine.createDatabase();
  const clock = fastClock(speed, startAt);
  // Several processes share one session here, so IBKR's limits, which each keeps by itself, would be broken.
  const simulator = await createSimulator({ clock, seed: "trading-stack", pacing: { endpoints: isPaced } });
  const storage = await database.open();
  const sealer = createSealer({ key: systemRandom.bytes(32), keyId: "test" });
  const caller: Caller = {
    id: "key_test",
    source: "apikey",
    nameSpace: "key_test",
    userId: "usr_test",
    connectionId: "con_test",
    scope: "write",
    allowedAccountIds: undefined,
    pinnedAccountId: simulator.accountIds[0],
    toolsets: [],
  };
  await insertUser(storage, { id: caller.userId, display_name: "Test", is_demo: 0, created_at: clock.now() });
  await insertConnection(storage, {
    id: caller.connectionId,
    user_id: caller.userId,
    kind: "simulator",
    label: "Test",
    mode: "simulated",
    settings: JSON.stringify({ baseUrl: "embedded" }),
    sealed_secrets: sealer.seal(JSON.stringify(simulator.credentials), {
      table: "connections",
      column: "sealed_secrets",
      rowId: caller.connectionId,
      userId: caller.userId,
    }),
    created_at: clock.now(),
  });
  const sent: string[] = [];
  let network: Network | undefined;
  const faultyFetch: typeof fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const line = `${init?.method ?? "GET"} ${new URL(url).pathname.replace("/v1/api", "")}`;
    const left = whenLeft(init, () => sent.push(line));
    const pass = () => fetch(input, left);
    return network === undefined ? pass() : network(url, left, pass);
  };
  const abandoned: (() => Promise<void>)[] = [];
  const folder = mkdtempSync(join(tmpdir(), "ibkr-gateway-stack-"));
  const start = async (own: Storage = storage) => {
    const processes = await openProcessSockets({ dataDir: folder, random: systemRandom, log });
    let isDead = false;
    const mortal: Storage = {
      ...own,
      transaction: (work, options) => (isDead ? new Promise<never>(() => undefined) : own.transaction(work, options)),
    };
    const connections = createConnections({
      storage: own,
      sealer,
      clock,
      random: systemRandom,
      log,
      fetch: faultyFetch,
      embeddedSimulator: simulator,
      ...(hasStream ? {} : { socket: refusedSocket }),
      hostPolicy: createHostPolicy({ hosts: [], isLocal: true }),
      ...(observer === undefined ? {} : { budgets: createUserBudgets({ clock, log, observer }) }),
    });
    const trading = createTrading({ storage: mortal, processes, connections, clock, random: systemRandom, log });
    const kill = (): void => {
      isDead = true;
      void processes.close();
    };
    return { connections, trading, processes, kill };
  };
  let parts = await start();
  const pins = new Map<string, string>();

  const peers: Awaited<ReturnType<typeof start>>[] = [];

  const run = async (tool: Tool, args: JsonObject, options: CallOptions = {}): Promise<ToolAnswer> => {
    const who: Caller = { ...caller, nameSpace: options.caller?.id ?? caller.nameSpace, ...options.caller };
    await letIn(storage, who, clock.now());
    const signal = options.signal ?? AbortSignal.timeout(15_000);
    const process = options.peer === undefined ? parts : (peers[options.peer] ?? parts);
    const { broker } = await process.connections.open(who, signal);
    const context: ToolContext = {
      caller: { ...who, pinnedAccountId: pins.get(who.id) ?? who.pinnedAccountId },
      broker,
      call: {
        signal,
        caller: who.id,
        urgent: tool.scope === "write",
        onUpstreamCall: options.onUpstreamCall ?? (() => undefined),
      },
      clock,
      connectionHealth: () => process.connections.health(who),
      pageUrl: (path) => `https://gateway.test${path}`,
      trading: process.trading,
      pinAccount: (accountId) => Promise.resolve(void pins.set(who.id, accountId)),
      canElicitForm: options.canElicitForm ?? false,
      inputResponse: options.inputResponse,
    };
    const parsed = tool.input.safeParse(args);
    if (!parsed.success) throw new GatewayError("invalid_arguments", parsed.error.message, { whatToDo: "" });
    return tool.run(parsed.data, context);
  };

  return {
    simulator,
    storage,
    clock,
    caller,
    trading: () => parts.trading,
    sent,
    setNetwork: (next) => {
      network = next;
    },
    run,
    complete: async (tool, args, options) => {
      const answer = await run(tool, args, options);
      if (answer.kind !== "complete") throw new Error(`the tool asked: ${JSON.stringify(answer.inputRequests)}`);
      return answer.structured;
    },
    addPeer: async () => peers.push(await start(await database.open())) - 1,
    crash: async () => {
      const { kill, connections } = parts;
      kill();
      abandoned.push(() => connections.close());
      parts = await start();
    },
    close: async () => {
      for (const { trading, connections, processes } of [parts, ...peers]) {
        await trading.close();
        await connections.close();
        await processes.close();
      }
      await Promise.all(abandoned.map((close) => close()));
      await simulator.close();
      await engine.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A socket that never opens. */
const refusedSocket: SocketEdge = (_url, { listener }) => {
  setImmediate(() => listener.ended("refused"));
  return { send: () => undefined, end: () => undefined };
};

/** The same request, noted when its body leaves: one that is kept back never does. */
function whenLeft(init: RequestInit | undefined, note: () => void): RequestInit | undefined {
  if (!(init?.body instanceof ReadableStream)) {
    note();
    return init;
  }
  const reader = init.body.getReader();
  let isFirst = true;
  const body = new ReadableStream(
    {
      type: "bytes",
      pull: async (controller) => {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        if (isFirst) note();
        isFirst = false;
        controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
  return { ...init, body };
}
