import type { HealthLayer } from "../broker/health.ts";
import type { GatewayError } from "../lib/errors.ts";
import type { Answer, ApiRequest, Sender } from "./transport.ts";

/** Sends one of the login's own requests, in the name of `sender` where it isn't the login itself. */
export type SendForLogin = (request: ApiRequest, sender?: Sender) => Promise<Answer>;

/** Who is logged in, as far as the login tells. */
export interface LoginIdentity {
  readonly userName: string | undefined;
  /** 1 live, 2 paper. Source: `LOGIN_TYPE` of `GET /sso/validate`. */
  readonly loginType: number | undefined;
}

/**
 * How one logs in to IBKR's Web API: by OAuth 1.0a, or through a Client Portal Gateway where a person has logged in.
 * It makes the headers of every request, and knows nothing of the brokerage session above it.
 */
export interface Login extends Sender {
  /** Which of IBKR's two faces it talks to; their limits differ. */
  readonly face: "oauth" | "gateway";
  /** The layers of health that it has between the network and the brokerage session, from below. */
  readonly layers: readonly HealthLayer[];
  /** The page where a person logs in, where a person has to. */
  readonly loginUrl: string | undefined;
  /** Who is logged in; undefined where that is not known (yet). */
  readonly identity: LoginIdentity | undefined;
  /** This machine's clock is so far off that logins fail, or soon will; undefined while it is right, as far as is known. */
  readonly clockFault: GatewayError | undefined;
  /** False while `open` has to be called before a request: there is no login, or it ends soon. */
  isCurrent(): boolean;
  /** Logs in, or finds out whether a person has. Throws `SessionFault`, or `TransportError` when no answer came. */
  open(send: SendForLogin): Promise<void>;
  /** Asks who is logged in, where that can be asked and is not known lately. Throws as `open` does. */
  identify?(send: SendForLogin): Promise<void>;
  /** Told that IBKR doesn't know the login any more. */
  lost(): void;
  /** The cookies that requests carry, and the WebSocket beside the session's own. */
  readonly cookie: string | undefined;
  /** What the WebSocket's address carries beside the session's cookie. */
  socketQuery(): Readonly<Record<string, string>>;
}

/** One request's sender that lets another hear as well how it goes. */
export function heardByBoth(sender: Sender, other: Sender): Sender {
  return {
    headers: (method, url) => sender.headers(method, url),
    heard: (headers) => {
      sender.heard?.(headers);
      other.heard?.(headers);
    },
    missed: (error) => {
      sender.missed?.(error);
      other.missed?.(error);
    },
  };
}
