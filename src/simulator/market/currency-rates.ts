import { Decimal } from "../../lib/decimal.ts";
import type { Market, SimInstrument } from "./market.ts";

/** Decimals of a rate between two currencies. */
const RATE_DECIMALS = 10;

/**
 * Makes the rates between currencies from the last prices of the pairs. Every pair has USD on one side, so there is one way
 * from any currency to any other, and it gives the price of the pair itself where there is one.
 */
export function createCurrencyRates(
  instruments: readonly SimInstrument[],
  lastPrice: (conid: number, at: number) => Decimal,
): Market["rate"] {
  const pairs = instruments.filter((instrument) => instrument.secType === "CASH");

  /** A currency in dollars as price ÷ divisor, so that a conversion divides once. */
  function inDollars(currency: string, at: number): { readonly price: Decimal; readonly divisor: Decimal } {
    if (currency === "USD") return { price: Decimal.one, divisor: Decimal.one };
    const direct = pairs.find((pair) => pair.symbol === currency && pair.currency === "USD");
    if (direct !== undefined) return { price: lastPrice(direct.conid, at), divisor: Decimal.one };
    const inverse = pairs.find((pair) => pair.symbol === "USD" && pair.currency === currency);
    if (inverse !== undefined) return { price: Decimal.one, divisor: lastPrice(inverse.conid, at) };
    throw new RangeError(`unknown currency ${currency}`);
  }

  return (from, to, at) => {
    const source = inDollars(from, at);
    const target = inDollars(to, at);
    return source.price.times(target.divisor).dividedBy(source.divisor.times(target.price), RATE_DECIMALS);
  };
}
