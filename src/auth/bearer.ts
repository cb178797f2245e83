import type { Caller } from "../connections/caller.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { sha256Hex } from "../lib/secret.ts";
import { type FoundApiKey, noteApiKeyUses, prepareApiKeySearch } from "../storage/api-keys.ts";
import { noteAppGrantUses } from "../storage/app-grants.ts";
import { type FoundAccessToken, prepareAccessTokenSearch } from "../storage/oauth-access-tokens.ts";
import type { Storage } from "../storage/storage.ts";
import { parseAccountIds, parseScope, parseToolsets } from "./stored-key.ts";
import { createUseNotes, type UseNotes } from "./use-notes.ts";

/** Why a request has no caller; each is a 401. */
export type BearerRefusal = "missing" | "malformed" | "unknown" | "revoked" | "expired" | "wrong_audience";

/** Who is asking, or why nobody is. */
type BearerResult =
  | {
      readonly kind: "caller";
      readonly caller: Caller;
      /** True when the key opens the demo's connection, which only this machine may use. */
      readonly isDemo: boolean;
    }
  | { readonly kind: "refused"; readonly reason: BearerRefusal };

/** What is noted as a key's last use. */
interface BearerOrigin {
  readonly address: string | undefined;
  readonly client: string | undefined;
}

/** Turns an `Authorization` header into a caller. */
export interface BearerCheck {
  /** Looks the key or the access token up anew each time: nothing is remembered that could outlive a revocation. Rejects only when the database fails. */
  check(authorization: string | undefined, origin: BearerOrigin): Promise<BearerResult>;
  /** Writes the last uses that are still to be noted, and stops. */
  close(): Promise<void>;
}

export interface BearerCheckDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Log;
  /** The resource that access tokens must be for; without it none is accepted. */
  readonly resource?: () => string;
  /** Counts refusals by reason; attempts are never stored one by one. */
  readonly onRefused?: (reason: BearerRefusal) => void;
}

/** RFC 6750 section 2.1: the scheme in any case, then one token of these characters. */
const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;
const API_KEY = /^ibkr_[A-Za-z0-9_-]{43}$/;
const ACCESS_TOKEN = /^ibkr_at_[A-Za-z0-9_-]{43}$/;
/** Longer headers are refused unread; a signed token of any issuer is shorter. */
const MAX_HEADER = 8_192;
/** A last use is written at most this often. */
const NOTE_EVERY_MS = 60_000;

/** What a search found, before it is checked whether it is in force. */
interface Found {
  readonly row: Pick<FoundApiKey, "revoked_at" | "expires_at" | "last_used_at" | "is_demo">;
  readonly caller: Caller;
  readonly notes: UseNotes;
  /** The reason why it is refused, beside those that keys and tokens share. */
  readonly fault?: BearerRefusal | undefined;
}

/**
 * Makes the check of API keys and access tokens: the secret's SHA-256 is searched by a unique index, so that time tells nothing
 * about others. A token is found with its grant, client and connection in one look-up.
 */
export function createBearerCheck({ storage, clock, log, resource, onRefused }: BearerCheckDeps): BearerCheck {
  const searchKey = prepareApiKeySearch(storage);
  const searchToken = prepareAccessTokenSearch(storage);
  const keyNotes = createUseNotes({
    write: (uses) =>
      noteApiKeyUses(
        storage,
        uses.map(({ id, ...use }) => ({ keyId: id, ...use })),
      ),
    clock,
    log,
    of: "API keys",
  });
  const grantNotes = createUseNotes({ write: (uses) => noteAppGrantUses(storage, uses), clock, log, of: "connected apps" });
  const refuse = (reason: BearerRefusal): BearerResult => {
    onRefused?.(reason);
    return { kind: "refused", reason };
  };
  const find = async (token: string): Promise<Found | undefined> => {
    if (API_KEY.test(token)) {
      const row = await searchKey(sha256Hex(token));
      return row === undefined
        ? undefined
        : { row, caller: toCaller({ ...row, nameSpace: row.id }, "apikey", parseScope(row.scope)), notes: keyNotes };
    }
    if (!ACCESS_TOKEN.test(token) || resource === undefined) return undefined;
    const row = await searchToken(sha256Hex(token));
    return row === undefined
      ? undefined
      : { row, caller: tokenCaller(row), notes: grantNotes, fault: tokenFault(row, resource(), clock.now()) };
  };
  return {
    check: async (authorization, origin) => {
      if (authorization === undefined || authorization.trim() === "") return refuse("missing");
      const token = authorization.length > MAX_HEADER ? undefined : BEARER.exec(authorization)?.[1];
      if (token === undefined) return refuse("malformed");
      const found = await find(token);
      if (found === undefined) return refuse("unknown");
      const { row, caller, notes, fault } = found;
      if (row.revoked_at !== null) return refuse("revoked");
      const now = clock.now();
      if (row.expires_at !== null && row.expires_at <= now) return refuse("expired");
      if (fault !== undefined) return refuse(fault);
      if (row.last_used_at === null || row.last_used_at <= now - NOTE_EVERY_MS) notes.note({ id: caller.id, at: now, ...origin });
      return { kind: "caller", caller, isDemo: row.is_demo === 1 };
    },
    close: async () => {
      await keyNotes.close();
      await grantNotes.close();
    },
  };
}

/** A token may be for less than its grant allows, never for more. */
function tokenCaller(row: FoundAccessToken): Caller {
  const scope = parseScope(row.scope) === "write" && parseScope(row.token_scope) === "write" ? "write" : "read";
  return toCaller({ ...row, nameSpace: row.client_id }, "oauth", scope);
}

function tokenFault(row: FoundAccessToken, resource: string, now: number): BearerRefusal | undefined {
  if (row.audience !== resource) return "wrong_audience";
  if (row.token_expires_at <= now) return "expired";
  return row.client_identity === "registered" && row.registered_client === null ? "revoked" : undefined;
}

function toCaller(
  row: Pick<FoundApiKey, "id" | "user_id" | "connection_id" | "allowed_account_ids" | "pinned_account_id" | "toolsets"> & {
    readonly nameSpace: string;
  },
  source: Caller["source"],
  scope: Caller["scope"],
): Caller {
  return {
    id: row.id,
    source,
    nameSpace: row.nameSpace,
    userId: row.user_id,
    connectionId: row.connection_id,
    scope,
    allowedAccountIds: parseAccountIds(row.allowed_account_ids),
    pinnedAccountId: row.pinned_account_id ?? undefined,
    toolsets: parseToolsets(row.toolsets),
  };
}
