import type { Clock } from "../lib/clock.ts";

interface Timer {
  dueAt: number;
  readonly everyMs: number | undefined;
  readonly action: () => void;
}

/** A clock that stands still until a test turns it. */
export class TestClock implements Clock {
  readonly #timers = new Set<Timer>();
  readonly #startedAt: number;
  #now: number;

  /** Starts on a Monday, 10:30 in New York, when no instant is given. */
  constructor(now = Date.UTC(2026, 10, 23, 15, 30)) {
    this.#now = now;
    this.#startedAt = now;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now - this.#startedAt;
  }

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer: Timer = { dueAt: this.#now + ms, everyMs: undefined, action: resolve };
    this.#timers.add(timer);
    signal?.addEventListener("abort", () => {
      this.#timers.delete(timer);
      reject(signal.reason);
    });
    return promise;
  }

  every(ms: number, action: () => void): () => void {
    const timer: Timer = { dueAt: this.#now + ms, everyMs: ms, action };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /**
   * Moves on by `ms`: waits end in their order on the way; what repeats runs once at the end, as after a machine's sleep.
   */
  advance(ms: number): void {
    const end = this.#now + ms;
    const due = [...this.#timers].filter(({ dueAt }) => dueAt <= end);
    for (const timer of due.filter(({ everyMs }) => everyMs === undefined).toSorted((a, b) => a.dueAt - b.dueAt)) {
      this.#now = Math.max(this.#now, timer.dueAt);
      this.#timers.delete(timer);
      timer.action();
    }
    this.#now = end;
    for (const timer of due) {
      if (timer.everyMs === undefined || !this.#timers.has(timer)) continue;
      timer.dueAt = end + timer.everyMs;
      timer.action();
    }
  }
}
