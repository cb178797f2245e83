import { Decimal } from "../../lib/decimal.ts";
import type { SimInstrument } from "../market/market.ts";
import { currencyPriceOf, unitValueOf } from "./amounts.ts";

const LONG_STOCK = Decimal.parse("0.25");
const SHORT_STOCK = Decimal.parse("0.3");
const SHORT_OPTION_OF_UNDERLYING = Decimal.parse("0.2");
const SHORT_OPTION_AT_LEAST = Decimal.parse("0.1");

/** Share of a borrowed currency that must be covered. */
export const BORROWED_CURRENCY = Decimal.parse("0.03");
/** Regulation T's own share of the value of stocks. */
export const REGULATION_T = Decimal.parse("0.5");
/** How many times the available funds may be invested: the inverse of a long stock's margin. */
export const LEVERAGE = Decimal.fromInteger(4);

/** What margin depends on besides the quantity. Prices are in the quoting units of their instruments. */
export interface MarginInput {
  readonly instrument: SimInstrument;
  readonly price: Decimal;
  readonly underlying: SimInstrument | undefined;
  readonly underlyingPrice: Decimal | undefined;
}

/**
 * Computes the margin that a position needs, in the currency of its instrument, after the rules of Regulation T accounts:
 * a quarter of a long stock, 30 % of a short one, nothing for a long option (which isn't lent against either), and for a
 * short option its premium plus 20 % of the underlying less what it is out of the money, 10 % at least.
 */
export function marginOf(input: MarginInput, quantity: Decimal): Decimal {
  const value = unitValueOf(input.instrument, input.price).times(quantity).abs();
  if (input.instrument.secType !== "OPT") return value.times(quantity.isNegative() ? SHORT_STOCK : LONG_STOCK);
  return quantity.isNegative() ? value.plus(coverOf(input).times(quantity.abs())) : Decimal.zero;
}

function coverOf({ instrument, underlying, underlyingPrice }: MarginInput): Decimal {
  const strike = instrument.strike ?? Decimal.zero;
  const spot = underlying === undefined || underlyingPrice === undefined ? strike : currencyPriceOf(underlying, underlyingPrice);
  const outOfTheMoney = Decimal.max(Decimal.zero, instrument.right === "P" ? spot.minus(strike) : strike.minus(spot));
  const share = spot.times(SHORT_OPTION_OF_UNDERLYING).minus(outOfTheMoney);
  const least = (instrument.right === "P" ? strike : spot).times(SHORT_OPTION_AT_LEAST);
  return Decimal.max(share, least).times(instrument.multiplier);
}
