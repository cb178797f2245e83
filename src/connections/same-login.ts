import { listConnections } from "../storage/connections.ts";
import type { Storage } from "../storage/storage.ts";
import { upstreams } from "../upstreams/index.ts";

/** A connection as it is stored or about to be. */
export interface LoginOfConnection {
  readonly userId: string;
  readonly kind: string;
  /** Parsed settings. */
  readonly settings: unknown;
  /** Its own id, where it has one: it is no duplicate of itself. */
  readonly connectionId?: string;
}

/**
 * Lists the labels of this user's other connections that log in as the same IBKR user, as far as their settings tell: IBKR gives
 * a user one session, so that they would take it from each other.
 */
export async function connectionsToSameLogin(storage: Storage, wanted: LoginOfConnection): Promise<readonly string[]> {
  const login = loginOf(wanted.kind, wanted.settings);
  if (login === undefined) return [];
  const rows = await listConnections(storage, wanted.userId);
  return rows
    .filter((row) => row.id !== wanted.connectionId && row.kind === wanted.kind && loginOf(row.kind, JSON.parse(row.settings)) === login)
    .map(({ label }) => label);
}

/** What tells logins of a kind apart, from its settings alone; undefined where they don't tell. */
export function loginOf(kind: string, settings: unknown): string | undefined {
  const upstream = upstreams.find((candidate) => candidate.kind === kind);
  const parsed = upstream?.settings.safeParse(settings);
  return parsed?.success === true ? upstream?.loginOf?.(parsed.data) : undefined;
}
