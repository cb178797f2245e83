import type { Caller } from "../connections/caller.ts";
import type { ErrorCode, GatewayError } from "../lib/errors.ts";

/** Failures that the owner of the connection mends on its page. */
const MENDED_ON_THE_PAGE: ReadonlySet<ErrorCode> = new Set([
  "connection_frozen",
  "connection_not_ready",
  "connection_paused",
  "live_trading_disabled",
  "session_competing",
]);

/** Finds the page that helps with an error: the error's own, or the connection's page in the console; undefined where neither does. */
export type ErrorLink = (error: GatewayError, caller: Pick<Caller, "connectionId">) => string | undefined;

/** Makes it for the gateway at this origin. */
export function createErrorLink(publicUrl: () => string): ErrorLink {
  return (error, { connectionId }) =>
    absolute(error.link, publicUrl()) ??
    (MENDED_ON_THE_PAGE.has(error.code) ? `${publicUrl()}/console/connections/${connectionId}` : undefined);
}

/** A link of an error may be a path on this gateway. */
function absolute(link: string | undefined, publicUrl: string): string | undefined {
  return link?.startsWith("/") === true ? publicUrl + link : link;
}
