import type { z } from "zod";

import type { Mode } from "../broker/account.ts";
import type { Broker } from "../broker/broker.ts";
import type { LinkHealth } from "../broker/health.ts";
import type { UserBudgets } from "../ibkr/user-budgets.ts";
import type { SocketEdge } from "../ibkr/socket-edge.ts";
import type { StreamFigures } from "../ibkr/stream.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Random } from "../lib/random.ts";
import type { Secret } from "../lib/secret.ts";
import type { SimulatorCredentials } from "../simulator/index.ts";
import type { ShownCertificate } from "./gateway-certificate.ts";
import type { HostPolicy } from "./host-policy.ts";

/** A broker with a session that is opened on demand and can be ended. */
export interface Link extends Broker {
  /** Waits until the session is open. Throws `connection_not_ready`, `connection_frozen`, `session_competing` or `upstream_unavailable`. */
  ready(signal: AbortSignal): Promise<void>;
  /** True while the session is open, as far as is known. */
  readonly isReady: boolean;
  /** What is known of it by layer. Never asks upstream. */
  health(): LinkHealth;
  /** As `ready`, but at once even in a pause, because a person asked; at most every ten seconds. */
  check(signal: AbortSignal): Promise<void>;
  /** Takes the brokerage session from another login of the same user: an explicit act of a person. Throws as `ready` does. */
  takeOver(signal: AbortSignal): Promise<void>;
  /** Told after each change of health. Returns how to stop. */
  onHealth(listener: (health: LinkHealth) => void): () => void;
  /** Whether quotes come by the stream or by polling, and what it has done; undefined where there is none. For metrics. */
  streamFigures(): StreamFigures | undefined;
  close(): Promise<void>;
}

/** The gateway's own simulator: the one inside this process, or the one that `SIMULATOR_URL` names. */
export interface OwnSimulator {
  /** Ends in `/v1/api`. */
  readonly baseUrl: string;
  /** Not kept in any row, since the simulator may get new ones. */
  readonly credentials: SimulatorCredentials;
  /** Public half (PEM) of the key with which it proves itself. */
  readonly proofKey: string;
}

/** What a connection kind needs of the gateway. */
export interface UpstreamDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly fetch: typeof fetch;
  /** Opens WebSockets, where that isn't done in the ordinary way. */
  readonly socket?: SocketEdge | undefined;
  /** What the connection was made for. Its broker has to prove it in each session. */
  readonly expectedMode: Mode;
  /** What connections to `embedded` reach; undefined where the gateway has no simulator of its own. */
  readonly embeddedSimulator: OwnSimulator | undefined;
  /** Decides which addresses that a person named may be reached. */
  readonly hostPolicy: HostPolicy;
  /** The budgets of IBKR's users, shared by all links of a user. Without them each link has one of its own, as in tests of one link. */
  readonly budgets?: UserBudgets | undefined;
  /** In place of IBKR's own addresses, by region. For tests only. */
  readonly ibkrBaseUrls?: Readonly<Record<string, string>> | undefined;
}

/** How one field of a kind is shown in a form. */
export interface UpstreamField {
  readonly label: string;
  /** Where a person finds it, or what it is for. */
  readonly help: string;
  /** Several lines, as a PEM block has. */
  readonly multiline?: boolean;
  /** True for what `prepare` makes: a person enters it only if they have it from before. */
  readonly isMade?: boolean;
  /** Words for the values of a choice, where they don't speak for themselves. */
  readonly choices?: Readonly<Record<string, string>>;
}

/** How a kind is offered to people; which fields there are follows from its settings and secrets. */
export interface UpstreamForm {
  /** What one gets by it, in one sentence. */
  readonly summary: string;
  /** By the names of settings and secrets; each has one. */
  readonly fields: Readonly<Record<string, UpstreamField>>;
}

/** One step of a set-up: what a person reads and enters there. */
export interface SetUpStep {
  /** Its name in the address: lower-case letters and hyphens. */
  readonly id: string;
  readonly title: string;
  /** Plain paragraphs, parted by blank lines. */
  readonly text: string;
  /** Names of the settings and secrets that are entered here. */
  readonly fields: readonly string[];
  /** True where the person takes the public files along. */
  readonly offersFiles?: boolean;
  /** The page at IBKR where the step is done, or one that helps. */
  readonly link?: string;
}

/** A file that the person takes to IBKR. Never secret. */
export interface PublicFile {
  readonly name: string;
  readonly description: string;
  readonly content: string;
}

/** What is wrong with one field, and the cure. */
export interface EntryFault {
  readonly field: string;
  readonly message: string;
  readonly whatToDo: string;
}

/** A kind of connection: what a person enters for it, which of that is secret, and how it is opened. */
export interface Upstream<S extends z.ZodType = z.ZodType, F extends string = string> {
  /** Its name in the database. */
  readonly kind: string;
  /** Its name for people. */
  readonly title: string;
  /** What it may reach. Of several, the person chooses one: stored with the connection, proven in each session, never changed. */
  readonly modes: readonly Mode[];
  /** The settings that are no secrets, as they are stored. */
  readonly settings: S;
  /** Names of the secrets, all of them text. */
  readonly secretFields: readonly F[];
  /** Which of the secrets these settings need; all of them where it isn't given. */
  neededSecrets?(settings: z.output<S>, embeddedSimulator?: OwnSimulator): readonly F[];
  /** Settings that hold an address of the person's own: the host policy decides about them. */
  readonly addressFields?: readonly string[];
  /** True where IBKR itself tells who is logged in. A server that a person named may claim to be anybody. */
  readonly vouchesForUserName?: boolean;
  /** What tells its logins apart, as far as settings tell: two connections with the same take the session from each other. */
  loginOf?(settings: z.output<S>): string | undefined;
  readonly form: UpstreamForm;
  /** The steps of the set-up, in order; each field stands in one of them. */
  readonly steps: readonly SetUpStep[];
  /** Makes what a person need not make themselves, such as keys: secrets by name. */
  prepare?(random: Random): Promise<Partial<Record<F, string>>>;
  /** Files that the person takes to IBKR: made from the secrets, never secret themselves. Empty while a secret for them is missing. */
  publicFiles?(secrets: Partial<Readonly<Record<F, string>>>): readonly PublicFile[];
  /** Where a person confirms the other side's certificate: the field that takes its fingerprint, and how it is read from there. */
  readonly certificate?: {
    readonly field: string;
    /** Undefined where there is none to confirm. Throws `GatewayError` as `readGatewayCertificate` does. */
    read(values: Readonly<Record<string, string>>, hostPolicy: HostPolicy, signal: AbortSignal): Promise<ShownCertificate | undefined>;
  };
  /** Writes a field's text as it is stored: trimmed, its line ends and case put right. */
  normalize?(field: string, text: string): string;
  /** Faults that can be found without asking anybody, in settings and secrets entered so far (what isn't entered yet is no fault). */
  check?(values: Readonly<Record<string, string>>): readonly EntryFault[];
  /** When, at the latest, what is set up at the broker now comes into force there (epoch ms, nightly resets only); not given where it does at once. */
  activeFrom?(values: Readonly<Record<string, string>>, now: number): number;
  /** Makes the link; nothing is sent before it is used. Throws `connection_not_ready` when settings or secrets can't be used. */
  connect(settings: z.output<S>, secrets: Readonly<Record<F, Secret>>, deps: UpstreamDeps): Link;
}

/** A stored connection: its kind, its settings as parsed JSON, and its secrets by name. */
export interface StoredConnection {
  readonly kind: string;
  readonly settings: unknown;
  readonly secrets: Readonly<Record<string, string>>;
}
