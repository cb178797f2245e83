/** What an option's price depends on. Times in years, the rate and the volatility as yearly fractions. */
export interface OptionInputs {
  readonly right: "C" | "P";
  readonly spot: number;
  readonly strike: number;
  readonly years: number;
  readonly volatility: number;
  readonly rate: number;
}

/** Sensitivities in the units that IBKR shows: theta a day, vega for one volatility point. */
export interface Greeks {
  readonly delta: number;
  readonly gamma: number;
  readonly theta: number;
  readonly vega: number;
  readonly impliedVolatility: number;
}

/** The value of an option by Black and Scholes, never below what exercising it at once would give. */
export function optionValue(inputs: OptionInputs): number {
  const { right, spot, strike } = inputs;
  const intrinsic = Math.max(0, right === "C" ? spot - strike : strike - spot);
  if (inputs.years <= 0) return intrinsic;
  const { d1, d2, discount } = terms(inputs);
  const call = spot * normal(d1) - strike * discount * normal(d2);
  return Math.max(intrinsic, right === "C" ? call : call - spot + strike * discount);
}

/** The sensitivities of an option's value. */
export function optionGreeks(inputs: OptionInputs): Greeks {
  const { right, spot, strike, years, volatility, rate } = inputs;
  if (years <= 0) return { delta: 0, gamma: 0, theta: 0, vega: 0, impliedVolatility: volatility };
  const { d1, d2, discount } = terms(inputs);
  const density = Math.exp((-d1 * d1) / 2) / Math.sqrt(2 * Math.PI);
  const decay = (-spot * density * volatility) / (2 * Math.sqrt(years));
  const carry = rate * strike * discount;
  return {
    delta: right === "C" ? normal(d1) : normal(d1) - 1,
    gamma: density / (spot * volatility * Math.sqrt(years)),
    theta: (right === "C" ? decay - carry * normal(d2) : decay + carry * normal(-d2)) / 365,
    vega: (spot * density * Math.sqrt(years)) / 100,
    impliedVolatility: volatility,
  };
}

function terms({ spot, strike, years, volatility, rate }: OptionInputs) {
  const deviation = volatility * Math.sqrt(years);
  const d1 = (Math.log(spot / strike) + (rate + (volatility * volatility) / 2) * years) / deviation;
  return { d1, d2: d1 - deviation, discount: Math.exp(-rate * years) };
}

/** The standard normal distribution (Abramowitz and Stegun 26.2.17, error under 1e-7). */
function normal(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const tail =
    ((Math.exp((-x * x) / 2) * t) / Math.sqrt(2 * Math.PI)) *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return x >= 0 ? 1 - tail : tail;
}
