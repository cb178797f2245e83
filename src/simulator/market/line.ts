import { Decimal } from "../../lib/decimal.ts";
import type { Calendars } from "./calendar/calendars.ts";
import type { TradingCalendar } from "./calendar/trading-calendar.ts";
import { instrumentOf } from "./catalogue/catalogue.ts";
import type { Listing } from "./catalogue/listing.ts";
import { VENUES } from "./catalogue/venues.ts";
import type { SimInstrument } from "./market.ts";
import { createPriceGrid, type PriceGrid } from "./prices/price-grid.ts";
import { createPriceSeries, type PriceSeries, type VolumeBar } from "./prices/price-series.ts";

/** One instrument with all that answers questions about it. */
export interface Line {
  readonly instrument: SimInstrument;
  readonly calendar: TradingCalendar;
  readonly series: PriceSeries;
  readonly grid: PriceGrid;
  /** Usual distance of bid and ask in price increments. */
  readonly spread: number;
  /** Average size at bid and ask. */
  readonly depth: number;
  /** No trade at or after this instant: the end of an option's last day. */
  readonly endsAt: number;
  /** Catalogue price and daily standard deviation: what options on it are priced with. */
  readonly basePrice: number;
  readonly dailyVolatility: number;
  decimals(bar: VolumeBar): { open: Decimal; high: Decimal; low: Decimal; close: Decimal; volume: Decimal };
}

export interface LineOptions {
  readonly seed: string;
  readonly alwaysOpen: boolean;
  readonly calendars: Calendars;
}

const DEFAULT_VOLATILITY = { stock: 0.014, etf: 0.008, index: 0.008, currency_pair: 0.004 } as const;
/** How strongly a kind follows the market as a whole. */
const MARKET_SHARE = { stock: 0.5, etf: 0.85, index: 0.85, currency_pair: 0.1 } as const;
const YEARLY_TREND = { stock: 0.06, etf: 0.06, index: 0.06, currency_pair: 0 } as const;

/** Makes the line of a catalogue entry. */
export function createLine(listing: Listing, options: LineOptions): Line {
  const instrument = instrumentOf(listing);
  const kind = listing.kind ?? "stock";
  const grid = createPriceGrid(instrument.priceIncrements);
  const calendar = options.calendars[VENUES[listing.venue].calendar];
  const volatility = listing.volatility ?? DEFAULT_VOLATILITY[kind];
  const series = createPriceSeries({
    seed: options.seed,
    pathKey: listing.pathKey ?? String(listing.conid),
    basePrice: grid.units(Decimal.parse(listing.price)),
    volatility,
    marketShare: MARKET_SHARE[kind],
    yearlyTrend: YEARLY_TREND[kind],
    averageVolume: listing.volume,
    stepMs: stepOf(listing.volume, kind),
    style: listing.style ?? "continuous",
    round: (units) => grid.round(units),
    calendar,
    continuousDays: options.alwaysOpen || kind === "currency_pair",
  });
  return {
    instrument,
    calendar,
    series,
    grid,
    spread: listing.spread ?? 1,
    depth: kind === "currency_pair" ? 2_000_000 : Math.max(100, Math.round(listing.volume / 40_000 / 100) * 100),
    endsAt: Number.POSITIVE_INFINITY,
    basePrice: Number(listing.price),
    dailyVolatility: volatility,
    decimals: decimalsOf(grid),
  };
}

/** Turns a bar in units into decimals. */
export function decimalsOf(grid: PriceGrid): Line["decimals"] {
  return (bar) => ({
    open: grid.price(bar.open),
    high: grid.price(bar.high),
    low: grid.price(bar.low),
    close: grid.price(bar.close),
    volume: Decimal.fromInteger(bar.volume),
  });
}

/** Busy instruments trade each second, quieter ones every few seconds; a step divides a minute. */
function stepOf(volume: number, kind: NonNullable<Listing["kind"]>): number {
  if (kind !== "stock" || volume > 2_000_000) return 1000;
  return volume > 400_000 ? 2000 : 5000;
}
