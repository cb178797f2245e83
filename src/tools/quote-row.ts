import type { DataStatus, Quote } from "../broker/market-data.ts";
import { isoTime } from "./envelope.ts";

/** A quote's figures; prices are in `currency`. */
export function quoteRow(quote: Quote) {
  return {
    currency: quote.currency,
    last: quote.last,
    last_is_prior_close: quote.lastIsPriorClose ? true : undefined,
    halted: quote.halted ? true : undefined,
    bid: quote.bid,
    ask: quote.ask,
    bid_size: quote.bidSize,
    ask_size: quote.askSize,
    day_open: quote.dayOpen,
    day_high: quote.dayHigh,
    day_low: quote.dayLow,
    prior_close: quote.priorClose,
    change: quote.change,
    change_pct: quote.changePct,
    volume: quote.volume,
    week_52_high: quote.week52High,
    week_52_low: quote.week52Low,
    data_status: quote.dataStatus,
    missing_fields: quote.missingFields,
  };
}

/** A quote in one line for people. */
export function quoteText(name: string, quote: Quote): string {
  const price = quote.last === undefined ? "no last price" : `${quote.last.toString()} ${quote.currency}`;
  const percent = quote.changePct === undefined ? "" : `, ${signed(quote.changePct.toFixed(2))}%`;
  const sides = quote.bid === undefined || quote.ask === undefined ? "" : `, bid ${quote.bid.toString()} ask ${quote.ask.toString()}`;
  const flags = `${quote.lastIsPriorClose ? " (prior close)" : ""}${quote.halted ? " (halted)" : ""}`;
  return `${name}: ${price}${flags}${percent}${sides}; ${quote.dataStatus} at ${isoTime(quote.asOf)}.`;
}

/** A number with its sign in front: `+1.2`. */
export function signed(text: string): string {
  return text.startsWith("-") ? text : `+${text}`;
}

/** What a reader of this quote should know, beyond its figures. */
export function quoteNote(quote: Quote): string | undefined {
  if (!quote.subscribed) return "This IBKR user has no market data subscription for it; prices may be missing or late.";
  return quote.dataStatus === "delayed" ? "Prices are 15 to 20 minutes late." : undefined;
}

const FRESHNESS: readonly DataStatus[] = ["live", "delayed", "frozen", "stale"];

/** The least fresh of several states. */
export function leastFresh(states: readonly DataStatus[]): DataStatus | undefined {
  return FRESHNESS.findLast((state) => states.includes(state));
}
