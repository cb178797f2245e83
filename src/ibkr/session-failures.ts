import type { HealthLayer } from "../broker/health.ts";
import { GatewayError, messageOf } from "../lib/errors.ts";
import { errorTextOf } from "./endpoints/reply.ts";
import type { AuthStatus } from "./endpoints/session.ts";
import type { Login } from "./login.ts";
import type { Answer } from "./transport.ts";
import type { TransportError } from "./transport-error.ts";

/** IBKR's page where a user makes consumer key, keys and access token. */
const OAUTH_PAGE = "https://ndcdyn.interactivebrokers.com/sso/Login?action=OAUTH&RL=1&ip2loc=US";
const CLIENT_PORTAL = "https://www.interactivebrokers.com/sso/Login";
const STATUS_PAGE = "https://www.interactivebrokers.com/en/software/systemStatus.php";

/** What kind of failure an opening met: it decides how long to wait before the next. */
export type FaultKind = "refused" | "unreachable" | "taken" | "logged_out" | "disproven";

/** A failure of the session: what its callers are told, in which layer it is, and how it is dealt with. */
export class SessionFault extends Error {
  override readonly name = "SessionFault";
  readonly kind: FaultKind;
  readonly layer: HealthLayer;
  readonly failure: GatewayError;

  constructor(kind: FaultKind, layer: HealthLayer, failure: GatewayError) {
    super(failure.message, { cause: failure });
    this.kind = kind;
    this.layer = layer;
    this.failure = failure;
  }
}

/** The login (Live Session Token) was refused. Source: IBKR's answers as users report them. */
export function loginRefused(answer: Answer, clockFault?: GatewayError): SessionFault {
  const said = errorTextOf(answer.body) ?? "";
  if (answer.status >= 500 || answer.status === 429)
    return new SessionFault("unreachable", "live_session_token", unavailable(`IBKR's login service answered ${answer.status}.`));
  if (answer.status === 403) return new SessionFault("refused", "network", accessDenied("IBKR"));
  if (/invalid consumer/i.test(said))
    return consumerFault(
      "IBKR does not know the consumer key.",
      "Check the key. A new one works only after IBKR's nightly reset, sometimes after the weekend.",
    );
  if (/no access secret key/i.test(said))
    return consumerFault(
      "IBKR has no secret for the access token: it belongs to another consumer, or was made anew.",
      "Generate access token and secret again on IBKR's OAuth page, and enter both here.",
    );
  if (/timestamp|signature/i.test(said)) {
    if (clockFault !== undefined) return new SessionFault("refused", "oauth_consumer", clockFault);
    return consumerFault(
      "IBKR refused the signature of the login.",
      "Check that the private signature key belongs to the public one at IBKR.",
    );
  }
  if (/LST failed/i.test(said))
    return new SessionFault(
      "refused",
      "live_session_token",
      notReady("IBKR has not activated the access token yet.", "Wait for IBKR's nightly reset; it may take until Sunday.", OAUTH_PAGE),
    );
  return consumerFault(`IBKR refused the login (${answer.status}).`, "Check the connection's credentials.");
}

function consumerFault(message: string, whatToDo: string): SessionFault {
  return new SessionFault("refused", "oauth_consumer", notReady(message, whatToDo, OAUTH_PAGE));
}

/** Credentials that can't be used, or an answer to the login that doesn't fit them. */
export function loginUnusable(failure: GatewayError): SessionFault {
  return new SessionFault("refused", "live_session_token", failure);
}

/** This machine's clock differs from IBKR's by `aheadMs`: signatures carry the time, and IBKR refuses old and future ones. */
export function clockWrong(aheadMs: number): GatewayError {
  const minutes = Math.max(1, Math.round(Math.abs(aheadMs) / 60_000));
  const amount = minutes === 1 ? "a minute" : `${minutes} minutes`;
  return notReady(
    `This machine's clock is ${amount} ${aheadMs > 0 ? "ahead of" : "behind"} IBKR's.`,
    "Set the clock of the machine that runs the gateway right, best by NTP. The connection then comes back by itself.",
  );
}

/** Nobody is logged in at the Client Portal Gateway. */
export function loggedOut(loginUrl: string | undefined): SessionFault {
  return new SessionFault(
    "logged_out",
    "sso",
    notReady(
      "Nobody is logged in at the Client Portal Gateway.",
      "Log in there in a browser on the machine that runs it; the connection then comes up by itself.",
      loginUrl,
    ),
  );
}

/** IBKR's firewall, or a gateway whose list of allowed addresses leaves ours out. */
export function accessDenied(who: "IBKR" | "gateway"): GatewayError {
  if (who === "gateway")
    return notReady(
      "The Client Portal Gateway refuses this machine's address (Access Denied).",
      "Add the address of the machine that runs this gateway to ips.allow in the Client Portal Gateway's conf.yaml, and restart that.",
    );
  return notReady(
    "IBKR's firewall refuses requests from this machine (403).",
    "Check that no proxy changes them and that the machine's address is not in a country or network that IBKR blocks.",
  );
}

/** IBKR did not take a login that was made a moment ago. */
export function loginNotAccepted(layer: HealthLayer): SessionFault {
  return new SessionFault(
    "refused",
    layer,
    notReady(
      "IBKR did not accept the login for trading.",
      "Check the connection's credentials, or wait for the end of IBKR's nightly reset.",
      CLIENT_PORTAL,
    ),
  );
}

