import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { silentLog } from "../test/support/silent-log.ts";
import { type Config, ConfigError, loadConfig } from "./config.ts";
import { ownSimulator } from "./demo-upstream.ts";
import { systemClock } from "./lib/clock.ts";
import { systemRandom } from "./lib/random.ts";
import { writeCredentials } from "./simulator/cli/credentials-dir.ts";
import { createSimulator, type Simulator } from "./simulator/index.ts";
import { createHostPolicy } from "./upstreams/host-policy.ts";
import { connectUpstream } from "./upstreams/index.ts";

let simulator: Simulator;
let folder: string;

beforeAll(async () => {
  simulator = await createSimulator({ pacing: { endpoints: false } });
  folder = mkdtempSync(join(tmpdir(), "ibkr-gateway-credentials-"));
  writeCredentials(folder, simulator);
});
afterAll(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

const config = (): Config => loadConfig({ SIMULATOR_URL: simulator.url, SIMULATOR_CREDENTIALS_DIR: folder });

it("takes address, credentials and proof key of a simulator that runs by itself, for new rows and those of earlier versions", async () => {
  const own = ownSimulator(config(), undefined);
  expect(own).toMatchObject({ baseUrl: simulator.baseUrl, credentials: { consumerKey: simulator.credentials.consumerKey } });
  const earlier = { baseUrl: simulator.baseUrl };
  for (const settings of [{ baseUrl: "embedded" }, earlier]) {
    const link = connectUpstream(
      { kind: "simulator", settings, secrets: {} },
      {
        clock: systemClock,
        random: systemRandom,
        log: silentLog,
        fetch,
        expectedMode: "simulated",
        embeddedSimulator: own,
        hostPolicy: createHostPolicy({ hosts: [], isLocal: false }),
      },
    );
    const call = { signal: AbortSignal.timeout(20_000), caller: "test" };
    expect(await link.accounts(call)).toHaveLength(simulator.accountIds.length);
    await link.close();
  }
});

it("names the file that is missing", () => {
  rmSync(join(folder, "proof_key.pem"));
  expect(() => ownSimulator(config(), undefined)).toThrow(ConfigError);
  expect(() => ownSimulator(config(), undefined)).toThrow(/SIMULATOR_CREDENTIALS_DIR: can't read proof_key\.pem/);
});
