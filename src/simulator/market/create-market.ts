import { BoundedCache } from "../../lib/bounded-cache.ts";
import { systemClock } from "../../lib/clock.ts";
import { createCalendars } from "./calendar/calendars.ts";
import { compactDate, parseCompactDate } from "./calendar/civil-date.ts";
import { CATALOGUE } from "./catalogue/catalogue.ts";
import { createCurrencyRates } from "./currency-rates.ts";
import { createLine, type Line } from "./line.ts";
import type { Market } from "./market.ts";
import { OPTION_CLASSES, type OptionClass } from "./options/option-classes.ts";
import { optionConid, optionOfConid, strikesOf } from "./options/option-contract.ts";
import { createExpiries } from "./options/expiries.ts";
import { createOptionLine, type OptionLine } from "./options/option-line.ts";
import { barOf, tradedOver } from "./bar-of.ts";
import { createQuotes } from "./quote-of.ts";

export interface MarketOptions {
  readonly seed: string;
  /** Trades day and night, weekends and holidays included: each local calendar date of an exchange is one trading day. */
  readonly alwaysOpen: boolean;
}

/** Options that are kept ready: two whole chains with their weeklies; making one anew takes microseconds. */
const MAX_OPTION_LINES = 2000;
const OPTION_LINE_TTL_MS = 3_600_000;

/** Makes the simulated market. Nothing is drawn at random: equal options give equal markets. */
export function createMarket(options: MarketOptions): Market {
  const calendars = createCalendars(options.alwaysOpen);
  const lines = new Map<number, Line>();
  for (const listing of CATALOGUE) lines.set(listing.conid, createLine(listing, { ...options, calendars }));
  const optionLines = new BoundedCache<number, OptionLine>({
    clock: systemClock,
    maxEntries: MAX_OPTION_LINES,
    ttlMs: OPTION_LINE_TTL_MS,
  });
  const expiries = createExpiries();
  const quotes = createQuotes();

  function optionLine(conid: number): OptionLine | undefined {
    const known = optionLines.get(conid);
    if (known !== undefined) return known;
    const contract = optionOfConid(conid);
    if (contract === undefined || !expiries.isExpiry(contract.expiryDay)) return undefined;
    const underlying = lines.get(contract.class.underlyingConid);
    if (underlying === undefined) return undefined;
    const made = createOptionLine(contract, { ...options, calendars, underlying });
    optionLines.set(conid, made);
    return made;
  }

  function lineOf(conid: number): Line {
    const line = lines.get(conid) ?? optionLine(conid);
    if (line === undefined) throw new RangeError(`unknown conid ${conid}`);
    return line;
  }

  const catalogue = CATALOGUE.flatMap((listing) => lines.get(listing.conid)?.instrument ?? []);
  const listings = new Map(CATALOGUE.map((listing) => [listing.conid, listing]));
  const rates = createCurrencyRates(catalogue, (conid, at) => quotes.last(lineOf(conid), at));

  return {
    alwaysOpen: options.alwaysOpen,
    instrument: (conid) => (lines.get(conid) ?? optionLine(conid))?.instrument,
    all: () => catalogue,
    listing: (conid) => listings.get(conid),
    quote: (conid, at) => quotes.quote(lineOf(conid), at),
    isOpen: (conid, at, outsideRth) => {
      const line = lineOf(conid);
      if (line.instrument.halted || line.instrument.secType === "IND" || at >= line.endsAt) return false;
      const session = line.calendar.sessionAt(at);
      if (at >= session.opensAt && at < session.closesAt) return true;
      return outsideRth && at < session.extendedClosesAt;
    },
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
      return line.instrument.halted ? undefined : tradedOver(line, { from, to, extended: outsideRth });
    },
    rate: rates,
    priceIncrement: (conid, price) => lineOf(conid).grid.incrementAt(price),
    calendar: (conid) => lineOf(conid).calendar,
    bar: (conid, from, to, outsideRth) => barOf(lineOf(conid), { from, to, extended: outsideRth }),
    dayBar: (conid, day) => {
      const line = lineOf(conid);
      const session = line.calendar.session(day);
      if (session === undefined || session.opensAt >= line.endsAt) return undefined;
      return { ...line.decimals(line.series.day(day)), startsAt: session.opensAt };
    },
    expiries: (underlyingConid, at) => {
      const line = lines.get(underlyingConid);
      if (line === undefined || classOf(underlyingConid) === undefined) return [];
      const { day, closesAt } = line.calendar.sessionAt(at);
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
      return conid === undefined ? undefined : optionLine(conid)?.instrument;
    },
    greeks: (conid, at) => optionLine(conid)?.greeksAt(at),
  };
}

function classOf(underlyingConid: number): OptionClass | undefined {
  return OPTION_CLASSES.find((each) => each.underlyingConid === underlyingConid);
}
