import { failure, ok } from "../http/route.ts";
import type { Route, SimReply, SimRequest } from "../http/route.ts";
import type { Session } from "../session/session.ts";
import type { Simulation } from "../simulation.ts";
import { PAGE_SIZE, enrichedRow, portfolio2Row, sparseRow } from "./holding-rows.ts";
import { inPortfolio, notAuthenticated, portfolioAccountOf } from "./portfolio-access.ts";
import type { PortfolioRequest } from "./portfolio-access.ts";
import type { Holding } from "./valuation.ts";

type Row = Readonly<Record<string, unknown>>;

/** Positions in all their forms (reference C.3). */
export const positionRoutes: readonly Route[] = [
  { method: "GET", path: "/portfolio/{accountId}/positions", tier: "sso", handle: inPortfolio(pageOfPositions) },
  { method: "GET", path: "/portfolio/{accountId}/positions/{page}", tier: "sso", handle: inPortfolio(pageOfPositions) },
  {
    method: "POST",
    path: "/portfolio/{accountId}/positions/invalidate",
    tier: "sso",
    handle: inPortfolio(() => ok({ message: "success" })),
  },
  { method: "GET", path: "/portfolio2/{accountId}/positions", tier: "sso", handle: inPortfolio(uncachedPositions) },
  { method: "GET", path: "/portfolio/{accountId}/position/{conid}", tier: "sso", handle: inPortfolio(positionOfConid) },
  { method: "GET", path: "/portfolio/positions/{conid}", tier: "sso", handle: positionsOfConid },
  // The simulator places no combinations, so there are never positions of one.
  { method: "GET", path: "/portfolio/{accountId}/combo/positions", tier: "sso", handle: inPortfolio(() => ok([])) },
];

function holdingsOf({ account, request, simulation }: PortfolioRequest): readonly Holding[] {
  return simulation.trading.valuation(account.id, request.now).holdings;
}

/** One page; the first read of an account in a session is sparse, as the contracts' details are only then fetched. */
function pageOfPositions(input: PortfolioRequest): SimReply {
  const { account, request, session } = input;
  const page = Number(request.params["page"] ?? "0");
  if (!Number.isSafeInteger(page) || page < 0) return failure(400, "Bad Request: pageId is not valid");
  const enriched = session.positionsPrimed.has(account.id);
  session.positionsPrimed.add(account.id);
  const rows = holdingsOf(input).map((holding) => (enriched ? enrichedRow(holding, account.id) : sparseRow(holding, account.id)));
  return ok(sorted(rows, request.query).slice(page * PAGE_SIZE, (page + 1) * PAGE_SIZE));
}

function uncachedPositions(input: PortfolioRequest): SimReply {
  const { request } = input;
  const rows = holdingsOf(input).map((holding) => portfolio2Row(holding, request.now));
  return ok(sorted(rows, request.query));
}

/** Sorts by the field that `sort` names, upwards or with `direction=d` downwards; as it is without or with an unknown one. */
function sorted(rows: readonly Row[], query: URLSearchParams): readonly Row[] {
  const field = query.get("sort");
  if (field === null || rows.some((row) => row[field] === undefined)) return rows;
  const sign = query.get("direction") === "d" ? -1 : 1;
  return rows.toSorted((a, b) => sign * compare(JSON.stringify(a[field]), JSON.stringify(b[field])));
}

/** Compares two JSON texts as numbers when both are, otherwise as texts. */
function compare(a: string, b: string): number {
  const difference = Number(a) - Number(b);
  return Number.isNaN(difference) ? a.localeCompare(b, "en") : difference;
}

function positionOfConid(input: PortfolioRequest): SimReply {
  const { account, request } = input;
  return ok(rowsOf(holdingsOf(input), request.params["conid"], account.id));
}

function rowsOf(holdings: readonly Holding[], conid: string | undefined, accountId: string): readonly Row[] {
  return holdings.filter(({ instrument }) => String(instrument.conid) === conid).map((holding) => enrichedRow(holding, accountId));
}

/** The position in one contract of every account that has it. */
function positionsOfConid(request: SimRequest, session: Session, simulation: Simulation): SimReply {
  if (!session.portfolioPrimed) return notAuthenticated();
  const found = session.user.accountIds.flatMap((accountId): readonly (readonly [string, readonly Row[]])[] => {
    const account = portfolioAccountOf(accountId, session, simulation);
    if (account === undefined) return [];
    const rows = rowsOf(holdingsOf({ account, request, session, simulation }), request.params["conid"], accountId);
    return rows.length === 0 ? [] : [[accountId, rows]];
  });
  return ok(Object.fromEntries(found));
}
