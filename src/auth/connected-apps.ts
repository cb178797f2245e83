import type { Scope } from "../connections/caller.ts";
import type { Toolset } from "../connections/toolsets.ts";
import type { Clock } from "../lib/clock.ts";
import type { AuditLog } from "../storage/audit-log.ts";
import { type AppGrantRow, type AppGrantSelection, listAppGrants, revokeAppGrants } from "../storage/app-grants.ts";
import type { Storage } from "../storage/storage.ts";
import type { ClientIdentity } from "./oauth/client-metadata.ts";
import { createGrantJournal } from "./oauth/grant-journal.ts";
import { isGrantLive } from "./oauth/live-grant.ts";
import { parseAccountIds, parseScope, parseToolsets } from "./stored-key.ts";

/** A host that a person approved, as its owner sees it. */
export interface ConnectedApp {
  /** Id of the grant. */
  readonly id: string;
  /** The host's own claim, cleaned for display. */
  readonly name: string;
  readonly identity: ClientIdentity;
  /** Host of the client's metadata document; undefined for a client that registered itself. */
  readonly clientHost: string | undefined;
  /** Where the browser was sent back to. */
  readonly redirectUri: string;
  readonly connectionId: string;
  readonly scope: Scope;
  readonly allowedAccountIds: readonly string[] | undefined;
  /** Sets of tools that it lists beside the core. */
  readonly toolsets: readonly Toolset[];
  readonly authorizedAt: number;
  readonly expiresAt: number | undefined;
  readonly lastUsed: { readonly at: number; readonly address: string | undefined; readonly client: string | undefined } | undefined;
}

export interface ConnectedAppsDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly audit: Pick<AuditLog, "record">;
  /** A grant lapses when it lies unused this long. */
  readonly unusedLimitMs: number;
}

/** What a person has connected, and how they cut it off. Each is effective on the very next request. */
export interface ConnectedApps {
  /** Lists what is in force, newest first; at most 400. */
  list(userId: string): Promise<readonly ConnectedApp[]>;
  /** Revokes one. Answers false when this user has no such app in force. */
  revoke(app: { readonly userId: string; readonly id: string }, requestId: string): Promise<boolean>;
  /** Revokes all of the user, or those of one connection; answers how many. */
  revokeAll(of: { readonly userId: string; readonly connectionId?: string | undefined }, requestId: string): Promise<number>;
}

/** Makes the functions over the grants. */
export function createConnectedApps({ storage, clock, audit, unusedLimitMs }: ConnectedAppsDeps): ConnectedApps {
  const journal = createGrantJournal(audit, () => clock.now());
  const revoke = async (selection: AppGrantSelection, requestId: string): Promise<number> => {
    const revoked = await revokeAppGrants(storage, selection, { at: clock.now(), because: "oauth.revoked" });
    for (const grant of revoked) journal.note("oauth.revoked", grant, { requestId, because: "by its owner" });
    return revoked.length;
  };
  return {
    list: async (userId) => {
      const now = clock.now();
      const grants = await listAppGrants(storage, userId);
      return grants.filter((grant) => isGrantLive(grant, now, unusedLimitMs)).map(toConnectedApp);
    },
    revoke: async ({ userId, id }, requestId) => (await revoke({ kind: "grant", grantId: id, userId }, requestId)) > 0,
    revokeAll: ({ userId, connectionId }, requestId) => revoke({ kind: "user", userId, connectionId }, requestId),
  };
}

function toConnectedApp(grant: AppGrantRow): ConnectedApp {
  const { client_identity: identity } = grant;
  return {
    id: grant.id,
    name: grant.client_name,
    identity: identity === "metadata_document" || identity === "built_in" ? identity : "registered",
    clientHost: grant.client_host ?? undefined,
    redirectUri: grant.redirect_uri,
    connectionId: grant.connection_id,
    scope: parseScope(grant.scope),
    allowedAccountIds: parseAccountIds(grant.allowed_account_ids),
    toolsets: parseToolsets(grant.toolsets),
    authorizedAt: grant.created_at,
    expiresAt: grant.expires_at ?? undefined,
    lastUsed:
      grant.last_used_at === null
        ? undefined
        : { at: grant.last_used_at, address: grant.last_used_address ?? undefined, client: grant.last_used_client ?? undefined },
  };
}
