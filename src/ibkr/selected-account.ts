import { abortReason } from "./abortable.ts";

/** For so long a selection is taken to stand: another program of the user may select another account at any time. */
const TRUSTED_MS = 2000;

/**
 * The one account that IBKR has selected in a user's brokerage session, for reads that answer for that account alone.
 * All links of the user share it. Reads of one account run side by side; those of another account wait until they are
 * done, and accounts take turns.
 */
export class SelectedAccount {
  readonly #clock: { now(): number };
  /** What we selected last, and until when that may be relied on. */
  #known: { readonly accountId: string; readonly until: number } | undefined;
  #selecting: Promise<void> | undefined;
  /** Counts how often what was known was given up. */
  #doubts = 0;
  #active: { readonly accountId: string; readers: number } | undefined;
  readonly #waiting: Waiter[] = [];

  constructor(clock: { now(): number }) {
    this.#clock = clock;
  }

  /** Runs a read while the account is selected; `select` is called where that isn't known to be so. Rejects with the signal's reason when that aborts before the read. */
  async run<T>(
    accountId: string,
    act: { readonly select: () => Promise<void>; readonly read: () => Promise<T> },
    signal: AbortSignal,
  ): Promise<T> {
    await this.#enter(accountId, signal);
    try {
      await this.#ensure(accountId, act.select, signal);
      return await act.read();
    } finally {
      this.#leave();
    }
  }

  /** Told that IBKR may have another account selected: a brokerage session began, or an answer shows it. */
  forget(): void {
    this.#doubts += 1;
    this.#known = undefined;
  }

  #enter(accountId: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(abortReason(signal));
    if (this.#active === undefined) this.#active = { accountId, readers: 0 };
    if (this.#active.accountId === accountId && this.#waiting.length === 0) {
      this.#active.readers += 1;
      return Promise.resolve();
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => {
      const index = this.#waiting.indexOf(waiter);
      if (index >= 0) this.#waiting.splice(index, 1);
      reject(abortReason(signal));
    };
    const waiter: Waiter = {
      accountId,
      admit: () => {
        signal.removeEventListener("abort", leave);
        resolve();
      },
    };
    signal.addEventListener("abort", leave, { once: true });
    this.#waiting.push(waiter);
    return promise;
  }

  /** The last reader of an account lets in all who wait for the account whose turn it is. */
  #leave(): void {
    if (this.#active === undefined || (this.#active.readers -= 1) > 0) return;
    const next = this.#waiting[0];
    this.#active = undefined;
    if (next === undefined) return;
    const admitted = this.#waiting.filter((waiter) => waiter.accountId === next.accountId);
    const others = this.#waiting.filter((waiter) => waiter.accountId !== next.accountId);
    this.#waiting.splice(0, Infinity, ...others);
    this.#active = { accountId: next.accountId, readers: admitted.length };
    for (const waiter of admitted) waiter.admit();
  }

  /** Selects once for all who read now. One whose selecting failed leaves it to the next. */
  async #ensure(accountId: string, select: () => Promise<void>, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#known?.accountId === accountId && this.#clock.now() < this.#known.until) return;
      if (this.#selecting === undefined) {
        this.#known = undefined;
        const doubts = this.#doubts;
        const selecting = select();
        this.#selecting = selecting;
        try {
          await selecting;
          if (doubts === this.#doubts) this.#known = { accountId, until: this.#clock.now() + TRUSTED_MS };
        } finally {
          this.#selecting = undefined;
        }
        return;
      }
      await this.#selecting.catch(() => undefined);
    }
  }
}

interface Waiter {
  readonly accountId: string;
  readonly admit: () => void;
}
