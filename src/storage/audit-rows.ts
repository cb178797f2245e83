import type { CompiledQuery, Kysely } from "kysely";

import type { AuditEnd, AuditStart } from "./audit-log.ts";
import type { Database } from "./database.ts";
import type { SqlValue, Storage } from "./storage.ts";
import { storedText } from "./stored-text.ts";

/** The values of one row in the order of `COLUMNS`. */
export type AuditRow = readonly SqlValue[];

/** Rows that one statement inserts; any number is made of these, so that four compiled queries serve all. */
const INSERT_SIZES = [64, 16, 4, 1] as const;

/** Bounds of what comes from outside; longer text is cut. */
const MAX_NAME = 128;
const MAX_CLIENT = 200;
const MAX_ARGUMENTS = 8_192;
const MAX_SUMMARY = 200;

const BLANK = {
  request_id: "",
  at: 0,
  user_id: "",
  caller_id: "",
  source: "",
  scope: "",
  connection_id: "",
  tool: "",
  arguments: "",
  outcome: "",
  code: "",
  duration_us: 0,
  upstream_calls: 0,
  client: "",
  address: "",
  summary: "",
};

/** Makes the row of a call that is under way, or of one that has ended. */
export function auditRow(start: AuditStart, end: AuditEnd | undefined): AuditRow {
  return [
    storedText(start.requestId, MAX_NAME),
    start.at,
    start.userId,
    start.callerId,
    start.source,
    start.scope,
    start.connectionId,
    storedText(start.tool, MAX_NAME),
    start.arguments.length <= MAX_ARGUMENTS ? storedText(start.arguments, MAX_ARGUMENTS) : JSON.stringify({ cut: true }),
    end?.outcome ?? "started",
    end?.code ?? null,
    end === undefined ? null : Math.round(end.durationUs),
    end?.upstreamCalls ?? null,
    start.client === undefined ? null : storedText(start.client, MAX_CLIENT),
    start.address === undefined ? null : storedText(start.address, MAX_NAME),
    summaryOf(end),
  ];
}

/** Prepares the insertion of many rows; each call belongs into one transaction when it must be all or nothing. */
export function prepareAuditInsert(storage: Storage): (db: Kysely<Database>, rows: readonly AuditRow[]) => Promise<void> {
  const queries = new Map<number, CompiledQuery>(
    INSERT_SIZES.map((size) => [
      size,
      storage.db
        .insertInto("audit_log")
        .values(Array.from({ length: size }, () => BLANK))
        .compile(),
    ]),
  );
  return async (db, rows) => {
    let written = 0;
    for (const [size, query] of queries) {
      for (; rows.length - written >= size; written += size) {
        await db.executeQuery({ ...query, parameters: rows.slice(written, written + size).flat() });
      }
    }
  };
}

/** Completes the row of a call under way. Answers false when there is none. */
export async function completeAuditRow(db: Kysely<Database>, requestId: string, end: AuditEnd): Promise<boolean> {
  const result = await db
    .updateTable("audit_log")
    .set({
      outcome: end.outcome,
      code: end.code ?? null,
      duration_us: Math.round(end.durationUs),
      upstream_calls: end.upstreamCalls,
      summary: summaryOf(end),
    })
    .where("request_id", "=", storedText(requestId, MAX_NAME))
    .where("outcome", "=", "started")
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

function summaryOf(end: AuditEnd | undefined): string | null {
  return end?.summary === undefined ? null : storedText(end.summary, MAX_SUMMARY);
}
