import type { Clock } from "../lib/clock.ts";
import { type Random, randomId } from "../lib/random.ts";
import type { AuditLog } from "../storage/audit-log.ts";

/** What a user decides about a connection, or an order on it. */
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
  | "connection.orders_resumed"
  | "connection.credentials_replaced"
  | "connection.deleted"
  | "order.found"
  | "order.cancelled_at_broker"
  | "order.not_found";

/** What the gateway does to a connection or an order by itself. */
export type GatewayEvent = "connection.frozen" | "connection.orders_stopped" | "order.unresolved";

/** Why the gateway did it, and what else belongs to it. */
export interface GatewayEventFacts {
  /** One short line for the list. */
  readonly because: string;
  /** Counts it as a failure under this code. */
  readonly code?: string;
  /** Further facts by name; never a secret. */
  readonly details?: ConnectionEventFacts["details"];
}

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
  /** Queues the row of what the gateway did by itself; never throws. */
  noteByGateway(event: GatewayEvent, connection: JournaledConnection, facts: GatewayEventFacts): void;
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
    noteByGateway: (event, connection, { because, code, details }) => {
      const who = { source: "gateway", callerId: "gateway", requestId: randomId(random, "req_"), address: undefined } as const;
      const end = code === undefined ? DONE : { ...DONE, outcome: "error" as const, code };
      audit.record({ ...start(connection, details), ...who, tool: event }, { ...end, summary: because });
    },
  };
}
