import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { seedKeys, seedOwner } from "../../test/support/seed-keys.ts";
import { seedTokens } from "../../test/support/seed-tokens.ts";
import { ENGINES, startEngine, type TestEngine } from "../../test/support/storages.ts";
import { countConnectionCallers } from "./connection-callers.ts";
import type { Storage } from "./storage.ts";

describe.each(ENGINES)("what uses a connection, on %s", (engineName) => {
  let engine: TestEngine;
  let storage: Storage;
  beforeAll(async () => {
    engine = await startEngine(engineName);
    storage = await (await engine.createDatabase()).open();
  });
  afterAll(() => engine.stop());

  it("is counted: keys in force, by what they may", async () => {
    const { keys: _, ...owner } = await seedKeys(storage, 5);
    const ids = (await storage.db.selectFrom("api_keys").select("id").where("user_id", "=", owner.userId).execute()).map(({ id }) => id);
    const change = (index: number, columns: { revoked_at?: number; expires_at?: number; scope?: string }) =>
      storage.db
        .updateTable("api_keys")
        .set(columns)
        .where("id", "=", ids[index] ?? "")
        .execute();
    await change(0, { revoked_at: 5 });
    await change(1, { expires_at: 1_000 });
    await change(2, { expires_at: 1_001 });
    await change(3, { scope: "read" });
    expect(await countConnectionCallers(storage, owner, { now: 1_000 })).toEqual({ keyCount: 3, appCount: 0 });
    expect(await countConnectionCallers(storage, owner, { now: 1_000, canWrite: true })).toEqual({ keyCount: 2, appCount: 0 });
    const other = await seedOwner(storage);
    expect(await countConnectionCallers(storage, { ...owner, userId: other.userId }, { now: 1_000 })).toEqual({ keyCount: 0, appCount: 0 });
    expect(await countConnectionCallers(storage, other, { now: 1_000 })).toEqual({ keyCount: 0, appCount: 0 });
  });

  it("is counted: apps with tokens that are not cut off", async () => {
    const { tokens: _, ...owner } = await seedTokens(storage, { count: 4, resource: "https://gateway.example/mcp" });
    const change = (index: number, columns: { revoked_at?: number; issued_at?: null; scope?: string }) =>
      storage.db
        .updateTable("app_grants")
        .set(columns)
        .where("id", "=", `grt_${index.toString().padStart(24, "0")}`)
        .execute();
    await change(0, { revoked_at: 5 });
    await change(1, { issued_at: null });
    await change(2, { scope: "read" });
    expect(await countConnectionCallers(storage, owner, { now: 1_000 })).toEqual({ keyCount: 0, appCount: 2 });
    expect(await countConnectionCallers(storage, owner, { now: 1_000, canWrite: true })).toEqual({ keyCount: 0, appCount: 1 });
  });
});
