import type { ConnectionEntry } from "../connections/connection-offer.ts";
import type { ConnectionOffer } from "../connections/connection-offers.ts";
import { GatewayError } from "../lib/errors.ts";
import type { KeyedLock } from "../lib/keyed-lock.ts";
import { type Secret, sha256Hex } from "../lib/secret.ts";
import { findConnection, insertConnection } from "../storage/connections.ts";
import type { Sealer } from "../storage/sealing.ts";
import { type ApiKey, type ApiKeyDeps, listApiKeys, mintApiKey, revokeApiKey } from "./api-keys.ts";

export interface CreateConnectionDeps extends ApiKeyDeps {
  readonly sealer: Sealer;
  /** One creation at a time per connection, so that a form sent twice makes one. */
  readonly lock: KeyedLock<string>;
}

/** Names the form that asks for a connection. */
export interface ConnectionForm {
  readonly userId: string;
  /** Random text of the form: the same form sent again makes no second connection. */
  readonly formId: string;
}

/** A connection to be made. */
export interface NewConnection extends ConnectionForm {
  readonly offer: Pick<ConnectionOffer, "kind" | "modes">;
  /** One of the offer's; it never changes later. */
  readonly mode: ConnectionOffer["modes"][number];
  readonly label: string;
  readonly entry: ConnectionEntry;
}

const DEFAULT_KEY_LABEL = "default";

/** A connection that a form made. */
export interface CreatedConnection {
  readonly connectionId: string;
  /** Its default API key, to be shown this once. */
  readonly key: Secret;
  readonly apiKey: ApiKey;
  /** False when the form was sent before: then only the key is new. */
  readonly isNew: boolean;
}

/** The id of the connection that a form makes. */
export function connectionIdOfForm({ userId, formId }: ConnectionForm): string {
  return `con_${sha256Hex(JSON.stringify([userId, formId])).slice(0, 24)}`;
}

/**
 * Stores a connection, its secrets sealed, and mints its default API key, which is answered this once. The same form sent
 * again (then its name is enough) answers the same connection with another default key in place of the one that may never have
 * been seen. Throws `invalid_arguments` when the user has too many connections or keys.
 */
export async function createConnection(deps: CreateConnectionDeps, wanted: NewConnection | ConnectionForm): Promise<CreatedConnection> {
  const { userId } = wanted;
  const connectionId = connectionIdOfForm(wanted);
  return await deps.lock.run(connectionId, async () => {
    const ref = { connectionId, userId };
    const isKnown = (await findConnection(deps.storage, ref)) !== undefined;
    // Another process may be finishing the same form.
    const exists = isKnown || ("entry" in wanted && !(await store(deps, wanted, connectionId)));
    if (exists) await revokeUnseenKey(deps, ref);
    const { key, apiKey } = await mintApiKey(deps, { ...ref, label: DEFAULT_KEY_LABEL });
    return { connectionId, key, apiKey, isNew: !exists };
  });
}

/** Settings and secrets of a connection as its row has them. */
export function sealedEntry(
  sealer: Sealer,
  { connectionId, userId, entry }: { readonly connectionId: string; readonly userId: string; readonly entry: ConnectionEntry },
): { readonly settings: string; readonly sealed_secrets: string | null } {
  const place = { table: "connections", column: "sealed_secrets", rowId: connectionId, userId };
  return {
    settings: JSON.stringify(entry.settings),
    sealed_secrets: Object.keys(entry.secrets).length === 0 ? null : sealer.seal(JSON.stringify(entry.secrets), place),
  };
}

/** Answers false when it is stored already. */
async function store({ storage, sealer, clock }: CreateConnectionDeps, wanted: NewConnection, connectionId: string): Promise<boolean> {
  const { userId, offer, mode, entry } = wanted;
  if (!offer.modes.includes(mode))
    throw new GatewayError("invalid_arguments", `A connection of this kind is never ${mode}.`, {
      whatToDo: `Choose ${offer.modes.join(" or ")}.`,
    });
  try {
    return await insertConnection(storage, {
      id: connectionId,
      user_id: userId,
      kind: offer.kind,
      label: wanted.label,
      mode,
      is_demo: 0,
      created_at: clock.now(),
      ...sealedEntry(sealer, { connectionId, userId, entry }),
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
