import type { CashBalance, CashLedger } from "../broker/account.ts";

/** One currency of the cash ledger as a row; all its amounts are in `currency`. */
export function cashRow(balance: CashBalance) {
  return {
    currency: balance.currency,
    cash: balance.cash,
    settled_cash: balance.settledCash,
    net_liquidation_value: balance.netLiquidationValue,
    unrealized_pnl: balance.unrealizedPnl,
    realized_pnl: balance.realizedPnl,
    interest: balance.interest,
    dividends: balance.dividends,
    exchange_rate: balance.exchangeRate,
  };
}

/** The ledger's rows, and its total in the base currency when the broker gave one. */
export function cashFields(ledger: CashLedger) {
  const { total } = ledger;
  return {
    base_currency: ledger.baseCurrency,
    cash: ledger.balances.map(cashRow),
    total: total === undefined ? undefined : { ...cashRow(total), currency: ledger.baseCurrency, exchange_rate: undefined },
  };
}

/** Cash in words: `1,000 USD, 250.5 EUR`, without separators. */
export function cashText(ledger: CashLedger): string {
  const parts = ledger.balances.flatMap(({ cash, currency }) => (cash === undefined ? [] : [`${cash.toString()} ${currency}`]));
  return parts.length === 0 ? "no balances" : parts.join(", ");
}
