import { GatewayError } from "../lib/errors.ts";

/** The error of a caller who would have to wait too long; says after how many seconds (of `waitMs`, at least one) to come again. */
export function rateLimited(waitMs: number): GatewayError {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new GatewayError("rate_limited", "Too many requests are waiting for IBKR, which limits how many it answers.", {
    whatToDo: `Try again in ${retryAfterSeconds} s, and ask for several instruments in one call where you can.`,
    retryAfterSeconds,
  });
}
