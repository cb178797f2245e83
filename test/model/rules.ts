/** Rules of the order protocol. Each can be taken away alone, to show which promise it guards. */

/** The protocol with all its rules. */
export const PROTOCOL = {
  /** A request's row is written when its call arrives. An equal order without a client order id is refused while the first is open or placed. */
  guardsOnArrival: true,
  /** IBKR's lists prove that an order is present, never that it is absent. Absence takes IBKR's definite no, or the user's decision. */
  listsNeverProveAbsence: true,
  /** An order keeps its cOID until IBKR has refused that cOID definitely. */
  keepsCoid: true,
  /** Key, switches and limits are checked in the transaction that permits the sending. The permission lasts for a moment only. */
  asksAgain: true,
  /** Processes know who lives: rows of dead processes count as "may be at IBKR", and only a living process judges its own exchange. */
  knowsWhoLives: true,
  /** At most one order per account is sending over all processes: the turn is a row, not a lock in memory. */
  turnIsARow: true,
  /** Off until a paper order has shown that IBKR refuses a cOID twice. On, a repeat may send a cOID of unknown outcome again. */
  trustsRefusals: false,
};

/** Rules that apply in one search. */
export type Rules = { readonly [Rule in keyof typeof PROTOCOL]: boolean };

/** A protocol without any of the rules. */
export const WITHOUT_RULES: Rules = {
  guardsOnArrival: false,
  listsNeverProveAbsence: false,
  keepsCoid: false,
  asksAgain: false,
  knowsWhoLives: false,
  turnIsARow: false,
  trustsRefusals: false,
};

/** Ticks a call waits for IBKR's response before it may give up. One tick is the longest such wait. */
export const ANSWER_LIMIT = 1;

/** Ticks a call may wait for the account's turn. */
export const TURN_LIMIT = 1;

/** Ticks after a sending, by a clock that nothing sets, from which the user may decide "it is not there". */
export const USER_AFTER = 4;

/** Ticks after a sending, by a clock that nothing sets, within which `trustsRefusals` may send its cOID again. */
export const RESEND_WITHIN = 4;

/** Wall-clock age below which lists judge no sending attempt. Read only where lists prove absence. */
export const IN_FLIGHT = 2;

/** Wall-clock age from which lists prove absence. Read only where lists prove absence. */
export const ABSENT_AFTER = 3;
