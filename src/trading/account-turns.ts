import type { Clock } from "../lib/clock.ts";
import { KeyedLock } from "../lib/keyed-lock.ts";
import { tooManyWaiting } from "./trading-errors.ts";

/** Most orders of one account that wait for their turn. */
const MAX_WAITING = 50;
/** Most time for one exchange with the broker: an order, its questions and their answers. */
const EXCHANGE_LIMIT_MS = 60_000;

/**
 * Lets the orders of one account pass one after another: at IBKR another request of the account makes an open question
 * stale. Different accounts pass side by side.
 */
export class AccountTurns {
  readonly #clock: Clock;
  readonly #locks = new KeyedLock<string>();
  readonly #waiting = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Waits for the turn of this account. Throws `rate_limited` when too many wait, or the signal's reason when it aborts first. */
  async run<T>(account: string, signal: AbortSignal, action: () => Promise<T>): Promise<T> {
    const waiting = this.#waiting.get(account) ?? 0;
    if (waiting >= MAX_WAITING) throw tooManyWaiting();
    this.#waiting.set(account, waiting + 1);
    try {
      return await this.#locks.run(account, async () => {
        signal.throwIfAborted();
        return action();
      });
    } finally {
      const left = (this.#waiting.get(account) ?? 1) - 1;
      if (left === 0) this.#waiting.delete(account);
      else this.#waiting.set(account, left);
    }
  }

  /** Runs an exchange that goes on when its caller hangs up, but not for ever. */
  async exchange<T>(action: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const limit = new AbortController();
    const done = new AbortController();
    const timing = this.#clock.wait(EXCHANGE_LIMIT_MS, done.signal).then(
      () => limit.abort(new Error("IBKR took too long to answer")),
      () => undefined,
    );
    try {
      return await action(limit.signal);
    } finally {
      done.abort();
      await timing;
    }
  }
}
