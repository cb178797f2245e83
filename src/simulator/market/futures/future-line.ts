import { Decimal } from "../../../lib/decimal.ts";
import { compactDate } from "../calendar/civil-date.ts";
import { decimalsOf, type Line } from "../line.ts";
import type { SimInstrument } from "../market.ts";
import { fraction, hashText, mix } from "../prices/hash.ts";
import { createPriceGrid } from "../prices/price-grid.ts";
import type { PriceSeries } from "../prices/price-series.ts";
import type { UnitBar } from "../prices/price-tree.ts";
import { sessionVolume } from "../prices/session-volume.ts";
import { futureLocalSymbol, type FutureContract } from "./future-contract.ts";

export interface FutureLineOptions {
  readonly seed: string;
  readonly underlying: Line;
}

const DAYS_PER_YEAR = 365;
/** A later month has this share of the volume of the one before it. */
const LATER_MONTHS = 0.12;

/**
 * Makes the line of a future on the line of its underlying. Its price is the underlying's with the cost of carrying it to the last day, which stands
 * still within a day, so that the day's high and low are those of the underlying too.
 */
export function createFutureLine(contract: FutureContract, { seed, underlying }: FutureLineOptions): Line {
  const instrument = futureInstrument(contract, underlying.instrument);
  const grid = createPriceGrid(instrument.priceIncrements);
  const { calendar } = underlying;
  const ratio = underlying.grid.unit.toApproximation() / grid.unit.toApproximation();
  const endsAt = calendar.session(contract.lastDay)?.closesAt ?? 0;
  const key = hashText(`${seed}/future/${contract.conid}`);
  const cycleDays = DAYS_PER_YEAR / contract.class.months.length;

  const priceAt = (day: number, units: number): number => {
    const years = Math.max(0, contract.lastDay - day) / DAYS_PER_YEAR;
    return grid.round(units * ratio * Math.exp(contract.class.carry * years));
  };
  const priced = (day: number, bar: UnitBar): UnitBar => ({
    open: priceAt(day, bar.open),
    high: priceAt(day, bar.high),
    low: priceAt(day, bar.low),
    close: priceAt(day, bar.close),
  });
  const dayVolume = (day: number): number => {
    const monthsAhead = Math.floor(Math.max(0, contract.lastDay - day) / cycleDays);
    return Math.floor(contract.class.volume * LATER_MONTHS ** monthsAhead * (0.7 + 0.6 * fraction(mix(key, day), 1)));
  };
  const series: PriceSeries = {
    day: (day) => ({ ...priced(day, underlying.series.day(day)), volume: dayVolume(day) }),
    slice: (request) => {
      const part = underlying.series.slice(request);
      if (part === undefined) return undefined;
      const { session } = request;
      const volume = sessionVolume({ key: mix(key, session.day), session, whole: dayVolume(session.day) }, request.from, request.to);
      return { ...priced(session.day, part), volume, lastAt: part.lastAt };
    },
    lastTrade: (session, at) => {
      const trade = underlying.series.lastTrade(session, at);
      return trade === undefined ? undefined : { price: priceAt(session.day, trade.price), at: trade.at };
    },
  };
  return {
    instrument,
    calendar,
    series,
    grid,
    spread: 1,
    depth: 60,
    endsAt,
    basePrice: underlying.basePrice,
    dailyVolatility: underlying.dailyVolatility,
    decimals: decimalsOf(grid),
  };
}

function futureInstrument(contract: FutureContract, underlying: SimInstrument): SimInstrument {
  const { class: futureClass, year, month } = contract;
  return {
    ...underlying,
    conid: contract.conid,
    symbol: futureClass.symbol,
    name: futureClass.name,
    secType: "FUT",
    listingExchange: futureClass.exchange,
    validExchanges: [futureClass.exchange],
    multiplier: Decimal.parse(futureClass.multiplier),
    priceIncrements: [{ lowerEdge: Decimal.zero, increment: Decimal.parse(futureClass.increment) }],
    underlyingConid: underlying.conid,
    expiry: compactDate(contract.lastDay),
    contractMonth: `${year}${String(month).padStart(2, "0")}`,
    localSymbol: futureLocalSymbol(contract),
  };
}
