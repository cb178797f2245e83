import type { Clock } from "./lib/clock.ts";
import { randomId } from "./lib/random.ts";
import type { Random } from "./lib/random.ts";
import type { Secret } from "./lib/secret.ts";
import { mintApiKey } from "./auth/api-keys.ts";
import { findDemoConnection, insertConnection, updateConnectionUpstream } from "./storage/connections.ts";
import type { ConnectionRow } from "./storage/connections.ts";
import type { Storage } from "./storage/storage.ts";
import { findDemoUser, hasPeople, insertUser } from "./storage/users.ts";

export interface DemoDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
}

/** The demo's connection reaches the gateway's own simulator, whichever that is: its credentials are in no row. */
const UPSTREAM = { settings: JSON.stringify({ baseUrl: "embedded" }), sealed_secrets: null } as const;

/**
 * Makes the demo's owner, its connection and its default key on a first start, and answers the key, which is never to be
 * had again. On later starts it leads the connection, whoever owns it by now, to the gateway's own simulator (earlier
 * versions kept address and credentials in its row) and answers undefined.
 */
export async function provideDemo(deps: DemoDeps): Promise<Secret | undefined> {
  const { storage, clock, random } = deps;
  const connection = await findDemoConnection(storage);
  if (connection !== undefined) {
    await updateConnectionUpstream(storage, { ...keyOf(connection), ...UPSTREAM });
    return undefined;
  }
  const owner = await findDemoUser(storage);
  // Whoever took the demo over and deleted its connection doesn't want it back.
  if (owner === undefined && (await hasPeople(storage))) return undefined;
  const userId = owner?.id ?? randomId(random, "usr_");
  if (owner === undefined) await insertUser(storage, { id: userId, display_name: "Demo owner", is_demo: 1, created_at: clock.now() });
  const connectionId = randomId(random, "con_");
  await insertConnection(storage, {
    id: connectionId,
    user_id: userId,
    kind: "simulator",
    label: "Demo",
    mode: "simulated",
    is_demo: 1,
    created_at: clock.now(),
    ...UPSTREAM,
  });
  const { key } = await mintApiKey(deps, { userId, connectionId, label: "default" });
  return key;
}

function keyOf(connection: ConnectionRow): { connectionId: string; userId: string } {
  return { connectionId: connection.id, userId: connection.user_id };
}
