import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS consumer (
    consumer_key TEXT PRIMARY KEY,
    access_token TEXT NOT NULL,
    access_token_secret TEXT NOT NULL,
    dh_prime TEXT NOT NULL,
    private_signature_pem TEXT NOT NULL,
    private_encryption_pem TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS live_session_token (
    token TEXT PRIMARY KEY,
    consumer_key TEXT NOT NULL,
    session_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;
`;

const OWNER_ONLY = 0o600;
/** How long a statement waits for another process that holds the file, in milliseconds. */
const BUSY_TIMEOUT_MS = 2_000;

/**
 * Opens the simulator's memory: one SQLite file that only its owner can read, or memory alone when no path is given.
 * Makes the tables of consumers and sessions; each other part makes its own.
 */
export function openStore(path: string | undefined): DatabaseSync {
  if (path !== undefined) closeSync(openSync(path, "a", OWNER_ONLY));
  const store = new DatabaseSync(path ?? ":memory:", { timeout: BUSY_TIMEOUT_MS });
  store.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
  store.exec(SCHEMA);
  return store;
}
