import { GatewayError, messageOf } from "../lib/errors.ts";
import { errorTextOf } from "./endpoints/reply.ts";
import type { Answer } from "./transport.ts";

/** The login (Live Session Token) was refused. Source: IBKR's answers as users report them. */
export function loginRefused(answer: Answer): GatewayError {
  const said = errorTextOf(answer.body) ?? "";
  if (answer.status >= 500) return unavailable(`IBKR's login service answered ${answer.status}.`);
  if (/invalid consumer/i.test(said))
    return notReady(
      "IBKR does not know the consumer key.",
      "Check the key. A new one works only after IBKR's nightly reset, sometimes after the weekend.",
    );
  if (/no access secret key/i.test(said))
    return notReady(
      "IBKR has no secret for the access token.",
      "Generate access token and secret again on IBKR's OAuth page, and enter both here.",
    );
  if (/signature/i.test(said))
    return notReady(
      "IBKR refused the signature of the login.",
      "Check that the private signature key belongs to the public one at IBKR, and that the clock of this machine is right.",
    );
  if (/LST failed/i.test(said))
    return notReady("IBKR has not activated the access token yet.", "Wait for IBKR's nightly reset; it may take until Sunday.");
  return notReady(`IBKR refused the login (${answer.status}).`, "Check the connection's credentials.");
}

/** The brokerage session was refused, or did not come up. */
export function initRefused(answer: Answer): GatewayError {
  if (answer.status === 401)
    return notReady(
      "IBKR did not accept the login for trading.",
      "Check the connection's credentials, or wait for the end of IBKR's nightly reset.",
    );
  if (answer.status === 410)
    return notReady(
      "IBKR says that this user's session is gone (410).",
      "Log in once to IBKR's Client Portal with this username, then try again.",
    );
  return unavailable(`IBKR did not open a brokerage session (${answer.status}).`);
}

/** Another login of the same username holds the brokerage session. */
export function competing(): GatewayError {
  return new GatewayError(
    "session_competing",
    "Another login (TWS, IBKR Mobile or Client Portal) with the same username holds the brokerage session.",
    {
      whatToDo: "Log out there and try again. A second IBKR username for this gateway avoids it for good.",
      retryAfterSeconds: 60,
    },
  );
}

/** The session did not become usable within the time that it may take. */
export function notEstablished(): GatewayError {
  return unavailable("IBKR's brokerage session did not come up in time.");
}

/** IBKR can't be reached or does not work at the moment. */
export function unavailable(message: string, cause?: unknown): GatewayError {
  return new GatewayError("upstream_unavailable", message, {
    whatToDo: "Try again in a minute. IBKR is down for minutes each night and for hours on weekends.",
    retryAfterSeconds: 60,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Any failure of an opening as a `GatewayError`. */
export function openingFailed(error: unknown): GatewayError {
  return error instanceof GatewayError ? error : unavailable(`IBKR cannot be reached: ${messageOf(error)}.`, error);
}

function notReady(message: string, whatToDo: string): GatewayError {
  return new GatewayError("connection_not_ready", message, { whatToDo });
}
