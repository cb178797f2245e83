import type { DatabaseSync } from "node:sqlite";

import type { Clock } from "../../lib/clock.ts";

const SCHEMA = "CREATE TABLE IF NOT EXISTS clock_ahead (id INTEGER PRIMARY KEY CHECK (id = 1), ahead_ms INTEGER NOT NULL) STRICT";

interface Timer {
  readonly dueAt: number;
  readonly action: () => void;
}

/**
 * A clock that runs with another one, and can be moved ahead of it. Waits that come due on the way end at once, in their
 * order; what repeats runs once at the end. How far ahead it is outlives a restart, since the orders of a store have lived
 * until then.
 */
export class SteeredClock implements Clock {
  readonly #base: Clock;
  readonly #store: DatabaseSync;
  readonly #waits = new Set<Timer>();
  readonly #repeating = new Set<() => void>();
  #aheadMs: number;

  /** Begins as far ahead of `base` as the store says. */
  constructor(base: Clock, store: DatabaseSync) {
    this.#base = base;
    this.#store = store;
    store.exec(SCHEMA);
    const row = store.prepare("SELECT ahead_ms FROM clock_ahead").get();
    this.#aheadMs = row === undefined ? 0 : Number(row["ahead_ms"]);
  }

  /** How far ahead of the other clock it is. */
  get aheadMs(): number {
    return this.#aheadMs;
  }

  now(): number {
    return this.#base.now() + this.#aheadMs;
  }

  monotonic(): number {
    return this.#base.monotonic() + this.#aheadMs;
  }

  async wait(ms: number, signal?: AbortSignal): Promise<void> {
    const skipped = new AbortController();
    const timer: Timer = { dueAt: this.now() + ms, action: () => skipped.abort() };
    this.#waits.add(timer);
    try {
      await this.#base.wait(ms, signal === undefined ? skipped.signal : AbortSignal.any([signal, skipped.signal]));
    } catch (error) {
      if (!skipped.signal.aborted || signal?.aborted === true) throw error;
    } finally {
      this.#waits.delete(timer);
    }
  }

  every(ms: number, action: () => void): () => void {
    this.#repeating.add(action);
    const stop = this.#base.every(ms, action);
    return () => {
      this.#repeating.delete(action);
      stop();
    };
  }

  /** Moves ahead by `ms`, which is not negative. */
  advance(ms: number): void {
    this.#aheadMs += ms;
    this.#store.prepare("INSERT OR REPLACE INTO clock_ahead VALUES (1, ?)").run(this.#aheadMs);
    const due = [...this.#waits].filter(({ dueAt }) => dueAt <= this.now());
    for (const timer of due.toSorted((a, b) => a.dueAt - b.dueAt)) timer.action();
    for (const action of this.#repeating) action();
  }
}
