/** What a person's test of a connection tells, and how soon. */
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { silentLog } from "../../test/support/silent-log.ts";
import { startEngine, type TestEngine } from "../../test/support/storages.ts";
import { systemClock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import { createSimulator } from "../simulator/index.ts";
import { insertConnection } from "../storage/connections.ts";
import { createSealer } from "../storage/sealing.ts";
import type { Storage } from "../storage/storage.ts";
import { insertUser } from "../storage/users.ts";
import { createHostPolicy } from "../upstreams/host-policy.ts";
import type { Connections } from "./connections.ts";
import { createConnections } from "./pool.ts";

const LIMIT_MS = 5_000;

let engine: TestEngine;
let storage: Storage;
let connections: Connections;
/** Where nothing listens any more. */
let port: number;

beforeAll(async () => {
  engine = await startEngine("sqlite");
  storage = await (await engine.createDatabase()).open();
  await insertUser(storage, { id: "ada", display_name: "Ada", is_demo: 0, created_at: 1 });
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  // It listens on a port, so its address is one.
  ({ port } = listener.address() as AddressInfo);
  await new Promise((resolve) => listener.close(resolve));
  const simulator = await createSimulator();
  const { credentials, proofKey } = simulator;
  await simulator.close();
  connections = createConnections({ ...deps(), embeddedSimulator: { baseUrl: `http://127.0.0.1:${port}/v1/api`, credentials, proofKey } });
});
afterAll(async () => {
  await connections.close();
  await engine.stop();
});

const deps = () => ({
  storage,
  sealer: createSealer({ key: Buffer.alloc(32, 1), keyId: "k1" }),
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
  fetch: globalThis.fetch,
  hostPolicy: createHostPolicy({ hosts: ["127.0.0.1"], isLocal: true }),
});

async function store(id: string, columns: { readonly kind: string; readonly mode: string; readonly settings: object }) {
  const settings = JSON.stringify(columns.settings);
  await insertConnection(storage, { id, user_id: "ada", label: id, created_at: 1, sealed_secrets: null, ...columns, settings });
  return { connectionId: id, userId: "ada" };
}

describe("a test of a connection where nothing listens", () => {
  it.each([
    ["simulator", { kind: "simulator", mode: "simulated", settings: () => ({ baseUrl: "embedded" }) }],
    [
      "gateway",
      {
        kind: "client-portal-gateway",
        mode: "paper",
        settings: () => ({ baseUrl: `https://127.0.0.1:${port}`, fingerprint: "AB:".repeat(31) + "AB" }),
      },
    ],
  ] as const)("of the kind %s says so within 5 s, in the network's layer, and goes on trying", async (id, { settings, ...columns }) => {
    const ref = await store(id, { ...columns, settings: settings() });
    const began = performance.now();
    const found = await connections.test(ref, { signal: AbortSignal.timeout(60_000), onProgress: () => undefined });
    const took = performance.now() - began;
    expect(took).toBeLessThan(LIMIT_MS);
    expect(found).toMatchObject({ state: "backing_off", retryAt: expect.any(Number) });
    const network = found.layers.find(({ layer }) => layer === "network");
    expect(network).toMatchObject({ state: "waiting", lastError: { code: "upstream_unavailable" } });
    expect(network?.lastError?.message).toContain("nothing listens at that address");
  });

  it("is told of a connection that worked until just now, too", async () => {
    const simulator = await createSimulator();
    const { credentials, proofKey, baseUrl } = simulator;
    const live = createConnections({ ...deps(), embeddedSimulator: { baseUrl, credentials, proofKey } });
    const ref = await store("was-open", { kind: "simulator", mode: "simulated", settings: { baseUrl: "embedded" } });
    await live.open(ref, AbortSignal.timeout(60_000));
    await simulator.close();
    const began = performance.now();
    const found = await live.test(ref, { signal: AbortSignal.timeout(60_000), onProgress: () => undefined });
    expect(performance.now() - began).toBeLessThan(LIMIT_MS);
    const network = found.layers.find(({ layer }) => layer === "network");
    expect(network).toMatchObject({ state: "waiting", lastError: { code: "upstream_unavailable" } });
    await live.close();
  });
});
