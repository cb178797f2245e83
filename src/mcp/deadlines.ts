import type { Clock } from "../lib/clock.ts";

/** How often running calls are looked at: a deadline is met to within this time, at no cost per call. */
const SWEEP_MS = 500;

/** A running call's time limit. */
export interface Deadline {
  /** Aborts when the time is up, or when `abort` is called earlier. */
  readonly signal: AbortSignal;
  /** True when the time was up. */
  readonly expired: boolean;
  abort(reason: unknown): void;
  /** Ends the watch; call it once the call is over. */
  done(): void;
}

/** Gives calls their deadlines from one timer, because a timer per call costs more than a warm call. */
export interface Deadlines {
  /** Starts one. `whenExpired` runs after the signal has aborted. */
  start(limitMs: number, whenExpired: () => void): Deadline;
  close(): void;
}

/** Makes a set of deadlines on `clock`. */
export function createDeadlines(clock: Clock): Deadlines {
  const running = new Set<RunningDeadline>();
  const stop = clock.every(SWEEP_MS, () => {
    const now = clock.monotonic();
    for (const deadline of running) if (deadline.endsAt <= now) deadline.expire();
  });
  return {
    start: (limitMs, whenExpired) => {
      const deadline = new RunningDeadline(running, clock.monotonic() + limitMs, whenExpired);
      running.add(deadline);
      return deadline;
    },
    close: stop,
  };
}

class RunningDeadline implements Deadline {
  readonly endsAt: number;
  expired = false;
  readonly #controller = new AbortController();
  readonly #running: Set<RunningDeadline>;
  readonly #whenExpired: () => void;

  constructor(running: Set<RunningDeadline>, endsAt: number, whenExpired: () => void) {
    this.#running = running;
    this.endsAt = endsAt;
    this.#whenExpired = whenExpired;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  expire(): void {
    this.done();
    this.expired = true;
    this.#controller.abort(new DOMException("the call's time is up", "TimeoutError"));
    this.#whenExpired();
  }

  done(): void {
    this.#running.delete(this);
  }
}
