import type { Decimal } from "../lib/decimal.ts";
import type { CallOptions } from "./broker.ts";
import type { Instrument, OptionRight, SecType } from "./instrument.ts";
import type { Quote } from "./market-data.ts";

/** Reads beyond accounts, quotes and orders. Each throws `GatewayError`. */
export interface Research {
  /** Profit and loss of today, per account, in its base currency. */
  pnl(accountId: string, options: CallOptions): Promise<AccountPnl>;
  /** Value over time and returns. IBKR answers each period once in 15 minutes; a kept answer says its own time. */
  performance(accountId: string, period: PerformancePeriod, options: CallOptions): Promise<Performance>;
  /** Transactions of one contract over `days` (1–365), newest first. */
  transactions(request: TransactionsRequest, options: CallOptions): Promise<Transactions>;
  /** The option expiries of an underlying: months, and the days in those months that were asked for before. */
  optionMonths(underlyingConid: number, options: CallOptions): Promise<readonly string[]>;
  /** The strikes listed in one month (`YYYY-MM`), ascending, for calls and puts. */
  optionStrikes(underlyingConid: number, month: string, options: CallOptions): Promise<OptionStrikes>;
  /** Quotes with implied volatility and Greeks for option contracts, at most 50. */
  optionQuotes(conids: readonly number[], options: CallOptions): Promise<readonly OptionQuote[]>;
  /** Futures that are not expired on these root symbols (`ES`, `CL`), nearest first. */
  futures(symbols: readonly string[], options: CallOptions): Promise<readonly Future[]>;
  /** Units of `to` for one unit of `from`. */
  exchangeRate(from: string, to: string, options: CallOptions): Promise<ExchangeRate>;
  /** Trading and liquid hours of a contract, from today on. */
  marketHours(conid: number, options: CallOptions): Promise<MarketHours>;
  /** What scanners there are; kept for 15 minutes. */
  scannerParameters(options: CallOptions): Promise<ScannerParameters>;
  runScanner(request: ScannerRequest, options: CallOptions): Promise<readonly ScannerHit[]>;
}

export interface AccountPnl {
  readonly accountId: string;
  readonly currency: string;
  readonly daily: Decimal | undefined;
  readonly unrealized: Decimal | undefined;
  readonly realized: Decimal | undefined;
  readonly netLiquidationValue: Decimal | undefined;
  readonly excessLiquidity: Decimal | undefined;
  readonly marketValue: Decimal | undefined;
  readonly asOf: number;
}

export const PERFORMANCE_PERIODS = ["1D", "7D", "MTD", "1M", "3M", "6M", "YTD", "1Y"] as const;
export type PerformancePeriod = (typeof PERFORMANCE_PERIODS)[number];

/** One day of an account: its value in `currency`, and the cumulative time-weighted return since the period's start (0.05 is 5 %). */
export interface PerformancePoint {
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly netAssetValue: Decimal | undefined;
  readonly cumulativeReturn: Decimal | undefined;
}

export interface Performance {
  readonly accountId: string;
  readonly currency: string;
  readonly period: PerformancePeriod;
  readonly points: readonly PerformancePoint[];
  readonly asOf: number;
}

export interface TransactionsRequest {
  readonly accountId: string;
  readonly conid: number;
  readonly days: number;
}

export interface Transaction {
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly type: string;
  readonly description: string | undefined;
  readonly quantity: Decimal | undefined;
  readonly price: Decimal | undefined;
  readonly amount: Decimal | undefined;
  readonly currency: string;
}

export interface Transactions {
  readonly accountId: string;
  readonly conid: number;
  readonly currency: string;
  readonly rows: readonly Transaction[];
  readonly realizedPnl: Decimal | undefined;
  readonly asOf: number;
}

export interface OptionStrikes {
  readonly calls: readonly Decimal[];
  readonly puts: readonly Decimal[];
}

/** Greeks are per unit of the underlying; implied volatility is a fraction a year (0.25 is 25 %). */
export interface OptionQuote {
  readonly instrument: Instrument;
  readonly right: OptionRight;
  readonly strike: Decimal;
  readonly quote: Quote;
  readonly impliedVolatility: Decimal | undefined;
  readonly delta: Decimal | undefined;
  readonly gamma: Decimal | undefined;
  readonly theta: Decimal | undefined;
  readonly vega: Decimal | undefined;
  readonly openInterest: Decimal | undefined;
}

export interface Future {
  readonly conid: number;
  readonly symbol: string;
  readonly underlyingConid: number | undefined;
  /** `YYYY-MM-DD`. */
  readonly expiry: string;
  readonly lastTradingDay: string | undefined;
}

export interface ExchangeRate {
  readonly from: string;
  readonly to: string;
  readonly rate: Decimal;
  readonly asOf: number;
}

/** One stretch of trading; instants in epoch ms. */
export interface TradingSession {
  readonly opensAt: number;
  readonly closesAt: number;
  readonly isLiquidHours: boolean;
}

export interface MarketHours {
  readonly conid: number;
  readonly exchange: string;
  /** IANA name. */
  readonly timeZone: string;
  /** Ascending; a day without any is a holiday. */
  readonly days: readonly { readonly date: string; readonly sessions: readonly TradingSession[] }[];
}

export interface ScannerChoice {
  readonly code: string;
  readonly name: string;
}

export interface ScannerParameters {
  readonly types: readonly (ScannerChoice & { readonly instruments: readonly string[] })[];
  readonly instruments: readonly (ScannerChoice & { readonly filters: readonly string[] })[];
  readonly filters: readonly ScannerChoice[];
  readonly locations: readonly ScannerChoice[];
  readonly asOf: number;
}

export interface ScannerRequest {
  readonly instrument: string;
  readonly type: string;
  readonly location: string;
  readonly filters: readonly { readonly code: string; readonly value: string }[];
}

export interface ScannerHit {
  readonly conid: number;
  readonly symbol: string;
  readonly name: string | undefined;
  readonly secType: SecType | undefined;
  readonly exchange: string | undefined;
  /** What the scan ranks by, as IBKR writes it. */
  readonly value: string | undefined;
}
