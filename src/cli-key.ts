import { parseArgs } from "node:util";

import { pino } from "pino";

import { databasePlace } from "./app.ts";
import { listApiKeys, mintApiKey, revokeApiKey } from "./auth/api-keys.ts";
import { loadConfig } from "./config.ts";
import { readToolsets, TOOLSET_WORDS } from "./connections/toolsets.ts";
import { prepareDataFolder } from "./lib/data-folder.ts";
import { systemClock } from "./lib/clock.ts";
import { systemRandom } from "./lib/random.ts";
import type { ProcessFace } from "./main.ts";
import { listConnections } from "./storage/connections.ts";
import type { ConnectionRow } from "./storage/connections.ts";
import { openStorage } from "./storage/open-storage.ts";
import type { Storage } from "./storage/storage.ts";
import { listUsers } from "./storage/users.ts";

/** Most users whose connections are listed to choose from. */
const MAX_USERS = 1_000;
const DAY_MS = 86_400_000;

/** Runs `key create`, `key list` or `key revoke` on the database that the settings name; the gateway may be running. */
export async function keyCommand({ environment, print }: ProcessFace, args: readonly string[]): Promise<void> {
  const [action, ...rest] = args;
  const config = loadConfig(environment);
  prepareDataFolder(config.dataDir);
  const storage = await openStorage({ ...databasePlace(config), log: pino({ level: "silent" }) });
  try {
    const connections = await allConnections(storage);
    switch (action) {
      case "create":
        return print(await create(storage, connections, rest));
      case "list":
        for (const line of await list(storage, connections)) print(line);
        return;
      case "revoke":
        return print(await revoke(storage, connections, rest));
      default:
        throw new Error("say key create, key list or key revoke ID");
    }
  } finally {
    await storage.close();
  }
}

/** Lists the connections of every user. For commands only. */
export async function allConnections(storage: Storage): Promise<readonly ConnectionRow[]> {
  const users = await listUsers(storage, MAX_USERS);
  const lists = await Promise.all(users.map((user) => listConnections(storage, user.id)));
  return lists.flat();
}

async function create(storage: Storage, connections: readonly ConnectionRow[], args: readonly string[]): Promise<string> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      connection: { type: "string" },
      label: { type: "string", default: "made by command" },
      scope: { type: "string", default: "write" },
      accounts: { type: "string" },
      toolsets: { type: "string" },
      "expires-in": { type: "string" },
    },
  });
  const { scope } = values;
  if (scope !== "read" && scope !== "write") throw new Error("--scope is read or write");
  const days = values["expires-in"];
  if (days !== undefined && !/^[1-9]\d{0,4}$/.test(days)) throw new Error("--expires-in is a number of days, such as 90");
  const toolsets = readToolsets(values.toolsets?.split(",") ?? []);
  if (toolsets.unknown.length > 0) throw new Error(`--toolsets names any of ${TOOLSET_WORDS.join(", ")}, with commas between them`);
  const connection = chooseConnection(connections, values.connection);
  const accounts = values.accounts?.split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()]));
  const { key } = await mintApiKey(
    { storage, clock: systemClock, random: systemRandom },
    {
      userId: connection.user_id,
      connectionId: connection.id,
      label: values.label,
      scope,
      ...(accounts === undefined ? {} : { allowedAccountIds: accounts }),
      toolsets: toolsets.toolsets,
      ...(days === undefined ? {} : { expiresAt: systemClock.now() + Number(days) * DAY_MS }),
    },
  );
  return key.reveal();
}

function chooseConnection(connections: readonly ConnectionRow[], id: string | undefined): ConnectionRow {
  const [first, ...others] = connections;
  if (first === undefined) throw new Error("there is no connection yet: start the gateway once, which makes the demo connection");
  const chosen = id === undefined && others.length === 0 ? first : connections.find((connection) => connection.id === id);
  if (chosen !== undefined) return chosen;
  const known = connections.map((connection) => `${connection.id} (${connection.label}, ${connection.mode})`).join(", ");
  throw new Error(
    `${id === undefined ? "there are several connections" : `there is no connection ${id}`}: say --connection with one of ${known}`,
  );
}

async function list(storage: Storage, connections: readonly ConnectionRow[]): Promise<readonly string[]> {
  const labels = new Map(connections.map((connection) => [connection.id, connection.label]));
  const lines: string[] = [];
  for (const userId of new Set(connections.map((connection) => connection.user_id))) {
    for (const key of await listApiKeys(storage, userId)) {
      const state = key.revokedAt === undefined ? "active" : "revoked";
      const lastUse = key.lastUsed === undefined ? "never used" : `used ${new Date(key.lastUsed.at).toISOString()}`;
      lines.push([key.id, `${key.prefix}…`, key.scope, state, lastUse, labels.get(key.connectionId) ?? "", key.label].join("  "));
    }
  }
  return lines.length === 0 ? ["no keys"] : lines;
}

async function revoke(storage: Storage, connections: readonly ConnectionRow[], [keyId]: readonly string[]): Promise<string> {
  if (keyId === undefined) throw new Error("say which: key revoke ID (key list shows the ids)");
  for (const userId of new Set(connections.map((connection) => connection.user_id))) {
    if (await revokeApiKey({ storage, clock: systemClock }, { userId, keyId }))
      return `${keyId} is revoked: it is refused from the next request on`;
  }
  throw new Error(`there is no active key ${keyId} (key list shows the ids)`);
}
