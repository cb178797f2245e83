import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";

import { fakeClock, type FakeClock } from "../../test/support/fake-clock.ts";
import { ENGINES, startEngine, type TestEngine } from "../../test/support/storages.ts";
import { createConnectionOffer } from "../connections/connection-offer.ts";
import { connectionOffers } from "../connections/connection-offers.ts";
import { KeyedLock } from "../lib/keyed-lock.ts";
import { randomId, systemRandom } from "../lib/random.ts";
import { findConnection, listConnections } from "../storage/connections.ts";
import { setLiveTrading } from "../storage/live-trading.ts";
import { createSealer } from "../storage/sealing.ts";
import type { Storage } from "../storage/storage.ts";
import { insertUser } from "../storage/users.ts";
import { createHostPolicy } from "../upstreams/host-policy.ts";
import type { Upstream } from "../upstreams/upstream.ts";
import { listApiKeys } from "./api-keys.ts";
import {
  type ConnectionDraftDeps,
  createDraft,
  discardDraft,
  type FinishedDraft,
  finishDraft,
  listDrafts,
  loadDraft,
  saveDraft,
} from "./connection-drafts.ts";

const settings = z.object({ place: z.string().regex(/^[a-z]+$/) });
const example: Upstream<typeof settings, "made" | "pasted"> = {
  kind: "ibkr-oauth",
  title: "Example",
  modes: ["paper", "live"],
  settings,
  secretFields: ["made", "pasted"],
  form: { summary: "For the test.", fields: {} },
  steps: [{ id: "all", title: "All", text: "All of it.", fields: ["place", "made", "pasted"] }],
  prepare: (random) => Promise.resolve({ made: random.bytes(8).toString("hex") }),
  connect: () => {
    throw new Error("not connected in this test");
  },
};

