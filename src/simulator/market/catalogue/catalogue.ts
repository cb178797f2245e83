import { Decimal } from "../../../lib/decimal.ts";
import type { SimInstrument, SimSecType } from "../market.ts";
import { CURRENCY_PAIRS } from "./currency-pairs.ts";
import { CONTINENTAL_STOCKS } from "./continental-stocks.ts";
import { FUTURE_UNDERLYINGS } from "./future-underlyings.ts";
import { FUNDS } from "./funds.ts";
import { INDICES } from "./indices.ts";
import type { Listing } from "./listing.ts";
import { LONDON_STOCKS } from "./london-stocks.ts";
import { SPECIAL_STOCKS } from "./special-stocks.ts";
import { US_STOCKS } from "./us-stocks.ts";
import { US_TECHNOLOGY_STOCKS } from "./us-technology-stocks.ts";
import { VENUES, type Venue } from "./venues.ts";

/** Every instrument but the options and futures, which come from rules. */
export const CATALOGUE: readonly Listing[] = [
  ...US_TECHNOLOGY_STOCKS,
  ...US_STOCKS,
  ...FUNDS,
  ...LONDON_STOCKS,
  ...CONTINENTAL_STOCKS,
  ...SPECIAL_STOCKS,
  ...INDICES,
  ...FUTURE_UNDERLYINGS,
  ...CURRENCY_PAIRS,
];

const SEC_TYPES: Record<NonNullable<Listing["kind"]>, SimSecType> = {
  stock: "STK",
  etf: "STK",
  index: "IND",
  currency_pair: "CASH",
};

/** The smallest quantity step of a share that may be traded in fractions. */
const FRACTION_STEP = Decimal.parse("0.0001");

/** Makes the instrument that a line of the catalogue describes. */
export function instrumentOf(listing: Listing): SimInstrument {
  const venue: Venue = VENUES[listing.venue];
  const kind = listing.kind ?? "stock";
  const fractionsAllowed = (kind === "stock" || kind === "etf") && (listing.fractions ?? venue.fractions);
  const increments = listing.increment === undefined ? venue.increments : [["0", listing.increment] as const];
  return {
    conid: listing.conid,
    symbol: listing.symbol,
    name: listing.name,
    secType: SEC_TYPES[kind],
    etf: kind === "etf",
    currency: listing.currency ?? venue.currency,
    listingExchange: listing.venue,
    validExchanges: venue.validExchanges,
    countryCode: venue.countryCode,
    sector: listing.sector,
    group: listing.group,
    calendar: venue.calendar,
    magnifier: venue.magnifier,
    multiplier: Decimal.one,
    priceIncrements: increments.map(([lowerEdge, increment]) => ({
      lowerEdge: Decimal.parse(lowerEdge),
      increment: Decimal.parse(increment),
    })),
    sizeIncrement: fractionsAllowed ? FRACTION_STEP : Decimal.fromInteger(venue.lot ?? 1),
    fractionsAllowed,
    underlyingConid: undefined,
    right: undefined,
    strike: undefined,
    expiry: undefined,
    contractMonth: undefined,
    availability: listing.availability ?? "live",
    halted: listing.style === "halted_after_open",
  };
}
