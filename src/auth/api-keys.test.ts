import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { fakeClock } from "../../test/support/fake-clock.ts";
import { seedOwner, type SeededOwner } from "../../test/support/seed-keys.ts";
import { ENGINES, startEngine, type TestEngine } from "../../test/support/storages.ts";
import { systemRandom } from "../lib/random.ts";
import { sha256Hex } from "../lib/secret.ts";
import { noteApiKeyUses, pinAccount } from "../storage/api-keys.ts";
import { deleteConnection, findConnection, listConnections } from "../storage/connections.ts";
import type { Storage } from "../storage/storage.ts";
import { listApiKeys, mintApiKey, type NewApiKey, revokeApiKey } from "./api-keys.ts";

describe.each(ENGINES)("API keys on %s", (engine) => {
  const clock = fakeClock();
  let databases: TestEngine;
  let storage: Storage;
  let owner: SeededOwner;
  beforeAll(async () => {
    databases = await startEngine(engine);
    storage = await (await databases.createDatabase()).open();
  });
  afterAll(() => databases.stop());
  beforeEach(async () => {
    owner = await seedOwner(storage);
  });
  const mint = (changes: Partial<NewApiKey> = {}) =>
    mintApiKey({ storage, clock, random: systemRandom }, { ...owner, label: "laptop", ...changes });

  it("are random, shown once, and stored as a hash", async () => {
    const { key, apiKey } = await mint();
    expect(key.reveal()).toMatch(/^ibkr_[\w-]{43}$/);
    expect(apiKey.prefix).toBe(key.reveal().slice(0, 11));
    const stored = await storage.db.selectFrom("api_keys").selectAll().where("id", "=", apiKey.id).executeTakeFirstOrThrow();
    expect(stored.key_hash).toBe(sha256Hex(key.reveal()));
    expect(JSON.stringify(stored)).not.toContain(key.reveal().slice(12));
    expect(JSON.stringify({ key, apiKey })).not.toContain(key.reveal().slice(12));
  });

  it("can do everything for ever unless limited", async () => {
    const { apiKey } = await mint({ label: "  laptop " });
    expect(apiKey).toEqual({
      id: apiKey.id,
      connectionId: owner.connectionId,
      prefix: apiKey.prefix,
      label: "laptop",
      scope: "write",
      allowedAccountIds: undefined,
      toolsets: [],
      limits: undefined,
      pinnedAccountId: undefined,
      createdAt: clock.now(),
      expiresAt: undefined,
      lastUsed: undefined,
      revokedAt: undefined,
    });
    expect(await listApiKeys(storage, owner.userId)).toEqual([apiKey]);
    const limited = await mint({
      scope: "read",
      allowedAccountIds: ["U1"],
      toolsets: ["research", "Reports", "core"],
      expiresAt: clock.now() + 1,
      limits: { max_order_value: "1000" },
    });
    expect((await listApiKeys(storage, owner.userId)).find((key) => key.id === limited.apiKey.id)).toEqual(limited.apiKey);
  });

  it("list further sets of tools when they are named", async () => {
    const { apiKey } = await mint({ toolsets: ["all"] });
    expect(apiKey.toolsets).toEqual(["reports", "derivatives", "research"]);
    expect(await listApiKeys(storage, owner.userId)).toEqual([apiKey]);
  });

  const mistakes: readonly (readonly [string, Partial<NewApiKey>, string])[] = [
    ["an empty label", { label: "  " }, "label"],
    ["a long label", { label: "x".repeat(101) }, "label"],
    ["a toolset that is not there", { toolsets: ["orders"] }, "no toolset"],
    ["no accounts at all", { allowedAccountIds: [] }, "accounts"],
    ["an expiry in the past", { expiresAt: 1 }, "expiry"],
    ["an expiry that is no whole number", { expiresAt: 1e15 + 0.5 }, "expiry"],
    ["a connection that is not there", { connectionId: "con_x" }, "no such connection"],
  ];
  it.each(mistakes)("are refused with %s", async (_name, changes, message) => {
    await expect(mint(changes)).rejects.toMatchObject({ code: "invalid_arguments", message: expect.stringContaining(message) });
    expect(await listApiKeys(storage, owner.userId)).toEqual([]);
  });

  it("are bounded for one user; revoked ones don't count, and are listed last", async () => {
    const minted = [];
    for (let index = 0; index < 200; index += 1) minted.push((await mint({ label: `key ${index}` })).apiKey);
    await expect(mint()).rejects.toMatchObject({ code: "invalid_arguments", message: expect.stringContaining("at most 200 keys") });
    const [first] = minted;
    await revokeApiKey({ storage, clock }, { keyId: first?.id ?? "", userId: owner.userId });
    await mint({ label: "one more" });
    const listed = await listApiKeys(storage, owner.userId);
    expect([listed.length, listed.at(-1)?.id, listed.at(-1)?.revokedAt]).toEqual([201, first?.id, clock.now()]);
  });

  it("of another user can't be listed, pinned or revoked, nor made for their connection", async () => {
    const stranger = await seedOwner(storage);
    const { apiKey } = await mint();
    const asStranger = { keyId: apiKey.id, userId: stranger.userId };
    expect(await listApiKeys(storage, stranger.userId)).toEqual([]);
    expect(await pinAccount(storage, asStranger, "U9")).toBe(false);
    expect(await revokeApiKey({ storage, clock }, asStranger)).toBe(false);
    await expect(mint({ userId: stranger.userId })).rejects.toMatchObject({ code: "invalid_arguments" });
    expect(await listApiKeys(storage, owner.userId)).toEqual([apiKey]);
  });

  it("made by a form that is sent twice is one key, whose last secret works", async () => {
    const [first, second] = [await mint({ idempotencyKey: "form 1" }), await mint({ idempotencyKey: "form 1" })];
    expect(second.apiKey.id).toBe(first.apiKey.id);
    expect(second.key.reveal()).not.toBe(first.key.reveal());
    expect((await listApiKeys(storage, owner.userId)).map(({ prefix }) => prefix)).toEqual([second.key.reveal().slice(0, 11)]);
    expect((await mint({ idempotencyKey: "form 2" })).apiKey.id).not.toBe(first.apiKey.id);
    const stranger = await seedOwner(storage);
    expect((await mint({ ...stranger, idempotencyKey: "form 1" })).apiKey.id).not.toBe(first.apiKey.id);
  });

  it("made by a form can't be replaced once it was used or revoked, nor later", async () => {
    const refused = { code: "invalid_arguments", message: expect.stringContaining("has made its key already") };
    const { apiKey } = await mint({ idempotencyKey: "form 1" });
    await noteApiKeyUses(storage, [{ keyId: apiKey.id, at: clock.now(), address: undefined, client: undefined }]);
    await expect(mint({ idempotencyKey: "form 1" })).rejects.toMatchObject(refused);
    const revoked = await mint({ idempotencyKey: "form 2" });
    await revokeApiKey({ storage, clock }, { keyId: revoked.apiKey.id, userId: owner.userId });
    await expect(mint({ idempotencyKey: "form 2" })).rejects.toMatchObject(refused);
    await mint({ idempotencyKey: "form 3" });
    await clock.advance(121_000);
    await expect(mint({ idempotencyKey: "form 3" })).rejects.toMatchObject(refused);
  });

  it("is revoked once; the time stays", async () => {
    const { apiKey } = await mint();
    const ref = { keyId: apiKey.id, userId: owner.userId };
    expect(await revokeApiKey({ storage, clock }, ref)).toBe(true);
    await clock.advance(1_000);
    expect(await revokeApiKey({ storage, clock }, ref)).toBe(false);
    expect((await listApiKeys(storage, owner.userId))[0]?.revokedAt).toBe(clock.now() - 1_000);
  });

  it("remember their current account until it is taken back", async () => {
    const { apiKey } = await mint();
    const ref = { keyId: apiKey.id, userId: owner.userId };
    const pinned = async () => (await listApiKeys(storage, owner.userId))[0]?.pinnedAccountId;
    expect([await pinAccount(storage, ref, "U1"), await pinned()]).toEqual([true, "U1"]);
    expect([await pinAccount(storage, ref, null), await pinned()]).toEqual([true, undefined]);
  });

  it("and the connection of another user can't be reached by its id", async () => {
    const stranger = await seedOwner(storage);
    const asStranger = { connectionId: owner.connectionId, userId: stranger.userId };
    expect(await findConnection(storage, asStranger)).toBeUndefined();
    expect(await deleteConnection(storage, asStranger)).toBe(false);
    expect((await listConnections(storage, stranger.userId)).map((row) => row.id)).toEqual([stranger.connectionId]);
    expect(await findConnection(storage, owner)).toMatchObject({ id: owner.connectionId, mode: "simulated" });
  });
});
