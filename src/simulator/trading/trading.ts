/**
 * The simulated brokerage: accounts, order book, fills, cash and positions.
 * Its endpoints and its engine are in this folder; the server only needs what is here.
 */
export interface Trading {
  /** Account ids that exist. */
  readonly accountIds: readonly string[];
  /** Lets time pass: expires, triggers and fills orders up to `now`. Called before each request and about once a second. */
  advance(now: number): void;
  /** Forgets questions that were asked in this brokerage session (after an init or a logout). */
  sessionEnded(userName: string): void;
  close(): void;
}
