import type { BrokerageState, Session, SimUser } from "./session.ts";

/** Without any request for this long the brokerage session ends. */
const BROKERAGE_IDLE_MS = 6 * 60_000;
/** The longest that a brokerage session lives. */
const BROKERAGE_LIFETIME_MS = 24 * 60 * 60_000;
/** From `ssodh/init` to `established`. */
const ESTABLISHING_MS = 1_500;

/** Where a brokerage session stands: none, made but not usable yet, usable. */
export type BrokerageStanding = "none" | "coming_up" | "established";

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
  readonly #brokerageEnded: () => void;
  #brokerage: BrokerageState;
  #times: BrokerageTimes | undefined;

  /** `brokerageEnded` is called whenever a brokerage session that was open is gone or made anew. */
  constructor(user: SimUser, id: string, brokerageEnded: () => void) {
    this.user = user;
    this.id = id;
    this.#brokerageEnded = brokerageEnded;
    this.#brokerage = emptyBrokerage(user);
  }

  get brokerage(): BrokerageState {
    return this.#brokerage;
  }

  /** Ends a brokerage session that has outlived its limits, then counts a request at `now` as use. */
  use(now: number): void {
    if (this.standing(now) === "none") this.closeBrokerage();
    else if (this.#times !== undefined) this.#times.lastUsedAt = now;
  }

  standing(now: number): BrokerageStanding {
    const times = this.#times;
    if (times === undefined || now - times.lastUsedAt >= BROKERAGE_IDLE_MS || now - times.openedAt >= BROKERAGE_LIFETIME_MS) return "none";
    return now - times.openedAt < ESTABLISHING_MS ? "coming_up" : "established";
  }

  /** Starts a brokerage session in place of the one that may be there; everything primed is forgotten. */
  openBrokerage(now: number): void {
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
    this.#brokerageEnded();
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
  };
}
