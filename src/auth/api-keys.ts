import type { Scope } from "../connections/caller.ts";
import { readToolsets, TOOLSET_WORDS, type Toolset } from "../connections/toolsets.ts";
import type { Clock } from "../lib/clock.ts";
import { GatewayError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { type Random, randomId } from "../lib/random.ts";
import { Secret, sha256Hex } from "../lib/secret.ts";
import {
  type ApiKeyRef,
  type ApiKeyRow,
  findApiKeyRow,
  insertApiKey,
  insertOrReplaceApiKey,
  listApiKeyRows,
  revokeApiKeyRow,
} from "../storage/api-keys.ts";
import { findConnection } from "../storage/connections.ts";
import type { Storage } from "../storage/storage.ts";
import { parseAccountIds, parseLimits, parseScope, parseToolsets } from "./stored-key.ts";

export interface ApiKeyDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
}

/** What a new key is for. */
export interface NewApiKey {
  readonly userId: string;
  readonly connectionId: string;
  /** 1 to 100 characters, for people to tell their keys apart. */
  readonly label: string;
  /** Default: `write`, which includes reading. */
  readonly scope?: Scope;
  /** Accounts it may use; default: all of the connection. */
  readonly allowedAccountIds?: readonly string[];
  /** Sets of tools that it lists beside the core, by name; default: none. */
  readonly toolsets?: readonly string[];
  /** Epoch milliseconds; default: never. */
  readonly expiresAt?: number;
  readonly limits?: JsonObject;
  /** Text that is the same when the same request comes again within two minutes: it then makes no second key. */
  readonly idempotencyKey?: string;
}

/** A key as its owner sees it; the key itself is not kept anywhere. */
export interface ApiKey {
  readonly id: string;
  readonly connectionId: string;
  readonly prefix: string;
  readonly label: string;
  readonly scope: Scope;
  readonly allowedAccountIds: readonly string[] | undefined;
  readonly toolsets: readonly Toolset[];
  readonly limits: JsonObject | undefined;
  readonly pinnedAccountId: string | undefined;
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
  readonly lastUsed: { readonly at: number; readonly address: string | undefined; readonly client: string | undefined } | undefined;
  readonly revokedAt: number | undefined;
}

const KEY_START = "ibkr_";
const KEY_BYTES = 32;
/** Characters shown of a key: its start and six more, 36 of its 256 bits. */
const SHOWN_LENGTH = KEY_START.length + 6;
const MAX_LABEL = 100;
const MAX_ACCOUNTS = 100;
/** A form that is sent twice arrives twice within this time. */
const REPEATS_MS = 120_000;

/**
 * Makes a key and answers it, the only time it can be seen: `ibkr_` and 32 random bytes in base64url; its SHA-256 is stored.
 * Throws `GatewayError` `invalid_arguments` for a bad label, an unknown connection or toolset, no accounts, a time that is over, or too many keys.
 * A request that is repeated by its `idempotencyKey` answers the same key with another secret in place of the one that may never have
 * been seen, and is refused once that was used.
 */
export async function mintApiKey(deps: ApiKeyDeps, wanted: NewApiKey): Promise<{ readonly key: Secret; readonly apiKey: ApiKey }> {
  await checkNewKey(deps, wanted);
  const toolsets = wantedToolsets(wanted.toolsets ?? []);
  const key = KEY_START + deps.random.bytes(KEY_BYTES).toString("base64url");
  const row: ApiKeyRow = {
    id: keyId(deps, wanted),
    user_id: wanted.userId,
    connection_id: wanted.connectionId,
    key_hash: sha256Hex(key),
    prefix: key.slice(0, SHOWN_LENGTH),
    label: wanted.label.trim(),
    scope: wanted.scope ?? "write",
    allowed_account_ids: wanted.allowedAccountIds === undefined ? null : JSON.stringify(wanted.allowedAccountIds),
    limits: wanted.limits === undefined ? null : JSON.stringify(wanted.limits),
    pinned_account_id: null,
    expires_at: wanted.expiresAt ?? null,
    created_at: deps.clock.now(),
    last_used_at: null,
    last_used_address: null,
    last_used_client: null,
    revoked_at: null,
    toolsets: toolsets.length === 0 ? null : JSON.stringify(toolsets),
  };
  try {
    if (wanted.idempotencyKey === undefined) await insertApiKey(deps.storage, row);
    else if (!(await insertOrReplaceApiKey(deps.storage, row, row.created_at - REPEATS_MS)))
      throw refuse("This form has made its key already.", "Find the key in the list, or open the form anew to make another.");
  } catch (error) {
    if (error instanceof RangeError) throw refuse(error.message, "Revoke keys that are no longer used, then try again.");
    throw error;
  }
  return { key: new Secret(key), apiKey: toApiKey(row) };
}

