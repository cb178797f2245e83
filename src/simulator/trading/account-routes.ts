import { isRecord } from "../../lib/json.ts";
import { failure, ok } from "../http/route.ts";
import type { Route, SimReply, SimRequest } from "../http/route.ts";
import { SERVER_INFO } from "../session/server-info.ts";
import type { Session } from "../session/session.ts";
import { ALL_ACCOUNTS, accountsNamed } from "./order-access.ts";

const ASSET_TYPES = "STK,CFD,OPT,FOP,WAR,FUT,BAG,PDC,CASH,IND,BOND,BILL,FUND,SLB,News,CMDTY,IOPT,ICU,ICS,PHYSS,CRYPTO";
const ANY_PERIOD = ["*"];
const OPTION_PERIODS = ["2h", "1d", "2d", "1w", "1m"];
const NO_DETAILS = "Details currently unavailable. Please try again later and contact client services if the issue persists.";

/** The one group of a demo advisor's clients. */
const ADVISOR_GROUP = "Everybody";

/** The trading accounts of a session: list, switch, search (reference C.1). */
export const accountRoutes: readonly Route[] = [
  { method: "GET", path: "/iserver/accounts", tier: "brokerage", handle: listAccounts },
  { method: "POST", path: "/iserver/account", tier: "brokerage", handle: switchAccount },
  { method: "POST", path: "/iserver/dynaccount", tier: "brokerage", handle: setDynamicAccount },
  { method: "GET", path: "/iserver/account/search/{pattern}", tier: "brokerage", handle: searchAccounts },
];

function listAccounts(_request: SimRequest, session: Session): SimReply {
  session.brokerage.accountsPrimed = true;
  return ok(tradingAccounts(session));
}

/** Builds the answer of `GET /iserver/accounts`, which the WebSocket's `act` topic repeats. */
export function tradingAccounts(session: Session): Readonly<Record<string, unknown>> {
  const { accountIds, masterAccountId } = session.user;
  const advisor = masterAccountId !== undefined;
  const ids = advisor ? [ALL_ACCOUNTS, ...accountIds] : accountIds;
  return {
    accounts: ids,
    acctProps: Object.fromEntries(ids.map((id) => [id, accountProperties(id)])),
    aliases: Object.fromEntries(ids.map((id) => [id, id])),
    allowFeatures: { ...allowedFeatures(), allowDynAccount: advisor, allowFA: advisor },
    chartPeriods: chartPeriods(),
    groups: advisor ? [ADVISOR_GROUP] : [],
    profiles: [],
    selectedAccount: session.brokerage.selectedAccountId,
    serverInfo: SERVER_INFO,
    sessionId: `${session.id.slice(0, 8)}.00000012`,
    isFT: false,
    isPaper: session.user.paper,
  };
}

function switchAccount(request: SimRequest, session: Session): SimReply {
  const accountId = isRecord(request.body) ? request.body["acctId"] : undefined;
  if (typeof accountId !== "string") return failure(400, "Bad Request: acctId is required");
  if (accountsNamed(session, accountId) === undefined) return failure(500, "Invalid account ID");
  if (session.brokerage.selectedAccountId === accountId) return ok({ success: "Account already set" });
  session.brokerage.selectedAccountId = accountId;
  return ok({ set: true, acctId: accountId });
}

/** Only a user with the dynamic account, an advisor, may set it. */
function setDynamicAccount(request: SimRequest, session: Session): SimReply {
  if (session.user.masterAccountId === undefined) return failure(401, "Dynamic account is not enabled");
  const accountId = isRecord(request.body) ? request.body["acctId"] : undefined;
  if (typeof accountId !== "string" || accountsNamed(session, accountId) === undefined) return failure(503, NO_DETAILS);
  session.brokerage.selectedAccountId = accountId;
  return ok({ set: true, acctId: accountId });
}

function searchAccounts(request: SimRequest, session: Session): SimReply {
  const pattern = request.params["pattern"] ?? "";
  if (session.user.masterAccountId === undefined) return failure(503, NO_DETAILS);
  const found = session.user.accountIds.filter((id) => id.toLowerCase().includes(pattern.toLowerCase()));
  return ok({ matchedAccounts: found.map((accountId, index) => ({ accountId, alias: "", allocationId: String(index + 1) })), pattern });
}

function accountProperties(id: string): Readonly<Record<string, boolean>> {
  return {
    hasChildAccounts: id === ALL_ACCOUNTS,
    supportsCashQty: true,
    liteUnderPro: false,
    noFXConv: false,
    isProp: false,
    supportsFractions: true,
    allowCustomerTime: false,
    autoFx: false,
  };
}

function allowedFeatures(): Readonly<Record<string, unknown>> {
  return {
    showGFIS: true,
    showEUCostReport: false,
    allowEventContract: true,
    allowFXConv: true,
    allowFinancialLens: false,
    allowMTA: true,
    allowTypeAhead: true,
    allowEventTrading: true,
    snapshotRefreshTimeout: 30,
    liteUser: false,
    showWebNews: true,
    research: true,
    debugPnl: true,
    showTaxOpt: true,
    showImpactDashboard: true,
    allowDynAccount: false,
    allowCrypto: true,
    allowFA: false,
    allowLiteUnderPro: false,
    allowedAssetTypes: ASSET_TYPES,
    restrictTradeSubscription: false,
    showUkUserLabels: false,
    sideBySide: true,
  };
}

function chartPeriods(): Readonly<Record<string, readonly string[]>> {
  const types = ["STK", "CFD", "OPT", "FOP", "WAR", "IOPT", "FUT", "CASH", "IND", "BOND", "FUND", "CMDTY", "PHYSS", "CRYPTO"];
  return Object.fromEntries(types.map((type) => [type, type === "OPT" || type === "FOP" ? OPTION_PERIODS : ANY_PERIOD]));
}
