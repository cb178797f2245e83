import type { Decimal } from "../lib/decimal.ts";

/** How fresh a quote is: real-time, 15–20 minutes late, from the last session's end, or older than it should be. */
export type DataStatus = "live" | "delayed" | "frozen" | "stale";

/** Names of the quote's fields, as they appear in `missingFields`. */
export type QuoteField =
  | "last"
  | "bid"
  | "ask"
  | "bid_size"
  | "ask_size"
  | "day_open"
  | "day_high"
  | "day_low"
  | "prior_close"
  | "change"
  | "change_pct"
  | "volume"
  | "week_52_high"
  | "week_52_low";

/** A snapshot of one contract. Prices are in the instrument's currency (pounds, not pence). */
export interface Quote {
  readonly conid: number;
  readonly currency: string;
  readonly last: Decimal | undefined;
  /** True when `last` is the prior close because nothing has traded today. */
  readonly lastIsPriorClose: boolean;
  readonly halted: boolean;
  readonly bid: Decimal | undefined;
  readonly ask: Decimal | undefined;
  readonly bidSize: Decimal | undefined;
  readonly askSize: Decimal | undefined;
  readonly dayOpen: Decimal | undefined;
  readonly dayHigh: Decimal | undefined;
  readonly dayLow: Decimal | undefined;
  readonly priorClose: Decimal | undefined;
  readonly change: Decimal | undefined;
  readonly changePct: Decimal | undefined;
  readonly volume: Decimal | undefined;
  readonly week52High: Decimal | undefined;
  readonly week52Low: Decimal | undefined;
  readonly dataStatus: DataStatus;
  /** False when the user has no market data subscription for this instrument. */
  readonly subscribed: boolean;
  /** Fields that IBKR did not send in time. */
  readonly missingFields: readonly QuoteField[];
  /** When IBKR sent it, epoch ms. */
  readonly asOf: number;
}

/** One OHLCV bar. `start` is epoch ms; daily and longer bars carry the exchange's `date` too. */
export interface Bar {
  readonly start: number;
  /** `YYYY-MM-DD` in the exchange's time zone, on bars of a day or longer. */
  readonly date: string | undefined;
  readonly open: Decimal;
  readonly high: Decimal;
  readonly low: Decimal;
  readonly close: Decimal;
  /** Shares or contracts, IBKR's volume factor already applied. */
  readonly volume: Decimal;
}

/** Bars in ascending order of time, prices in `currency`. */
export interface History {
  readonly conid: number;
  readonly currency: string;
  readonly period: string;
  readonly bar: string;
  readonly outsideRth: boolean;
  /** IANA name of the exchange's zone, when known. */
  readonly timeZone: string | undefined;
  readonly dataStatus: DataStatus;
  readonly bars: readonly Bar[];
  readonly asOf: number;
}

/** Which bars of which contract. */
export interface HistoryRequest {
  readonly conid: number;
  /** IBKR's period: `1d`, `1w`, `3m`, `1y` …, checked by the caller. */
  readonly period: string;
  /** IBKR's bar: `1min`, `1h`, `1d` …, allowed for the period. */
  readonly bar: string;
  readonly outsideRth: boolean;
}
