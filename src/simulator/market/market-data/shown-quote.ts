import type { Market, SimInstrument, SimQuote } from "../market.ts";

/** What a user sees of an instrument: which instant's quote, how it is marked, and which sides of it. */
export interface ShownQuote {
  /** Value of field 6509. */
  readonly availability: string;
  readonly at: number;
  /** Undefined where the user has no subscription. */
  readonly quote: SimQuote | undefined;
  readonly showsLast: boolean;
  readonly showsBook: boolean;
}

/** How late delayed data are. */
export const DELAY_MS = 900_000;

/**
 * Decides what is shown. Delayed data are a quarter of an hour old; frozen data are those of the end of the trading day before. While
 * an exchange is closed, a European share keeps its book but no last price (`ZB`), and an American one the last price alone (`DPB`).
 */
export function shownQuote(market: Market, instrument: SimInstrument, now: number): ShownQuote {
  const { conid, availability } = instrument;
  const all = { showsLast: true, showsBook: true };
  if (availability === "none") return { availability: "N", at: now, quote: undefined, ...all };
  if (availability === "delayed") {
    const at = now - DELAY_MS;
    return { availability: "DPB", at, quote: market.quote(conid, at), ...all };
  }
  if (availability === "frozen") {
    const at = frozenAt(market, conid, now);
    return { availability: "ZB", at, quote: market.quote(conid, at), ...all };
  }
  const quote = market.quote(conid, now);
  if (instrument.secType === "STK" && !instrument.halted && !market.isOpen(conid, now, true)) {
    const european = instrument.countryCode !== "US";
    return { availability: european ? "ZB" : "DPB", at: now, quote, showsLast: !european, showsBook: european };
  }
  return { availability: "RpB", at: now, quote, ...all };
}

/** The last instant of the trading day before the current one. */
export function frozenAt(market: Market, conid: number, now: number): number {
  return market.calendar(conid).sessionAt(now).extendedOpensAt - 1;
}
