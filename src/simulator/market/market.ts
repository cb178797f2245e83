import type { Decimal } from "../../lib/decimal.ts";

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
  readonly sizeIncrement: Decimal;
  readonly fractionsAllowed: boolean;
  readonly underlyingConid: number | undefined;
  readonly right: "C" | "P" | undefined;
  readonly strike: Decimal | undefined;
  /** `YYYYMMDD`. */
  readonly expiry: string | undefined;
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

/** What traded in a stretch of time, both ends included; undefined in `Market.traded` when the market was closed throughout. */
export interface TradedRange {
  readonly low: Decimal;
  readonly high: Decimal;
  readonly volume: Decimal;
}

/** The simulated market: a pure function of seed and time, so that a seed and a clock give the same day again. */
export interface Market {
  readonly alwaysOpen: boolean;
  instrument(conid: number): SimInstrument | undefined;
  all(): readonly SimInstrument[];
  quote(conid: number, at: number): SimQuote;
  /** True when an order may fill now: in regular hours, or in extended hours with `outsideRth`. */
  isOpen(conid: number, at: number, outsideRth: boolean): boolean;
  /** Epoch ms when a DAY order entered at `at` dies. */
  dayOrderExpiry(conid: number, at: number, outsideRth: boolean): number;
  traded(conid: number, from: number, to: number, outsideRth: boolean): TradedRange | undefined;
  /** Units of `to` for one unit of `from`, through USD where there is no pair. Throws `RangeError` for an unknown currency. */
  rate(from: string, to: string, at: number): Decimal;
}
