import type { Clock } from "../lib/clock.ts";
import { messageOf } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";

/** Longest wait for one check. */
const CHECK_LIMIT_MS = 2_000;

/** Resolves when a part works, rejects when it doesn't. */
export type HealthCheck = (signal: AbortSignal) => Promise<unknown>;

/** What `/healthz` answers. */
export interface HealthReport {
  readonly status: "ok" | "failing" | "draining";
  readonly version: string;
  readonly checks: Readonly<Record<string, "ok" | "failing">>;
}

export interface HealthDeps {
  readonly checks: Readonly<Record<string, HealthCheck>>;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
}

/** Makes the check of all parts; each has a time limit, and why one fails is in the log, not in the answer. */
export function createHealth({ checks, clock, log, version }: HealthDeps): (draining: boolean) => Promise<HealthReport> {
  const run = async (name: string, check: HealthCheck): Promise<readonly [string, "ok" | "failing"]> => {
    const limit = new AbortController();
    const tooLate = clock.wait(CHECK_LIMIT_MS, limit.signal).then(() => Promise.reject(new Error(`no answer in ${CHECK_LIMIT_MS} ms`)));
    try {
      await Promise.race([check(limit.signal), tooLate]);
      return [name, "ok"];
    } catch (error) {
      log.warn({ check: name, reason: messageOf(error) }, "a health check fails");
      return [name, "failing"];
    } finally {
      tooLate.catch(() => undefined);
      limit.abort();
    }
  };
  return async (draining) => {
    const results = await Promise.all(Object.entries(checks).map(([name, check]) => run(name, check)));
    const failing = results.some(([, state]) => state === "failing");
    return { status: failing ? "failing" : draining ? "draining" : "ok", version, checks: Object.fromEntries(results) };
  };
}
