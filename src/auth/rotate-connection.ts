import type { ConnectionEntry } from "../connections/connection-offer.ts";
import type { ConnectionOffer } from "../connections/connection-offers.ts";
import { loginOf } from "../connections/same-login.ts";
import { replaceCredentials } from "../storage/connection-credentials.ts";
import { findConnection } from "../storage/connections.ts";
import type { Sealer } from "../storage/sealing.ts";
import type { Storage } from "../storage/storage.ts";
import { sealedEntry } from "./create-connection.ts";

export interface RotateConnectionDeps {
  readonly storage: Storage;
  readonly sealer: Sealer;
  /** Ends the live session of a connection, so that the next use opens it anew. */
  readonly forget: (connectionId: string) => Promise<void>;
}

/** A connection that gets other settings and secrets. */
export interface Rotation {
  readonly userId: string;
  readonly connectionId: string;
  readonly offer: Pick<ConnectionOffer, "kind">;
  readonly entry: ConnectionEntry;
}

/**
 * Replaces settings and secrets of a connection of this user and ends its live session. It is no longer frozen: the next session
 * proves its mode, which is unchanged, anew. With another login than before, trading on a live connection has to be enabled again.
 * Answers false when this user has no such connection of this kind, or it is the demo's.
 */
export async function rotateConnection(deps: RotateConnectionDeps, rotation: Rotation): Promise<boolean> {
  const { userId, connectionId, offer, entry } = rotation;
  const key = { connectionId, userId };
  const row = await findConnection(deps.storage, key);
  if (row === undefined || row.kind !== offer.kind || row.is_demo === 1) return false;
  const isSameLogin = loginOf(row.kind, JSON.parse(row.settings)) === loginOf(offer.kind, entry.settings);
  const columns = sealedEntry(deps.sealer, { ...key, entry });
  if (!(await replaceCredentials(deps.storage, { ...key, ...columns, keepsLiveTrading: isSameLogin }))) return false;
  await deps.forget(connectionId);
  return true;
}
