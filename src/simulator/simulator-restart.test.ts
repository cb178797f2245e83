import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { createTestClient, startSimulatorForTest } from "./test-client.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "simulator-"));
});

afterEach(() => rm(folder, { recursive: true }));

test("credentials and sign-ins outlive a restart, a brokerage session does not", async () => {
  const stateFile = join(folder, "state.sqlite");
  const first = await startSimulatorForTest({ stateFile });
  await first.login();
  await first.close();
  const second = await startSimulatorForTest({ stateFile, clock: first.clock });
  expect(second.simulator.credentials).toEqual(first.simulator.credentials);
  const returning = first.at(second.simulator);
  expect((await returning.call("GET", "/portfolio/accounts")).status).toBe(200);
  expect((await returning.call("GET", "/iserver/accounts")).json).toMatchObject({ error: "Bad Request: no bridge" });
  await second.close();
  expect((await stat(stateFile)).mode & 0o777).toBe(0o600);
});

test("a given consumer is taken in beside the state's own", async () => {
  const donor = await startSimulatorForTest();
  const stateFile = join(folder, "state.sqlite");
  const first = await startSimulatorForTest({ stateFile });
  const own = first.simulator.credentials;
  await first.close();
  const second = await startSimulatorForTest({ stateFile, credentials: donor.simulator.credentials });
  await second.login();
  const older = createTestClient({ ...second.simulator, credentials: own }, second.clock);
  await older.login();
  for (const client of [older, second]) expect((await client.call("GET", "/iserver/accounts")).status).toBe(200);
  await Promise.all([donor.close(), second.close()]);
});
