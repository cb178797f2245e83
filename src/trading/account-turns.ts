import type { Clock } from "../lib/clock.ts";
import { KeyedLock } from "../lib/keyed-lock.ts";
import { background, type Log } from "../lib/log.ts";
import { notSentInTime, tooManyWaiting } from "./trading-errors.ts";

/** Most orders of one account that wait for their turn. */
const MAX_WAITING = 50;
/** Most time for one exchange with the broker: an order, its questions and their answers. */
const EXCHANGE_LIMIT_MS = 60_000;

/** One turn of an account's orders. */
export interface Turn<T> {
  /** The connection and account. */
  readonly account: string;
  /** Aborts when the caller must be answered, or has hung up. */
  readonly signal: AbortSignal;
  /** Once begun it always runs to its end. */
  readonly action: () => Promise<T>;
  /** What the caller is told when its signal aborts while the action runs on; may throw. */
  readonly whenLate: () => T;
}

/**
 * Lets the orders of one account pass one after another: at IBKR another request of the account makes an open question
 * stale. Different accounts pass side by side.
 */
export class AccountTurns {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #locks = new KeyedLock<string>();
  readonly #waiting = new Map<string, number>();
  /** What has been begun or waits, so that closing can wait for it. */
  readonly #works = new Set<Promise<unknown>>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Waits for the turn of this account. Throws `rate_limited` when too many wait, and `timeout` when the signal aborts before
   * the action has begun: then it never begins.
   */
  async run<T>({ account, signal, action, whenLate }: Turn<T>): Promise<T> {
    if ((this.#waiting.get(account) ?? 0) >= MAX_WAITING) throw tooManyWaiting();
    let hasBegun = false;
    const work = this.#counted(account, () =>
      this.#locks.run(account, async () => {
        if (signal.aborted) throw notSentInTime();
        hasBegun = true;
        return action();
      }),
    );
    this.#works.add(work);
    const forget = (): void => void this.#works.delete(work);
    work.then(forget, forget);
    const { promise: late, resolve, reject } = Promise.withResolvers<T>();
    const onAbort = (): void => {
      background(work, this.#log, "an order whose caller is gone");
      // What it throws is an answer too: thrown here, in an event, it would end the process.
      if (hasBegun) resolve(new Promise((answer) => answer(whenLate())));
      else reject(notSentInTime());
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([work, late]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Resolves when every order that waits or is under way has ended; each is bounded by the limit of an exchange. */
  async idle(): Promise<void> {
    while (this.#works.size > 0) await Promise.allSettled(this.#works);
  }

  async #counted<T>(account: string, work: () => Promise<T>): Promise<T> {
    this.#waiting.set(account, (this.#waiting.get(account) ?? 0) + 1);
    try {
      return await work();
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
