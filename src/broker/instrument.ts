import type { Decimal } from "../lib/decimal.ts";

/** Kinds of instrument, by IBKR's codes. */
export type SecType = "STK" | "OPT" | "FUT" | "FOP" | "CASH" | "IND" | "BOND" | "FUND" | "WAR" | "CFD" | "CRYPTO" | "CMDTY" | "BAG";

export type OptionRight = "C" | "P";

/** A contract of IBKR's security master. ETFs are `STK` too, as at IBKR. */
export interface Instrument {
  /** IBKR's contract id. */
  readonly conid: number;
  readonly symbol: string;
  readonly name: string | undefined;
  readonly secType: SecType;
  /** ISO 4217 code of the currency that the instrument trades in (GBP for a London stock quoted in pence). */
  readonly currency: string;
  /** Listing exchange, such as `NASDAQ`. */
  readonly exchange: string | undefined;
  readonly multiplier: Decimal | undefined;
  readonly right: OptionRight | undefined;
  readonly strike: Decimal | undefined;
  /** Last trading day, `YYYY-MM-DD`, of a derivative. */
  readonly expiry: string | undefined;
  readonly underlyingConid: number | undefined;
}

/** A hit of a search in the security master. */
export interface SecurityMatch {
  readonly conid: number;
  readonly symbol: string;
  readonly name: string | undefined;
  readonly exchange: string | undefined;
  /** Kinds that this symbol offers: the row's own kind first, then derivatives on it. */
  readonly secTypes: readonly SecType[];
}

/** From `lowerEdge` upwards, prices are multiples of `increment`. Both are in the instrument's currency. */
export interface PriceIncrement {
  readonly lowerEdge: Decimal;
  readonly increment: Decimal;
}

/** IBKR's rules for orders in one instrument. Undefined is unknown: IBKR left a list out or sent it empty, which forbids nothing. */
export interface TradingRules {
  readonly conid: number;
  readonly orderTypes: readonly OrderTypeName[] | undefined;
  /** Order types that can fill outside regular hours. */
  readonly orderTypesOutsideRth: readonly OrderTypeName[] | undefined;
  /** Ascending by `lowerEdge`. */
  readonly priceIncrements: readonly PriceIncrement[] | undefined;
  /** Step of IBKR's order ticket, usually the round lot. IBKR accepts other quantities of most listings. */
  readonly sizeIncrement: Decimal | undefined;
  /** Order types listed for fractional quantities. */
  readonly fractionTypes: readonly OrderTypeName[] | undefined;
  /** Decimals of a fractional quantity. */
  readonly fractionPlaces: number | undefined;
}

export type OrderTypeName = "MKT" | "LMT" | "STP" | "STP_LIMIT";
