import type { AuditLog } from "../storage/audit-log.ts";
import type { ApiKey } from "./api-keys.ts";

/** What happens to a key beside its use. */
export type KeyEvent = "apikey.created" | "apikey.revoked";

/** Who did it, and from where. */
export interface KeyEventFacts {
  readonly userId: string;
  readonly requestId: string;
  readonly address: string | undefined;
}

/** Puts what happens to keys into the audit log. */
export interface KeyJournal {
  /** Queues the row; never throws. */
  note(event: KeyEvent, key: ApiKey, facts: KeyEventFacts): void;
}

/** Makes the journal over the audit log. */
export function createKeyJournal(audit: Pick<AuditLog, "record">, now: () => number): KeyJournal {
  return {
    note: (event, key, { userId, requestId, address }) => {
      const what = {
        label: key.label,
        prefix: key.prefix,
        ...(key.allowedAccountIds === undefined ? {} : { accounts: key.allowedAccountIds.length }),
        ...(key.expiresAt === undefined ? {} : { expires_at: new Date(key.expiresAt).toISOString() }),
      };
      const start = { requestId, at: now(), userId, callerId: key.id, source: "apikey", scope: key.scope } as const;
      audit.record(
        { ...start, connectionId: key.connectionId, tool: event, arguments: JSON.stringify(what), client: undefined, address },
        { outcome: "ok", code: undefined, durationUs: 0, upstreamCalls: 0 },
      );
    },
  };
}
