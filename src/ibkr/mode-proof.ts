import type { Mode } from "../broker/account.ts";
import { GatewayError } from "../lib/errors.ts";

/** What the broker told of the kind of its accounts while a session was opened. */
export interface ModeEvidence {
  /** `isPaper` of `GET /iserver/accounts`. */
  readonly isPaper: boolean | undefined;
  /** `LOGIN_TYPE` of `GET /sso/validate`: 1 live, 2 paper. */
  readonly loginType: number | undefined;
}

/**
 * Answers which mode the broker proves at an opening; undefined when it proves none, which freezes the connection. Throws `GatewayError`
 * where it can't be told now, and the opening fails.
 */
export type ProveMode = (evidence: ModeEvidence, signal: AbortSignal) => Promise<Mode | undefined>;

/** The proof of IBKR's own servers: what they say of the user who is logged in. Contradicting words prove real money. */
export const proveIbkrMode: ProveMode = ({ isPaper, loginType }) => {
  const saidPaper = [isPaper, loginType === undefined ? undefined : loginType === 2].filter((said) => said !== undefined);
  if (saidPaper.length > 0) return Promise.resolve(saidPaper.every(Boolean) ? "paper" : "live");
  return Promise.reject(
    new GatewayError("connection_not_ready", "IBKR did not say whether this is a paper account or one with real money.", {
      whatToDo: "Try again in a minute: until IBKR says it, nothing is sent.",
    }),
  );
};
