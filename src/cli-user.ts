import { parseArgs } from "node:util";

import { pino } from "pino";

import { databasePlace } from "./app.ts";
import { createLink, LINK_HOURS } from "./auth/sign-in/one-time-links.ts";
import { loadConfig } from "./config.ts";
import { prepareDataFolder } from "./lib/data-folder.ts";
import { systemClock } from "./lib/clock.ts";
import { systemRandom } from "./lib/random.ts";
import type { ProcessFace } from "./main.ts";
import { findLocalAccount, listLoginNames } from "./storage/local-accounts.ts";
import { openStorage } from "./storage/open-storage.ts";
import type { Storage } from "./storage/storage.ts";
import { hasPeople, listUsers } from "./storage/users.ts";

/** Most people who are listed. */
const MAX_USERS = 1_000;

/** Runs `user list`, `user invite` or `user reset NAME` on the database that the settings name; the gateway may be running. */
export async function userCommand({ environment, print }: ProcessFace, args: readonly string[]): Promise<void> {
  const [action, ...rest] = args;
  const config = loadConfig(environment);
  prepareDataFolder(config.dataDir);
  const storage = await openStorage({ ...databasePlace(config), log: pino({ level: "silent" }) });
  try {
    switch (action) {
      case "list":
        for (const line of await list(storage)) print(line);
        return;
      case "invite":
        for (const line of await invite(storage, config.publicUrl, rest)) print(line);
        return;
      case "reset":
        for (const line of await reset(storage, config.publicUrl, rest)) print(line);
        return;
      default:
        throw new Error("say user list, user invite or user reset NAME");
    }
  } finally {
    await storage.close();
  }
}

/** Before anybody has an account it makes the set-up link anew, and the one before works no more. */
async function invite(storage: Storage, publicUrl: string | undefined, args: readonly string[]): Promise<readonly string[]> {
  const { values } = parseArgs({ args: [...args], options: { for: { type: "string" }, operator: { type: "boolean", default: false } } });
  const kind = (await hasPeople(storage)) ? "invite" : "setup";
  const origin = knownUrl(publicUrl);
  const note = values.for === undefined ? {} : { note: values.for };
  const path = await createLink(deps(storage), { kind, makesOperator: values.operator, ...note });
  return [`This link works once, for ${LINK_HOURS[kind]} hours:`, origin + path.reveal()];
}

async function reset(storage: Storage, publicUrl: string | undefined, [name]: readonly string[]): Promise<readonly string[]> {
  if (name === undefined) throw new Error("say whose password: user reset NAME (user list shows the names)");
  const account = await findLocalAccount(storage.db, name.normalize("NFKC").trim().toLowerCase());
  if (account === undefined) throw new Error(`nobody signs in as ${name} with a password (user list shows the names)`);
  const origin = knownUrl(publicUrl);
  const path = await createLink(deps(storage), { kind: "reset", userId: account.user_id });
  return [
    `Whoever opens this link, once and within ${LINK_HOURS.reset} hours, sets a new password for ${account.login_name}:`,
    origin + path.reveal(),
  ];
}

async function list(storage: Storage): Promise<readonly string[]> {
  const names = await listLoginNames(storage, MAX_USERS);
  const people = (await listUsers(storage, MAX_USERS)).filter((user) => user.is_demo === 0);
  if (people.length === 0) return ["nobody has an account yet: ibkr-gateway user invite makes the set-up link"];
  return people.map((user) => {
    const role = user.is_operator === 1 ? "operator" : "user";
    const since = new Date(user.created_at).toISOString().slice(0, 10);
    return [user.id, role, names.get(user.id) ?? "(no password)", user.display_name, `since ${since}`].join("  ");
  });
}

function deps(storage: Storage) {
  return { storage, clock: systemClock, random: systemRandom };
}

function knownUrl(publicUrl: string | undefined): string {
  if (publicUrl === undefined) throw new Error("set PUBLIC_URL (or PORT) as for the running gateway, so that the link leads to it");
  return publicUrl;
}
