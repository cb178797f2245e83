import type { Clock } from "./lib/clock.ts";
import { randomId } from "./lib/random.ts";
import type { Random } from "./lib/random.ts";
import type { Secret } from "./lib/secret.ts";
import { mintApiKey } from "./auth/api-keys.ts";
import { findDemoConnection, insertConnection, updateConnectionUpstream } from "./storage/connections.ts";
import type { ConnectionRow } from "./storage/connections.ts";
import type { Sealer } from "./storage/sealing.ts";
import type { Storage } from "./storage/storage.ts";
import { findDemoUser, hasPeople, insertUser } from "./storage/users.ts";

/** How the demo's connection reaches its simulator. */
export interface DemoUpstream {
  /** `embedded`, or the base URL of a simulator that runs by itself. */
  readonly baseUrl: string;
  /** OAuth 1.0a credentials of the simulator's consumer, by the names of the connection kind's secret fields. */
  readonly secrets: Readonly<Record<string, string>>;
}

export interface DemoDeps {
  readonly storage: Storage;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Makes the demo's owner, its connection and its default key on a first start, and answers the key, which is never to be
 * had again. On later starts it gives the connection, whoever owns it by now, the simulator's present credentials and
 * answers undefined.
 */
export async function provideDemo(deps: DemoDeps, upstream: DemoUpstream): Promise<Secret | undefined> {
  const { storage, clock, random } = deps;
  const connection = await findDemoConnection(storage);
  if (connection !== undefined) {
    await updateConnectionUpstream(storage, { ...keyOf(connection), ...upstreamColumns(deps, connection, upstream) });
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
    ...upstreamColumns(deps, { id: connectionId, user_id: userId }, upstream),
  });
  const { key } = await mintApiKey(deps, { userId, connectionId, label: "default" });
  return key;
}

function keyOf(connection: ConnectionRow): { connectionId: string; userId: string } {
  return { connectionId: connection.id, userId: connection.user_id };
}

function upstreamColumns(
  { sealer }: DemoDeps,
  row: { id: string; user_id: string },
  upstream: DemoUpstream,
): Pick<ConnectionRow, "settings" | "sealed_secrets"> {
  const place = { table: "connections", column: "sealed_secrets", rowId: row.id, userId: row.user_id };
  return {
    settings: JSON.stringify({ baseUrl: upstream.baseUrl }),
    sealed_secrets: sealer.seal(JSON.stringify(upstream.secrets), place),
  };
}
