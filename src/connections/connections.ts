import type { Broker } from "../broker/broker.ts";

/** Names a connection together with its owner, so that nobody opens another user's. */
export interface ConnectionRef {
  readonly connectionId: string;
  readonly userId: string;
}

/** A connection that is ready to be used. */
export interface OpenConnection {
  readonly connectionId: string;
  readonly label: string;
  readonly broker: Broker;
}

/** The pool of live links: opens on first use (one opening at a time per connection), keeps sessions alive, reopens what was lost. */
export interface Connections {
  /** Throws `GatewayError` `connection_not_ready`, `session_competing` or `upstream_unavailable`. */
  open(ref: ConnectionRef, signal: AbortSignal): Promise<OpenConnection>;
  /** Ends all sessions; further `open` calls are refused. */
  close(): Promise<void>;
}
