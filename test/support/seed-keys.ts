import { systemRandom } from "../../src/lib/random.ts";
import { sha256Hex } from "../../src/lib/secret.ts";
import type { ApiKeyRow } from "../../src/storage/api-keys.ts";
import { insertConnection } from "../../src/storage/connections.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { insertUser } from "../../src/storage/users.ts";

/** A user with a connection, both new. */
export interface SeededOwner {
  readonly userId: string;
  readonly connectionId: string;
}

const ROWS_PER_TRANSACTION = 1_000;
const ROWS_PER_INSERT = 50;

/** Stores a user with one simulated connection. */
export async function seedOwner(storage: Storage, name = "someone"): Promise<SeededOwner> {
  const suffix = systemRandom.bytes(6).toString("hex");
  const owner = { userId: `usr_${suffix}`, connectionId: `con_${suffix}` };
  await insertUser(storage, { id: owner.userId, display_name: name, is_demo: 0, created_at: 1 });
  await insertConnection(storage, {
    id: owner.connectionId,
    user_id: owner.userId,
    kind: "simulator",
    label: `${name}'s connection`,
    mode: "simulated",
    settings: "{}",
    sealed_secrets: null,
    created_at: 1,
  });
  return owner;
}

/** Stores `count` keys of one new owner, past the limit of keys for a user, and answers them. For measurements with many keys. */
export async function seedKeys(storage: Storage, count: number): Promise<SeededOwner & { readonly keys: readonly string[] }> {
  const owner = await seedOwner(storage);
  const keys = Array.from({ length: count }, () => `ibkr_${systemRandom.bytes(32).toString("base64url")}`);
  // In the order of both indexes: at random, each transaction would rewrite most of their pages.
  const rows = keys
    .map((key) => ({ keyHash: sha256Hex(key), prefix: key.slice(0, 11) }))
    .toSorted((a, b) => (a.keyHash < b.keyHash ? -1 : 1))
    .map((key, index) => keyRow(owner, `key_${owner.userId}_${String(index).padStart(9, "0")}`, key));
  for (let start = 0; start < count; start += ROWS_PER_TRANSACTION) {
    await insertRows(storage, rows.slice(start, start + ROWS_PER_TRANSACTION));
  }
  return { ...owner, keys };
}

/** Compiles the two statements it needs once: compiling costs more than inserting. */
async function insertRows(storage: Storage, rows: readonly ApiKeyRow[]): Promise<void> {
  const [blank] = rows;
  if (blank === undefined) return;
  const compiled = (size: number) =>
    storage.db
      .insertInto("api_keys")
      .values(Array.from({ length: size }, () => blank))
      .compile();
  const [many, one] = [compiled(ROWS_PER_INSERT), compiled(1)];
  await storage.transaction(
    async (transaction) => {
      for (let start = 0; start < rows.length;) {
        const query = rows.length - start >= ROWS_PER_INSERT ? many : one;
        const size = query === many ? ROWS_PER_INSERT : 1;
        const parameters = rows.slice(start, start + size).flatMap((row) => Object.values(row));
        await transaction.executeQuery({ ...query, parameters });
        start += size;
      }
    },
    { durability: "relaxed" },
  );
}

function keyRow(owner: SeededOwner, id: string, key: { readonly keyHash: string; readonly prefix: string }): ApiKeyRow {
  return {
    id,
    user_id: owner.userId,
    connection_id: owner.connectionId,
    key_hash: key.keyHash,
    prefix: key.prefix,
    label: "a seeded key",
    scope: "write",
    allowed_account_ids: null,
    limits: null,
    pinned_account_id: null,
    expires_at: null,
    created_at: 1,
    last_used_at: null,
    last_used_address: null,
    last_used_client: null,
    revoked_at: null,
    toolsets: null,
  };
}
