import type { SimAccount } from "./records.ts";

/**
 * The simulated brokerage: accounts, order book, fills, cash and positions.
 * Its endpoints and its engine are in this folder; the server only needs `accountIds`, `advance`, `sessionEnded` and `close`.
 */
export interface Trading {
  /** Account ids that exist, the default first. */
  readonly accountIds: readonly string[];
  account(accountId: string): SimAccount | undefined;
  /** Lets time pass: expires, triggers and fills orders up to `now`. Called before each request and about once a second. */
  advance(now: number): void;
  /** Forgets questions that were asked in this brokerage session (after an init or a logout). */
  sessionEnded(userName: string): void;
  /** Writes what is not yet written; the database itself stays open, since it belongs to the caller. */
  close(): void;
}
