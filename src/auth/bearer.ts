import type { Caller } from "../connections/caller.ts";
import type { Clock } from "../lib/clock.ts";
import { background, type Log } from "../lib/log.ts";
import { sha256Hex } from "../lib/secret.ts";
import { type ApiKeyUse, type FoundApiKey, noteApiKeyUses, prepareApiKeySearch } from "../storage/api-keys.ts";
import type { Storage } from "../storage/storage.ts";
import { parseAccountIds, parseScope } from "./stored-key.ts";

/** Why a request has no caller; each is a 401. */
export type BearerRefusal = "missing" | "malformed" | "unknown" | "revoked" | "expired";

/** Who is asking, or why nobody is. */
type BearerResult =
  | {
      readonly kind: "caller";
      readonly caller: Caller;
      /** True when the key belongs to the demo's owner, whom only this machine may be. */
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
  /** Looks the key up anew each time: nothing is remembered that could outlive a revocation. Rejects only when the database fails. */
  check(authorization: string | undefined, origin: BearerOrigin): Promise<BearerResult>;
  /** Writes the last uses that are still to be noted, and stops. */
  close(): Promise<void>;
}

export interface BearerCheckDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Log;
  /** Counts refusals by reason; attempts are never stored one by one. */
  readonly onRefused?: (reason: BearerRefusal) => void;
}

/** RFC 6750 section 2.1: the scheme in any case, then one token of these characters. */
const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;
const API_KEY = /^ibkr_[A-Za-z0-9_-]{43}$/;
/** Longer headers are refused unread; a signed token of any issuer is shorter. */
const MAX_HEADER = 8_192;
/** A key's last use is written at most this often. */
const NOTE_EVERY_MS = 60_000;
const FLUSH_EVERY_MS = 1_000;
/** Most uses waiting to be noted; beyond it they are noted at a later request. */
const MAX_PENDING = 1_000;

/** Makes the check of API keys: the key's SHA-256 is searched by a unique index, so that time tells nothing about other keys. */
export function createBearerCheck({ storage, clock, log, onRefused }: BearerCheckDeps): BearerCheck {
  const search = prepareApiKeySearch(storage);
  const uses = createUseNotes(storage, clock, log);
  const refuse = (reason: BearerRefusal): BearerResult => {
    onRefused?.(reason);
    return { kind: "refused", reason };
  };
  return {
    check: async (authorization, origin) => {
      if (authorization === undefined || authorization.trim() === "") return refuse("missing");
      const token = authorization.length > MAX_HEADER ? undefined : BEARER.exec(authorization)?.[1];
      if (token === undefined) return refuse("malformed");
      if (!API_KEY.test(token)) return refuse("unknown");
      const key = await search(sha256Hex(token));
      if (key === undefined) return refuse("unknown");
      if (key.revoked_at !== null) return refuse("revoked");
      const now = clock.now();
      if (key.expires_at !== null && key.expires_at <= now) return refuse("expired");
      if (key.last_used_at === null || key.last_used_at <= now - NOTE_EVERY_MS) uses.note(key.id, now, origin);
      return { kind: "caller", caller: toCaller(key), isDemo: key.is_demo === 1 };
    },
    close: () => uses.close(),
  };
}

function toCaller(key: FoundApiKey): Caller {
  return {
    id: key.id,
    source: "apikey",
    userId: key.user_id,
    connectionId: key.connection_id,
    scope: parseScope(key.scope),
    allowedAccountIds: parseAccountIds(key.allowed_account_ids),
    pinnedAccountId: key.pinned_account_id ?? undefined,
  };
}

/** Gathers last uses and writes them once a second, away from the requests. */
function createUseNotes(storage: Storage, clock: Clock, log: Log) {
  let pending = new Map<string, ApiKeyUse>();
  const flush = async (): Promise<void> => {
    const uses = [...pending.values()];
    pending = new Map();
    await noteApiKeyUses(storage, uses);
  };
  const stop = clock.every(FLUSH_EVERY_MS, () => {
    if (pending.size > 0) background(flush(), log, "noting the last use of API keys");
  });
  return {
    note: (keyId: string, at: number, { address, client }: BearerOrigin): void => {
      if (pending.has(keyId) || pending.size >= MAX_PENDING) return;
      pending.set(keyId, { keyId, at, address, client });
    },
    close: async (): Promise<void> => {
      stop();
      await flush();
    },
  };
}
