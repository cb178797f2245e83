import type { Clock } from "../lib/clock.ts";
import { type Random, randomId } from "../lib/random.ts";
import type { AuditLog } from "../storage/audit-log.ts";

/** What a person decides about a connection. */
export type ConnectionEvent =
  | "connection.created"
  | "connection.renamed"
  | "connection.paused"
  | "connection.resumed"
  | "connection.kept_open"
  | "connection.opens_on_demand"
  | "connection.session_taken_over"
  | "connection.live_trading_allowed"
  | "connection.live_trading_stopped"
  | "connection.credentials_replaced"
  | "connection.deleted";

/** A connection as it is put on record: its name stays readable when it is deleted. */
export interface JournaledConnection {
  readonly connectionId: string;
  readonly userId: string;
  readonly label: string;
  readonly mode: string;
  readonly kind: string;
}

/** Who decided it, from where, and what else belongs to it. */
export interface ConnectionEventFacts {
  readonly userId: string;
  readonly requestId: string;
  readonly address: string | undefined;
  /** Further facts by name; never a secret. */
  readonly details?: Readonly<Record<string, string | number>>;
  /** One short line for the list. */
  readonly summary?: string;
}

/** Puts what happens to connections into the audit log. */
export interface ConnectionJournal {
  /** Queues the row of a person's decision; never throws. */
  note(event: ConnectionEvent, connection: JournaledConnection, facts: ConnectionEventFacts): void;
  /** Queues the row of a connection that the gateway froze because the broker proved another kind of account; never throws. */
  noteFrozen(connection: JournaledConnection, because: string): void;
}

export interface ConnectionJournalDeps {
  readonly audit: Pick<AuditLog, "record">;
  readonly clock: Pick<Clock, "now">;
  readonly random: Random;
}

const DONE = { outcome: "ok", code: undefined, durationUs: 0, upstreamCalls: 0 } as const;

/** Makes the journal over the audit log. */
export function createConnectionJournal({ audit, clock, random }: ConnectionJournalDeps): ConnectionJournal {
  const start = ({ connectionId, userId, label, mode, kind }: JournaledConnection, details: ConnectionEventFacts["details"] = {}) => ({
    at: clock.now(),
    userId,
    scope: "write" as const,
    connectionId,
    arguments: JSON.stringify({ connection: label, mode, kind, ...details }),
    client: undefined,
  });
  return {
    note: (event, connection, { userId, requestId, address, details, summary }) => {
      const who = { source: "person", callerId: userId, requestId, address } as const;
      audit.record({ ...start(connection, details), ...who, tool: event }, { ...DONE, summary });
    },
    noteFrozen: (connection, because) => {
      const who = { source: "gateway", callerId: "gateway", requestId: randomId(random, "req_"), address: undefined } as const;
      audit.record({ ...start(connection), ...who, tool: "connection.frozen" }, { ...DONE, summary: because });
    },
  };
}