/** The brokerage session was refused. */
export function initRefused(answer: Answer): SessionFault {
  const refused = (failure: GatewayError) => new SessionFault("refused", "brokerage_session", failure);
  if (answer.status === 410)
    return refused(
      notReady(
        "IBKR says that this user's session is gone (410).",
        "Log in once to IBKR's Client Portal with this username, then try again.",
        CLIENT_PORTAL,
      ),
    );
  return refused(unavailable(`IBKR did not open a brokerage session (${answer.status}).`));
}

/** IBKR is down or hides behind an error page. */
export function statusUnavailable(answer: Answer): SessionFault {
  return new SessionFault("unreachable", "brokerage_session", unavailable(`IBKR did not tell the session's status (${answer.status}).`));
}

/** Another login of the same username holds the brokerage session. IBKR tells neither which nor where from; its words are passed on. */
export function competing(userName: string | undefined, status: Partial<AuthStatus> | undefined): SessionFault {
  const who = userName === undefined ? "with the same username" : `of the user ${userName}`;
  const said = [status?.fail, status?.message].find((text) => text !== undefined);
  const words = said === undefined ? "" : ` IBKR says: ${said}`;
  return new SessionFault(
    "taken",
    "brokerage_session",
    new GatewayError(
      "session_competing",
      `Another login (TWS, IBKR Mobile, Client Portal or another program) ${who} holds the brokerage session.${words}`,
      {
        whatToDo:
          "Log out there, or take the session over in the console of this gateway. A second IBKR username for this gateway avoids it for good.",
        retryAfterSeconds: 60,
      },
    ),
  );
}

/** The session did not become usable within the time that it may take. */
export function notEstablished(): SessionFault {
  return new SessionFault("refused", "brokerage_session", unavailable("IBKR's brokerage session did not come up in time."));
}

/** The broker proved another mode than the connection was made for. */
export function frozen(because: string): GatewayError {
  return new GatewayError("connection_frozen", `The connection is frozen: ${because}`, {
    whatToDo: "Nothing is sent any more. Its owner has to set the connection up anew, with credentials of the right kind.",
  });
}

/** IBKR can't be reached or does not work at the moment. */
export function unavailable(message: string, cause?: unknown): GatewayError {
  return new GatewayError("upstream_unavailable", message, {
    whatToDo: "Try again in a minute. IBKR is down for minutes each night and for hours on weekends.",
    retryAfterSeconds: 60,
    link: STATUS_PAGE,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Nobody answers at IBKR's address. */
export function unreachable(error: unknown): GatewayError {
  return unavailable(`IBKR cannot be reached: ${connectFault(error) ?? messageOf(error)}.`, error);
}

/** Why no connection was made, by Node's codes. */
const CONNECT_FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens at that address",
  ENOTFOUND: "there is no host of that name",
  EAI_AGAIN: "its name could not be looked up",
  EHOSTUNREACH: "there is no way to it from here",
  ENETUNREACH: "there is no way to it from here",
};

/** Says it in words where a code among an error's causes tells; undefined for everything else. */
function connectFault(error: unknown, depth = 5): string | undefined {
  if (!(error instanceof Error) || depth === 0) return undefined;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return CONNECT_FAULTS[code] ?? connectFault(error.cause, depth - 1);
}

/** No answer came. What stood in the way on our side, such as a changed certificate, is told in its own words and is no passing fault. */
export function networkFault(error: TransportError, login: Pick<Login, "face" | "loginUrl">): SessionFault {
  const own = ownFailure(error);
  if (own !== undefined) return new SessionFault(own.code === "upstream_unavailable" ? "unreachable" : "refused", "network", own);
  if (login.face === "oauth") return new SessionFault("unreachable", "network", unreachable(error));
  const failure = new GatewayError(
    "upstream_unavailable",
    `The Client Portal Gateway does not answer: ${connectFault(error) ?? messageOf(error)}.`,
    {
      whatToDo: `Check that it runs at ${login.loginUrl ?? "its address"} and can be reached from this machine.`,
      retryAfterSeconds: 60,
      cause: error,
    },
  );
  return new SessionFault("unreachable", "network", failure);
}

/** A failure of ours among an error's causes. */
export function ownFailure(error: unknown, depth = 5): GatewayError | undefined {
  if (error instanceof GatewayError || depth === 0) return error instanceof GatewayError ? error : undefined;
  return error instanceof Error ? ownFailure(error.cause, depth - 1) : undefined;
}

/** The same failure with the time that is left until it makes sense to try again. */
export function again(failure: GatewayError, pauseMs: number): GatewayError {
  return new GatewayError(failure.code, failure.message, {
    whatToDo: failure.whatToDo,
    retryAfterSeconds: Math.max(1, Math.ceil(pauseMs / 1000)),
    ...(failure.link === undefined ? {} : { link: failure.link }),
    cause: failure.cause,
  });
}

/** An opening, or a farewell, took longer than it may. */
export function tooSlow(): SessionFault {
  return new SessionFault("unreachable", "brokerage_session", unavailable("IBKR did not answer in time."));
}

/** The link was closed. */
export function closed(): GatewayError {
  return notReady("This connection has been closed.", "Try again.");
}

function notReady(message: string, whatToDo: string, link?: string): GatewayError {
  return new GatewayError("connection_not_ready", message, link === undefined ? { whatToDo } : { whatToDo, link });
}
