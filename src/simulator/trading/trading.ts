import type { AccountHistory } from "./net-asset-values.ts";
import type { OrderDesk } from "./order-desk.ts";
import type { Execution, SimAccount, SimOrder } from "./records.ts";
import type { AccountValuation } from "./valuation.ts";

/**
 * The simulated brokerage: accounts, order book, fills, cash and positions.
 * Its endpoints and its engine are in this folder; the server only needs `accountIds`, `advance`, `sessionEnded` and `close`.
 */
export interface Trading {
  /** Account ids that exist, the default first. */
  readonly accountIds: readonly string[];
  /** Takes, changes and cancels orders. */
  readonly desk: OrderDesk;
  account(accountId: string): SimAccount | undefined;
  /** What an account holds and is worth at an instant. Throws `RangeError` for an unknown account. */
  valuation(accountId: string, at: number): AccountValuation;
  order(orderId: number): SimOrder | undefined;
  /** Orders that work, and those changed since `since`, the oldest first, at most 1,000. */
  orders(accountId: string, since: number): readonly SimOrder[];
  /** Executions since `since`, the newest first, at most 1,000. */
  executions(accountId: string, since: number): readonly Execution[];
  /** All deposits and executions of an account since it was opened, oldest first. */
  history(accountId: string): AccountHistory;
  /** Lets time pass: expires, triggers and fills orders up to `now`. Called before each request and about once a second. */
  advance(now: number): void;
  /** Forgets questions that were asked in this brokerage session (after an init or a logout). */
  sessionEnded(userName: string): void;
  /** Writes what is not yet written; the database itself stays open, since it belongs to the caller. */
  close(): void;
}
