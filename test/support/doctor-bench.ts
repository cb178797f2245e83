import { createConnections } from "../../src/connections/pool.ts";
import { seededRandom } from "../../src/lib/random.ts";
import { createAuditLog } from "../../src/storage/audit-writer.ts";
import { type ConnectionRow, findConnection, insertConnection } from "../../src/storage/connections.ts";
import { createSealer } from "../../src/storage/sealing.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { insertUser } from "../../src/storage/users.ts";
import { type DoctorOptions, type DoctorResult, runDoctor } from "../../src/trading/doctor.ts";
import { createHostPolicy } from "../../src/upstreams/host-policy.ts";
import { type FakeClock, fakeClock } from "./fake-clock.ts";
import { openLocalWorld } from "./local-world.ts";
import { silentLog as log } from "./silent-log.ts";
import { singleProcess } from "./single-process.ts";
import { startEngine } from "./storages.ts";

/** One request as the doctor sends it. */
export interface DoctorRequest {
  readonly method: string;
  /** Path below `/v1/api`. */
  readonly path: string;
  readonly body: string;
}

/** Stands in the network: passes a request on, changed or not, or responds in the simulator's place. */
export type DoctorNetwork = (request: DoctorRequest, pass: (body?: string) => Promise<Response>) => Promise<Response>;

/** The doctor with a database, a simulator and a connection to it. */
export interface DoctorBench {
  readonly storage: Storage;
  readonly clock: FakeClock;
  /** Every request that reached the network. */
  readonly sent: DoctorRequest[];
  setNetwork(network: DoctorNetwork | undefined): void;
  connection(): Promise<ConnectionRow>;
  /** Id of another living process on the same database. */
  readonly neighbor: string;
  update(values: Partial<Pick<ConnectionRow, "mode" | "paused_at" | "frozen_at" | "orders_stopped_at">>): Promise<void>;
  run(options?: Partial<DoctorOptions>): Promise<DoctorResult>;
  /** The doctor's orders at IBKR, by the simulator's own list: `cOID` → states, the newest order first. */
  statesAtIbkr(): Promise<ReadonlyMap<string, readonly string[]>>;
  close(): Promise<void>;
}

const REF = { userId: "usr_test", connectionId: "con_test" };
/** Id of another living process. */
const NEIGHBOR = "prc_00000000000000ff";

/** Starts one, in which time passes only while the doctor runs or its orders are asked for. */
export async function startDoctorBench(): Promise<DoctorBench> {
  const engine = await startEngine("sqlite");
  const storage = await (await engine.createDatabase()).open();
  const clock = fakeClock();
  const simulator = await openLocalWorld(clock, "doctor");
  const random = seededRandom("doctor");
  await insertUser(storage, { id: REF.userId, display_name: "Test", is_demo: 0, created_at: clock.now() });
  await insertConnection(storage, {
    id: REF.connectionId,
    user_id: REF.userId,
    kind: "simulator",
    label: "Test",
    mode: "simulated",
    settings: JSON.stringify({ baseUrl: "embedded" }),
    sealed_secrets: null,
    created_at: clock.now(),
  });
  const sent: DoctorRequest[] = [];
  let network: DoctorNetwork | undefined;
  const edge: typeof fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const body = await new Response(init?.body ?? null).text();
    const request = { method: init?.method ?? "GET", path: url.pathname.replace("/v1/api", ""), body };
    sent.push(request);
    const pass = (changed = body) => simulator.fetch(input, { ...init, body: changed });
    return await (network?.(request, pass) ?? pass());
  };
  const single = singleProcess();
  const processes = { ...single, isAlive: async (id: string) => id === NEIGHBOR || (await single.isAlive(id)) };
  const audit = createAuditLog({ storage, clock, log });
  const connections = createConnections({
    storage,
    sealer: createSealer({ key: random.bytes(32), keyId: "test" }),
    clock,
    random,
    log,
    fetch: edge,
    // Without a stream: it reports nothing that lists do not.
    socket: (_url, { listener }) => {
      queueMicrotask(() => listener.ended("refused"));
      return { send: () => undefined, end: () => undefined };
    },
    embeddedSimulator: simulator,
    hostPolicy: createHostPolicy({ hosts: [], isLocal: true }),
  });
  const connection = async (): Promise<ConnectionRow> => {
    const row = await findConnection(storage, REF);
    if (row === undefined) throw new Error("the connection is gone");
    return row;
  };
  const statesAtIbkr = async () => {
    const call = { signal: new AbortController().signal, caller: "test" };
    const { broker } = await connections.open(REF, call.signal);
    const [account] = await broker.accounts(call);
    const { orders } = await broker.orders(account?.accountId ?? "", call);
    const own = orders.filter(({ customerOrderId }) => customerOrderId?.startsWith("gwdoc") === true);
    return new Map([...Map.groupBy(own, (order) => order.customerOrderId ?? "")].map(([id, all]) => [id, all.map(({ status }) => status)]));
  };
  return {
    storage,
    clock,
    sent,
    connection,
    neighbor: NEIGHBOR,
    setNetwork: (next) => {
      network = next;
    },
    update: async (values) => {
      await storage.db.updateTable("connections").set(values).where("id", "=", REF.connectionId).execute();
    },
    run: async (options = {}) => {
      const asked = { connection: await connection(), isResume: false, stop: new AbortController().signal, onCase: () => undefined };
      return await clock.until(runDoctor({ storage, processes, connections, audit, clock, random, log }, { ...asked, ...options }));
    },
    statesAtIbkr: async () => {
      // IBKR's list may be five seconds old.
      await clock.advance(6_000);
      return await clock.until(statesAtIbkr());
    },
    close: async () => {
      await clock.until(connections.close());
      await audit.close();
      simulator.close();
      await engine.stop();
    },
  };
}
