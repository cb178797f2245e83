/** What an order passes on its way: idempotency, submission at most once, questions, confirmation, reconciliation. */
export interface Trading {
  /** Settles attempts whose outcome a crash or a lost answer left open, by looking up each attempt's order id at the broker. */
  reconcile(): Promise<void>;
  close(): Promise<void>;
}
