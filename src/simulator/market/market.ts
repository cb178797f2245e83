import type { Decimal } from "../../lib/decimal.ts";
import type { TradingCalendar } from "./calendar/trading-calendar.ts";
import type { Listing } from "./catalogue/listing.ts";
import type { Greeks } from "./options/black-scholes.ts";

export type SimSecType = "STK" | "CASH" | "IND" | "OPT" | "FUT";

/** What the 6509 field of a snapshot says: real-time, delayed, frozen, or no subscription. */
export type Availability = "live" | "delayed" | "frozen" | "none";

/** One instrument of the simulated security master. Prices are in the unit that it is quoted in (pence for a London stock). */
export interface SimInstrument {
  readonly conid: number;
  readonly symbol: string;
  /** Upper case, as IBKR prints it: `APPLE INC`. */
  readonly name: string;
  readonly secType: SimSecType;
  readonly etf: boolean;
  /** Currency of amounts: GBP for a stock quoted in pence. */
  readonly currency: string;
  readonly listingExchange: string;
  readonly validExchanges: readonly string[];
  readonly countryCode: string;
  readonly sector: string;
  readonly group: string;
  /** Name of the exchange calendar: hours, holidays, time zone. */
  readonly calendar: string;
  /** 100 where prices are quoted in hundredths of the currency, otherwise 1. An amount = price × quantity × multiplier ÷ magnifier. */
  readonly magnifier: number;
  readonly multiplier: Decimal;
  readonly priceIncrements: readonly { readonly lowerEdge: Decimal; readonly increment: Decimal }[];
  /** Quantities are multiples of this: a part of a share, one share, or an exchange's lot. */
  readonly sizeIncrement: Decimal;
  readonly fractionsAllowed: boolean;
  readonly underlyingConid: number | undefined;
  readonly right: "C" | "P" | undefined;
  readonly strike: Decimal | undefined;
  /** `YYYYMMDD`. */
  readonly expiry: string | undefined;
  /** The month that an option or a future is listed under, `YYYYMM`; a future's may come after its expiry. */
  readonly contractMonth: string | undefined;
  /** The exchange's own symbol where it isn't the ticker: `ESZ6`. */
  readonly localSymbol?: string;
  readonly availability: Availability;
  readonly halted: boolean;
}

/** The market at one instant, in the quoting unit. */
export interface SimQuote {
  readonly last: Decimal;
  /** False before the day's first trade: `last` is then the prior close. */
  readonly tradedToday: boolean;
  readonly bid: Decimal;
  readonly ask: Decimal;
  readonly bidSize: Decimal;
  readonly askSize: Decimal;
  readonly open: Decimal;
  readonly high: Decimal;
  readonly low: Decimal;
  readonly priorClose: Decimal;
  readonly volume: Decimal;
  readonly week52High: Decimal;
  readonly week52Low: Decimal;
  /** Epoch ms of the last trade. */
  readonly at: number;
}

/** What traded in a stretch of time, both ends included. */
export interface TradedRange {
  readonly low: Decimal;
  readonly high: Decimal;
  readonly volume: Decimal;
}

/** A stretch of time, both ends included, in epoch ms. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
  /** With the trades before and after regular hours. */
  readonly outsideRth: boolean;
}

/** Trades of a stretch of time as a chart draws them. */
export interface SimBar extends TradedRange {
  readonly open: Decimal;
  readonly close: Decimal;
  /** Epoch ms of the bar's start; a daily, weekly or monthly bar starts with its first session. */
  readonly startsAt: number;
}

/** The terms of an option: the underlying's conid, last trading day `YYYYMMDD`, right and strike. */
export interface OptionTerms {
  readonly underlyingConid: number;
  readonly expiry: string;
  readonly right: "C" | "P";
  readonly strike: number;
}

/**
 * The simulated market: a pure function of seed and time, so that a seed and a clock give the same day again.
 *
 * Times are epoch ms, dates `YYYYMMDD` or day numbers of the exchange's zone. All that takes a conid throws `RangeError` for an
 * unknown one, but `instrument` and `listing`, which answer undefined. An option stays known after its expiry, at its last price.
 *
 * Prices are in the quoting unit: for an instrument with `magnifier` 100 (London shares) everything here, and so snapshot, history,
 * order prices and price increments at the endpoints, is in pence, while its currency is GBP, and amounts of money are
 * price × quantity × multiplier ÷ magnifier.
 *
 * Day figures of a quote (open, high, low, volume) are those of regular hours, once these have begun; `last` may be younger, from
 * extended hours; `priorClose` is the last regular trade of the trading day before.
 */
export interface Market {
  readonly alwaysOpen: boolean;
  instrument(conid: number): SimInstrument | undefined;
  /** Every instrument but the options, which `option` and `expiries` give, and the futures, which `futures` gives. */
  all(): readonly SimInstrument[];
  /** What the catalogue knows beyond the instrument: dividend, earnings, shares outstanding. Undefined for an option. */
  listing(conid: number): Listing | undefined;
  quote(conid: number, at: number): SimQuote;
  /** True when an order may fill now: in regular hours, or in extended hours with `outsideRth`. Never for an index or while halted. */
  isOpen(conid: number, at: number, outsideRth: boolean): boolean;
  /** Epoch ms when a DAY order entered at `at` dies. */
  dayOrderExpiry(conid: number, at: number, outsideRth: boolean): number;
  /** Undefined when nothing traded, because the market was closed throughout or the stretch lies between two trades. */
  traded(conid: number, from: number, to: number, outsideRth: boolean): TradedRange | undefined;
  /** Units of `to` for one unit of `from`, through USD. Throws `RangeError` for an unknown currency. */
  rate(from: string, to: string, at: number): Decimal;
  /** Price increment that holds at a price. */
  priceIncrement(conid: number, price: Decimal): Decimal;
  calendar(conid: number): TradingCalendar;
  /** The trades of a stretch as one bar; undefined when there are none. */
  bar(conid: number, range: TimeRange): SimBar | undefined;
  /** A whole trading day's regular hours, in constant time; undefined when `day` (a day number) isn't a trading day. */
  dayBar(conid: number, day: number): SimBar | undefined;
  /** Last trading days `YYYYMMDD` of the options listed at an instant, soonest first; none for an instrument without options. */
  expiries(underlyingConid: number, at: number): readonly string[];
  /** Every strike, lowest first. */
  strikes(underlyingConid: number): readonly number[];
  /** The option with these terms, whether listed now or expired; undefined when there is no such option. */
  option(terms: OptionTerms): SimInstrument | undefined;
  /** The futures on an underlying that are listed at an instant, soonest first; none for an instrument without futures. */
  futures(underlyingConid: number, at: number): readonly SimInstrument[];
  /** Undefined for what isn't an option. */
  greeks(conid: number, at: number): Greeks | undefined;
}
