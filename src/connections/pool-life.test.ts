import { generateKeyPairSync } from "node:crypto";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { fastClock, type FastClock } from "../../test/support/fast-clock.ts";
import { silentLog } from "../../test/support/silent-log.ts";
import { startEngine, type TestEngine } from "../../test/support/storages.ts";
import type { LinkHealth } from "../broker/health.ts";
import { systemRandom } from "../lib/random.ts";
import { createSimulator, type Simulator } from "../simulator/index.ts";
import { replaceCredentials } from "../storage/connection-credentials.ts";
import { noteConnection } from "../storage/connection-life.ts";
import { findConnection, insertConnection } from "../storage/connections.ts";
import { createSealer } from "../storage/sealing.ts";
import type { Storage } from "../storage/storage.ts";
import { deleteUser, insertUser } from "../storage/users.ts";
import { createHostPolicy } from "../upstreams/host-policy.ts";
import type { ConnectionRef, Connections } from "./connections.ts";
import type { FrozenConnection } from "./link-notes.ts";
import { createConnections } from "./pool.ts";

let engine: TestEngine;
let storage: Storage;
let simulator: Simulator;
let clock: FastClock;
let ada: ConnectionRef;
const signal = AbortSignal.timeout(120_000);

beforeAll(async () => {
  engine = await startEngine("sqlite");
  clock = fastClock(5);
  simulator = await createSimulator({ clock, control: true, pacing: { endpoints: false } });
});
beforeEach(async () => {
  storage = await (await engine.createDatabase()).open();
  for (const id of ["ada", "bob"]) await insertUser(storage, { id, display_name: id, is_demo: 0, created_at: 1 });
  ada = await store("c1");
});
afterAll(async () => {
  await simulator.close();
  await engine.stop();
});

async function store(id: string, { userId = "ada", mode = "simulated", kind = "simulator" } = {}): Promise<ConnectionRef> {
  const row = { id, user_id: userId, kind, label: `label of ${id}`, mode, created_at: 1 };
  await insertConnection(storage, { ...row, settings: JSON.stringify({ baseUrl: "embedded" }), sealed_secrets: null });
  return { connectionId: id, userId };
}

function pool(over: { proofKey?: string } = {}) {
  const sent: string[] = [];
  const frozen: FrozenConnection[] = [];
  const edge: typeof fetch = (input, init) => {
    sent.push(new URL(input instanceof Request ? input.url : input).pathname.replace("/v1/api", ""));
    return fetch(input, init);
  };
  const { baseUrl, credentials, proofKey } = simulator;
  const connections = createConnections({
    storage,
    sealer: createSealer({ key: Buffer.alloc(32, 1), keyId: "k1" }),
    clock,
    random: systemRandom,
    log: silentLog,
    fetch: edge,
    embeddedSimulator: { baseUrl, credentials, proofKey: over.proofKey ?? proofKey },
    hostPolicy: createHostPolicy({ hosts: [], isLocal: true }),
    onFrozen: (connection) => void frozen.push(connection),
  });
  return { connections, sent, frozen };
}

/** Lets something happen to the simulated user's session. */
async function happen(body: object): Promise<void> {
  const { url = "", token = "" } = simulator.control ?? {};
  const response = await fetch(`${url}/session`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "user-agent": "test" },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
}

const rowOf = async ({ connectionId, userId }: ConnectionRef) => await findConnection(storage, { connectionId, userId });

