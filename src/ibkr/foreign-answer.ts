import { GatewayError } from "../lib/errors.ts";
import { isRecord } from "../lib/json.ts";
import type { Login } from "./login.ts";
import { SessionFault } from "./session-failures.ts";
import type { Answer } from "./transport.ts";

/**
 * Throws when an answer of the session's own endpoints can't come from IBKR's Web API: a web page, another service's JSON, a
 * redirect. IBKR's pages of failure (401, 403, 429, 5xx) are none of these.
 */
export function refuseForeignAnswer({ status, body }: Answer, { face, loginUrl }: Pick<Login, "face" | "loginUrl">): void {
  const isRedirect = status >= 300 && status < 400;
  const isPage = (status < 300 || status === 404 || status === 405) && !isRecord(body);
  if (!isRedirect && !isPage) return;
  const [message, whatToDo] =
    face === "gateway"
      ? [
          `What answers at ${loginUrl ?? "the connection's address"} is not a Client Portal Gateway.`,
          "Check address and port: another program may answer there (on a Mac, AirPlay has port 5000), or a proxy in between.",
        ]
      : [
          "What answers at the connection's address is not IBKR's Web API.",
          "Check the address, and that no proxy or sign-in page of the network stands in between.",
        ];
  throw new SessionFault("refused", "network", new GatewayError("connection_not_ready", message, { whatToDo }));
}
