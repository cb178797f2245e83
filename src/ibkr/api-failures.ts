import { GatewayError } from "../lib/errors.ts";
import { errorTextOf } from "./endpoints/reply.ts";
import { ownFailure } from "./session-failures.ts";
import type { Layer } from "./session.ts";
import type { Answer } from "./transport.ts";
import type { TransportError } from "./transport-error.ts";

/** Which tier of the session an answer shows to be lost; undefined when it has nothing to do with that. */
export function lostLayer(answer: Answer): Layer | undefined {
  if (answer.status === 401) return "login";
  const said = errorTextOf(answer.body) ?? "";
  return /no bridge|query \/accounts first/i.test(said) ? "brokerage" : undefined;
}

/** The failure that an answer stands for; undefined when it is a success. */
export function failureOf(answer: Answer): GatewayError | undefined {
  const said = errorTextOf(answer.body);
  if (answer.status >= 200 && answer.status < 300 && said === undefined) return undefined;
  if (lostLayer(answer) !== undefined) return sessionLost();
  if (answer.status === 429)
    return new GatewayError("rate_limited", "IBKR refused the request because of its limits (429).", {
      whatToDo: "Try again in 15 s.",
      retryAfterSeconds: 15,
    });
  if (answer.status >= 400 && answer.status < 500)
    return new GatewayError("broker_rejected", `IBKR refused the request: ${said ?? `status ${answer.status}`}.`, {
      whatToDo: "Check the arguments; IBKR's words say what it did not accept.",
    });
  if (answer.status >= 500 && (said === undefined || /service unavailable/i.test(said)))
    return new GatewayError("upstream_unavailable", `IBKR could not answer (${answer.status}).`, {
      whatToDo: "Try again in some seconds.",
      retryAfterSeconds: 5,
    });
  return new GatewayError("broker_error", `IBKR answered with an error: ${said ?? `status ${answer.status}`}.`, {
    whatToDo: "Try again; if it stays so, check the arguments.",
  });
}

/** A missing answer as its caller is told of it. */
export function failureOfTransport(error: TransportError): GatewayError {
  const own = ownFailure(error);
  if (own !== undefined) return own;
  if (error.reason === "timeout")
    return new GatewayError("timeout", "IBKR did not answer in time.", { whatToDo: "Try again.", retryAfterSeconds: 5, cause: error });
  return new GatewayError("upstream_unavailable", `${error.message.slice(0, 1).toUpperCase()}${error.message.slice(1)}.`, {
    whatToDo: "Try again in some seconds.",
    retryAfterSeconds: 5,
    cause: error,
  });
}

function sessionLost(): GatewayError {
  return new GatewayError("session_lost", "IBKR ended the session, and opening it again did not help.", {
    whatToDo: "Try again in a minute.",
    retryAfterSeconds: 60,
  });
}
