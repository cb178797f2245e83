import type { Clock } from "../../src/lib/clock.ts";

/** A clock whose wall time can be set, back or ahead, without time passing. */
export interface SettableClock {
  readonly clock: Clock;
  readonly set: (byMs: number) => void;
}

/** Makes one of another clock. */
export function settableClock(base: Clock): SettableClock {
  let offset = 0;
  return {
    clock: {
      now: () => base.now() + offset,
      monotonic: () => base.monotonic(),
      wait: (ms, signal) => base.wait(ms, signal),
      every: (ms, action) => base.every(ms, action),
    },
    set: (byMs) => void (offset += byMs),
  };
}
