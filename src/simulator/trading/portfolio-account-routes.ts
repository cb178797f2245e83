import { ok } from "../http/route.ts";
import type { Route, SimReply, SimRequest } from "../http/route.ts";
import type { Session, SimUser } from "../session/session.ts";
import type { Simulation } from "../simulation.ts";
import { inPortfolio } from "./portfolio-access.ts";
import type { SimAccount } from "./records.ts";
import type { Trading } from "./trading.ts";

const PAGE_SIZE = 20;
const ONCE_IN_5_SECONDS = { requests: 1, perMs: 5000 };

/** The accounts as the portfolio endpoints know them (reference C.2). */
export const portfolioAccountRoutes: readonly Route[] = [
  { method: "GET", path: "/portfolio/accounts", tier: "sso", pacing: ONCE_IN_5_SECONDS, handle: listPortfolioAccounts },
  { method: "GET", path: "/portfolio/subaccounts", tier: "sso", pacing: ONCE_IN_5_SECONDS, handle: listPortfolioAccounts },
  { method: "GET", path: "/portfolio/subaccounts2", tier: "sso", handle: pageOfSubaccounts },
  {
    method: "GET",
    path: "/portfolio/{accountId}/meta",
    tier: "sso",
    handle: inPortfolio(({ account, session }) => ok(portfolioAccount(account, session.user))),
  },
];

function rows(session: Session, trading: Trading): readonly unknown[] {
  session.portfolioPrimed = true;
  const accounts = session.user.accountIds.flatMap((id) => trading.account(id) ?? []);
  return accounts.map((account) => portfolioAccount(account, session.user));
}

function listPortfolioAccounts(_request: SimRequest, session: Session, { trading }: Simulation): SimReply {
  return ok(rows(session, trading));
}

function pageOfSubaccounts(request: SimRequest, session: Session, { trading }: Simulation): SimReply {
  const all = rows(session, trading);
  const page = Number(request.query.get("page") ?? "0");
  const pageNum = Number.isSafeInteger(page) && page > 0 ? page : 0;
  const subaccounts = all.slice(pageNum * PAGE_SIZE, (pageNum + 1) * PAGE_SIZE);
  return ok({ metadata: { total: all.length, pageSize: PAGE_SIZE, pageNum }, subaccounts });
}

function portfolioAccount(account: SimAccount, { paper, masterAccountId = "" }: SimUser): Readonly<Record<string, unknown>> {
  return {
    id: account.id,
    "PrepaidCrypto-Z": false,
    "PrepaidCrypto-P": false,
    brokerageAccess: true,
    accountId: account.id,
    accountVan: account.id,
    accountTitle: account.title,
    displayName: account.title,
    accountAlias: null,
    accountStatus: account.openedAt,
    currency: account.baseCurrency,
    type: paper ? "DEMO" : "INDIVIDUAL",
    tradingType: "STKMRGN",
    businessType: "INDEPENDENT",
    category: "",
    ibEntity: "IBLLC-US",
    faclient: masterAccountId !== "",
    clearingStatus: "O",
    covestor: false,
    noClientTrading: false,
    trackVirtualFXPortfolio: false,
    acctCustType: "INDIVIDUAL",
    parent: { mmc: [], accountId: masterAccountId, isMParent: false, isMChild: masterAccountId !== "", isMultiplex: false },
    desc: account.id,
  };
}
