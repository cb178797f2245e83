import type { AuditLog } from "../../storage/audit-log.ts";
import type { AppGrantRow } from "../../storage/app-grants.ts";

/** What happens to a grant beside its use. */
export type GrantEvent = "oauth.approved" | "oauth.revoked" | "oauth.refresh_reused" | "oauth.code_reused";

/** Puts what happens to grants into the audit log. */
export interface GrantJournal {
  /** Queues the row; never throws. */
  note(event: GrantEvent, grant: AppGrantRow, facts: { readonly requestId: string; readonly because?: string }): void;
}

/** Makes the journal over the audit log. */
export function createGrantJournal(audit: Pick<AuditLog, "record">, now: () => number): GrantJournal {
  return {
    note: (event, grant, { requestId, because }) => {
      const what = {
        client: grant.client_name,
        client_id: grant.client_id,
        redirect_uri: grant.redirect_uri,
        ...(grant.expires_at === null ? {} : { expires_at: new Date(grant.expires_at).toISOString() }),
        ...(because === undefined ? {} : { because }),
      };
      audit.record(
        {
          requestId,
          at: now(),
          userId: grant.user_id,
          callerId: grant.id,
          source: "oauth",
          scope: grant.scope === "write" ? "write" : "read",
          connectionId: grant.connection_id,
          tool: event,
          arguments: JSON.stringify(what),
          client: undefined,
          address: undefined,
        },
        { outcome: "ok", code: undefined, durationUs: 0, upstreamCalls: 0 },
      );
    },
  };
}
