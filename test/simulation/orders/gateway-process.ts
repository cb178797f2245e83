import { type BearerCheck, createBearerCheck } from "../../../src/auth/bearer.ts";
import type { Connections } from "../../../src/connections/connections.ts";
import { createConnections } from "../../../src/connections/pool.ts";
import { seededRandom } from "../../../src/lib/random.ts";
import type { Sealer } from "../../../src/storage/sealing.ts";
import { openSqliteFile } from "../../../src/storage/sqlite-database.ts";
import { sqliteStorageOver } from "../../../src/storage/sqlite-storage.ts";
import type { Storage } from "../../../src/storage/storage.ts";
import type { Trading } from "../../../src/trading/trading.ts";
import { createHostPolicy } from "../../../src/upstreams/host-policy.ts";
import { silentLog as log } from "../../support/silent-log.ts";
import type { Fate } from "./fate.ts";
import type { FileLock } from "./file-lock.ts";
import { gatedDialect, type StatementGate } from "./gated-dialect.ts";
import { Life } from "./life.ts";
import type { Kernel } from "./kernel.ts";
import type { Network } from "./network.ts";
import { startTrading } from "./protocol.ts";
import type { VirtualTime } from "./virtual-time.ts";

export interface ProcessDeps {
  readonly seed: string;
  readonly time: VirtualTime;
  readonly file: string;
  readonly lock: FileLock;
  readonly fate: Fate;
  readonly network: Network;
  readonly kernel: Kernel;
  readonly sealer: Sealer;
}

/** One gateway process from its start to its end: real code over a database file that it shares, a clock and a network of its own. */
export interface GatewayProcess {
  readonly life: Life;
  readonly bearer: BearerCheck;
  readonly connections: Connections;
  readonly trading: Trading;
}

/** What concerns orders and who may send them; anything else a process reads or writes is no place for a strike. */
const RELEVANT = /"order_|"api_keys"|"connections"|^begin$|^commit$/;

/** Starts a process in a slot; `generation` counts its restarts. */
export function startProcess(deps: ProcessDeps, slot: number, generation: number): GatewayProcess {
  const { seed, time, fate, network, kernel, sealer } = deps;
  const life = new Life(`p${slot + 1}.${generation}`);
  const clock = time.clockOf(life);
  const { storage } = openGated(deps, life, (point, side, sql) =>
    RELEVANT.test(sql) ? fate.at({ slot, life, point, side, about: about(sql), holdsLock: deps.lock.isHeldBy(life) }) : life.pass(),
  );
  const name = `${seed} ${life.id}`;
  const connections = createConnections({
    storage,
    sealer,
    clock,
    random: seededRandom(`${name} connections`),
    log,
    fetch: network.edgeOf(slot, life),
    // Without streams: they report nothing that lists do not.
    socket: (_url, { listener }) => {
      queueMicrotask(() => listener.ended("refused"));
      return { send: () => undefined, end: () => undefined };
    },
    embeddedSimulator: undefined,
    hostPolicy: createHostPolicy({ hosts: [], isLocal: true }),
    ibkrBaseUrls: { automatic: "https://ibkr.test/v1/api" },
  });
  const trading = startTrading({
    storage,
    processes: kernel.processesOf(life),
    connections,
    clock,
    random: seededRandom(`${name} trading`),
    log,
  });
  return { life, bearer: createBearerCheck({ storage, clock, log }), connections, trading };
}

/** Opens the shared file for one process; its connections end with its life, which rolls back an open transaction. */
export function openGated(
  { time, file, lock }: Pick<ProcessDeps, "time" | "file" | "lock">,
  life: Life,
  gate: StatementGate,
): { storage: Storage } {
  const connections = openSqliteFile(file);
  const { writer, reader } = connections;
  const open = sqliteStorageOver(connections, time.clockOf(life), (dialect) => gatedDialect(dialect, { life, lock, gate }));
  life.onDeath(() => {
    if (writer.isInTransaction) writer.exec("rollback");
    lock.give(life);
    reader.close();
    writer.close();
  });
  const storage: Storage = {
    ...open,
    lookup: (query) => {
      const find = open.lookup(query);
      return async (parameters) => {
        await gate("read", "before", query.sql);
        return find(parameters);
      };
    },
  };
  return { storage };
}

function about(sql: string): string {
  return sql.replaceAll('"', "").slice(0, 60);
}
