import { failure } from "../http/route.ts";
import type { Route, SimReply, SimRequest } from "../http/route.ts";
import type { Session } from "../session/session.ts";
import type { Simulation } from "../simulation.ts";

/** Refuses an order endpoint with 500 until the session has called `GET /iserver/accounts`. */
export function afterAccounts(handle: Route["handle"]): Route["handle"] {
  return (request, session, simulation) =>
    session.brokerage.accountsPrimed ? handle(request, session, simulation) : failure(500, "Please query /accounts first");
}

/** What an endpoint of one account works with once the account is known to be the user's. */
export interface AccountRequest {
  readonly accountId: string;
  readonly request: SimRequest;
  readonly session: Session;
  readonly simulation: Simulation;
}

/** Wraps a handler of `/iserver/account/{accountId}/…`: an account that isn't the user's is answered with 400. */
export function ofAccount(handle: (request: AccountRequest) => SimReply): Route["handle"] {
  return (request, session, simulation) => {
    const accountId = request.params["accountId"] ?? "";
    if (!session.user.accountIds.includes(accountId)) return invalidAccount(accountId);
    return handle({ accountId, request, session, simulation });
  };
}

/** What an advisor chooses in place of one account to see those of all clients; it never takes an order. */
export const ALL_ACCOUNTS = "All";

/** The accounts that a name stands for: itself, or all of them for an advisor's `All`. Undefined for a name that is not the user's. */
export function accountsNamed({ user }: Session, name: string): readonly string[] | undefined {
  if (name === ALL_ACCOUNTS && user.masterAccountId !== undefined) return user.accountIds;
  return user.accountIds.includes(name) ? [name] : undefined;
}

/** IBKR's answer to an account id that the user doesn't have. */
export function invalidAccount(accountId: string): SimReply {
  return failure(400, `Bad Request: accountId is not valid: ${accountId}`);
}
