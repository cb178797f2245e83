import { type AuditEntry, type AuditFilter, findAuditPage } from "../../storage/audit-search.ts";
import type { Storage } from "../../storage/storage.ts";
import { type CallNames, findCallNames } from "./call-row.tsx";

/** Calls read at once: however long the record is, only these are in memory. */
const PAGE_ROWS = 500;

/** The file formats of an export. */
export type ExportFormat = "csv" | "jsonl";

/** Columns of the table, and members of each line's object, in this order. */
const FIELDS = [
  "time",
  "request_id",
  "tool",
  "outcome",
  "code",
  "caller_id",
  "caller",
  "source",
  "scope",
  "connection_id",
  "connection",
  "duration_ms",
  "upstream_calls",
  "client",
  "address",
  "arguments",
  "summary",
] as const;

/** Whose calls to write, and which of them. */
export interface ActivityExport {
  readonly userId: string;
  readonly filter: AuditFilter;
  readonly format: ExportFormat;
}

/** Writes all calls that fit a filter, newest first, while they are read: a table with a heading line, or an object a line. */
export function activityExport(storage: Storage, wanted: ActivityExport): ReadableStream<Uint8Array> {
  const parts = writePages(storage, wanted);
  const encoder = new TextEncoder();
  return new ReadableStream({
    pull: async (controller) => {
      const { value, done } = await parts.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    cancel: async () => {
      await parts.return(undefined);
    },
  });
}

async function* writePages(storage: Storage, { userId, filter, format }: ActivityExport): AsyncGenerator<string> {
  if (format === "csv") yield csvLine(FIELDS);
  for (let before: number | undefined; ;) {
    const { entries, next } = await findAuditPage(storage, { userId, filter, before, limit: PAGE_ROWS });
    const names = await findCallNames(storage, userId, entries);
    if (entries.length > 0) yield entries.map((entry) => lineOf(entry, names, format)).join("");
    if (next === undefined) return;
    before = next;
  }
}

function lineOf(entry: AuditEntry, names: CallNames, format: ExportFormat): string {
  const record = recordOf(entry, names);
  if (format === "csv") return csvLine(FIELDS.map((name) => record[name]));
  return `${JSON.stringify({ ...record, arguments: parsed(entry.arguments) })}\n`;
}

type ExportedRecord = Readonly<Record<(typeof FIELDS)[number], string | number | null>>;

function recordOf(entry: AuditEntry, { callers, connections }: CallNames): ExportedRecord {
  return {
    time: new Date(entry.at).toISOString(),
    request_id: entry.request_id,
    tool: entry.tool,
    outcome: entry.outcome,
    code: entry.code,
    caller_id: entry.caller_id,
    caller: callers.get(entry.caller_id)?.name ?? null,
    source: entry.source,
    scope: entry.scope,
    connection_id: entry.connection_id,
    connection: connections.get(entry.connection_id)?.label ?? null,
    duration_ms: entry.duration_us === null ? null : entry.duration_us / 1_000,
    upstream_calls: entry.upstream_calls,
    client: entry.client,
    address: entry.address,
    arguments: entry.arguments,
    summary: entry.summary,
  };
}

/** Stored arguments are JSON text of ours; what isn't stays text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** One line as RFC 4180 has it. */
function csvLine(cells: readonly (string | number | null)[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}

/**
 * A cell, in quotes where needed. Spreadsheets take text that begins with one of these characters for a formula, and hosts choose
 * their names: such text gets an apostrophe in front.
 */
export function csvCell(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const safe = /^\s*[=+\-@\t\r\n|%]/.test(value) ? `'${value}` : value;
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
