import type { Clock } from "../lib/clock.ts";
import { KeyedLock } from "../lib/keyed-lock.ts";
import { background, type Log } from "../lib/log.ts";
import { tooManyWaiting } from "./trading-errors.ts";

/** Most orders of one account that wait for their turn. */
const MAX_WAITING = 50;
/** Longest exchange with the broker: an order, its questions and their answers. */
const EXCHANGE_LIMIT_MS = 60_000;

/** One turn of an account's orders. */
export interface Turn<T> {
  /** The connection and account, by `turnOf`. */
  readonly account: string;
  /** Aborts when the caller needs its response, or has hung up. */
  readonly signal: AbortSignal;
  /** Runs in the turn and always to its end, also after the caller's signal has aborted. */
  readonly action: () => Promise<T>;
  /** The result for a caller whose signal aborts first; may throw. */
  readonly whenLate: () => Promise<T>;
}

/** The name of an account's turn. */
export function turnOf(key: { readonly connectionId: string; readonly accountId: string }): string {
  return `${key.connectionId} ${key.accountId}`;
}

/**
 * The order of arrival of one account's orders in this process, with its waiting limit and fairness. Two locks guard an
 * exchange, and this is the one that safety does not need: the other is the attempt's row in state `sending`, which is unique
 * per account over all processes (`storage/migrations/0005-orders-once.ts`). While it stands, no other order of the account
 * leaves: at IBKR another order makes an open question stale, and an equal one could be the double of a lost one.
 */
export class AccountTurns {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #locks = new KeyedLock<string>();
  readonly #waiting = new Map<string, number>();
  /** Everything that runs or waits, so that closing can wait for it. */
  readonly #works = new Set<Promise<unknown>>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Waits for the account's turn and runs the action in it. Throws `rate_limited` when too many wait. */
  async run<T>({ account, signal, action, whenLate }: Turn<T>): Promise<T> {
    if ((this.#waiting.get(account) ?? 0) >= MAX_WAITING) throw tooManyWaiting();
    const work = this.#counted(account, () => this.#locks.run(account, action));
    this.#works.add(work);
    const forget = (): void => void this.#works.delete(work);
    work.then(forget, forget);
    const { promise: late, resolve } = Promise.withResolvers<T>();
    const onAbort = (): void => {
      background(work, this.#log, "an order whose caller is gone");
      resolve(whenLate());
    };
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([work, late]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Resolves when every order that waits or runs has ended; each is bounded by the limit of an exchange. */
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

  /** Runs an exchange that continues when its caller hangs up, up to its own limit. */
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
