import { Decimal } from "../../lib/decimal.ts";
import type { SimInstrument } from "../market/market.ts";

const ONE = Decimal.one;

/** The money for `quantity` at a price in the quoting unit, in the instrument's currency (pence become pounds). */
export function amountOf(instrument: SimInstrument, price: Decimal, quantity: Decimal): Decimal {
  return unitValueOf(instrument, price).times(quantity);
}

/** The money for one unit (share, contract) at a price in the quoting unit, in the instrument's currency. */
export function unitValueOf(instrument: SimInstrument, price: Decimal): Decimal {
  return currencyPriceOf(instrument, price).times(instrument.multiplier);
}

/** A price in the quoting unit as a price in the instrument's currency, without the multiplier. */
export function currencyPriceOf(instrument: SimInstrument, price: Decimal): Decimal {
  return instrument.magnifier === 1 ? price : price.dividedBy(Decimal.fromInteger(instrument.magnifier));
}

/** The smallest step of a price at this level. */
export function tickOf(instrument: SimInstrument, price: Decimal): Decimal {
  const rule = instrument.priceIncrements.findLast(({ lowerEdge }) => !price.abs().lessThan(lowerEdge));
  return rule?.increment ?? instrument.priceIncrements[0]?.increment ?? ONE;
}

/** A price with the decimals of its tick, two at least: `"230.00"`. */
export function priceText(instrument: SimInstrument, price: Decimal): string {
  const decimals = Math.max(decimalsOf(tickOf(instrument, price)), instrument.magnifier === 1 ? 2 : 0);
  return price.round(decimals).equals(price) ? price.toFixed(decimals) : price.toString();
}

/** How many decimals a number has. */
export function decimalsOf(value: Decimal): number {
  return value.toString().split(".")[1]?.length ?? 0;
}

/** The currency that the quantity of a currency pair counts: EUR for EUR.USD. Undefined for anything else. */
export function exchangedCurrencyOf(instrument: SimInstrument): string | undefined {
  return instrument.secType === "CASH" ? instrument.symbol.split(".")[0] : undefined;
}
