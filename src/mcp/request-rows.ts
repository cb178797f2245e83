import type { Clock } from "../lib/clock.ts";
import { isRecord } from "../lib/json.ts";
import type { AuditEnd, AuditLog } from "../storage/audit-log.ts";
import { type AdmittedRequest, clientOf, type Exchange, storable } from "./exchange.ts";

/** Puts requests on record that call no tool of ours; call-tool.ts writes the rows of those that do. */
export interface RequestRows {
  record(request: AdmittedRequest, method: string, end: Pick<AuditEnd, "outcome" | "code">): void;
  /** A request that the SDK has answered, and how many calls of our tools it brought. */
  recordSdk(exchange: Exchange, calls: number): void;
}

/** Makes the writer of these rows. */
export function createRequestRows(audit: Pick<AuditLog, "record">, clock: Clock): RequestRows {
  const record: RequestRows["record"] = (request, method, end) => {
    const { caller, requestId, address } = request;
    const durationUs = Math.round((clock.monotonic() - request.startedAt) * 1000);
    const who = {
      userId: caller.userId,
      callerId: caller.id,
      source: caller.source,
      scope: caller.scope,
      connectionId: caller.connectionId,
    };
    const start = { requestId, at: clock.now(), ...who, tool: method, arguments: "{}", client: clientOf(request.req), address };
    audit.record(start, { ...end, durationUs, upstreamCalls: 0 });
  };
  return {
    record,
    recordSdk: (exchange, calls) => {
      const { message, res } = exchange;
      // A batch has a row of its own beside those of its calls, because it may hold anything.
      if (calls > 0 && !Array.isArray(message)) return;
      const failed = res.statusCode >= 400;
      record(exchange, methodOf(message), { outcome: failed ? "error" : "ok", code: failed ? `http_${res.statusCode}` : undefined });
    },
  };
}

function methodOf(message: unknown): string {
  if (Array.isArray(message)) return "batch";
  return isRecord(message) && typeof message["method"] === "string" ? storable(message["method"], 64) : "invalid";
}
