import type { Account, Mode } from "../broker/account.ts";
import type { Broker } from "../broker/broker.ts";
import type { HealthFault, LinkHealth, SessionStateName } from "../broker/health.ts";
import type { StreamTotals } from "./stream-totals.ts";

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

/** Everything that is known of a connection without asking its broker. Times are epoch ms. */
export interface ConnectionHealth {
  readonly connectionId: string;
  readonly label: string;
  readonly kind: string;
  readonly mode: Mode;
  readonly isDemo: boolean;
  readonly createdAt: number;
  /** When its owner paused it; undefined while it works. */
  readonly pausedAt: number | undefined;
  /** When the broker proved another mode, and which. */
  readonly frozenAt: number | undefined;
  readonly frozenBecause: string | undefined;
  /** Its session is kept open while nobody calls. */
  readonly keepWarm: boolean;
  readonly liveTradingEnabledAt: number | undefined;
  /** When the gateway stopped orders on it, and why; undefined while they may pass. */
  readonly ordersStopped: { readonly at: number; readonly because: string } | undefined;
  /** IBKR's user name, as the broker told it last. */
  readonly userName: string | undefined;
  /** Its accounts as listed at the last opening. */
  readonly accounts: readonly Account[] | undefined;
  /** When its session was last seen established. */
  readonly verifiedAt: number | undefined;
  /** What its last opening failed for; undefined after one that worked. */
  readonly lastFault: HealthFault | undefined;
  /** The live session's layers; those of a session that is closed where there is none. */
  readonly link: LinkHealth;
  /** Labels of this user's other connections with the same IBKR user name: they take the one session from each other. */
  readonly sharesUserNameWith: readonly string[];
  /** True when another person's connection has the same IBKR user name. */
  readonly sharedWithOthers: boolean;
}

/** A person's test of a connection. */
export interface ConnectionTest {
  readonly signal: AbortSignal;
  /** Told each time that a layer settles. */
  readonly onProgress: (health: LinkHealth) => void;
}

/** The pool of live links: opens on first use (one opening at a time per connection), keeps sessions alive, reopens what was lost. */
export interface Connections {
  /**
   * Throws `GatewayError` `connection_paused`, `connection_frozen`, `connection_not_ready`, `session_competing` or
   * `upstream_unavailable`.
   */
  open(ref: ConnectionRef, signal: AbortSignal): Promise<OpenConnection>;
  /** What is known of a connection of this user; undefined when there is no such. Never asks upstream. */
  health(ref: ConnectionRef): Promise<ConnectionHealth | undefined>;
  /** The same of all connections of a user, oldest first. */
  healthOfAll(userId: string): Promise<readonly ConnectionHealth[]>;
  /** Opens the session, also in a pause, and reads accounts and one quote. Never throws for what it finds: the answer tells it. */
  test(ref: ConnectionRef, test: ConnectionTest): Promise<LinkHealth>;
  /** Takes the brokerage session from another login of the same IBKR user: an explicit act of a person. Throws as `open` does. */
  takeOver(ref: ConnectionRef, signal: AbortSignal): Promise<LinkHealth>;
  /** Ends the session, and sends nothing until it is resumed. */
  pause(ref: ConnectionRef): Promise<void>;
  resume(ref: ConnectionRef): Promise<void>;
  /** Keeps the session open while nobody calls, or no more. */
  setKeepWarm(ref: ConnectionRef, on: boolean): Promise<void>;
  /** Ends the live session of a connection that changed or is being deleted; the next call opens it from what is stored then. */
  forget(connectionId: string): Promise<void>;
  /** The same for all connections of a user. */
  forgetUser(userId: string): Promise<void>;
  /** Tells of changes of one user's connections from now on. Returns how to stop. */
  onChange(userId: string, listener: () => void): () => void;
  /** Opens the sessions that are kept warm, a few at a time; what fails is tried again by itself. */
  warmUp(): Promise<void>;
  /** How many live links are in each state, of all users together. */
  linkStates(): Readonly<Record<SessionStateName, number>>;
  /** What the streams of all links come to, of all users together. */
  streamTotals(): StreamTotals;
  /** Ends all sessions; further `open` calls are refused. */
  close(): Promise<void>;
}
