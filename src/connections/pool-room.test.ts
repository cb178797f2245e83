import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";

import { fakeClock } from "../../test/support/fake-clock.ts";
import { recordingLog } from "../../test/support/silent-log.ts";
import { startEngine, type TestEngine } from "../../test/support/storages.ts";
import { systemRandom } from "../lib/random.ts";
import { createSimulator, type Simulator } from "../simulator/index.ts";
import { setConnectionWarm } from "../storage/connection-life.ts";
import { insertConnection } from "../storage/connections.ts";
import { createSealer } from "../storage/sealing.ts";
import type { Storage } from "../storage/storage.ts";
import { insertUser } from "../storage/users.ts";
import { createHostPolicy } from "../upstreams/host-policy.ts";
import { createConnections } from "./pool.ts";

let engine: TestEngine;
let storage: Storage;
let simulator: Simulator;
let recording: ReturnType<typeof recordingLog>;

beforeAll(async () => {
  engine = await startEngine("sqlite");
  simulator = await createSimulator({ clock: fakeClock() });
});
beforeEach(async () => {
  storage = await (await engine.createDatabase()).open();
  await insertUser(storage, { id: "ada", display_name: "ada", is_demo: 0, created_at: 1 });
  recording = recordingLog();
});
afterAll(async () => {
  await simulator.close();
  await engine.stop();
});

/** A pool for two links, where no broker answers. */
function smallPool() {
  const { baseUrl, credentials, proofKey } = simulator;
  return createConnections({
    storage,
    sealer: createSealer({ key: Buffer.alloc(32, 1), keyId: "k1" }),
    clock: fakeClock(),
    random: systemRandom,
    log: recording.log,
    fetch: () => Promise.reject(new TypeError("fetch failed")),
    embeddedSimulator: { baseUrl, credentials, proofKey },
    hostPolicy: createHostPolicy({ hosts: [], isLocal: true }),
    maxOpenLinks: 2,
  });
}

/** The connections whose session was tried to open, in order. */
function tried(): unknown[] {
  return recording.lines.filter(({ msg }) => msg === "session could not be opened").map(({ connection }) => connection);
}

it("sessions that are kept warm don't take the room from each other, nor from one in use, when there are more than may be open", async () => {
  for (const id of ["c1", "c2", "c3", "c4"]) {
    const row = { id, user_id: "ada", kind: "simulator", label: id, mode: "simulated", created_at: 1 };
    await insertConnection(storage, { ...row, settings: JSON.stringify({ baseUrl: "embedded" }), sealed_secrets: null });
    if (id !== "c4") await setConnectionWarm(storage, { connectionId: id, userId: "ada" }, true);
  }
  const connections = smallPool();
  await connections.warmUp();
  expect(tried()).toHaveLength(2);
  await expect(connections.open({ connectionId: "c4", userId: "ada" }, AbortSignal.timeout(10_000))).rejects.toMatchObject({
    code: "upstream_unavailable",
  });
  expect(tried()).toHaveLength(3);
  for (let minute = 0; minute < 3; minute += 1) await connections.warmUp();
  expect(tried()).toHaveLength(3);
  await connections.close();
});
