import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { seedKeys, type SeededOwner, seedOwner } from "../../test/support/seed-keys.ts";
import { ENGINES, startEngine, type TestEngine } from "../../test/support/storages.ts";
import { revokeApiKeyRow } from "./api-keys.ts";
import { listCallerNames } from "./caller-names.ts";
import type { Storage } from "./storage.ts";
import { readSystemFigures } from "./system-figures.ts";
import { countPeople, insertUser, listUserOverviews, noteSignIn } from "./users.ts";

describe.each(ENGINES)("what the console tells of the gateway on %s", (engineName) => {
  let engine: TestEngine;
  let storage: Storage;
  let ada: SeededOwner;
  let withKeys: Awaited<ReturnType<typeof seedKeys>>;
  beforeAll(async () => {
    engine = await startEngine(engineName);
    storage = await (await engine.createDatabase()).open();
    ada = await seedOwner(storage, "ada");
    withKeys = await seedKeys(storage, 3);
    await insertUser(storage, { id: "usr_demo", display_name: "Demo", is_demo: 1, created_at: 2 });
  });
  afterAll(() => engine.stop());

  it("counts connections by mode, keys in force and the steps of the schema", async () => {
    const [first] = await listCallerNames(storage, withKeys.userId);
    expect(await revokeApiKeyRow(storage, { keyId: first?.id ?? "", userId: withKeys.userId }, 5)).toBe(true);
    const figures = await readSystemFigures(storage, 10);
    expect(figures).toMatchObject({ browserSessions: 0, connectionsByMode: { simulated: 2 }, keysInForce: 2, appsInForce: 0 });
    expect(figures.migrations[0]).toBe("0001-first-schema");
  });

  it("lists people with their connections and when they signed in", async () => {
    await noteSignIn(storage.db, ada.userId, 77);
    const users = await listUserOverviews(storage, { offset: 0, limit: 10 });
    expect(users.find(({ id }) => id === ada.userId)).toMatchObject({ display_name: "ada", connections: 1, last_signed_in_at: 77 });
    expect(users.at(-1)).toMatchObject({ id: "usr_demo", connections: 0, last_signed_in_at: null });
    expect(await listUserOverviews(storage, { offset: 2, limit: 10 })).toHaveLength(1);
    expect(await countPeople(storage)).toBe(2);
  });

  it("names keys to their owner alone, revoked ones too", async () => {
    const names = await listCallerNames(storage, withKeys.userId);
    expect(names).toHaveLength(3);
    expect(names.filter(({ isRevoked }) => isRevoked)).toHaveLength(1);
    expect(names[0]).toMatchObject({ source: "apikey", name: "a seeded key", connectionId: withKeys.connectionId });
    const ids = names.map(({ id }) => id);
    expect(await listCallerNames(storage, withKeys.userId, ids.slice(1))).toHaveLength(2);
    expect(await listCallerNames(storage, ada.userId, ids)).toEqual([]);
    expect(await listCallerNames(storage, withKeys.userId, [])).toEqual([]);
  });
});
