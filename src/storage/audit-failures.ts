import type { Storage } from "./storage.ts";

/** Failures of one tool with one code on one connection. */
export interface AuditFailures {
  readonly code: string | null;
  readonly tool: string;
  readonly connectionId: string;
  readonly count: number;
  readonly firstAt: number;
  readonly lastAt: number;
  /** Request that failed last. */
  readonly lastRequestId: string;
  /** What came of it, in one line. */
  readonly lastSummary: string | null;
}

/** Most groups listed; the latest come first. */
const MAX_GROUPS = 200;

/** Groups a user's failures since a time by code, tool and connection, the latest first; at most 200 groups. */
export async function listAuditFailures(
  { db }: Storage,
  { userId, since }: { readonly userId: string; readonly since: number },
): Promise<AuditFailures[]> {
  const groups = await db
    .selectFrom("audit_log")
    .select(({ fn }) => [
      "code",
      "tool",
      "connection_id",
      fn.countAll<number>().as("count"),
      fn.min<number>("at").as("first_at"),
      fn.max<number>("at").as("last_at"),
      fn.max<number>("sequence").as("last_sequence"),
    ])
    .where("user_id", "=", userId)
    .where("outcome", "=", "error")
    .where("at", ">=", since)
    .groupBy(["code", "tool", "connection_id"])
    .orderBy("last_sequence", "desc")
    .limit(MAX_GROUPS)
    .execute();
  if (groups.length === 0) return [];
  const lasts = await db
    .selectFrom("audit_log")
    .select(["sequence", "request_id", "summary"])
    .where("user_id", "=", userId)
    .where(
      "sequence",
      "in",
      groups.map((group) => group.last_sequence),
    )
    .execute();
  const bySequence = new Map(lasts.map((last) => [last.sequence, last]));
  return groups.map((group) => {
    const last = bySequence.get(group.last_sequence);
    return {
      code: group.code,
      tool: group.tool,
      connectionId: group.connection_id,
      count: group.count,
      firstAt: group.first_at,
      lastAt: group.last_at,
      lastRequestId: last?.request_id ?? "",
      lastSummary: last?.summary ?? null,
    };
  });
}
