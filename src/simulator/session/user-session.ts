import type { Competition } from "./competition.ts";
import type { BrokerageState, Session, SimUser } from "./session.ts";

/** Without any request for this long the brokerage session ends. */
const BROKERAGE_IDLE_MS = 6 * 60_000;
/** The longest that a brokerage session lives. */
const BROKERAGE_LIFETIME_MS = 24 * 60 * 60_000;
/** From `ssodh/init` to `established`. */
const ESTABLISHING_MS = 1_500;

/** Where a brokerage session stands: none, made but not usable yet, usable. */
export type BrokerageStanding = "none" | "coming_up" | "established";

/** What a session needs to know of the world around it. */
export interface SessionSurroundings {
  readonly competition: Competition;
  /** Epoch ms of the latest instant at which IBKR ended every session. */
  readonly lastReset: (now: number) => number;
  /** Called whenever a brokerage session that was open is gone or made anew. */
  readonly brokerageEnded: (userName: string) => void;
}

/** What status says in `fail` after an init that may not compete while another login holds the session. */
const COMPETE_FLAG_MISSING = "Force compete capability must be used together with compete flag";

interface BrokerageTimes {
  readonly openedAt: number;
  lastUsedAt: number;
}

/** One user's session: what is signed in, the brokerage session's life, and what IBKR remembers meanwhile. */
export class UserSession implements Session {
  readonly user: SimUser;
  readonly id: string;
  portfolioPrimed = false;
  readonly positionsPrimed = new Set<string>();
  readonly #surroundings: SessionSurroundings;
  #brokerage: BrokerageState;
  #times: BrokerageTimes | undefined;
  #fail = "";

  constructor(user: SimUser, id: string, surroundings: SessionSurroundings) {
    this.user = user;
    this.id = id;
    this.#surroundings = surroundings;
    this.#brokerage = emptyBrokerage(user);
  }

  get brokerage(): BrokerageState {
    return this.#brokerage;
  }

  /** Another login holds this user's brokerage session, or stands beside ours. */
  get competing(): boolean {
    return this.#surroundings.competition.of(this.user.userName) !== undefined;
  }

  /** Both are authenticated at once, another login and ours. */
  standsBesideAnother(now: number): boolean {
    return this.competing && this.standing(now) !== "none";
  }

  /** Why the last init came to nothing, in IBKR's words; empty when it did not. */
  get fail(): string {
    return this.competing ? this.#fail : "";
  }

  /** Ends a brokerage session that has outlived its limits, then counts a request at `now` as use. */
  use(now: number): void {
    if (this.standing(now) === "none") this.closeBrokerage();
    else if (this.#times !== undefined) this.#times.lastUsedAt = now;
  }

  standing(now: number): BrokerageStanding {
    const times = this.#times;
    if (times === undefined || now - times.lastUsedAt >= BROKERAGE_IDLE_MS || now - times.openedAt >= BROKERAGE_LIFETIME_MS) return "none";
    if (times.openedAt < this.#surroundings.lastReset(now)) return "none";
    if (this.competing) return "coming_up";
    return now - times.openedAt < ESTABLISHING_MS ? "coming_up" : "established";
  }

  /**
   * Starts a brokerage session in place of the one that may be there; everything primed is forgotten. Another login that
   * holds the session gives it up to one who competes, if it yields; otherwise nothing is started.
   */
  openBrokerage(now: number, compete: boolean): void {
    const { competition } = this.#surroundings;
    const other = competition.of(this.user.userName);
    this.#fail = compete ? "" : COMPETE_FLAG_MISSING;
    if (other !== undefined && (!compete || !other.yields)) return;
    competition.leave(this.user.userName);
    this.closeBrokerage();
    this.#brokerage = emptyBrokerage(this.user);
    this.portfolioPrimed = false;
    this.positionsPrimed.clear();
    this.#times = { openedAt: now, lastUsedAt: now };
  }

  closeBrokerage(): void {
    if (this.#times === undefined) return;
    this.#times = undefined;
    this.#brokerage = emptyBrokerage(this.user);
    this.#surroundings.brokerageEnded(this.user.userName);
  }
}

function emptyBrokerage(user: SimUser): BrokerageState {
  return {
    accountsPrimed: false,
    ordersPrimed: false,
    tradesPrimed: false,
    selectedAccountId: user.accountIds[0] ?? "",
    searchedConids: new Set(),
    streams: new Map(),
    suppressedMessageIds: new Set(),
    pnlPrimed: false,
    ordersMuted: false,
  };
}