describe("a connection's health", () => {
  it("is told without asking upstream, by the live link, and by the row once that is closed", async () => {
    const { connections, sent } = pool();
    const fresh = await connections.health(ada);
    expect(fresh).toMatchObject({ label: "label of c1", mode: "simulated", isDemo: false, keepWarm: false, userName: undefined });
    expect(fresh).toMatchObject({ verifiedAt: undefined, lastFault: undefined, link: { state: "closed" }, sharedWithOthers: false });
    expect(sent).toEqual([]);
    await connections.open(ada, signal);
    const { length } = sent;
    expect(await connections.health(ada)).toMatchObject({ link: { state: "established", provenMode: "simulated" } });
    expect(sent).toHaveLength(length);
    await connections.forget(ada.connectionId);
    const kept = await connections.health(ada);
    expect(kept).toMatchObject({ link: { state: "closed" }, lastFault: undefined });
    expect(kept?.verifiedAt).toBeGreaterThan(1);
    expect(kept?.accounts?.map(({ accountId }) => accountId)).toEqual(simulator.accountIds);
    await connections.close();
  });

  it("is nobody else's to see", async () => {
    const { connections } = pool();
    expect(await connections.health({ ...ada, userId: "bob" })).toBeUndefined();
    expect(await connections.healthOfAll("bob")).toEqual([]);
    await connections.close();
  });

  it("says which other connections have the same IBKR user name, and of other people only that they do", async () => {
    const paper = await store("c2", { mode: "paper", kind: "ibkr-oauth" });
    const twin = await store("c3", { mode: "paper", kind: "client-portal-gateway" });
    const foreign = await store("c4", { userId: "bob", mode: "live", kind: "ibkr-oauth" });
    for (const key of [ada, paper, twin, foreign])
      await noteConnection(storage, key, { ibkr_user_name: "ada99", known_accounts: null, verified_at: null, last_fault: null });
    const { connections } = pool();
    const [own, first, second] = await connections.healthOfAll("ada");
    expect(own).toMatchObject({ sharesUserNameWith: [], sharedWithOthers: false });
    expect(first).toMatchObject({ userName: "ada99", sharesUserNameWith: ["label of c3"], sharedWithOthers: true });
    expect(second).toMatchObject({ sharesUserNameWith: ["label of c2"] });
    // A gateway that somebody runs may claim any name: whoever asks by one learns nothing, and whoever lies by one frightens nobody.
    expect(second).toMatchObject({ sharedWithOthers: false });
    await storage.db.updateTable("connections").set({ kind: "client-portal-gateway" }).where("id", "=", "c4").execute();
    expect((await connections.healthOfAll("ada"))[1]).toMatchObject({ sharedWithOthers: false });
    expect(JSON.stringify(await connections.healthOfAll("ada"))).not.toContain("c4");
    await connections.close();
  });

  it("tells those who listen, of their own user only, until they stop", async () => {
    const { connections } = pool();
    const told = { ada: 0, bob: 0 };
    const stop = connections.onChange("ada", () => (told.ada += 1));
    connections.onChange("bob", () => (told.bob += 1));
    await connections.open(ada, signal);
    expect(told.ada).toBeGreaterThan(2);
    stop();
    const before = told.ada;
    await connections.pause(ada);
    expect(told).toEqual({ ada: before, bob: 0 });
    await connections.close();
  });

  it("bears what a later version may have stored", async () => {
    await noteConnection(storage, ada, { ibkr_user_name: null, known_accounts: "[{]", verified_at: null, last_fault: '{"layer":"moon"}' });
    const { connections } = pool();
    expect(await connections.health(ada)).toMatchObject({ accounts: undefined, lastFault: undefined });
    await connections.close();
  });
});

describe("a paused connection", () => {
  it("is closed, opens nothing, and works again once it is resumed", async () => {
    const { connections, sent } = pool();
    await connections.open(ada, signal);
    await connections.pause(ada);
    expect(sent.at(-1)).toBe("/logout");
    const { length } = sent;
    await expect(connections.open(ada, signal)).rejects.toMatchObject({ code: "connection_paused" });
    const tested = await connections.test(ada, { signal, onProgress: () => undefined });
    expect(tested.layers).toMatchObject([{ state: "down", lastError: { code: "connection_paused" } }]);
    expect(sent).toHaveLength(length);
    expect((await connections.health(ada))?.pausedAt).toBeGreaterThan(1);
    await connections.resume(ada);
    await connections.open(ada, signal);
    await connections.close();
  });

  it("can't be paused by somebody else", async () => {
    const { connections } = pool();
    await connections.open(ada, signal);
    await connections.pause({ ...ada, userId: "bob" });
    await connections.open(ada, signal);
    expect(await connections.health(ada)).toMatchObject({ pausedAt: undefined, link: { state: "established" } });
    await connections.close();
  });

  it("is closed where another process paused it", async () => {
    const { connections } = pool();
    const other = pool();
    await connections.open(ada, signal);
    await other.connections.pause(ada);
    await expect
      .poll(
        () =>
          connections.open(ada, signal).then(
            () => "open",
            (error: unknown) => error,
          ),
        { timeout: 20_000, interval: 200 },
      )
      .toMatchObject({ code: "connection_paused" });
    await Promise.all([connections.close(), other.connections.close()]);
  });
});

