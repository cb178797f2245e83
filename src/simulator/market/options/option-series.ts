import type { TradingSession } from "../calendar/trading-calendar.ts";
import { fraction, hashText, mix } from "../prices/hash.ts";
import type { PriceSeries } from "../prices/price-series.ts";
import type { UnitBar } from "../prices/price-tree.ts";
import { sessionVolume } from "../prices/session-volume.ts";
import { optionGreeks, optionValue, type Greeks, type OptionInputs } from "./black-scholes.ts";
import type { OptionContract } from "./option-contract.ts";

export interface OptionSeriesOptions {
  readonly seed: string;
  readonly contract: OptionContract;
  /** The underlying's trades, in units of which `unitsPerPrice` make 1. */
  readonly underlying: PriceSeries;
  /** The underlying's own session of a trading day, with its extended hours. */
  readonly underlyingSession: (day: number) => TradingSession;
  readonly unitsPerPrice: number;
  /** The underlying's catalogue price and yearly volatility: they place the strike on the smile, once and for all. */
  readonly basePrice: number;
  readonly yearlyVolatility: number;
  /** Rounds the option's units (cents) to its increment. */
  readonly round: (units: number) => number;
}

/** An option's trades, with its sensitivities at a price of the underlying. */
export interface OptionSeries extends PriceSeries {
  greeks(day: number, underlyingUnits: number): Greeks;
}

const RATE = 0.04;
const CENTS = 100;

/**
 * Makes the trades of an option out of those of its underlying by Black and Scholes. Within a day the time to expiry stands still,
 * so that the price follows the underlying alone, a call up and a put down, and the option's high and low are those of the
 * underlying turned into option prices.
 */
export function createOptionSeries(options: OptionSeriesOptions): OptionSeries {
  const { contract, underlying, round } = options;
  const key = hashText(`${options.seed}/option/${contract.conid}`);
  const distance = Math.log(contract.strike / options.basePrice);
  const volatility = options.yearlyVolatility * (1.05 - 0.25 * Math.max(-1, Math.min(1, distance)) + 0.6 * distance * distance);
  const popularity = Math.exp(-((distance / 0.15) ** 2));

  function inputs(day: number, units: number): OptionInputs {
    const years = Math.max(0.25, contract.expiryDay - day + 0.25) / 365;
    return { right: contract.right, spot: units / options.unitsPerPrice, strike: contract.strike, years, volatility, rate: RATE };
  }

  const priceAt = (day: number, units: number): number => Math.max(1, round(optionValue(inputs(day, units)) * CENTS));

  function priced(day: number, bar: UnitBar): UnitBar {
    const [high, low] = contract.right === "C" ? [bar.high, bar.low] : [bar.low, bar.high];
    return { open: priceAt(day, bar.open), high: priceAt(day, high), low: priceAt(day, low), close: priceAt(day, bar.close) };
  }

  const dayVolume = (day: number): number => Math.floor(contract.class.volume * popularity * (0.3 + 1.4 * fraction(mix(key, day), 1)));

  function volumeBetween(session: TradingSession, from: number, to: number): number {
    return sessionVolume({ key: mix(key, session.day), session, whole: dayVolume(session.day) }, from, to);
  }

  return {
    day: (day) => ({ ...priced(day, underlying.day(day)), volume: dayVolume(day) }),
    slice: ({ session, from, to }) => {
      const part = underlying.slice({ session: options.underlyingSession(session.day), from, to, extended: false });
      if (part === undefined) return undefined;
      return { ...priced(session.day, part), volume: volumeBetween(session, from, to), lastAt: part.lastAt };
    },
    lastTrade: (session, at) => {
      if (at < session.opensAt) return undefined;
      const part = underlying.lastTrade(options.underlyingSession(session.day), Math.min(at, session.closesAt - 1));
      return part === undefined ? undefined : { price: priceAt(session.day, part.price), at: part.at };
    },
    greeks: (day, units) => optionGreeks(inputs(day, units)),
  };
}
