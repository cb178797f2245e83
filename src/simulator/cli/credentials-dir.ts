import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { PreparedSimulator } from "../prepare-simulator.ts";
import type { SimulatorCredentials } from "../session/consumer.ts";

const FILES: readonly (readonly [name: string, field: keyof SimulatorCredentials])[] = [
  ["consumer_key", "consumerKey"],
  ["access_token", "accessToken"],
  ["access_token_secret", "accessTokenSecret"],
  ["dh_prime", "dhPrime"],
  ["private_signature.pem", "privateSignaturePem"],
  ["private_encryption.pem", "privateEncryptionPem"],
];

/**
 * Makes the folder where it is missing, and reads the credentials in it; undefined when it holds none.
 * Throws when it holds a part of them: what is missing can't be made anew without the rest.
 */
export function readCredentials(folder: string): SimulatorCredentials | undefined {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const missing = FILES.filter(([name]) => !existsSync(join(folder, name))).map(([name]) => name);
  if (missing.length === FILES.length) return undefined;
  if (missing.length > 0)
    throw new Error(`${folder} holds credentials without ${missing.join(", ")}: restore what is missing, or move the rest away`);
  const read = (name: string) => readFileSync(join(folder, name), "utf8").trim();
  return {
    consumerKey: read("consumer_key"),
    accessToken: read("access_token"),
    accessTokenSecret: read("access_token_secret").replaceAll(/\s/g, ""),
    dhPrime: read("dh_prime").toLowerCase(),
    privateSignaturePem: `${read("private_signature.pem")}\n`,
    privateEncryptionPem: `${read("private_encryption.pem")}\n`,
  };
}

/** What a simulator tells its users in files. */
type WrittenSimulator = Pick<PreparedSimulator, "credentials" | "accountIds" | "proofKey" | "control">;

/**
 * Writes credentials, account ids, the public key of the simulator's proof and, where it may be steered, the control token: one
 * file each, readable by their owner only.
 */
export function writeCredentials(folder: string, { credentials, accountIds, proofKey, control }: WrittenSimulator): void {
  for (const [name, field] of FILES) {
    // No line end after a value: a client that reads the file as it is must get the value as it is.
    writeWhole(join(folder, name), name.endsWith(".pem") ? `${credentials[field].trim()}\n` : credentials[field].trim());
  }
  writeWhole(join(folder, "accounts"), `${accountIds.join("\n")}\n`);
  writeWhole(join(folder, "proof_key.pem"), proofKey);
  // A token of an earlier start would only mislead.
  if (control === undefined) rmSync(join(folder, "control_token"), { force: true });
  else writeWhole(join(folder, "control_token"), control.token);
}

/** Never leaves half a file behind. */
function writeWhole(path: string, text: string): void {
  const unfinished = `${path}.new`;
  writeFileSync(unfinished, text, { mode: 0o600 });
  chmodSync(unfinished, 0o600);
  renameSync(unfinished, path);
}