describe("a connection that does not prove its mode", () => {
  it("is frozen, stays so over a restart, and thaws with other credentials only", async () => {
    const { publicKey } = generateKeyPairSync("ed25519");
    const first = pool({ proofKey: publicKey.export({ type: "spki", format: "pem" }).toString() });
    await expect(first.connections.open(ada, signal)).rejects.toMatchObject({ code: "connection_frozen" });
    expect(await first.connections.health(ada)).toMatchObject({ link: { state: "frozen" }, frozenAt: expect.any(Number) });
    await first.connections.close();
    const told = { ...ada, label: "label of c1", mode: "simulated", kind: "simulator" };
    expect(first.frozen).toEqual([{ ...told, because: expect.stringContaining("simulated") }]);
    expect(await rowOf(ada)).toMatchObject({ frozen_because: expect.stringContaining("simulated"), frozen_at: expect.any(Number) });
    const second = pool();
    await expect(second.connections.open(ada, signal)).rejects.toMatchObject({ code: "connection_frozen" });
    await expect(second.connections.takeOver(ada, signal)).rejects.toMatchObject({ code: "connection_frozen" });
    expect(await second.connections.test(ada, { signal, onProgress: () => undefined })).toMatchObject({ state: "frozen" });
    await second.connections.resume(ada);
    expect(await second.connections.health(ada)).toMatchObject({ frozenAt: expect.any(Number), link: { state: "frozen" } });
    expect([second.sent, second.frozen]).toEqual([[], []]);
    const settings = JSON.stringify({ baseUrl: "embedded" });
    await replaceCredentials(storage, { ...ada, settings, sealed_secrets: null, keepsLiveTrading: false });
    expect(await second.connections.health(ada)).toMatchObject({ frozenAt: undefined, link: { state: "closed" } });
    await second.connections.open(ada, signal);
    await second.connections.close();
  });
});

describe("a test of a connection", () => {
  it("tells each layer as it settles, down to market data", async () => {
    const { connections } = pool();
    const seen: LinkHealth[] = [];
    const health = await connections.test(ada, { signal, onProgress: (progress) => seen.push(progress) });
    expect(health.layers.map(({ layer, state }) => `${layer} ${state}`)).toEqual([
      "network ok",
      "oauth_consumer ok",
      "live_session_token ok",
      "brokerage_session ok",
      "market_data ok",
    ]);
    expect(seen.map(({ state }) => state)).toContain("opening");
    await connections.close();
  });

  it("finds another login, is told by the row afterwards, and a person may take over", async () => {
    await happen({ event: "other_login" });
    const { connections } = pool();
    const found = await connections.test(ada, { signal, onProgress: () => undefined });
    expect(found).toMatchObject({ state: "competing" });
    await expect(connections.open(ada, signal)).rejects.toMatchObject({ code: "session_competing" });
    await connections.forget(ada.connectionId);
    expect(await connections.health(ada)).toMatchObject({ lastFault: { code: "session_competing" }, link: { state: "closed" } });
    expect(await connections.takeOver(ada, signal)).toMatchObject({ state: "established" });
    await connections.open(ada, signal);
    expect(await connections.health(ada)).toMatchObject({ lastFault: undefined });
    await connections.close();
    expect(await rowOf(ada)).toMatchObject({ last_fault: null });
  });

  it("of somebody else's connection finds none", async () => {
    const { connections, sent } = pool();
    const found = await connections.test({ ...ada, userId: "bob" }, { signal, onProgress: () => undefined });
    expect(found.layers).toMatchObject([{ lastError: { code: "connection_not_ready" } }]);
    expect(sent).toEqual([]);
    await connections.close();
  });
});

describe("a connection that is kept warm", () => {
  const isOpen = (connections: Connections) => async () => (await connections.health(ada))?.link.state;

  it("is opened at a start, and not closed for being idle", async () => {
    const first = pool();
    await first.connections.setKeepWarm(ada, true);
    await expect.poll(isOpen(first.connections), { timeout: 10_000 }).toBe("established");
    await first.connections.close();
    const second = pool();
    await second.connections.warmUp();
    expect(await isOpen(second.connections)()).toBe("established");
    clock.jump(40 * 60_000);
    const sweep = second.sent.length;
    await expect.poll(() => second.sent.length, { timeout: 20_000 }).toBeGreaterThan(sweep);
    expect(second.sent).not.toContain("/logout");
    await second.connections.close();
  });
});

describe("an account that is deleted", () => {
  it("ends its live sessions", async () => {
    const { connections, sent } = pool();
    await connections.open(ada, signal);
    await deleteUser(storage, "ada");
    await connections.forgetUser("ada");
    expect(sent.at(-1)).toBe("/logout");
    await expect(connections.open(ada, signal)).rejects.toMatchObject({ code: "connection_not_ready" });
    await connections.close();
  });
});
