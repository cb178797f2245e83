import type { Decimal } from "../lib/decimal.ts";
import type { OptionRight, SecType } from "./instrument.ts";

/** What a connection is proven to reach: our simulator, an IBKR paper account, or real money. */
export type Mode = "simulated" | "paper" | "live";

/** One IBKR sub-account of a connection. `All` and advisor groups are never among them. */
export interface Account {
  readonly accountId: string;
  readonly title: string | undefined;
  /** IBKR's account type, such as `INDIVIDUAL` or `DEMO`. */
  readonly type: string | undefined;
  readonly baseCurrency: string | undefined;
}

/** One line of holdings. Amounts are in `currency`; the base figures are in the account's base currency. */
export interface Position {
  readonly conid: number;
  readonly symbol: string;
  readonly description: string | undefined;
  readonly secType: SecType;
  readonly currency: string;
  /** Shares or contracts; negative when short. */
  readonly quantity: Decimal;
  readonly marketPrice: Decimal | undefined;
  readonly marketValue: Decimal | undefined;
  /** Average price per share or per unit of the underlying, without the multiplier. */
  readonly averagePrice: Decimal | undefined;
  readonly unrealizedPnl: Decimal | undefined;
  readonly realizedPnl: Decimal | undefined;
  readonly multiplier: Decimal | undefined;
  readonly right: OptionRight | undefined;
  readonly strike: Decimal | undefined;
  readonly expiry: string | undefined;
}

/** One currency of the cash ledger. All amounts are in `currency`. */
export interface CashBalance {
  readonly currency: string;
  readonly cash: Decimal | undefined;
  readonly settledCash: Decimal | undefined;
  readonly netLiquidationValue: Decimal | undefined;
  readonly unrealizedPnl: Decimal | undefined;
  readonly realizedPnl: Decimal | undefined;
  readonly interest: Decimal | undefined;
  readonly dividends: Decimal | undefined;
  /** Units of the base currency for one unit of this one. */
  readonly exchangeRate: Decimal | undefined;
}

/** The cash ledger: a row per currency, and the totals in the base currency. */
export interface CashLedger {
  readonly accountId: string;
  readonly baseCurrency: string;
  readonly balances: readonly CashBalance[];
  readonly total: CashBalance | undefined;
  readonly asOf: number;
}

/** An account's figures in its base currency. */
export interface AccountSummary {
  readonly accountId: string;
  readonly currency: string;
  readonly netLiquidationValue: Decimal | undefined;
  readonly totalCash: Decimal | undefined;
  readonly grossPositionValue: Decimal | undefined;
  readonly availableFunds: Decimal | undefined;
  readonly excessLiquidity: Decimal | undefined;
  readonly buyingPower: Decimal | undefined;
  readonly initialMargin: Decimal | undefined;
  readonly maintenanceMargin: Decimal | undefined;
  readonly asOf: number;
}
