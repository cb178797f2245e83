import { createHash } from "node:crypto";
import { link, lstat, open, readFile, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { Random } from "../lib/random.ts";
import { randomId } from "../lib/random.ts";
import { Secret } from "../lib/secret.ts";
import { parseSealingKey } from "./sealing.ts";

/** A sealing key with the id that stands in what it seals. Hand it to `createSealer` as it is. */
export interface SealingKey {
  readonly key: Secret;
  readonly keyId: string;
}

export interface LoadSealingKeyOptions {
  /** The `SEALING_KEY` setting. When absent, `file` is used. */
  readonly setting: Secret | undefined;
  /** A file of mode 0600 with the key in base64; made with a new key when missing. */
  readonly file: string;
  readonly random: Random;
}

/** Bits for group and others, none of which may be set on the key's file. */
const FOREIGN_BITS = 0o077;

/** Takes the sealing key from the setting, or from its file, which is made on the first start. Throws an `Error` of one line. */
export async function loadSealingKey(options: LoadSealingKeyOptions): Promise<SealingKey> {
  if (options.setting !== undefined) return withId(parseSealingKey(options.setting));
  const text = (await readKeyFile(options.file)) ?? (await makeKeyFile(options.file, options.random));
  try {
    return withId(parseSealingKey(new Secret(text)));
  } catch (error) {
    throw new Error(
      `the sealing key file ${options.file} is damaged: restore it from a backup; sealed credentials open with no other key`,
      {
        cause: error,
      },
    );
  }
}

function withId(bytes: Buffer): SealingKey {
  const keyId = createHash("sha256").update("ibkr-gateway sealing key id").update(bytes).digest("hex").slice(0, 12);
  return { key: new Secret(bytes.toString("base64")), keyId };
}

/** The file's text, or undefined when there is none. */
async function readKeyFile(file: string): Promise<string | undefined> {
  const status = await lstat(file).catch((error: unknown) => {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  });
  if (status === undefined) return undefined;
  if (!status.isFile()) throw new Error(`the sealing key file ${file} is not a plain file`);
  if ((status.mode & FOREIGN_BITS) !== 0) throw new Error(`the sealing key file ${file} can be read by others: run chmod 600 ${file}`);
  return await readFile(file, "utf8");
}

/**
 * Writes a new key beside the file and links it into place, so that it appears whole or not at all,
 * and of two processes that start at once both use the key that came first.
 */
async function makeKeyFile(file: string, random: Random): Promise<string> {
  const draft = join(dirname(file), randomId(random, ".sealing-key-"));
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(`${random.bytes(32).toString("base64")}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await link(draft, file);
    await syncFolder(dirname(file));
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
  } finally {
    await unlink(draft);
  }
  const text = await readKeyFile(file);
  if (text === undefined) throw new Error(`the sealing key file ${file} vanished while it was made`);
  return text;
}

/** Makes the new name last through a power cut, too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
