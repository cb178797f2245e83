import { type Kysely, type Selectable, sql } from "kysely";

import type { ApiKeysTable, Database } from "./database.ts";
import type { SqlValue, Storage } from "./storage.ts";
import { storedText } from "./stored-text.ts";

export type ApiKeyRow = Selectable<ApiKeysTable>;

/** Names a key together with its owner: no query finds another user's. */
export interface ApiKeyRef {
  readonly keyId: string;
  readonly userId: string;
}

/** Most keys of one user that are not revoked. */
const MAX_ACTIVE_KEYS_PER_USER = 200;
/** Most keys in a list: all that are not revoked, then the latest of the others. */
const MAX_LISTED_KEYS = 400;

/** Stores a new key; throws `RangeError` when its user has too many. The database refuses a key on another user's connection. */
export async function insertApiKey(storage: Storage, key: ApiKeyRow): Promise<void> {
  await storage.transaction(async (transaction) => {
    await refuseTooMany(transaction, key.user_id);
    await transaction.insertInto("api_keys").values(key).execute();
  });
}

/**
 * Stores a new key, or gives the key of the same id another secret when it is the same user's, made since `since`, and was neither
 * used nor revoked. Answers false when it can't be replaced any more; throws as `insertApiKey` does.
 */
export async function insertOrReplaceApiKey(storage: Storage, key: ApiKeyRow, since: number): Promise<boolean> {
  return await storage.transaction(async (transaction) => {
    await refuseTooMany(transaction, key.user_id);
    const result = await transaction
      .insertInto("api_keys")
      .values(key)
      .onConflict((conflict) =>
        conflict
          .column("id")
          .doUpdateSet({ key_hash: key.key_hash, prefix: key.prefix })
          .where("api_keys.user_id", "=", key.user_id)
          .where("api_keys.created_at", ">=", since)
          .where("api_keys.last_used_at", "is", null)
          .where("api_keys.revoked_at", "is", null),
      )
      .executeTakeFirst();
    return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
  });
}

async function refuseTooMany(transaction: Kysely<Database>, userId: string): Promise<void> {
  const { count } = await transaction
    .selectFrom("api_keys")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("user_id", "=", userId)
    .where("revoked_at", "is", null)
    .executeTakeFirstOrThrow();
  if (count >= MAX_ACTIVE_KEYS_PER_USER) throw new RangeError(`a user has at most ${MAX_ACTIVE_KEYS_PER_USER} keys: revoke some first`);
}

/** What the bearer check needs to know of a key. */
export type FoundApiKey = Pick<ApiKeyRow, CallerColumn> & { readonly is_demo: number };

/** What keys and grants have in common: whom they stand for, what they may do, and whether they are in force. */
export type CallerColumn =
  | "id"
  | "user_id"
  | "connection_id"
  | "scope"
  | "allowed_account_ids"
  | "pinned_account_id"
  | "toolsets"
  | "expires_at"
  | "last_used_at"
  | "revoked_at";

/** Prepares the search of a key by its hash, which runs on every request: one compiled query on two unique indexes. */
export function prepareApiKeySearch(storage: Storage): (keyHash: string) => Promise<FoundApiKey | undefined> {
  const query = storage.db
    .selectFrom("api_keys")
    // A key goes with its connection (a foreign key), so that it exists where the key does.
    .innerJoin("connections", "connections.id", "api_keys.connection_id")
    .select([
      "api_keys.id",
      "api_keys.user_id",
      "api_keys.connection_id",
      "api_keys.scope",
      "api_keys.allowed_account_ids",
      "api_keys.pinned_account_id",
      "api_keys.toolsets",
      "api_keys.expires_at",
      "api_keys.last_used_at",
      "api_keys.revoked_at",
      "connections.is_demo",
    ])
    .where("api_keys.key_hash", "=", "");
  const lookup = storage.lookup(query.compile());
  return async (keyHash) => await lookup([keyHash]);
}

/** Lists a user's keys: those in force first, then the revoked, each newest first; at most 400. */
export async function listApiKeyRows(storage: Storage, userId: string): Promise<ApiKeyRow[]> {
  return await storage.db
    .selectFrom("api_keys")
    .selectAll()
    .where("user_id", "=", userId)
    .orderBy(sql`case when revoked_at is null then 0 else 1 end`)
    .orderBy("created_at", "desc")
    .orderBy("id")
    .limit(MAX_LISTED_KEYS)
    .execute();
}

/** Finds a key of this user. */
export async function findApiKeyRow(storage: Storage, ref: ApiKeyRef): Promise<ApiKeyRow | undefined> {
  return await storage.db
    .selectFrom("api_keys")
    .selectAll()
    .where("id", "=", ref.keyId)
    .where("user_id", "=", ref.userId)
    .executeTakeFirst();
}

/** Revokes a key from now on. Answers false when this user has no such key in force. */
export async function revokeApiKeyRow(storage: Storage, ref: ApiKeyRef, at: number): Promise<boolean> {
  const result = await storage.db
    .updateTable("api_keys")
    .set({ revoked_at: at })
    .where("id", "=", ref.keyId)
    .where("user_id", "=", ref.userId)
    .where("revoked_at", "is", null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Makes `accountId` the key's current account, or none. Answers false when this user has no such key. */
export async function pinAccount(storage: Storage, ref: ApiKeyRef, accountId: string | null): Promise<boolean> {
  const result = await storage.db
    .updateTable("api_keys")
    .set({ pinned_account_id: accountId })
    .where("id", "=", ref.keyId)
    .where("user_id", "=", ref.userId)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Longest address or client's name that is kept. */
const MAX_ORIGIN_TEXT = 200;

/** A key's latest use. */
export interface ApiKeyUse {
  readonly keyId: string;
  readonly at: number;
  readonly address: string | undefined;
  readonly client: string | undefined;
}

/** Notes the latest use of many keys in one statement. Not synced to disk at once: it informs, nothing depends on it. */
export async function noteApiKeyUses(storage: Storage, uses: readonly ApiKeyUse[]): Promise<void> {
  if (uses.length === 0) return;
  const rows = uses.map(({ keyId, at, address, client }) => {
    const [from, by] = [address, client].map((value) => (value === undefined ? null : storedText(value, MAX_ORIGIN_TEXT)));
    return sql`(${asText(keyId)}, cast(${at} as bigint), ${asText(from ?? null)}, ${asText(by ?? null)})`;
  });
  const update = sql`update api_keys set last_used_at = uses.column2, last_used_address = uses.column3, last_used_client = uses.column4
    from (values ${sql.join(rows)}) as uses where api_keys.id = uses.column1`;
  await storage.transaction((transaction) => update.execute(transaction), { durability: "relaxed" });
}

function asText(value: SqlValue) {
  return sql`cast(${value} as text)`;
}
