import { failure } from "../http/route.ts";
import type { Route, SimReply, SimRequest } from "../http/route.ts";
import type { Session } from "../session/session.ts";
import type { Simulation } from "../simulation.ts";
import type { SimAccount } from "./records.ts";

/** What a portfolio endpoint works with once the account in its path is known to be the user's. */
export interface PortfolioRequest {
  readonly account: SimAccount;
  readonly request: SimRequest;
  readonly session: Session;
  readonly simulation: Simulation;
}

/**
 * Wraps a handler of `/portfolio/{accountId}/…`: an account that isn't the user's is answered with 401, and so is any
 * account before the session has called `/portfolio/accounts` or `/portfolio/subaccounts`.
 */
export function inPortfolio(handle: (request: PortfolioRequest) => SimReply): Route["handle"] {
  return (request, session, simulation) => {
    const account = portfolioAccountOf(request.params["accountId"], session, simulation);
    return account === undefined ? notAuthenticated() : handle({ account, request, session, simulation });
  };
}

/** The user's account with this id, or undefined when there is none or the session isn't primed for it. */
export function portfolioAccountOf(accountId: unknown, session: Session, { trading }: Simulation): SimAccount | undefined {
  if (!session.portfolioPrimed || typeof accountId !== "string" || !session.user.accountIds.includes(accountId)) return undefined;
  return trading.account(accountId);
}

/** What portfolio endpoints answer for an account that they don't know. */
export function notAuthenticated(): SimReply {
  return failure(401, "not authenticated");
}
