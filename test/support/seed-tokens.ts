import { systemRandom } from "../../src/lib/random.ts";
import { sha256Hex } from "../../src/lib/secret.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { seedOwner, type SeededOwner } from "./seed-keys.ts";

/** Rows in one statement; SQLite takes at most 32,766 parameters. */
const ROWS = 500;

/** Stores `count` live access tokens, each of a grant of its own, past every limit. For measurements with many tokens. */
export async function seedTokens(
  storage: Storage,
  { count, resource }: { readonly count: number; readonly resource: string },
): Promise<SeededOwner & { readonly tokens: readonly string[] }> {
  const owner = await seedOwner(storage);
  const tokens = Array.from({ length: count }, () => `ibkr_at_${systemRandom.bytes(32).toString("base64url")}`);
  const rows = tokens.map((token, index) => ({ hash: sha256Hex(token), grantId: `grt_${index.toString().padStart(24, "0")}` }));
  // In the order of the index, as inserting at random places would read and write it again and again.
  rows.sort((a, b) => (a.hash < b.hash ? -1 : 1));
  for (let start = 0; start < count; start += ROWS) {
    const part = rows.slice(start, start + ROWS);
    await storage.transaction(
      async (transaction) => {
        await transaction
          .insertInto("app_grants")
          .values(part.map(({ grantId }) => grantRow(owner, grantId)))
          .execute();
        await transaction
          .insertInto("oauth_access_tokens")
          .values(
            part.map(({ hash, grantId }) => ({
              token_hash: hash,
              grant_id: grantId,
              audience: resource,
              scope: "write",
              created_at: 1,
              expires_at: Number.MAX_SAFE_INTEGER,
            })),
          )
          .execute();
      },
      { durability: "relaxed" },
    );
  }
  return { ...owner, tokens };
}

function grantRow(owner: SeededOwner, id: string) {
  return {
    id,
    user_id: owner.userId,
    connection_id: owner.connectionId,
    client_id: "https://host.example/client.json",
    client_name: "Host",
    client_host: "host.example",
    client_identity: "metadata_document",
    redirect_uri: "https://host.example/callback",
    scope: "write",
    allowed_account_ids: null,
    limits: null,
    pinned_account_id: null,
    created_at: 1,
    expires_at: null,
    issued_at: 1,
    last_used_at: null,
    last_used_address: null,
    last_used_client: null,
    revoked_at: null,
    revoked_because: null,
  };
}
