import { sql } from "kysely";

import type { Storage } from "./storage.ts";

/** Rows in one statement: a few milliseconds of work, in which others wait. */
const BATCH = 500;
/** Most statements per table and run; what is left is for the next run. */
const MAX_BATCHES = 40;

/** What is let go: everything with an expiry before `now`, and the rest by its own age. */
export interface PruneLimits {
  readonly now: number;
  /** Registered clients that nobody approved are kept this long. */
  readonly unusedClientMs: number;
  /** Grants whose host never fetched a token are kept this long. */
  readonly abandonedGrantMs: number;
  /** Revoked and expired grants are kept this long: their mark must outlive every token. */
  readonly endedGrantMs: number;
  /** Grants that lay unused this long are let go. */
  readonly unusedGrantMs: number;
}

/** Deletes expired rows in bounded batches, and answers how many went. */
export async function pruneOauth(storage: Storage, limits: PruneLimits): Promise<number> {
  const { now } = limits;
  const ended = now - limits.endedGrantMs;
  const unused = now - limits.unusedGrantMs;
  const statements = [
    () => sql`delete from oauth_access_tokens where token_hash in
      (select token_hash from oauth_access_tokens where expires_at <= ${now} limit ${BATCH})`,
    () => sql`delete from oauth_refresh_answers where token_hash in
      (select token_hash from oauth_refresh_answers where expires_at <= ${now} limit ${BATCH})`,
    () => sql`delete from oauth_records where id_hash in
      (select id_hash from oauth_records where expires_at <= ${now} limit ${BATCH})`,
    () => sql`delete from oauth_clients where client_id in
      (select client_id from oauth_clients where used_at is null and created_at <= ${now - limits.unusedClientMs} limit ${BATCH})`,
    () => sql`delete from app_grants where id in (select id from app_grants
      where (issued_at is null and created_at <= ${now - limits.abandonedGrantMs}) or revoked_at <= ${ended} or expires_at <= ${ended}
      or (created_at <= ${unused} and issued_at <= ${unused} and coalesce(last_used_at, 0) <= ${unused})
      limit ${BATCH})`,
  ];
  let pruned = 0;
  for (const statement of statements) {
    for (let batch = 0; batch < MAX_BATCHES; batch += 1) {
      const { numAffectedRows = 0n } = await statement().execute(storage.db);
      pruned += Number(numAffectedRows);
      if (numAffectedRows < BigInt(BATCH)) break;
    }
  }
  return pruned;
}
