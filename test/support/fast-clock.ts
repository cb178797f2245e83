import type { Clock } from "../../src/lib/clock.ts";

/** A clock that runs faster than the machine's and can be moved on, for tests that live through minutes of real exchanges. */
export interface FastClock extends Clock {
  /** Moves the time ahead; waits in progress keep their length. Throws `RangeError` for a step back. */
  jump(ms: number): void;
  /** Sets the wall clock on or back, as a person or a time server does: no duration changes. */
  shiftWall(ms: number): void;
}

/** A new clock that runs `speed` times as fast as the machine's, from `start` on (epoch ms; the present by default). */
export function fastClock(speed: number, start = Date.now()): FastClock {
  let jumped = 0;
  let shifted = 0;
  const elapsed = (): number => (performance.now() - began) * speed + jumped;
  const began = performance.now();
  return {
    now: () => start + shifted + Math.floor(elapsed()),
    monotonic: elapsed,
    wait: (ms, signal) => {
      if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, ms / speed);
      timer.unref();
      const abort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener("abort", abort, { once: true });
      return promise.finally(() => signal?.removeEventListener("abort", abort));
    },
    every: (ms, action) => {
      const timer = setInterval(action, ms / speed);
      timer.unref();
      return () => clearInterval(timer);
    },
    shiftWall: (ms) => {
      shifted += ms;
    },
    jump: (ms) => {
      // A monotonic reading never falls, so a test that needs an earlier time starts its clock there.
      if (ms < 0) throw new RangeError(`a clock can't jump by ${ms} ms`);
      jumped += ms;
    },
  };
}
