import { readFileSync } from "node:fs";
import { join } from "node:path";

import { ConfigError } from "./config.ts";
import type { Config } from "./config.ts";
import type { Clock } from "./lib/clock.ts";
import type { Log } from "./lib/log.ts";
import type { Random } from "./lib/random.ts";
import { createSimulator } from "./simulator/index.ts";
import type { Simulator } from "./simulator/index.ts";
import type { OwnSimulator } from "./upstreams/upstream.ts";

/** Starts the simulator inside this process, on a free loopback port, with its state in the data folder. */
export function startEmbeddedSimulator(config: Config, deps: { clock: Clock; random: Random; log: Log }): Promise<Simulator> {
  return createSimulator({ ...deps, stateFile: join(config.dataDir, "simulator.sqlite"), tradingHours: config.simulatorHours });
}

/**
 * The gateway's own simulator: the embedded one, or the one that `SIMULATOR_URL` names; undefined when there is none. Throws
 * `ConfigError` when the demo needs credentials that are not there.
 */
export function ownSimulator(config: Config, embedded: Simulator | undefined): OwnSimulator | undefined {
  if (embedded !== undefined) return { baseUrl: embedded.baseUrl, credentials: embedded.credentials, proofKey: embedded.proofKey };
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
  // The files of `ibkr-simulator --credentials-dir`.
  const credentials = {
    consumerKey: read("consumer_key"),
    accessToken: read("access_token"),
    accessTokenSecret: read("access_token_secret"),
    dhPrime: read("dh_prime"),
    privateSignaturePem: read("private_signature.pem"),
    privateEncryptionPem: read("private_encryption.pem"),
  };
  return { baseUrl: `${new URL(config.simulatorUrl).origin}/v1/api`, credentials, proofKey: read("proof_key.pem") };
}
