import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createConnections } from "../../src/connections/pool.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { createSimulator } from "../../src/simulator/index.ts";
import { createAuditLog } from "../../src/storage/audit-writer.ts";
import { type ConnectionRow, findConnection, insertConnection } from "../../src/storage/connections.ts";
import { openProcessSockets } from "../../src/storage/process-socket.ts";
import { createSealer } from "../../src/storage/sealing.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { insertUser } from "../../src/storage/users.ts";
import { type DoctorOptions, type DoctorResult, runDoctor } from "../../src/trading/doctor.ts";
import { createHostPolicy } from "../../src/upstreams/host-policy.ts";
import { type FastClock, fastClock } from "./fast-clock.ts";
import { silentLog as log } from "./silent-log.ts";
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
  readonly clock: FastClock;
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
/** How much faster than the machine's its clock runs. */
const SPEED = 10;

/** Starts one. */
export async function startDoctorBench(): Promise<DoctorBench> {
  const engine = await startEngine("sqlite");
  const storage = await (await engine.createDatabase()).open();
  const clock = fastClock(SPEED);
  const simulator = await createSimulator({ clock, seed: "doctor", pacing: { endpoints: false } });
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
    const body = init?.body === undefined || init.body === null ? "" : await new Response(init.body).text();
    const request = { method: init?.method ?? "GET", path: url.pathname.replace("/v1/api", ""), body };
    sent.push(request);
    const pass = (changed = body) => fetch(input, changed === "" ? init : { ...init, body: changed });
    return await (network?.(request, pass) ?? pass());
  };
  const folder = mkdtempSync(join(tmpdir(), "ibkr-gateway-doctor-"));
  const processes = await openProcessSockets({ dataDir: folder, random: systemRandom, log });
  const neighbor = await openProcessSockets({ dataDir: folder, random: systemRandom, log });
  const audit = createAuditLog({ storage, clock, log });
  const connections = createConnections({
    storage,
    sealer: createSealer({ key: systemRandom.bytes(32), keyId: "test" }),
    clock,
    random: systemRandom,
    log,
    fetch: edge,
    embeddedSimulator: simulator,
    hostPolicy: createHostPolicy({ hosts: [], isLocal: true }),
  });
  const connection = async (): Promise<ConnectionRow> => {
    const row = await findConnection(storage, REF);
    if (row === undefined) throw new Error("the connection is gone");
    return row;
  };
  return {
    storage,
    clock,
    sent,
    connection,
    neighbor: await neighbor.hold(),
    setNetwork: (next) => {
      network = next;
    },
    update: async (values) => {
      await storage.db.updateTable("connections").set(values).where("id", "=", REF.connectionId).execute();
    },
    run: async (options = {}) =>
      await runDoctor(
        { storage, processes, connections, audit, clock: impatient(clock), random: systemRandom, log },
        { connection: await connection(), isResume: false, stop: new AbortController().signal, onCase: () => undefined, ...options },
      ),
    statesAtIbkr: async () => {
      const call = { signal: AbortSignal.timeout(30_000), caller: "test" };
      const { broker } = await connections.open(REF, call.signal);
      const [account] = await broker.accounts(call);
      clock.jump(6_000);
      const { orders } = await broker.orders(account?.accountId ?? "", call);
      const own = orders.filter(({ customerOrderId }) => customerOrderId?.startsWith("gwdoc") === true);
      return new Map(
        Map.groupBy(own, (order) => order.customerOrderId ?? "")
          .entries()
          .map(([id, all]) => [id, all.map(({ status }) => status)]),
      );
    },
    close: async () => {
      await connections.close();
      await audit.close();
      await processes.close();
      await neighbor.close();
      await simulator.close();
      await engine.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A clock on which the doctor's own pauses pass immediately; the limits of its exchanges stay. */
function impatient(clock: FastClock): Clock {
  const isPause = (ms: number): boolean => ms === 5_000 || ms === 120_000;
  return {
    ...clock,
    wait: (ms, signal) => {
      if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
      if (!isPause(ms)) return clock.wait(ms, signal);
      clock.jump(ms);
      return Promise.resolve();
    },
  };
}
