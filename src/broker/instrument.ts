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

/** What IBKR accepts for orders in one instrument. */
export interface TradingRules {
  readonly conid: number;
  readonly orderTypes: readonly OrderTypeName[];
  /** Order types that may be filled outside regular hours. */
  readonly orderTypesOutsideRth: readonly OrderTypeName[];
  /** Ascending by `lowerEdge`; the first starts at zero. */
  readonly priceIncrements: readonly PriceIncrement[];
  /** The smallest step of a quantity. */
  readonly sizeIncrement: Decimal;
  readonly fractionsAllowed: boolean;
}

export type OrderTypeName = "MKT" | "LMT" | "STP" | "STP_LIMIT";
