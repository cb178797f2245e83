/** A consumer's user: who signs in, and which accounts it may use. */
export interface SimUser {
  readonly userName: string;
  readonly userId: number;
  readonly paper: boolean;
  /** The advisor's own account, for a user who manages the accounts of others; such a user may also choose `All`. */
  readonly masterAccountId?: string | undefined;
  /** Account ids, the default first. */
  readonly accountIds: readonly string[];
}

/** What IBKR remembers between the calls of one user's session; brokerage state is made anew by each init and logout. */
export interface Session {
  readonly user: SimUser;
  /** Value of `tickle.session`. */
  readonly id: string;
  readonly brokerage: BrokerageState;
  /** `GET /portfolio/accounts` (or subaccounts) has been called. */
  portfolioPrimed: boolean;
  /** Accounts whose positions have been read once (the first read is sparse). */
  readonly positionsPrimed: Set<string>;
}

/** State of one brokerage session: what is primed, open, suppressed and searched. */
export interface BrokerageState {
  accountsPrimed: boolean;
  ordersPrimed: boolean;
  tradesPrimed: boolean;
  selectedAccountId: string;
  /** Underlyings that a search has named. */
  readonly searchedConids: Set<number>;
  /** Open market data streams: conid → epoch ms when it was opened or last asked for. */
  readonly streams: Map<number, { openedAt: number; lastUsedAt: number; polls: number }>;
  readonly suppressedMessageIds: Set<string>;
  /** Profit and loss was asked for over REST, or streamed once: from then on REST answers it. */
  pnlPrimed: boolean;
  /** Live orders were last asked for with filters, which mutes the order stream until they are asked for with `force`. */
  ordersMuted: boolean;
}
