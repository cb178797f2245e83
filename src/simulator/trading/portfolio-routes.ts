import { isRecord } from "../../lib/json.ts";
import { failure, ok } from "../http/route.ts";
import type { Route, SimReply, SimRequest } from "../http/route.ts";
import type { Session } from "../session/session.ts";
import type { Simulation } from "../simulation.ts";
import { allocationOf } from "./allocation.ts";
import { ledgerOf } from "./ledger.ts";
import { inPortfolio, notAuthenticated, portfolioAccountOf } from "./portfolio-access.ts";
import type { PortfolioRequest } from "./portfolio-access.ts";
import { portfolioSummary } from "./portfolio-summary.ts";
import type { AccountValuation } from "./valuation.ts";

/** Worth of an account: summary, ledger, allocation (reference C.2 and C.3). */
export const portfolioRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/portfolio/{accountId}/summary",
    tier: "sso",
    handle: inPortfolio((input) => ok(portfolioSummary(valuationOf(input)))),
  },
  { method: "GET", path: "/portfolio/{accountId}/ledger", tier: "sso", handle: inPortfolio((input) => ok(ledgerOf(valuationOf(input)))) },
  {
    method: "GET",
    path: "/portfolio/{accountId}/allocation",
    tier: "sso",
    handle: inPortfolio((input) => allocation([valuationOf(input)], input.simulation)),
  },
  { method: "POST", path: "/portfolio/allocation", tier: "sso", handle: allocationOfAccounts },
];

function valuationOf({ account, request, simulation }: PortfolioRequest): AccountValuation {
  return simulation.trading.valuation(account.id, request.now);
}

/** Several accounts together; amounts are in the base currency of the first. */
function allocationOfAccounts(request: SimRequest, session: Session, simulation: Simulation): SimReply {
  const ids: unknown = isRecord(request.body) ? request.body["acctIds"] : undefined;
  if (!Array.isArray(ids) || ids.length === 0) return failure(400, "Bad Request: acctIds are required");
  const accounts = ids.map((id: unknown) => portfolioAccountOf(id, session, simulation));
  const known = accounts.filter((account) => account !== undefined);
  if (known.length < accounts.length) return notAuthenticated();
  return allocation(
    known.map((account) => simulation.trading.valuation(account.id, request.now)),
    simulation,
  );
}

function allocation(valuations: readonly AccountValuation[], { market }: Simulation): SimReply {
  const [first] = valuations;
  const base = first?.account.baseCurrency ?? "USD";
  return ok(allocationOf(valuations, (currency) => market.rate(currency, base, first?.at ?? 0)));
}