describe.each(ENGINES)("a connection's set-up on %s", (engine) => {
  const hostPolicy = createHostPolicy({ hosts: [], isLocal: false });
  const offer = createConnectionOffer(example, { hostPolicy });
  const sealer = createSealer({ key: systemRandom.bytes(32), keyId: "test" });
  let clock: FakeClock;
  let databases: TestEngine;
  let storage: Storage;
  let deps: ConnectionDraftDeps;
  let forgotten: string[];
  let userId: string;
  beforeAll(async () => {
    databases = await startEngine(engine);
    storage = await (await databases.createDatabase()).open();
  });
  afterAll(() => databases.stop());
  beforeEach(async () => {
    clock = fakeClock();
    forgotten = [];
    const forget = (connectionId: string): Promise<void> => Promise.resolve(void forgotten.push(connectionId));
    deps = { storage, sealer, clock, random: systemRandom, lock: new KeyedLock(), offers: [offer], forget };
    userId = await newUser();
  });
  const newUser = async (): Promise<string> => {
    const id = randomId(systemRandom, "usr_");
    await insertUser(storage, { id, display_name: "Ada", is_demo: 0, created_at: clock.now() });
    return id;
  };
  const begin = (rotates?: string) =>
    createDraft(deps, { userId, offer, mode: "paper", label: "Paper", ...(rotates === undefined ? {} : { rotates }) });
  const secretsOf = async (connectionId: string): Promise<unknown> => {
    const row = await findConnection(storage, { connectionId, userId });
    const place = { table: "connections", column: "sealed_secrets", rowId: connectionId, userId };
    return JSON.parse(sealer.unseal(row?.sealed_secrets ?? "", place));
  };
  const finished = async (draftId: string): Promise<Extract<FinishedDraft, { kind: "created" }>> => {
    const result = await finishDraft(deps, { draftId, userId });
    if (result.kind !== "created") throw new Error(`not created: ${JSON.stringify(result)}`);
    return result;
  };
  const complete = async (): Promise<Extract<FinishedDraft, { kind: "created" }>> => {
    const { draftId } = await begin();
    await saveDraft(deps, { draftId, userId }, { values: { place: "here", pasted: "p" } });
    return await finished(draftId);
  };

  it("keeps what was made and entered, sealed, until it is finished", async () => {
    const { draftId, values } = await begin();
    expect(values).toEqual({ made: expect.stringMatching(/^[0-9a-f]{16}$/) });
    await saveDraft(deps, { draftId, userId }, { label: "Mine", mode: "live", values: { place: " here ", stray: "x" } });
    const draft = await loadDraft(deps, { draftId, userId });
    expect(draft).toMatchObject({ label: "Mine", mode: "live", rotates: undefined, values: { ...values, place: "here" } });
    const row = await storage.db.selectFrom("connection_drafts").selectAll().where("id", "=", draftId).executeTakeFirstOrThrow();
    expect(JSON.stringify(row)).not.toContain(values["made"] ?? "?");
    expect(await finishDraft(deps, { draftId, userId })).toEqual({ kind: "wrong", wrong: [{ field: "pasted", fault: "missing" }] });
    await saveDraft(deps, { draftId, userId }, { values: { pasted: "p", made: "" } });
    const { connectionId } = await finished(draftId);
    expect(await findConnection(storage, { connectionId, userId })).toMatchObject({ label: "Mine", mode: "live", kind: "ibkr-oauth" });
    expect(await secretsOf(connectionId)).toEqual({ made: values["made"], pasted: "p" });
    expect(await loadDraft(deps, { draftId, userId })).toBeUndefined();
  });

  it("leads back to the consent that waits for it, for as long as that can be, and nowhere else", async () => {
    const wanted = { userId, offer, mode: "paper", label: "Paper" } as const;
    const back = "/consent/3f9Zx_a-b";
    const { draftId } = await createDraft(deps, { ...wanted, back });
    await saveDraft(deps, { draftId, userId }, { values: { place: "here" } });
    expect((await loadDraft(deps, { draftId, userId }))?.back).toBe(back);
    await clock.advance(3_600_000);
    expect((await loadDraft(deps, { draftId, userId }))?.back).toBeUndefined();
    for (const other of [
      "/console/system",
      "https://evil.example/consent/x",
      "/consent/x/../../account",
      "/consent/x?y",
      "//evil/consent/x",
    ])
      expect((await createDraft(deps, { ...wanted, back: other })).back, other).toBeUndefined();
  });

  it("makes one connection and one default key, however often it is finished", async () => {
    const { draftId } = await begin();
    await saveDraft(deps, { draftId, userId }, { values: { place: "here", pasted: "p" } });
    const results = await Promise.all([finished(draftId), finished(draftId), finished(draftId)]);
    expect(new Set(results.map(({ connectionId }) => connectionId)).size).toBe(1);
    expect(await listConnections(storage, userId)).toHaveLength(1);
    const keys = (await listApiKeys(storage, userId)).filter((key) => key.revokedAt === undefined);
    expect(keys.map(({ prefix }) => prefix)).toEqual([results[2].key.reveal().slice(0, 11)]);
  });

  it("is nobody else's", async () => {
    const { draftId } = await begin();
    const stranger = { draftId, userId: await newUser() };
    expect(await loadDraft(deps, stranger)).toBeUndefined();
    expect(await saveDraft(deps, stranger, { label: "x" })).toBeUndefined();
    expect(await finishDraft(deps, stranger)).toEqual({ kind: "gone" });
    expect(await discardDraft(deps, stranger)).toBe(false);
    expect(await listDrafts(deps, stranger.userId)).toEqual([]);
    expect(await listDrafts(deps, userId)).toMatchObject([{ draftId }]);
    expect(await discardDraft(deps, { draftId, userId })).toBe(true);
    expect(await finishDraft(deps, { draftId, userId })).toEqual({ kind: "gone" });
  });

  it("is forgotten after 14 days without a touch", async () => {
    const old = await begin();
    await clock.advance(13 * 86_400_000);
    const { draftId } = await begin();
    await clock.advance(86_400_001);
    expect(await loadDraft(deps, { draftId: old.draftId, userId })).toBeUndefined();
    expect(await listDrafts(deps, userId)).toMatchObject([{ draftId }]);
    await begin();
    const rows = await storage.db.selectFrom("connection_drafts").select("id").where("user_id", "=", userId).execute();
    expect(rows.map(({ id }) => id)).not.toContain(old.draftId);
  });

  it("makes keys for one set-up of a user at a time, and none once there are twenty", async () => {
    let [atOnce, most, made] = [0, 0, 0];
    const slow = createConnectionOffer(
      {
        ...example,
        prepare: async () => {
          made += 1;
          most = Math.max(most, (atOnce += 1));
          await new Promise((resolve) => setImmediate(resolve));
          atOnce -= 1;
          return { made: "key" };
        },
      },
      { hostPolicy },
    );
    const wanted = { userId, offer: slow, mode: "paper", label: "Paper" } as const;
    const begun = await Promise.allSettled(Array.from({ length: 24 }, () => createDraft({ ...deps, offers: [slow] }, wanted)));
    expect(begun.filter(({ status }) => status === "fulfilled")).toHaveLength(20);
    expect({ most, made }).toEqual({ most: 1, made: 20 });
    await expect(begin()).rejects.toMatchObject({ code: "invalid_arguments", whatToDo: expect.stringContaining("discard") });
  });

  it("is begun once by a form that is sent twice, and once for each connection that is set up anew", async () => {
    const formId = "f".repeat(32);
    const wanted = { userId, offer, mode: "paper", label: "Paper", formId } as const;
    const [first, second] = await Promise.all([createDraft(deps, wanted), createDraft(deps, wanted)]);
    expect(second).toEqual(first);
    // Gone back to, and sent with another choice.
    const other = await createDraft(deps, { ...wanted, mode: "live" });
    expect(other).toMatchObject({ mode: "live" });
    expect(other.draftId).not.toBe(first.draftId);
    await saveDraft(deps, { draftId: first.draftId, userId }, { values: { place: "here", pasted: "p" } });
    const { connectionId } = await finished(first.draftId);
    // The same form after that begins another set-up, which doesn't become the connection that there is.
    expect((await createDraft(deps, wanted)).draftId).not.toBe(first.draftId);
    expect((await createDraft(deps, { ...wanted, userId: await newUser() })).draftId).not.toBe(first.draftId);
    const [one, two] = await Promise.all([begin(connectionId), begin(connectionId)]);
    expect(two).toEqual(one);
  });

  it("makes one connection when two processes finish it at the same time", async () => {
    const { draftId } = await begin();
    await saveDraft(deps, { draftId, userId }, { values: { place: "here", pasted: "p" } });
    const elsewhere = { ...deps, lock: new KeyedLock<string>() };
    const results = await Promise.all([deps, elsewhere].map((process) => finishDraft(process, { draftId, userId })));
    expect(results.map(({ kind }) => kind)).toEqual(["created", "created"]);
    expect(await listConnections(storage, userId)).toHaveLength(1);
  });

  it("takes no mode that its kind hasn't, and none at all for a connection that exists", async () => {
    await expect(createDraft(deps, { userId, offer, mode: "simulated", label: "x" })).rejects.toMatchObject({ code: "invalid_arguments" });
    const { connectionId } = await complete();
    await expect(createDraft(deps, { userId, offer, mode: "live", label: "x", rotates: connectionId })).rejects.toThrow(
      /mode never changes/,
    );
    const { draftId } = await begin(connectionId);
    expect(await saveDraft(deps, { draftId, userId }, { mode: "live" })).toMatchObject({ mode: "paper" });
  });

  it("gives a connection that exists other secrets, thaws it and ends its session", async () => {
    const { connectionId } = await complete();
    await storage.db
      .updateTable("connections")
      .set({ frozen_at: 1, frozen_because: "it was live", ibkr_user_name: "ada" })
      .where("id", "=", connectionId)
      .execute();
    await setLiveTrading(storage, { connectionId, userId }, 5);
    const { draftId, values } = await begin(connectionId);
    await saveDraft(deps, { draftId, userId }, { values: { place: "there", pasted: "new" } });
    expect(await finishDraft(deps, { draftId, userId })).toEqual({ kind: "rotated", connectionId, duplicateOf: [] });
    expect(await findConnection(storage, { connectionId, userId })).toMatchObject({
      settings: JSON.stringify({ place: "there" }),
      mode: "paper",
      frozen_at: null,
      frozen_because: null,
      ibkr_user_name: null,
    });
    expect(await secretsOf(connectionId)).toEqual({ made: values["made"], pasted: "new" });
    expect(forgotten).toEqual([connectionId]);
    expect(await listConnections(storage, userId)).toHaveLength(1);
    await expect(begin(randomId(systemRandom, "con_"))).rejects.toMatchObject({ code: "invalid_arguments" });
  });

  it("is forgotten with its kind's offer", async () => {
    const { draftId } = await begin();
    const others = { ...deps, offers: connectionOffers({ hasSimulator: true, hostPolicy }).filter(({ id }) => id === "simulator") };
    expect(await loadDraft(others, { draftId, userId })).toBeUndefined();
  });
});
