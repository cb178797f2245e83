import type { z } from "zod";

import type { Mode } from "../broker/account.ts";
import type { Broker } from "../broker/broker.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import type { Secret } from "../lib/secret.ts";

/** A broker with a session that is opened on demand and can be ended. */
export interface Link extends Broker {
  /** Waits until the session is open. Throws `connection_not_ready`, `session_competing` or `upstream_unavailable`. */
  ready(signal: AbortSignal): Promise<void>;
  /** True while the session is open, as far as is known. */
  readonly isReady: boolean;
  close(): Promise<void>;
}

/** What a connection kind needs of the gateway. */
export interface UpstreamDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly fetch: typeof fetch;
  /** Base URL of the simulator inside this process; undefined where there is none. */
  readonly embeddedSimulatorUrl: string | undefined;
}

/** How one field of a kind is shown in a form. */
export interface UpstreamField {
  readonly label: string;
  /** Where a person finds it, or what it is for. */
  readonly help: string;
  /** Several lines, as a PEM block has. */
  readonly multiline?: boolean;
}

/** How a kind is offered to people; which fields there are follows from its settings and secrets. */
export interface UpstreamForm {
  /** What one gets by it, in one sentence. */
  readonly summary: string;
  /** By the names of settings and secrets; each has one. */
  readonly fields: Readonly<Record<string, UpstreamField>>;
}

/** A kind of connection: what a person enters for it, which of that is secret, and how it is opened. */
export interface Upstream<S extends z.ZodType = z.ZodType, F extends string = string> {
  /** Its name in the database. */
  readonly kind: string;
  /** Its name for people. */
  readonly title: string;
  readonly mode: Mode;
  /** The settings that are no secrets, as they are stored. */
  readonly settings: S;
  /** Names of the secrets, all of them text and required. */
  readonly secretFields: readonly F[];
  readonly form: UpstreamForm;
  /** Makes the link; nothing is sent before it is used. Throws `connection_not_ready` when settings or secrets can't be used. */
  connect(settings: z.output<S>, secrets: Readonly<Record<F, Secret>>, deps: UpstreamDeps): Link;
}

/** A stored connection: its kind, its settings as parsed JSON, and its secrets by name. */
export interface StoredConnection {
  readonly kind: string;
  readonly settings: unknown;
  readonly secrets: Readonly<Record<string, string>>;
}
