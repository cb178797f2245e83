import { Client } from "pg";

import type { Log } from "../lib/log.ts";
import { type Random, randomId } from "../lib/random.ts";
import { Secret } from "../lib/secret.ts";
import type { Processes } from "./processes.ts";

/** No query here takes longer than a round trip. */
const QUERY_LIMIT_MS = 5_000;

/**
 * Tells processes on one PostgreSQL database apart by an advisory lock each, which the server frees with its session.
 * The lock has a connection of its own: a pooled one could be closed while idle.
 */
export async function openProcessLocks({
  databaseUrl,
  random,
  log,
}: {
  readonly databaseUrl: Secret | string;
  readonly random: Random;
  readonly log: Pick<Log, "warn">;
}): Promise<Processes> {
  const url = databaseUrl instanceof Secret ? databaseUrl.reveal() : databaseUrl;
  let held: { readonly id: string; readonly client: Client } | undefined;
  const take = async (): Promise<string> => {
    const client = new Client({
      connectionString: url,
      connectionTimeoutMillis: QUERY_LIMIT_MS,
      query_timeout: QUERY_LIMIT_MS,
      keepAlive: true,
      application_name: "ibkr-gateway process",
    });
    const id = randomId(random, "prc_", 8);
    client.on("error", (error) => {
      log.warn({ err: error, process: id }, "lost the database session that proves this process alive");
      if (held?.client === client) held = undefined;
    });
    await client.connect();
    await client.query("select pg_advisory_lock(hashtextextended($1, 0))", [lockName(id)]);
    held = { id, client };
    return id;
  };
  const hold = async (): Promise<string> => {
    const current = held;
    if (current !== undefined) {
      try {
        // The session answers, so its lock is held.
        await current.client.query("select 1");
        return current.id;
      } catch (error) {
        log.warn({ err: error, process: current.id }, "lost the database session that proves this process alive: taking another");
        if (held === current) held = undefined;
        await endQuietly(current.client, log);
      }
    }
    return held === undefined ? await take() : await hold();
  };
  await take();
  let holding: Promise<string> | undefined;
  const holdOnce = async (): Promise<string> => await (holding ??= hold().finally(() => (holding = undefined)));
  return {
    hold: holdOnce,
    isAlive: async (id) => {
      // A session may take its own lock again, which would read as dead.
      if ((await holdOnce()) === id) return true;
      const found = await held?.client.query("select pg_try_advisory_lock_shared(hashtextextended($1, 0)) as is_free", [lockName(id)]);
      const row: unknown = found?.rows[0];
      const isFree = typeof row === "object" && row !== null && "is_free" in row && row.is_free === true;
      if (isFree) await held?.client.query("select pg_advisory_unlock_shared(hashtextextended($1, 0))", [lockName(id)]);
      return !isFree;
    },
    close: async () => {
      const client = held?.client;
      held = undefined;
      await client?.end();
    },
  };
}

function lockName(id: string): string {
  return `ibkr-gateway ${id}`;
}

async function endQuietly(client: Client, log: Pick<Log, "warn">): Promise<void> {
  await client.end().catch((error: unknown) => log.warn({ err: error }, "a broken database session could not be closed"));
}
