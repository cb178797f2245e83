import type { Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import type { Secret } from "../lib/secret.ts";
import { openProcessLocks } from "./process-lock.ts";
import { openProcessSockets } from "./process-socket.ts";
import type { Processes } from "./processes.ts";

/** Makes this process known as alive to all others on the same database. Throws where that can't be done. */
export async function openProcesses({
  databaseUrl,
  dataDir,
  random,
  log,
}: {
  readonly databaseUrl: Secret | undefined;
  readonly dataDir: string;
  readonly random: Random;
  readonly log: Pick<Log, "warn">;
}): Promise<Processes> {
  return databaseUrl === undefined
    ? await openProcessSockets({ dataDir, random, log })
    : await openProcessLocks({ databaseUrl, random, log });
}
