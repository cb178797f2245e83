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
  /** Purchases and sales of one contract over `days` (1–365), newest first. IBKR answers once in 15 minutes; a kept answer says its own time. */
  transactions(request: TransactionsRequest, options: CallOptions): Promise<Transactions>;
  /** The months (`YYYY-MM`) in which options on an underlying expire, ascending; none where it has no options. */
  optionMonths(underlyingConid: number, options: CallOptions): Promise<readonly string[]>;
  /** The strikes listed in one month (`YYYY-MM`), ascending, for calls and puts. */
  optionStrikes(underlyingConid: number, month: string, options: CallOptions): Promise<OptionStrikes>;
  /**
   * The contracts of a month at some strikes, by the day on which they expire (weeklies too), ascending. IBKR is asked once for each
   * strike and right, so that strikes times rights may be at most 60; what it said is kept for hours.
   */
  optionContracts(request: OptionContractsRequest, options: CallOptions): Promise<readonly OptionExpiry[]>;
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
  /** Runs one scan: at most 50 hits, best first. Throws `invalid_arguments` with IBKR's words for codes that it doesn't know. */
  runScanner(request: ScannerRequest, options: CallOptions): Promise<ScannerRun>;
}

/** Profit and loss of an account today, in `currency`. `daily` is missing while IBKR hasn't worked it out. */
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

/** The periods of performance. */
export const PERFORMANCE_PERIODS = ["1D", "7D", "MTD", "1M", "3M", "6M", "YTD", "1Y"] as const;
/** One of the periods. */
export type PerformancePeriod = (typeof PERFORMANCE_PERIODS)[number];

/** One day of an account: its value at the end in `currency`, and the cumulative time-weighted return since the period's start (0.05 is 5 %). */
export interface PerformancePoint {
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly netAssetValue: Decimal | undefined;
  readonly cumulativeReturn: Decimal | undefined;
}

/** What an account was worth over a period, as IBKR told it at `asOf`. */
export interface Performance {
  readonly accountId: string;
  readonly currency: string;
  readonly period: PerformancePeriod;
  /**
   * The last day before the period, `YYYY-MM-DD`, and the account's value at its end, from which the returns start; the day on which
   * the account was opened where that is later.
   */
  readonly startDate: string | undefined;
  readonly startValue: Decimal | undefined;
  /** Ascending. */
  readonly points: readonly PerformancePoint[];
  readonly asOf: number;
}

/** Whose transactions of which contract over how many days. */
export interface TransactionsRequest {
  readonly accountId: string;
  readonly conid: number;
  readonly days: number;
}

/** One purchase, sale or other booking. A sale's quantity is negative, and so is the amount of a purchase. */
export interface Transaction {
  /** `YYYY-MM-DD`. */
  readonly date: string;
  /** IBKR's word: `Buy`, `Sell`, `Dividend` … */
  readonly type: string;
  readonly description: string | undefined;
  readonly quantity: Decimal | undefined;
  /** In the instrument's currency (pounds, not pence). */
  readonly price: Decimal | undefined;
  readonly amount: Decimal | undefined;
  readonly currency: string;
}

/** An account's transactions in one contract, newest first, as IBKR told them at `asOf`. */
export interface Transactions {
  readonly accountId: string;
  readonly conid: number;
  readonly days: number;
  /** The instrument's currency, in which `realizedPnl` is. */
  readonly currency: string;
  readonly rows: readonly Transaction[];
  readonly realizedPnl: Decimal;
  readonly asOf: number;
}

/** The strikes of one month, ascending. */
export interface OptionStrikes {
  readonly calls: readonly Decimal[];
  readonly puts: readonly Decimal[];
}

/** Which option contracts of an underlying: those of a month (`YYYY-MM`) at these strikes. */
export interface OptionContractsRequest {
  readonly underlyingConid: number;
  readonly month: string;
  readonly strikes: readonly Decimal[];
  readonly rights: readonly OptionRight[];
}

/** The contracts that expire on one day (`YYYY-MM-DD`), by ascending strike, the call before the put. */
export interface OptionExpiry {
  readonly expiry: string;
  readonly contracts: readonly Instrument[];
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

/** A futures contract. */
export interface Future {
  readonly conid: number;
  readonly symbol: string;
  readonly underlyingConid: number | undefined;
  /** `YYYY-MM-DD`. */
  readonly expiry: string;
  readonly lastTradingDay: string | undefined;
}

/** A rate between two currencies. */
export interface ExchangeRate {
  readonly from: string;
  readonly to: string;
  /** Units of `to` for one unit of `from`. */
  readonly rate: Decimal;
  /** Units of `from` for one unit of `to`, to twelve decimals. */
  readonly inverse: Decimal;
  readonly asOf: number;
}

/** One stretch of trading; instants in epoch ms. A stretch of extended hours spans the liquid hours within it. */
export interface TradingSession {
  readonly opensAt: number;
  readonly closesAt: number;
  readonly isLiquidHours: boolean;
}

/** When a contract trades. */
export interface MarketHours {
  readonly conid: number;
  readonly exchange: string;
  /** IANA name of the exchange's zone, when known. */
  readonly timeZone: string | undefined;
  /** Every date from today on that IBKR told, ascending; a date without sessions is a weekend or a holiday. */
  readonly days: readonly { readonly date: string; readonly sessions: readonly TradingSession[] }[];
}

/** One of IBKR's codes with its name for people. */
export interface ScannerChoice {
  readonly code: string;
  readonly name: string;
}

/** What can be scanned, and where, by what, with which filters. */
export interface ScannerParameters {
  readonly types: readonly (ScannerChoice & { readonly instruments: readonly string[] })[];
  readonly instruments: readonly (ScannerChoice & { readonly filters: readonly string[] })[];
  readonly filters: readonly ScannerChoice[];
  /** Where an instrument can be scanned; names are whole paths (`US Stocks / Listed/NASDAQ`). */
  readonly locations: readonly (ScannerChoice & { readonly instrument: string })[];
  readonly asOf: number;
}

/** One scan, in IBKR's codes. */
export interface ScannerRequest {
  readonly instrument: string;
  readonly type: string;
  readonly location: string;
  readonly filters: readonly { readonly code: string; readonly value: string }[];
}

/** What a scan found. */
export interface ScannerRun {
  /** What `value` is, as IBKR heads it: `Chg%`. */
  readonly valueName: string | undefined;
  readonly hits: readonly ScannerHit[];
  readonly asOf: number;
}

/** A contract that a scan found. */
export interface ScannerHit {
  readonly conid: number;
  readonly symbol: string;
  readonly name: string | undefined;
  readonly secType: SecType | undefined;
  readonly exchange: string | undefined;
  /** What the scan ranks by, as IBKR writes it. */
  readonly value: string | undefined;
}
