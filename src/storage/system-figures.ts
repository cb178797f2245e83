import { sql } from "kysely";

import type { Storage } from "./storage.ts";

/** What the database holds, in figures for whoever runs the gateway: no names and nothing of what people do. */
export interface SystemFigures {
  readonly browserSessions: number;
  readonly connectionsByMode: Readonly<Record<string, number>>;
  readonly keysInForce: number;
  readonly appsInForce: number;
  /** Steps of the schema that have run, in order. */
  readonly migrations: readonly string[];
}

/** Reads the figures; `now` tells which sessions are over. */
export async function readSystemFigures({ db }: Storage, now: number): Promise<SystemFigures> {
  const counted = (from: "api_keys" | "app_grants") =>
    db
      .selectFrom(from)
      .select(({ fn }) => fn.countAll<number>().as("count"))
      .where("revoked_at", "is", null)
      .executeTakeFirstOrThrow();
  const sessions = await db
    .selectFrom("browser_sessions")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("expires_at", ">", now)
    .executeTakeFirstOrThrow();
  const modes = await db
    .selectFrom("connections")
    .select(({ fn }) => ["mode", fn.countAll<number>().as("count")])
    .groupBy("mode")
    .orderBy("mode")
    .execute();
  const { rows: steps } = await sql<{ name: string }>`select name from schema_migrations order by name`.execute(db);
  return {
    browserSessions: sessions.count,
    connectionsByMode: Object.fromEntries(modes.map(({ mode, count }) => [mode, count])),
    keysInForce: (await counted("api_keys")).count,
    appsInForce: (await counted("app_grants")).count,
    migrations: steps.map(({ name }) => name),
  };
}
