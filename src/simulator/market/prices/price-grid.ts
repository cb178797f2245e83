import { Decimal } from "../../../lib/decimal.ts";
import type { SimInstrument } from "../market.ts";

/** The prices that an instrument may have: whole units of its finest increment, rounded to the increment that holds there. */
export interface PriceGrid {
  /** The finest increment: 1 unit. */
  readonly unit: Decimal;
  /** Nearest allowed price, in units, at least one increment; it never changes the order of two prices. */
  round(units: number): number;
  /** Increment that holds at a price in units, itself in units. */
  stepAt(units: number): number;
  incrementAt(price: Decimal): Decimal;
  price(units: number): Decimal;
  /** The nearest whole number of units to a price. */
  units(price: Decimal): number;
}

/** Makes the grid out of the rules "from this price on, this increment", lowest edge first. */
export function createPriceGrid(increments: SimInstrument["priceIncrements"]): PriceGrid {
  const unit = Decimal.min(increments[0]?.increment ?? Decimal.one, ...increments.slice(1).map((rule) => rule.increment));
  const unitsOf = (price: Decimal): number => Number(price.dividedBy(unit, 0).toString());
  const rules = increments.map((rule) => ({ edge: unitsOf(rule.lowerEdge), step: unitsOf(rule.increment) }));

  function stepAt(units: number): number {
    let step = 1;
    for (const rule of rules) if (units >= rule.edge) step = rule.step;
    return step;
  }

  return {
    unit,
    stepAt,
    round: (units) => {
      const step = stepAt(units);
      return Math.max(step, Math.round(units / step) * step);
    },
    incrementAt: (price) => {
      let found = increments[0]?.increment ?? unit;
      for (const rule of increments) if (!price.lessThan(rule.lowerEdge)) found = rule.increment;
      return found;
    },
    price: (units) => Decimal.fromInteger(units).times(unit),
    units: unitsOf,
  };
}
