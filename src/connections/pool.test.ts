import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { fakeClock } from "../../test/support/fake-clock.ts";
import { silentLog } from "../../test/support/silent-log.ts";
import { startEngine, type TestEngine } from "../../test/support/storages.ts";
import { systemClock } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import { createSimulator, type Simulator } from "../simulator/index.ts";
import { deleteConnection, insertConnection } from "../storage/connections.ts";
import { createSealer } from "../storage/sealing.ts";
import type { Storage } from "../storage/storage.ts";
import { insertUser } from "../storage/users.ts";
import { createConnections } from "./pool.ts";
import { createHostPolicy } from "../upstreams/host-policy.ts";
import type { OwnSimulator } from "../upstreams/upstream.ts";

let engine: TestEngine;
let storage: Storage;
let simulator: Simulator;
const sealer = createSealer({ key: Buffer.alloc(32, 1), keyId: "k1" });
const ada = { connectionId: "c1", userId: "ada" };
const nowhere = { baseUrl: "http://127.0.0.1:1/v1/api" };
const signal = AbortSignal.timeout(60_000);

beforeAll(async () => {
  engine = await startEngine("sqlite");
  storage = await (await engine.createDatabase()).open();
  simulator = await createSimulator({ pacing: { endpoints: false } });
  for (const id of ["ada", "bob"]) await insertUser(storage, { id, display_name: id, is_demo: 0, created_at: 1 });
  await store("c1", { baseUrl: simulator.baseUrl }, { ...simulator.credentials });
});

afterAll(async () => {
  await simulator.close();
  await engine.stop();
});

async function store(id: string, settings: object, secrets: object, over: { sealedFor?: string; kind?: string } = {}): Promise<void> {
  const place = { table: "connections", column: "sealed_secrets", rowId: over.sealedFor ?? id, userId: "ada" };
  await insertConnection(storage, {
    id,
    user_id: "ada",
    kind: over.kind ?? "simulator",
    label: `label of ${id}`,
    mode: "simulated",
    settings: JSON.stringify(settings),
    sealed_secrets: sealer.seal(JSON.stringify(secrets), place),
    created_at: 1,
  });
}

function pool(clock: Clock = systemClock, embeddedSimulator: OwnSimulator | undefined = simulator) {
  const sent: string[] = [];
  const edge: typeof fetch = (input, init) => {
    sent.push(new URL(input instanceof Request ? input.url : input).pathname.replace("/v1/api", ""));
    return fetch(input, init);
  };
  const connections = createConnections({
    storage,
    sealer,
    clock,
    random: systemRandom,
    log: silentLog,
    fetch: edge,
    embeddedSimulator,
    hostPolicy: createHostPolicy({ hosts: [], isLocal: true }),
  });
  return { connections, sent };
}

const logins = (sent: readonly string[]) => sent.filter((path) => path.endsWith("/live_session_token")).length;

describe("the pool", () => {
  it("opens a connection once for all who ask, and hands out the same link", async () => {
    const { connections, sent } = pool();
    const opened = await Promise.all(Array.from({ length: 20 }, () => connections.open(ada, signal)));
    expect(new Set(opened.map((open) => open.broker)).size).toBe(1);
    expect(opened[0]).toMatchObject({ connectionId: "c1", label: "label of c1" });
    expect(logins(sent)).toBe(1);
    await expect(opened[0]?.broker.accounts({ signal, caller: "test" })).resolves.toHaveLength(2);
    await connections.close();
    expect(sent.at(-1)).toBe("/logout");
    await expect(connections.open(ada, signal)).rejects.toMatchObject({ code: "connection_not_ready" });
  });

  it("never opens another user's connection, not even one that is open", async () => {
    const { connections } = pool();
    await connections.open(ada, signal);
    await expect(connections.open({ connectionId: "c1", userId: "bob" }, signal)).rejects.toMatchObject({ code: "connection_not_ready" });
    await connections.close();
  });

  it.each([
    ["of an unknown kind", "c2", () => store("c2", {}, {}, { kind: "pigeon" })],
    ["without a secret", "c3", () => store("c3", nowhere, {})],
    ["whose proof key is missing", "c4", () => store("c4", nowhere, { ...simulator.credentials })],
    ["that does not exist", "c9", () => Promise.resolve()],
  ])("refuses one %s in words", async (_name, connectionId, prepare) => {
    await prepare();
    const { connections } = pool();
    await expect(connections.open({ connectionId, userId: "ada" }, signal)).rejects.toMatchObject({ code: "connection_not_ready" });
    await connections.close();
  });

  it("does not open secrets that were sealed for another row", async () => {
    await store("c5", { baseUrl: simulator.baseUrl }, { ...simulator.credentials }, { sealedFor: "c1" });
    const { connections } = pool();
    await expect(connections.open({ connectionId: "c5", userId: "ada" }, signal)).rejects.toMatchObject({ code: "connection_not_ready" });
    await connections.close();
  });

  it("tries again after a failed opening, once its pause is over", async () => {
    await store("c6", { baseUrl: "embedded" }, {});
    const { connections, sent } = pool(systemClock, { ...simulator, ...nowhere });
    const ref = { connectionId: "c6", userId: "ada" };
    await expect(connections.open(ref, signal)).rejects.toMatchObject({ code: "upstream_unavailable", retryAfterSeconds: 2 });
    await expect(connections.open(ref, signal)).rejects.toMatchObject({ code: "upstream_unavailable" });
    expect(logins(sent)).toBe(1);
    await expect.poll(async () => (await connections.open(ref, signal).catch(() => undefined), logins(sent)), { timeout: 5000 }).toBe(2);
    await connections.close();
  });

  it("closes what nobody used for half an hour, and opens it again when asked", async () => {
    const clock = fakeClock();
    const own = await createSimulator({ clock, pacing: { endpoints: false } });
    await store("c8", { baseUrl: "embedded" }, {});
    const { connections, sent } = pool(clock, own);
    const open = async () => {
      let isOpen = false;
      const opening = connections.open({ connectionId: "c8", userId: "ada" }, signal).finally(() => (isOpen = true));
      await expect.poll(async () => (await clock.advance(100), isOpen), { timeout: 10_000 }).toBe(true);
      return await opening;
    };
    const before = await open();
    await clock.advance(29 * 60_000);
    expect(sent).not.toContain("/logout");
    await clock.advance(2 * 60_000);
    await expect.poll(() => sent.includes("/logout"), { timeout: 5000 }).toBe(true);
    const after = await open();
    expect(after.broker).not.toBe(before.broker);
    await connections.close();
    await own.close();
  });

  it("forgets a connection that was deleted, once its link is closed", async () => {
    await store("c7", { baseUrl: simulator.baseUrl }, { ...simulator.credentials });
    const { connections } = pool();
    await deleteConnection(storage, { connectionId: "c7", userId: "ada" });
    await expect(connections.open({ connectionId: "c7", userId: "ada" }, signal)).rejects.toMatchObject({ code: "connection_not_ready" });
    await connections.close();
  });
});
