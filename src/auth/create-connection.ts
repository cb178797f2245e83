import type { ConnectionEntry } from "../connections/connection-offer.ts";
import type { ConnectionOffer } from "../connections/connection-offers.ts";
import { GatewayError } from "../lib/errors.ts";
import type { KeyedLock } from "../lib/keyed-lock.ts";
import { type Secret, sha256Hex } from "../lib/secret.ts";
import { findConnection, insertConnection } from "../storage/connections.ts";
import type { Sealer } from "../storage/sealing.ts";
import { type ApiKeyDeps, listApiKeys, mintApiKey, revokeApiKey } from "./api-keys.ts";

export interface CreateConnectionDeps extends ApiKeyDeps {
  readonly sealer: Sealer;
  /** One creation at a time per connection, so that a form sent twice makes one. */
  readonly lock: KeyedLock<string>;
}

/** A connection to be made. */
export interface NewConnection {
  readonly userId: string;
  readonly offer: Pick<ConnectionOffer, "kind" | "modes">;
  /** One of the offer's; it never changes later. */
  readonly mode: ConnectionOffer["modes"][number];
  readonly label: string;
  readonly entry: ConnectionEntry;
  /** Random text of the form that asks for it: the same form sent again makes no second connection. */
  readonly formId: string;
}

const DEFAULT_KEY_LABEL = "default";

/**
 * Stores a connection, its secrets sealed, and mints its default API key, which is answered this once. The same form sent
 * again answers the same connection with another default key in place of the one that may never have been seen.
 * Throws `invalid_arguments` when the user has too many connections or keys.
 */
export async function createConnection(
  deps: CreateConnectionDeps,
  wanted: NewConnection,
): Promise<{ readonly connectionId: string; readonly key: Secret }> {
  const { userId } = wanted;
  const connectionId = `con_${sha256Hex(JSON.stringify([userId, wanted.formId])).slice(0, 24)}`;
  return await deps.lock.run(connectionId, async () => {
    const ref = { connectionId, userId };
    if ((await findConnection(deps.storage, ref)) === undefined) await store(deps, wanted, connectionId);
    else await revokeUnseenKey(deps, ref);
    const { key } = await mintApiKey(deps, { ...ref, label: DEFAULT_KEY_LABEL });
    return { connectionId, key };
  });
}

async function store({ storage, sealer, clock }: CreateConnectionDeps, wanted: NewConnection, connectionId: string): Promise<void> {
  const { userId, offer, mode, entry } = wanted;
  if (!offer.modes.includes(mode))
    throw new GatewayError("invalid_arguments", `A connection of this kind is never ${mode}.`, {
      whatToDo: `Choose ${offer.modes.join(" or ")}.`,
    });
  const place = { table: "connections", column: "sealed_secrets", rowId: connectionId, userId };
  try {
    await insertConnection(storage, {
      id: connectionId,
      user_id: userId,
      kind: offer.kind,
      label: wanted.label,
      mode,
      settings: JSON.stringify(entry.settings),
      sealed_secrets: Object.keys(entry.secrets).length === 0 ? null : sealer.seal(JSON.stringify(entry.secrets), place),
      is_demo: 0,
      created_at: clock.now(),
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new GatewayError("invalid_arguments", `${error.message}.`, { whatToDo: "Delete connections that are no longer used." });
  }
}

async function revokeUnseenKey(
  deps: CreateConnectionDeps,
  { connectionId, userId }: { connectionId: string; userId: string },
): Promise<void> {
  for (const key of await listApiKeys(deps.storage, userId)) {
    const isUnseen = key.connectionId === connectionId && key.label === DEFAULT_KEY_LABEL && key.lastUsed === undefined;
    if (isUnseen && key.revokedAt === undefined) await revokeApiKey(deps, { keyId: key.id, userId });
  }
}
