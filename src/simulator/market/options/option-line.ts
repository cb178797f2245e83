import { Decimal } from "../../../lib/decimal.ts";
import { compactDate } from "../calendar/civil-date.ts";
import type { SimInstrument } from "../market.ts";
import { decimalsOf, type Line, type LineOptions } from "../line.ts";
import { createPriceGrid } from "../prices/price-grid.ts";
import type { Greeks } from "./black-scholes.ts";
import type { OptionContract } from "./option-contract.ts";
import { createOptionSeries } from "./option-series.ts";

/** An option's line: as any other, with its sensitivities. */
export interface OptionLine extends Line {
  greeksAt(at: number): Greeks;
}

export interface OptionLineOptions extends LineOptions {
  readonly underlying: Line;
}

const INCREMENTS = [
  { lowerEdge: Decimal.zero, increment: Decimal.parse("0.01") },
  { lowerEdge: Decimal.parse("3"), increment: Decimal.parse("0.05") },
];
const EXCHANGES = ["SMART", "AMEX", "CBOE", "PHLX", "PSE", "ISE", "BOX", "BATS", "NASDAQOM", "MIAX", "EDGX"];
const MULTIPLIER = Decimal.fromInteger(100);

/** Makes the line of an option on the line of its underlying. */
export function createOptionLine(contract: OptionContract, options: OptionLineOptions): OptionLine {
  const { underlying } = options;
  const calendar = options.calendars.US_REGULAR;
  const instrument = optionInstrument(contract, underlying.instrument);
  const grid = createPriceGrid(instrument.priceIncrements);
  const endOf = (day: number): number => calendar.session(day)?.closesAt ?? 0;
  const unitsPerPrice = 1 / underlying.grid.unit.toApproximation();
  const series = createOptionSeries({
    seed: options.seed,
    contract,
    underlying: underlying.series,
    underlyingSession: (day) => underlying.calendar.session(day) ?? underlying.calendar.sessionAt(endOf(day)),
    unitsPerPrice,
    basePrice: underlying.basePrice,
    yearlyVolatility: underlying.dailyVolatility * Math.sqrt(252),
    round: (units) => grid.round(units),
  });
  const endsAt = endOf(contract.expiryDay);
  return {
    instrument,
    calendar,
    series,
    grid,
    spread: 2,
    depth: 40,
    endsAt,
    basePrice: underlying.basePrice,
    dailyVolatility: underlying.dailyVolatility,
    decimals: decimalsOf(grid),
    greeksAt: (at) => {
      const session = calendar.sessionAt(Math.min(at, endsAt - 1));
      const day = underlying.calendar.sessionAt(Math.min(at, endsAt - 1));
      const last = underlying.series.lastTrade(day, Math.min(at, session.closesAt - 1));
      const units = last?.price ?? underlying.series.day(calendar.previousTradingDay(session.day)).close;
      return series.greeks(session.day, units);
    },
  };
}

function optionInstrument(contract: OptionContract, underlying: SimInstrument): SimInstrument {
  return {
    ...underlying,
    conid: contract.conid,
    secType: "OPT",
    etf: false,
    listingExchange: "CBOE",
    validExchanges: EXCHANGES,
    calendar: "US_REGULAR",
    multiplier: MULTIPLIER,
    priceIncrements: INCREMENTS,
    sizeIncrement: Decimal.one,
    fractionsAllowed: false,
    underlyingConid: underlying.conid,
    right: contract.right,
    strike: Decimal.fromInteger(contract.strike),
    expiry: compactDate(contract.expiryDay),
    contractMonth: compactDate(contract.expiryDay).slice(0, 6),
  };
}
