import type { Storage } from "./storage.ts";

/** One part of what belongs to a user. */
export interface ExportedRows {
  /** What the rows are, in JSON's snake_case. */
  readonly name: string;
  readonly rows: readonly object[];
}

/** Rows read at once: a person's record of calls may be long. */
const PAGE_ROWS = 500;

/** Reads everything that belongs to a user, part by part and page by page (a long part comes in several), without secrets and their hashes. */
export async function* exportAccount(storage: Storage, userId: string): AsyncGenerator<ExportedRows> {
  const { db } = storage;
  const own = { userId };
  yield { name: "user", rows: await db.selectFrom("users").selectAll().where("id", "=", userId).execute() };
  yield* exportSignIn(storage, userId);
  yield {
    name: "connections",
    rows: await db
      .selectFrom("connections")
      .select(["id", "kind", "label", "mode", "settings", "is_demo", "created_at"])
      .where("user_id", "=", userId)
      .orderBy("id")
      .execute(),
  };
  yield* pages("api_keys", (after) => apiKeys(storage, own, after));
  yield* pages("connected_apps", (after) =>
    db.selectFrom("app_grants").selectAll().where("user_id", "=", userId).where("id", ">", after).orderBy("id").limit(PAGE_ROWS).execute(),
  );
  yield* pages("order_requests", (after) =>
    db
      .selectFrom("order_requests")
      .selectAll()
      .where("user_id", "=", userId)
      .where("id", ">", after)
      .orderBy("id")
      .limit(PAGE_ROWS)
      .execute(),
  );
  yield* pages("order_attempts", (after) =>
    db
      .selectFrom("order_attempts")
      .selectAll()
      .where("user_id", "=", userId)
      .where("id", ">", after)
      .orderBy("id")
      .limit(PAGE_ROWS)
      .execute(),
  );
  yield* exportCalls(storage, userId);
}

async function* exportSignIn({ db }: Storage, userId: string): AsyncGenerator<ExportedRows> {
  yield {
    name: "password",
    rows: await db
      .selectFrom("local_accounts")
      .select(["login_name", "created_at", "password_changed_at"])
      .where("user_id", "=", userId)
      .execute(),
  };
  yield {
    name: "passkeys",
    rows: await db
      .selectFrom("passkeys")
      .select(["id", "label", "transports", "backed_up", "created_at", "last_used_at"])
      .where("user_id", "=", userId)
      .orderBy("id")
      .execute(),
  };
  yield {
    name: "accounts_elsewhere",
    rows: await db
      .selectFrom("oidc_identities")
      .select(["issuer", "subject", "email", "created_at", "last_used_at"])
      .where("user_id", "=", userId)
      .orderBy("created_at")
      .execute(),
  };
  yield {
    name: "sessions",
    rows: await db
      .selectFrom("browser_sessions")
      .select(["id", "method", "address", "user_agent", "created_at", "last_seen_at", "expires_at"])
      .where("user_id", "=", userId)
      .orderBy("id")
      .execute(),
  };
  yield {
    name: "invitations",
    rows: await db
      .selectFrom("sign_in_links")
      .select(["id", "kind", "note", "created_at", "expires_at", "used_at"])
      .where("invited_by", "=", userId)
      .orderBy("id")
      .execute(),
  };
}

function apiKeys({ db }: Storage, { userId }: { readonly userId: string }, after: string) {
  return db
    .selectFrom("api_keys")
    .select(["id", "connection_id", "prefix", "label", "scope", "allowed_account_ids", "toolsets", "limits", "pinned_account_id"])
    .select(["created_at", "expires_at", "last_used_at", "last_used_address", "last_used_client", "revoked_at"])
    .where("user_id", "=", userId)
    .where("id", ">", after)
    .orderBy("id")
    .limit(PAGE_ROWS)
    .execute();
}

async function* exportCalls({ db }: Storage, userId: string): AsyncGenerator<ExportedRows> {
  for (let after = 0; ;) {
    const rows = await db
      .selectFrom("audit_log")
      .selectAll()
      .where("user_id", "=", userId)
      .where("sequence", ">", after)
      .orderBy("sequence")
      .limit(PAGE_ROWS)
      .execute();
    yield { name: "calls", rows };
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_ROWS) return;
    after = last.sequence;
  }
}

async function* pages<Row extends { readonly id: string }>(
  name: string,
  read: (after: string) => Promise<Row[]>,
): AsyncGenerator<ExportedRows> {
  for (let after = ""; ;) {
    const rows = await read(after);
    yield { name, rows };
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_ROWS) return;
    after = last.id;
  }
}
