import type { Clock } from "../lib/clock.ts";

/** A signal that aborts after `ms` with what `reason` makes; `end` lets its timer go. */
export function timeLimit(clock: Clock, ms: number, reason: () => Error): { readonly signal: AbortSignal; end(): void } {
  const limit = new AbortController();
  const timer = new AbortController();
  clock.wait(ms, timer.signal).then(
    () => limit.abort(reason()),
    () => undefined,
  );
  return { signal: limit.signal, end: () => timer.abort() };
}
