import type { Decimal } from "../../lib/decimal.ts";
import type { Market } from "../market/market.ts";

/** The last price of an instrument at the beginning of a trading day (epoch ms). */
export type DayStartPrices = (conid: number, dayStart: number) => Decimal;

/** Makes a memory of the prices at the beginning of one trading day, which every valuation of that day needs again. */
export function createDayStartPrices(market: Market): DayStartPrices {
  // One entry for each instrument that is held; the next day starts anew.
  const prices = new Map<number, Decimal>();
  let day: number | undefined;
  return (conid, dayStart) => {
    if (day !== dayStart) prices.clear();
    day = dayStart;
    const price = prices.get(conid) ?? market.quote(conid, dayStart).last;
    prices.set(conid, price);
    return price;
  };
}
