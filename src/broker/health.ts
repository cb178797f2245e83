import type { ErrorCode } from "../lib/errors.ts";
import type { Account, Mode } from "./account.ts";

/** What a working connection stands on, from the wire upwards. A kind without a layer leaves it out (a gateway has no consumer). */
export const HEALTH_LAYERS = ["network", "oauth_consumer", "live_session_token", "sso", "brokerage_session", "market_data"] as const;

export type HealthLayer = (typeof HEALTH_LAYERS)[number];

/** `unknown`: not tried since the gateway started; `working`: being opened now; `waiting`: down, and tried again at `retryAt`. */
export type LayerState = "unknown" | "working" | "ok" | "waiting" | "down";

/** One layer's condition. */
export interface LayerHealth {
  readonly layer: HealthLayer;
  readonly state: LayerState;
  /** When it entered this state, epoch ms. */
  readonly since: number;
  /** What went wrong last, in words, and how to mend it; kept after it was mended, until the next failure. */
  readonly lastError: HealthFault | undefined;
}

/** A failure as people are told of it. */
export interface HealthFault {
  readonly code: ErrorCode;
  readonly message: string;
  readonly whatToDo: string;
  /** A page that helps: one of ours (`/help/…`) or IBKR's login. */
  readonly link: string | undefined;
  readonly at: number;
}

/**
 * State of a link's session; `src/ibkr/session-state.ts` has the transitions.
 * `frozen`: the broker proved another mode than the connection was made for; nothing is sent until its owner sets it up anew.
 */
export type SessionStateName = "closed" | "opening" | "established" | "backing_off" | "competing" | "logged_out" | "frozen";

/** Everything that is known of a link without asking upstream. */
export interface LinkHealth {
  readonly state: SessionStateName;
  readonly since: number;
  /** What the broker proved in this session; undefined before the first. */
  readonly provenMode: Mode | undefined;
  /** IBKR's user name, once the broker told it. */
  readonly userName: string | undefined;
  /** Accounts as listed at the last opening. */
  readonly accounts: readonly Account[] | undefined;
  /** When the session was last seen established, epoch ms. */
  readonly verifiedAt: number | undefined;
  /** When the next attempt is allowed, while `backing_off`. */
  readonly retryAt: number | undefined;
  /** In order, from the wire upwards. */
  readonly layers: readonly LayerHealth[];
}
