import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { seedOwner } from "../../test/support/seed-keys.ts";
import { seedTokens } from "../../test/support/seed-tokens.ts";
import { ENGINES, startEngine, type TestEngine } from "../../test/support/storages.ts";
import { type AppGrantRow, insertAppGrant, MAX_GRANTS_PER_USER } from "./app-grants.ts";
import { evictUnusedClients, findOauthClient, markOauthClientUsed, putOauthClient } from "./oauth-clients.ts";
import { pruneOauth } from "./oauth-pruning.ts";
import { addOauthRecord, consumeOauthRecord, findOauthRecord, putOauthRecord } from "./oauth-records.ts";
import { insertRefreshAnswer } from "./oauth-refresh-answers.ts";
import type { Storage } from "./storage.ts";

const DAY_MS = 86_400_000;
const NOW = 1_000 * DAY_MS;
const LIMITS = { now: NOW, unusedClientMs: 30 * DAY_MS, abandonedGrantMs: DAY_MS, endedGrantMs: 180 * DAY_MS, unusedGrantMs: 500 * DAY_MS };

describe.each(ENGINES)("OAuth rows on %s", (engine) => {
  let databases: TestEngine;
  let storage: Storage;
  beforeAll(async () => {
    databases = await startEngine(engine);
    storage = await (await databases.createDatabase()).open();
  });
  afterAll(() => databases.stop());

  const grant = async (id: string, changes: Partial<AppGrantRow>): Promise<string> => {
    const owner = await seedOwner(storage);
    await storage.db
      .insertInto("app_grants")
      .values({
        id,
        user_id: owner.userId,
        connection_id: owner.connectionId,
        client_id: "client_a",
        client_name: "Host",
        client_host: null,
        client_identity: "registered",
        redirect_uri: "http://127.0.0.1/",
        scope: "read",
        allowed_account_ids: null,
        limits: null,
        pinned_account_id: null,
        created_at: NOW - 300 * DAY_MS,
        expires_at: null,
        issued_at: NOW - 300 * DAY_MS,
        last_used_at: null,
        last_used_address: null,
        last_used_client: null,
        revoked_at: null,
        revoked_because: null,
        ...changes,
      })
      .execute();
    return id;
  };
  const ids = async (table: "app_grants" | "oauth_clients" | "oauth_records") => {
    const column = { app_grants: "id", oauth_clients: "client_id", oauth_records: "id_hash" } as const;
    const rows = await storage.db.selectFrom(table).selectAll().execute();
    return rows.map((row) => String(Object.entries(row).find(([name]) => name === column[table])?.[1])).toSorted();
  };

  it("20: go when they are over, and no sooner", async () => {
    await grant("grt_live", {});
    await grant("grt_unused", { created_at: NOW - 600 * DAY_MS, issued_at: NOW - 501 * DAY_MS });
    await grant("grt_used_lately", { created_at: NOW - 600 * DAY_MS, issued_at: NOW - 501 * DAY_MS, last_used_at: NOW - DAY_MS });
    await grant("grt_abandoned", { issued_at: null });
    await grant("grt_fresh", { issued_at: null, created_at: NOW - 1 });
    await grant("grt_revoked_lately", { revoked_at: NOW - DAY_MS });
    await grant("grt_revoked", { revoked_at: NOW - 181 * DAY_MS });
    await grant("grt_expired", { expires_at: NOW - 181 * DAY_MS });
    const client = { metadata: "{}", used_at: null };
    await putOauthClient(storage, { ...client, client_id: "client_old", created_at: NOW - 31 * DAY_MS });
    await putOauthClient(storage, { ...client, client_id: "client_new", created_at: NOW - DAY_MS });
    await putOauthClient(storage, { ...client, client_id: "client_used", created_at: NOW - 900 * DAY_MS });
    await markOauthClientUsed(storage.db, "client_used", NOW - 800 * DAY_MS);
    const record = { kind: "Interaction", grant_id: null, payload: "{}", consumed_at: null };
    await putOauthRecord(storage, { ...record, id_hash: "over", expires_at: NOW });
    await putOauthRecord(storage, { ...record, id_hash: "valid", expires_at: NOW + 1 });
    await insertRefreshAnswer(storage, { token_hash: "over", grant_id: "grt_live", sealed_answer: "x", expires_at: NOW });
    expect(await pruneOauth(storage, LIMITS)).toBe(7);
    expect(await ids("app_grants")).toEqual(["grt_fresh", "grt_live", "grt_revoked_lately", "grt_used_lately"]);
    expect(await ids("oauth_clients")).toEqual(["client_new", "client_used"]);
    expect(await ids("oauth_records")).toEqual(["valid"]);
    expect(await pruneOauth(storage, LIMITS)).toBe(0);
  });

  it("go in batches, however many there are", async () => {
    await seedTokens(storage, { count: 1_200, resource: "https://gateway.example/mcp" });
    await storage.db.updateTable("oauth_access_tokens").set({ expires_at: 1 }).execute();
    expect(await pruneOauth(storage, { ...LIMITS, abandonedGrantMs: NOW, unusedGrantMs: NOW })).toBe(1_200);
  });

  it("20: of clients that nobody approved only so many stay, the newest", async () => {
    for (let index = 0; index < 12; index += 1) {
      await putOauthClient(storage, { client_id: `client_flood_${index}`, metadata: "{}", created_at: NOW + index, used_at: null });
    }
    await evictUnusedClients(storage, 5);
    const left = await ids("oauth_clients");
    expect(left).toContain("client_used");
    expect(left.filter((id) => id.startsWith("client_flood"))).toEqual([
      "client_flood_10",
      "client_flood_11",
      "client_flood_7",
      "client_flood_8",
      "client_flood_9",
    ]);
    expect(await findOauthClient(storage, "client_flood_0")).toBeUndefined();
  });

  it("4: a record is used once, by whoever comes first, and remembered for a while", async () => {
    await putOauthRecord(storage, {
      id_hash: "code",
      kind: "AuthorizationCode",
      grant_id: null,
      payload: "{}",
      consumed_at: null,
      expires_at: NOW + 900 * DAY_MS,
    });
    const uses = await Promise.all(Array.from({ length: 10 }, () => consumeOauthRecord(storage.db, "code", NOW)));
    expect(uses.filter((used) => used)).toHaveLength(1);
    expect(await findOauthRecord(storage, "code")).toMatchObject({ consumed_at: NOW, expires_at: NOW + 30 * DAY_MS });
    expect(await consumeOauthRecord(storage.db, "none", NOW)).toBe(false);
  });

  it("22: the id of an assertion is taken once", async () => {
    const record = { id_hash: "jti", kind: "ReplayDetection", grant_id: null, payload: "{}", consumed_at: null, expires_at: NOW };
    const taken = await Promise.all(Array.from({ length: 10 }, () => addOauthRecord(storage, record)));
    expect(taken.filter((done) => done)).toHaveLength(1);
  });

  it("a user has a bounded number of connected apps", async () => {
    const { userId } = await seedTokens(storage, { count: 0, resource: "x" });
    const first = await storage.db.selectFrom("app_grants").selectAll().executeTakeFirstOrThrow();
    const { connectionId } = { connectionId: `con_${userId.slice(4)}` };
    const row = (index: number): AppGrantRow => ({ ...first, id: `grt_many_${index}`, user_id: userId, connection_id: connectionId });
    await storage.db
      .insertInto("app_grants")
      .values(Array.from({ length: MAX_GRANTS_PER_USER }, (_, index) => row(index)))
      .execute();
    const further = { ...row(MAX_GRANTS_PER_USER), created_at: NOW };
    await expect(insertAppGrant(storage.db, further)).rejects.toThrow(RangeError);
    // One that is over makes room, whether or not it was pruned.
    await storage.db.updateTable("app_grants").set({ expires_at: NOW }).where("id", "=", "grt_many_0").execute();
    await expect(insertAppGrant(storage.db, further)).resolves.toBeUndefined();
  });
});