/** Lists a user's keys: those in force first, newest first; at most 400. */
export async function listApiKeys(storage: Storage, userId: string): Promise<readonly ApiKey[]> {
  return (await listApiKeyRows(storage, userId)).map(toApiKey);
}

/** Finds one of a user's keys. */
export async function findApiKey(storage: Storage, ref: ApiKeyRef): Promise<ApiKey | undefined> {
  const row = await findApiKeyRow(storage, ref);
  return row === undefined ? undefined : toApiKey(row);
}

/** Revokes a key: the very next request with it is refused. Answers false when this user has no such key in force. */
export async function revokeApiKey(deps: Pick<ApiKeyDeps, "storage" | "clock">, ref: ApiKeyRef): Promise<boolean> {
  return await revokeApiKeyRow(deps.storage, ref, deps.clock.now());
}

function keyId({ random }: ApiKeyDeps, { userId, idempotencyKey }: NewApiKey): string {
  if (idempotencyKey === undefined) return randomId(random, "key_");
  return `key_${sha256Hex(JSON.stringify([userId, idempotencyKey])).slice(0, 24)}`;
}

async function checkNewKey(deps: ApiKeyDeps, wanted: NewApiKey): Promise<void> {
  const label = wanted.label.trim();
  if (label.length === 0 || label.length > MAX_LABEL)
    throw refuse("The key's label is empty or too long.", `Give a label of 1 to ${MAX_LABEL} characters.`);
  const accounts = wanted.allowedAccountIds;
  if (accounts !== undefined && (accounts.length === 0 || accounts.length > MAX_ACCOUNTS))
    throw refuse("The key's list of accounts is empty or too long.", `Name 1 to ${MAX_ACCOUNTS} accounts, or leave the list out for all.`);
  if (wanted.expiresAt !== undefined && !(Number.isSafeInteger(wanted.expiresAt) && wanted.expiresAt > deps.clock.now()))
    throw refuse("The key's expiry is not a time in the future.", "Give a later time, or none.");
  const connection = await findConnection(deps.storage, { connectionId: wanted.connectionId, userId: wanted.userId });
  if (connection === undefined) throw refuse("The user has no such connection.", "Choose one of the user's own connections.");
}

function wantedToolsets(names: readonly string[]): readonly Toolset[] {
  const { toolsets, unknown } = readToolsets(names);
  const [first] = unknown;
  if (first === undefined) return toolsets;
  throw refuse(`There is no toolset ${JSON.stringify(first.slice(0, MAX_LABEL))}.`, `Name any of ${TOOLSET_WORDS.join(", ")}.`);
}

function refuse(message: string, whatToDo: string): GatewayError {
  return new GatewayError("invalid_arguments", message, { whatToDo });
}

function toApiKey(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    connectionId: row.connection_id,
    prefix: row.prefix,
    label: row.label,
    scope: parseScope(row.scope),
    allowedAccountIds: parseAccountIds(row.allowed_account_ids),
    toolsets: parseToolsets(row.toolsets),
    limits: parseLimits(row.limits),
    pinnedAccountId: row.pinned_account_id ?? undefined,
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
    lastUsed:
      row.last_used_at === null
        ? undefined
        : { at: row.last_used_at, address: row.last_used_address ?? undefined, client: row.last_used_client ?? undefined },
    revokedAt: row.revoked_at ?? undefined,
  };
}
