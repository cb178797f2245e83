import { z } from "zod";

import type { AccountSummary, CashBalance, CashLedger, Position } from "../../broker/account.ts";
import { Decimal } from "../../lib/decimal.ts";
import { unlessZero } from "../numbers.ts";
import type { ApiRequest } from "../transport.ts";
import { isoDate, secTypeOf } from "./codes.ts";
import { decimal, integer, listOf, text } from "./reply.ts";

/** `GET /portfolio/accounts`, which also primes every other `/portfolio` read. */
export const PORTFOLIO_ACCOUNTS: ApiRequest = { method: "GET", path: "/portfolio/accounts", endpoint: "/portfolio/accounts" };

/** Rows on a page of positions; older builds send fewer, so that only an empty page ends the list. */
export const MAX_POSITION_PAGES = 50;

/** A read below `/portfolio/{accountId}`. */
export function portfolioRequest(accountId: string, what: "summary" | "ledger"): ApiRequest {
  return { method: "GET", path: `/portfolio/${encodeURIComponent(accountId)}/${what}`, endpoint: `/portfolio/{accountId}/${what}` };
}

/** One page of positions, from 0. */
export function positionsRequest(accountId: string, page: number): ApiRequest {
  const path = `/portfolio/${encodeURIComponent(accountId)}/positions/${page}`;
  return { method: "GET", path, endpoint: "/portfolio/{accountId}/positions/{page}" };
}

/** Rows of `/portfolio/accounts`. */
export const portfolioAccountsReply = listOf(
  z.looseObject({ accountId: z.string(), accountTitle: text, displayName: text, currency: text, type: text }),
);

/** An account as the portfolio tier describes it. */
export type PortfolioAccount = z.output<typeof portfolioAccountsReply>[number];

const figure = z.looseObject({ amount: decimal, currency: text }).optional().catch(undefined);

/** `/portfolio/{id}/summary`, of its 114 figures those that we use. */
export const summaryReply = z.looseObject({
  netliquidation: figure,
  totalcashvalue: figure,
  grosspositionvalue: figure,
  availablefunds: figure,
  excessliquidity: figure,
  buyingpower: figure,
  initmarginreq: figure,
  maintmarginreq: figure,
});

/** Reads the summary into our terms. */
export function toSummary(
  reply: z.output<typeof summaryReply>,
  account: { accountId: string; baseCurrency: string | undefined },
  asOf: number,
): AccountSummary {
  return {
    accountId: account.accountId,
    currency: reply.netliquidation?.currency ?? account.baseCurrency ?? "",
    netLiquidationValue: reply.netliquidation?.amount,
    totalCash: reply.totalcashvalue?.amount,
    grossPositionValue: reply.grosspositionvalue?.amount,
    availableFunds: reply.availablefunds?.amount,
    excessLiquidity: reply.excessliquidity?.amount,
    buyingPower: reply.buyingpower?.amount,
    initialMargin: reply.initmarginreq?.amount,
    maintenanceMargin: reply.maintmarginreq?.amount,
    asOf,
  };
}

const ledgerRow = z.looseObject({
  cashbalance: decimal,
  settledcash: decimal,
  netliquidationvalue: decimal,
  unrealizedpnl: decimal,
  realizedpnl: decimal,
  interest: decimal,
  dividends: decimal,
  exchangerate: decimal,
});

/** `/portfolio/{id}/ledger`: a row per currency, and `BASE`. */
export const ledgerReply = z.record(z.string(), ledgerRow);

/** Reads the ledger into our terms; `BASE` becomes the total in the base currency. */
export function toLedger(
  reply: z.output<typeof ledgerReply>,
  account: { accountId: string; baseCurrency: string },
  asOf: number,
): CashLedger {
  const balances = Object.entries(reply).map(([currency, row]): CashBalance => {
    return {
      currency: currency === "BASE" ? account.baseCurrency : currency,
      cash: row.cashbalance,
      settledCash: row.settledcash,
      netLiquidationValue: row.netliquidationvalue,
      unrealizedPnl: row.unrealizedpnl,
      realizedPnl: row.realizedpnl,
      interest: row.interest,
      dividends: row.dividends,
      exchangeRate: row.exchangerate,
    };
  });
  const currencies = Object.keys(reply);
  return {
    accountId: account.accountId,
    baseCurrency: account.baseCurrency,
    balances: balances.filter((_balance, index) => currencies[index] !== "BASE"),
    total: balances.find((_balance, index) => currencies[index] === "BASE"),
    asOf,
  };
}

const positionRow = z.looseObject({
  conid: integer,
  contractDesc: text,
  ticker: text,
  name: text,
  position: decimal,
  mktPrice: decimal,
  mktValue: decimal,
  currency: text,
  avgCost: decimal,
  avgPrice: decimal,
  realizedPnl: decimal,
  unrealizedPnl: decimal,
  assetClass: text,
  multiplier: decimal,
  putOrCall: text,
  strike: decimal,
  expiry: text,
});

/** A page of positions. */
export const positionsReply = listOf(positionRow);

/** A position as IBKR sends it; sparse on the first read of a session. */
export type PositionRow = z.output<typeof positionRow>;

/** True when the row has what IBKR adds on the second read. */
export function isEnriched(row: PositionRow): boolean {
  return row.ticker !== undefined;
}

/** Reads a position into our terms; undefined for a row without contract or quantity, and for one closed today. */
export function toPosition(row: PositionRow): Position | undefined {
  if (row.conid === undefined || row.position === undefined || row.position.isZero()) return undefined;
  const multiplier = unlessZero(row.multiplier);
  return {
    conid: row.conid,
    symbol: row.ticker ?? (row.contractDesc ?? "").split(" ")[0] ?? "",
    description: row.contractDesc ?? row.name,
    secType: secTypeOf(row.assetClass) ?? "STK",
    currency: row.currency ?? "",
    quantity: row.position,
    marketPrice: row.mktPrice,
    marketValue: row.mktValue,
    averagePrice: row.avgPrice ?? row.avgCost?.dividedBy(multiplier ?? Decimal.one),
    unrealizedPnl: row.unrealizedPnl,
    realizedPnl: row.realizedPnl,
    multiplier,
    right: row.putOrCall?.startsWith("C") === true ? "C" : row.putOrCall?.startsWith("P") === true ? "P" : undefined,
    strike: unlessZero(row.strike),
    expiry: isoDate(row.expiry),
  };
}
