import { Decimal } from "../../lib/decimal.ts";
import type { PositionFigures } from "../market/market-data/position-figures.ts";
import type { AccountValuation } from "./valuation.ts";

const PRICE_DECIMALS = 8;
const PER_CENT = Decimal.fromInteger(100);

/** Finds what an account holds in an instrument, or undefined when that is nothing. */
export function positionFigures({ holdings, total }: AccountValuation, conid: number): PositionFigures | undefined {
  const holding = holdings.find(({ instrument }) => instrument.conid === conid);
  if (holding === undefined) return undefined;
  const { instrument, position, value, unrealized, daily, rate } = holding;
  const units = position.quantity.times(instrument.multiplier);
  const share = total.netLiquidation.isZero() ? Decimal.zero : value.times(rate).times(PER_CENT).dividedBy(total.netLiquidation, 4);
  return {
    quantity: position.quantity,
    averagePrice: units.isZero() ? Decimal.zero : position.cost.dividedBy(units, PRICE_DECIMALS),
    value,
    costBasis: position.cost,
    unrealized,
    realized: position.realizedToday,
    daily,
    shareOfAccount: share,
  };
}
