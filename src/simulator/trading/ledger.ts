import { Decimal } from "../../lib/decimal.ts";
import { rawNumber } from "../../lib/json.ts";
import { money, number } from "./number-text.ts";
import type { AccountValuation, CurrencyTotals } from "./valuation.ts";

/** Decimals of an exchange rate. */
const RATE_DECIMALS = 7;
const ZERO = rawNumber("0.0");

/** Builds the ledger: one object for each currency, and the account's totals in its base currency under `BASE` (reference C.2). */
export function ledgerOf({ account, at, currencies, total }: AccountValuation): Readonly<Record<string, unknown>> {
  const rows = [...currencies, total].map((totals) => [totals.currency, ledgerRow(totals, account.id, at)] as const);
  return Object.fromEntries(rows);
}

function ledgerRow(totals: CurrencyTotals, accountId: string, at: number): Readonly<Record<string, unknown>> {
  return {
    commoditymarketvalue: ZERO,
    futuremarketvalue: ZERO,
    settledcash: money(totals.settledCash),
    exchangerate: totals.rate.equals(Decimal.one) ? 1 : number(totals.rate.round(RATE_DECIMALS)),
    sessionid: 1,
    cashbalance: money(totals.cash),
    corporatebondsmarketvalue: ZERO,
    warrantsmarketvalue: ZERO,
    netliquidationvalue: money(totals.netLiquidation),
    interest: ZERO,
    unrealizedpnl: money(totals.unrealized),
    stockmarketvalue: money(totals.stockValue),
    moneyfunds: ZERO,
    currency: totals.currency,
    realizedpnl: money(totals.realizedToday),
    funds: ZERO,
    acctcode: accountId,
    issueroptionsmarketvalue: ZERO,
    key: "LedgerList",
    timestamp: Math.floor(at / 1000),
    severity: 0,
    stockoptionmarketvalue: money(totals.optionValue),
    futuresonlypnl: ZERO,
    tbondsmarketvalue: ZERO,
    futureoptionmarketvalue: ZERO,
    cashbalancefxsegment: ZERO,
    secondkey: totals.currency,
    tbillsmarketvalue: ZERO,
    endofbundle: 1,
    dividends: ZERO,
    cryptocurrencyvalue: ZERO,
  };
}
