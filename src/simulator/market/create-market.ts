import { compactDate, parseCompactDate } from "./calendar/civil-date.ts";
import { barOf, tradedOver } from "./bar-of.ts";
import { CATALOGUE } from "./catalogue/catalogue.ts";
import { createCurrencyRates } from "./currency-rates.ts";
import type { Line } from "./line.ts";
import { createLineDirectory } from "./line-directory.ts";
import type { Market } from "./market.ts";
import { OPTION_CLASSES, type OptionClass } from "./options/option-classes.ts";
import { optionConid, strikesOf } from "./options/option-contract.ts";
import { createExpiries } from "./options/expiries.ts";
import { createQuotes } from "./quote-of.ts";
import { UNSTEERED, type Steering } from "./steering.ts";

export interface MarketOptions {
  readonly seed: string;
  /** Trades day and night, weekends and holidays included: each local calendar date of an exchange is one trading day. */
  readonly alwaysOpen: boolean;
  /** Prices moved and trading halted from outside; left alone by default. */
  readonly steering?: Steering;
}

/** Makes the simulated market. Nothing is drawn at random: equal options give equal markets. */
export function createMarket(options: MarketOptions): Market {
  const { steering = UNSTEERED } = options;
  const directory = createLineDirectory({ ...options, steering });
  const { lineOf } = directory;
  const expiries = createExpiries();
  const quotes = createQuotes();
  const catalogue = CATALOGUE.map((listing) => lineOf(listing.conid).instrument);
  const listings = new Map(CATALOGUE.map((listing) => [listing.conid, listing]));
  const haltedFromOutside = (conid: number): boolean => {
    const last = steering.halts(conid).at(-1);
    return last !== undefined && last.until === undefined;
  };
  const rates = createCurrencyRates(catalogue, (conid, at) => quotes.last(lineOf(conid), at));

  return {
    alwaysOpen: options.alwaysOpen,
    instrument: (conid) => {
      const instrument = directory.find(conid)?.instrument;
      return instrument !== undefined && haltedFromOutside(conid) ? { ...instrument, halted: true } : instrument;
    },
    all: () => catalogue,
    listing: (conid) => listings.get(conid),
    quote: (conid, at) => quotes.quote(lineOf(conid), at),
    isOpen: (conid, at, outsideRth) => !haltedFromOutside(conid) && isOpen(lineOf(conid), at, outsideRth),
    dayOrderExpiry: (conid, at, outsideRth) => {
      const { calendar } = lineOf(conid);
      const now = calendar.sessionAt(at);
      const end = outsideRth ? now.extendedClosesAt : now.closesAt;
      if (at < end) return end;
      const next = calendar.sessionAfter(at);
      return outsideRth ? next.extendedClosesAt : next.closesAt;
    },
    traded: (conid, from, to, outsideRth) => {
      const line = lineOf(conid);
      return line.instrument.halted ? undefined : tradedOver(line, { from, to, outsideRth });
    },
    rate: rates,
    priceIncrement: (conid, price) => lineOf(conid).grid.incrementAt(price),
    calendar: (conid) => lineOf(conid).calendar,
    bar: (conid, range) => barOf(lineOf(conid), range),
    dayBar: (conid, day) => {
      const line = lineOf(conid);
      const session = line.calendar.session(day);
      if (session === undefined || session.opensAt >= line.endsAt) return undefined;
      return { ...line.decimals(line.series.day(day)), startsAt: session.opensAt };
    },
    expiries: (underlyingConid, at) => {
      if (classOf(underlyingConid) === undefined) return [];
      const { day, closesAt } = lineOf(underlyingConid).calendar.sessionAt(at);
      return expiries.listedOn(at < closesAt ? day : day + 1).map(compactDate);
    },
    strikes: (underlyingConid) => {
      const found = classOf(underlyingConid);
      return found === undefined ? [] : strikesOf(found);
    },
    option: (terms) => {
      const found = classOf(terms.underlyingConid);
      const expiryDay = parseCompactDate(terms.expiry);
      if (found === undefined || expiryDay === undefined) return undefined;
      const conid = optionConid({ class: found, expiryDay, right: terms.right, strike: terms.strike });
      return conid === undefined ? undefined : directory.option(conid)?.instrument;
    },
    futures: (underlyingConid, at) => {
      const line = directory.find(underlyingConid);
      if (line?.instrument.secType !== "IND") return [];
      const { day, closesAt } = line.calendar.sessionAt(at);
      return directory.futuresOn(underlyingConid, at < closesAt ? day : day + 1);
    },
    greeks: (conid, at) => directory.option(conid)?.greeksAt(at),
  };
}

function classOf(underlyingConid: number): OptionClass | undefined {
  return OPTION_CLASSES.find((each) => each.underlyingConid === underlyingConid);
}

function isOpen(line: Line, at: number, outsideRth: boolean): boolean {
  if (line.instrument.halted || line.instrument.secType === "IND" || at >= line.endsAt) return false;
  const session = line.calendar.sessionAt(at);
  if (at >= session.opensAt && at < session.closesAt) return true;
  return outsideRth && at < session.extendedClosesAt;
}
