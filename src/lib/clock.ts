import { setTimeout as delay } from "node:timers/promises";

/** Time as a parameter: everything that reads the time or waits takes one, so that tests can turn it. */
export interface Clock {
  /** Milliseconds since the epoch, UTC. */
  now(): number;
  /** A monotonic reading in milliseconds with a fraction, for durations only. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. Doesn't keep the process alive. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
  /** Runs `action` after each `ms` until the returned function is called. Doesn't keep the process alive. */
  every(ms: number, action: () => void): () => void;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  wait: async (ms, signal) => {
    await delay(ms, undefined, signal === undefined ? { ref: false } : { ref: false, signal });
  },
  every: (ms, action) => {
    const timer = setInterval(action, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
};
