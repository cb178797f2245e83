import type { Logger } from "pino";

/** Where the parts of the system report; pino's own face, so that tests can hand in a silent or a recording one. */
export type Log = Pick<Logger, "debug" | "info" | "warn" | "error" | "child">;

/** Lets a promise go on by itself: a failure is logged under `what` and nowhere lost. */
export function background(promise: Promise<unknown>, log: Log, what: string): void {
  promise.catch((error: unknown) => log.error({ err: error }, `${what} failed`));
}
