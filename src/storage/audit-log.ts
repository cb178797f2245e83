/** What is known of an `/mcp` call or a decision when it begins. Arguments are redacted before they come here. */
export interface AuditStart {
  readonly requestId: string;
  readonly at: number;
  readonly userId: string;
  /** Id of a key, a grant, or of the person. */
  readonly callerId: string;
  /** A person decides in the console; the gateway decides by itself for safety's sake. */
  readonly source: "apikey" | "oauth" | "person" | "gateway";
  readonly scope: "read" | "write";
  readonly connectionId: string;
  /** Tool name, or the MCP method where no tool was called. */
  readonly tool: string;
  /** JSON text, redacted. */
  readonly arguments: string;
  readonly client: string | undefined;
  readonly address: string | undefined;
}

/** What is known when it has ended. */
export interface AuditEnd {
  readonly outcome: "ok" | "error" | "cancelled" | "input_required";
  readonly code: string | undefined;
  readonly durationUs: number;
  readonly upstreamCalls: number;
  /** What came of it, in one short line without account numbers. */
  readonly summary?: string | undefined;
}

/**
 * Writes a row per call. Reads go through a queue in memory that is flushed within a fraction of a second and on close;
 * calls that may place or cancel an order are written before they run and completed before they are answered.
 */
export interface AuditLog {
  /** Queues the row of a finished read; never throws. */
  record(start: AuditStart, end: AuditEnd): void;
  /** Writes the row of a call that may change something; resolves once it is on disk. The call must not run before. */
  begin(start: AuditStart): Promise<void>;
  /** Completes the row that `begin` wrote. */
  complete(requestId: string, end: AuditEnd): Promise<void>;
  /** False while the queue is full because the database fails: new calls must be refused, they could not be put on record. */
  hasRoom(): boolean;
  /** Writes what is queued. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
