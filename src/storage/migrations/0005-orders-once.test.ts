import { type Kysely, sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { silentLog as log } from "../../../test/support/silent-log.ts";
import { ENGINES, startEngine, type TestEngine } from "../../../test/support/storages.ts";
import { systemClock } from "../../lib/clock.ts";
import type { Database } from "../database.ts";
import { openPostgresStorage } from "../postgres-storage.ts";
import { openSqliteStorage } from "../sqlite-storage.ts";
import type { Storage } from "../storage.ts";
import { migration as first } from "./0001-first-schema.ts";
import { migration as oauth } from "./0002-oauth.ts";
import { migration as signIn } from "./0003-sign-in.ts";
import { migration as connectionLife } from "./0004-connection-life.ts";
import { migration } from "./0005-orders-once.ts";

/** States of the earlier protocol: request, attempt → what they are carried over to. */
const STATES = [
  ["sending", "prepared", "unknown", "unknown", null, 1],
  ["unknown", "unknown", "unknown", "unknown", null, 1],
  ["accepted", "accepted", "placed", "placed", "placed", 0],
  ["rejected", "rejected", "refused", "no", "refused", 0],
  ["confirmation_required", "declined", "asked", "no", "asked", 0],
  ["declined", "declined", "declined", "no", "asked", 0],
  ["too_many_questions", "declined", "declined", "no", "asked", 0],
  ["not_sent", "not_sent", "not_placed", "no", "never_left", 0],
  ["not_sent", "absent", "not_placed", "no", "never_left", 0],
] as const;

async function seed(db: Kysely<Database>): Promise<void> {
  await sql`insert into users (id, display_name, is_demo, created_at, is_operator) values ('u', 'U', 0, 1, 0)`.execute(db);
  await sql`insert into connections (id, user_id, kind, label, mode, settings, is_demo, created_at)
    values ('c', 'u', 'ibkr-oauth', 'C', 'paper', '{}', 0, 1), ('s', 'u', 'simulator', 'S', 'simulated', '{}', 0, 2)`.execute(db);
  for (const [index, [request, attempt]] of STATES.entries()) {
    await sql`insert into order_requests (id, user_id, connection_id, account_id, caller_id, client_order_id, arguments_hash, ticket, reason,
      state, result, created_at, updated_at) values (${`r${index}`}, 'u', 'c', 'DU1', 'key_1', ${index === 0 ? "auto-1" : `id ${index}`}, 'x', '{}', null,
      ${request}, null, ${index}, ${index + 1})`.execute(db);
    await sql`insert into order_attempts (id, request_id, user_id, connection_id, account_id, customer_order_id, round, state, broker_order_id,
      detail, created_at, updated_at) values (${`a${index}`}, ${`r${index}`}, 'u', 'c', 'DU1', ${`gw${index}`}, 0, ${attempt}, null, null,
      ${index}, ${index + 1})`.execute(db);
  }
  await sql`insert into order_attempts (id, request_id, user_id, connection_id, account_id, customer_order_id, round, state, broker_order_id,
    detail, created_at, updated_at) values ('later', 'r2', 'u', 'c', 'DU1', 'gw-later', 1, 'rejected', null, null, 99, 99)`.execute(db);
  await sql`insert into order_confirmations (token_hash, request_id, user_id, caller_id, questions, round, expires_at, consumed_at, created_at)
    values ('t', 'r4', 'u', 'key_1', '[]', 1, 9, null, 1)`.execute(db);
}

describe.each(ENGINES)("orders of an earlier version on %s", (engine) => {
  let databases: TestEngine;
  let storage: Storage;

  beforeAll(async () => {
    databases = await startEngine(engine);
    const { location } = await databases.createDatabase();
    storage = "file" in location ? openSqliteStorage(location.file, systemClock) : await openPostgresStorage(location.databaseUrl, log);
    await storage.transaction(async (db) => {
      for (const step of [first, oauth, signIn, connectionLife]) await step.up(db, storage.dialect);
      await seed(db);
    });
    await storage.transaction((db) => migration.up(db, storage.dialect));
  });
  afterAll(async () => {
    await storage.close();
    await databases.stop();
  });

  it("keep their meaning, and what was open counts as unknown", async () => {
    const rows = await storage.db
      .selectFrom("order_requests")
      .innerJoin("order_attempts", "order_attempts.request_id", "order_requests.id")
      .select(["order_requests.state as request", "order_attempts.state as attempt", "ended_by", "doubt"])
      .where("order_attempts.id", "!=", "later")
      .orderBy("order_requests.created_at")
      .execute();
    expect(rows.map((row) => [row.request, row.attempt, row.ended_by, row.doubt])).toEqual(
      STATES.map(([, , request, attempt, endedBy, doubt]) => [request, attempt, endedBy, doubt]),
    );
  });

  it("have the name space of their key, and ids of the gateway's count as none", async () => {
    const rows = await storage.db.selectFrom("order_requests").select(["name_space", "is_named"]).orderBy("created_at").execute();
    expect(rows.map((row) => row.is_named)).toEqual([0, 1, 1, 1, 1, 1, 1, 1, 1]);
    expect(new Set(rows.map((row) => row.name_space))).toEqual(new Set(["key_1"]));
  });

  it("have generations by age, their tokens, and an owner that is dead", async () => {
    const attempts = storage.db.selectFrom("order_attempts").select(["generation", "owner_process"]).where("request_id", "=", "r2");
    expect(await attempts.orderBy("generation").execute()).toEqual([
      { generation: 1, owner_process: "before-0005" },
      { generation: 2, owner_process: "before-0005" },
    ]);
    expect(await storage.db.selectFrom("order_confirmations").select("request_id").execute()).toEqual([{ request_id: "r4" }]);
  });

  it("are refused a second time by the simulator only", async () => {
    const connections = storage.db.selectFrom("connections").select(["id", "duplicate_refusals_proven_at as at"]).orderBy("id");
    expect(await connections.execute()).toEqual([
      { id: "c", at: null },
      { id: "s", at: 2 },
    ]);
  });

  it("go with their connection", async () => {
    await sql`delete from connections where id = 'c'`.execute(storage.db);
    for (const table of ["order_requests", "order_attempts", "order_confirmations"] as const)
      expect(await storage.db.selectFrom(table).selectAll().execute()).toEqual([]);
  });
});
