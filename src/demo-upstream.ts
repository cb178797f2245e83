import { readFileSync } from "node:fs";
import { join } from "node:path";

import { ConfigError } from "./config.ts";
import type { Config } from "./config.ts";
import type { DemoUpstream } from "./demo.ts";
import type { Clock } from "./lib/clock.ts";
import type { Log } from "./lib/log.ts";
import type { Random } from "./lib/random.ts";
import { createSimulator } from "./simulator/index.ts";
import type { Simulator } from "./simulator/index.ts";

/** Credentials file of `ibkr-simulator --credentials-dir` → secret field of the connection kind. */
const CREDENTIAL_FILES = {
  consumer_key: "consumerKey",
  access_token: "accessToken",
  access_token_secret: "accessTokenSecret",
  dh_prime: "dhPrime",
  "private_signature.pem": "privateSignaturePem",
  "private_encryption.pem": "privateEncryptionPem",
} as const;

/** Starts the simulator inside this process, on a free loopback port, with its state in the data folder. */
export function startEmbeddedSimulator(config: Config, deps: { clock: Clock; random: Random; log: Log }): Promise<Simulator> {
  return createSimulator({ ...deps, stateFile: join(config.dataDir, "simulator.sqlite"), tradingHours: config.simulatorHours });
}

/**
 * What simulated connections connect to: the embedded simulator, or the one that `SIMULATOR_URL` names; undefined when
 * there is none. Throws `ConfigError` when the demo needs credentials that are not there.
 */
export async function simulatorUpstream(config: Config, embedded: Simulator | undefined): Promise<DemoUpstream | undefined> {
  if (embedded !== undefined) return { baseUrl: "embedded", secrets: { ...embedded.credentials } };
  if (config.simulatorUrl === undefined) return undefined;
  const folder = config.simulatorCredentialsDir;
  if (folder === undefined && !config.demo) return undefined;
  if (folder === undefined)
    throw new ConfigError("setting SIMULATOR_CREDENTIALS_DIR: SIMULATOR_URL needs it (see docs/reference/config.md)");
  const read = (file: string): string => {
    try {
      return readFileSync(join(folder, file), "utf8").trim();
    } catch (cause) {
      throw new ConfigError(`setting SIMULATOR_CREDENTIALS_DIR: can't read ${file} there`, { cause });
    }
  };
  const secrets = Object.fromEntries(Object.entries(CREDENTIAL_FILES).map(([file, field]) => [field, read(file)]));
  return { baseUrl: `${new URL(config.simulatorUrl).origin}/v1/api`, secrets };
}
