import { rawNumber } from "../../../lib/json.ts";
import type { Market, SimInstrument } from "../market.ts";
import type { PositionFigures } from "./position-figures.ts";
import { shownQuote } from "./shown-quote.ts";
import { createPastDays } from "./statistics.ts";
import { SNAPSHOT_FIELDS, type FieldContext } from "./snapshot-fields.ts";

export interface RowOptions {
  readonly fields: readonly string[];
  readonly now: number;
  /** Which poll of the stream this is: fields arrive on the second or the third. */
  readonly polls: number;
  /** What the user holds in the instrument; asked only where a field needs it. */
  readonly position?: () => PositionFigures | undefined;
}

/** The data of a snapshot row: those of the wanted fields that have arrived and have a value. `_updated` is the time of sending. */
export function snapshotRow(market: Market, instrument: SimInstrument, options: RowOptions): Record<string, unknown> {
  const shown = shownQuote(market, instrument, options.now);
  const row: Record<string, unknown> = { _updated: options.now, "6119": `q${instrument.conid % 10}`, "6509": shown.availability };
  // Reference fields don't look at the quote, and no other field is read without one.
  const quote = shown.quote ?? market.quote(instrument.conid, shown.at);
  const context: FieldContext = {
    market,
    instrument,
    at: shown.at,
    past: createPastDays(market, instrument.conid, quote.at),
    quote,
    showsLast: shown.showsLast,
    showsBook: shown.showsBook,
    position: options.position ?? (() => undefined),
  };
  for (const id of options.fields) {
    const field = Object.hasOwn(SNAPSHOT_FIELDS, id) ? SNAPSHOT_FIELDS[id] : undefined;
    if (field === undefined || options.polls < field.poll || (shown.quote === undefined && !field.reference)) continue;
    const value = field.read(context);
    if (value === undefined) continue;
    row[id] = typeof value === "string" ? value : value.text;
    if (typeof value !== "string" && value.raw !== undefined) row[`${id}_raw`] = rawNumber(value.raw.toString());
  }
  return row;
}
