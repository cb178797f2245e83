import type { Selectable, SelectQueryBuilder } from "kysely";

import type { Database } from "./database.ts";
import type { Storage } from "./storage.ts";

/** One row of the audit log as its owner sees it. */
export type AuditEntry = Omit<Selectable<Database["audit_log"]>, "user_id" | "previous_hash" | "hash">;

/** What of a user's calls and decisions is wanted; what is left out doesn't matter. */
export interface AuditFilter {
  /** Id of a key or a grant. */
  readonly callerId?: string | undefined;
  readonly connectionId?: string | undefined;
  readonly tool?: string | undefined;
  readonly outcome?: string | undefined;
  readonly code?: string | undefined;
  /** Epoch ms, inclusive. */
  readonly from?: number | undefined;
  /** Epoch ms, exclusive. */
  readonly until?: number | undefined;
}

/** Which page of a search is wanted. */
export interface AuditSearch {
  readonly userId: string;
  readonly filter: AuditFilter;
  /** Only rows before this sequence; undefined begins with the newest. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** A page of a search, newest first. */
export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** Where the search goes on: rows before this sequence were not looked at. Undefined at the end of the log. */
  readonly next: number | undefined;
}

/** Rows that one query looks through: a few milliseconds, in which SQLite lets nobody else run. */
const WINDOW_ROWS = 20_000;
/** Windows of one page: a search for what is rare goes on where the person asks for it. */
const MAX_WINDOWS = 2;

const COLUMNS = [
  "sequence",
  "request_id",
  "at",
  "caller_id",
  "source",
  "scope",
  "connection_id",
  "tool",
  "arguments",
  "outcome",
  "code",
  "duration_us",
  "upstream_calls",
  "client",
  "address",
  "summary",
] as const;

/**
 * Finds a page of a user's calls, newest first. A filtered search looks at no more than 40,000 rows (some 10 ms); when it
 * ends before the log does, the page is short and `next` says where to go on.
 */
export async function findAuditPage(storage: Storage, { userId, filter, before, limit }: AuditSearch): Promise<AuditPage> {
  const entries: AuditEntry[] = [];
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  let bound = before;
  for (let window = 0; window < MAX_WINDOWS; window += 1) {
    const floor = isFiltered ? await windowFloor(storage, userId, bound) : undefined;
    // One more than wanted tells whether there is more.
    const wanted = limit + 1 - entries.length;
    let query = filtered(storage.db.selectFrom("audit_log").where("user_id", "=", userId), filter);
    if (bound !== undefined) query = query.where("sequence", "<", bound);
    if (floor !== undefined) query = query.where("sequence", ">=", floor);
    entries.push(...(await query.select(COLUMNS).orderBy("sequence", "desc").limit(wanted).execute()));
    if (entries.length > limit) {
      const shown = entries.slice(0, limit);
      return { entries: shown, next: shown.at(-1)?.sequence };
    }
    if (floor === undefined) return { entries, next: undefined };
    bound = floor;
  }
  return { entries, next: bound };
}

/** The lowest sequence of the window of rows below `bound`; undefined when the window reaches the beginning of the log. */
async function windowFloor({ db }: Storage, userId: string, bound: number | undefined): Promise<number | undefined> {
  let query = db.selectFrom("audit_log").select("sequence").where("user_id", "=", userId);
  if (bound !== undefined) query = query.where("sequence", "<", bound);
  const row = await query
    .orderBy("sequence", "desc")
    .offset(WINDOW_ROWS - 1)
    .limit(1)
    .executeTakeFirst();
  return row?.sequence;
}

function filtered<Row>(query: SelectQueryBuilder<Database, "audit_log", Row>, filter: AuditFilter) {
  let narrowed = query;
  if (filter.callerId !== undefined) narrowed = narrowed.where("caller_id", "=", filter.callerId);
  if (filter.connectionId !== undefined) narrowed = narrowed.where("connection_id", "=", filter.connectionId);
  if (filter.tool !== undefined) narrowed = narrowed.where("tool", "=", filter.tool);
  if (filter.outcome !== undefined) narrowed = narrowed.where("outcome", "=", filter.outcome);
  if (filter.code !== undefined) narrowed = narrowed.where("code", "=", filter.code);
  if (filter.from !== undefined) narrowed = narrowed.where("at", ">=", filter.from);
  if (filter.until !== undefined) narrowed = narrowed.where("at", "<", filter.until);
  return narrowed;
}

/** Most rows of one request: a batch holds at most as many calls. */
const MAX_ROWS_OF_REQUEST = 100;

/** Finds what a user's request did: one row, or one for each call of a batch, in their order. */
export async function findAuditRequest(
  { db }: Storage,
  { userId, requestId }: { readonly userId: string; readonly requestId: string },
): Promise<AuditEntry[]> {
  return await db
    .selectFrom("audit_log")
    .select(COLUMNS)
    .where("request_id", "=", requestId)
    .where("user_id", "=", userId)
    .orderBy("sequence")
    .limit(MAX_ROWS_OF_REQUEST)
    .execute();
}

/** Lists a user's rows that came after a sequence, oldest first. */
export async function listAuditSince(
  { db }: Storage,
  { userId, after, limit }: { readonly userId: string; readonly after: number; readonly limit: number },
): Promise<AuditEntry[]> {
  return await db
    .selectFrom("audit_log")
    .select(COLUMNS)
    .where("user_id", "=", userId)
    .where("sequence", ">", after)
    .orderBy("sequence")
    .limit(limit)
    .execute();
}

/** Finds rows of a user by their sequences, for those that may have been completed meanwhile. */
export async function listAuditSequences({ db }: Storage, userId: string, sequences: readonly number[]): Promise<AuditEntry[]> {
  if (sequences.length === 0) return [];
  return await db.selectFrom("audit_log").select(COLUMNS).where("user_id", "=", userId).where("sequence", "in", sequences).execute();
}

/** Answers the sequence of a user's newest row, 0 when there is none. */
export async function latestAuditSequence({ db }: Storage, userId: string): Promise<number> {
  const newest = db.selectFrom("audit_log").select("sequence").where("user_id", "=", userId).orderBy("sequence", "desc").limit(1);
  return (await newest.executeTakeFirst())?.sequence ?? 0;
}
