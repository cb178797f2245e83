import { lstatSync, mkdirSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Log } from "../lib/log.ts";
import { type Random, randomId } from "../lib/random.ts";
import { sha256Hex } from "../lib/secret.ts";
import type { Processes } from "./processes.ts";

/** Longest path of a socket that Linux takes: 108 bytes with the final zero. */
const MAX_SOCKET_PATH = 107;
/** A process id in a path: `prc_` and 16 hex digits. */
const ID_BYTES = 8;
/** Nobody listens at a path with these, for certain. */
const DEAD = new Set(["ENOENT", "ECONNREFUSED", "ENOTDIR"]);
/** A kernel answers a connect to a local socket without the process's help, unless its queue is full. */
const PROBE_LIMIT_MS = 1_000;

/**
 * Tells processes on one SQLite file apart by a Unix socket each, which the kernel closes with the process.
 * They are in `run` in the data folder, or, where that path is too long, in a private folder named by its digest.
 */
export async function openProcessSockets({
  dataDir,
  random,
  log,
}: {
  readonly dataDir: string;
  readonly random: Random;
  readonly log: Pick<Log, "warn">;
}): Promise<Processes> {
  const folder = socketFolder(dataDir);
  const pathOf = (id: string): string => join(folder, id);
  let held: { readonly id: string; readonly server: Server } | undefined;
  let holding: Promise<string> | undefined;
  const take = async (): Promise<string> => {
    held?.server.close();
    held = undefined;
    // The folder may be gone with the socket.
    preparePrivateFolder(folder);
    const id = randomId(random, "prc_", ID_BYTES);
    held = { id, server: await listen(pathOf(id)) };
    return id;
  };
  const hold = async (): Promise<string> => {
    if (held !== undefined && (await isListening(pathOf(held.id)))) return held.id;
    log.warn({ process: held?.id }, "lost the socket that proves this process alive: taking another");
    return await take();
  };
  await take();
  return {
    hold: async () => await (holding ??= hold().finally(() => (holding = undefined))),
    isAlive: async (id) => {
      if (!/^prc_[0-9a-f]{16}$/.test(id)) return false;
      const isAlive = await isListening(pathOf(id));
      // An id is never used twice, so what a dead process left can go.
      if (!isAlive) rmSync(pathOf(id), { force: true });
      return isAlive;
    },
    close: async () => {
      const server = held?.server;
      held = undefined;
      if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Makes the folder where it is missing. Throws where others could put sockets into it. */
function preparePrivateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(folder);
  const isForeign = process.getuid !== undefined && uid !== process.getuid();
  if (isForeign || (mode & 0o022) !== 0)
    throw new Error(`can't use ${folder}: it belongs to another user or others may write to it. Remove it, then start again.`);
}

/** Where the sockets of a data folder are: inside, or in a private folder under the temporary one where that path is too long. */
export function socketFolder(dataDir: string): string {
  const inside = join(dataDir, "run");
  const longest = Buffer.byteLength(join(inside, `prc_${"0".repeat(2 * ID_BYTES)}`));
  return longest <= MAX_SOCKET_PATH ? inside : join(tmpdir(), `ibkr-gateway-${sha256Hex(dataDir).slice(0, 16)}`);
}

function listen(path: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      server.unref();
      resolve(server);
    });
  });
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path, signal: AbortSignal.timeout(PROBE_LIMIT_MS) });
    const end = (isAlive: boolean): void => {
      socket.destroy();
      resolve(isAlive);
    };
    socket.once("connect", () => end(true));
    socket.once("error", (error: NodeJS.ErrnoException) => end(!DEAD.has(error.code ?? "")));
  });
}
