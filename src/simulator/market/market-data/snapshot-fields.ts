import { Decimal } from "../../../lib/decimal.ts";
import { contractDescription, priceDecimals } from "../contracts/security-definition.ts";
import { monthOf } from "../contracts/option-months.ts";
import type { Market, SimInstrument, SimQuote } from "../market.ts";
import { shortened, signed, withCommas } from "./number-format.ts";
import type { PositionFigures } from "./position-figures.ts";
import { averageVolume, exponentialAverage, historicalVolatility, type PastDays } from "./statistics.ts";

/** What a field is computed from. */
export interface FieldContext {
  readonly market: Market;
  readonly instrument: SimInstrument;
  /** The quote that is shown: delayed or frozen where the instrument's data are. */
  readonly quote: SimQuote;
  /** The trading days before it. */
  readonly past: PastDays;
  /** Instant of that quote. */
  readonly at: number;
  /** In a closed market some sides are missing. */
  readonly showsLast: boolean;
  readonly showsBook: boolean;
  /** What the user holds in the instrument. */
  readonly position: () => PositionFigures | undefined;
}

/** A field's text, and beside it the exact number where IBKR sends one as `<field>_raw`. */
export interface FieldValue {
  readonly text: string;
  readonly raw?: Decimal;
}

/** One market data field: when it arrives and how it is read. */
export interface Field {
  /** Poll, counted from the pre-flight, on which the field first arrives. */
  readonly poll: 2 | 3;
  /** Known without market data: also told of an instrument that isn't subscribed to. */
  readonly reference: boolean;
  /** Undefined where the field has no value for this instrument or just now. */
  read(context: FieldContext): string | FieldValue | undefined;
}

type Read = Field["read"];

const prompt = (read: Read): Field => ({ poll: 2, reference: false, read });
const slow = (read: Read): Field => ({ poll: 3, reference: false, read });
const known = (read: Read): Field => ({ poll: 2, reference: true, read });

const price = (context: FieldContext, value: Decimal): string => value.toFixed(priceDecimals(context.instrument));
const percent = (value: Decimal): string => `${signed(value, 2)}%`;
const HUNDRED = Decimal.fromInteger(100);

/** Something with a bid and an ask: not an index, and not in a market whose book is closed. */
const hasBook = ({ instrument, showsBook }: FieldContext): boolean => instrument.secType !== "IND" && showsBook;
/** Currency pairs and indices have no volume of their own. */
const hasVolume = ({ instrument }: FieldContext): boolean => ["STK", "OPT", "FUT"].includes(instrument.secType);
const isShare = ({ instrument }: FieldContext): boolean => instrument.secType === "STK";

const change = ({ quote }: FieldContext): Decimal => quote.last.minus(quote.priorClose);
const ratio = (part: Decimal, whole: Decimal): Decimal => part.times(HUNDRED).dividedBy(whole, 6);

function last(context: FieldContext): string | undefined {
  if (!context.showsLast) return undefined;
  const prefix = context.instrument.halted ? "H" : context.quote.tradedToday ? "" : "C";
  return prefix + price(context, context.quote.last);
}

const volume: Read = (context) => (hasVolume(context) ? { text: shortened(context.quote.volume), raw: context.quote.volume } : undefined);

/** Prices, sizes and volume: what a quote is made of. */
const QUOTE_FIELDS: Readonly<Record<string, Field>> = {
  "31": prompt(last),
  "70": prompt((context) => (context.quote.tradedToday ? price(context, context.quote.high) : undefined)),
  "71": prompt((context) => (context.quote.tradedToday ? price(context, context.quote.low) : undefined)),
  "82": prompt((context) => (context.showsLast ? signed(change(context), priceDecimals(context.instrument)) : undefined)),
  "83": prompt((context) => (context.showsLast ? percent(ratio(change(context), context.quote.priorClose)) : undefined)),
  "84": prompt((context) => (hasBook(context) ? price(context, context.quote.bid) : undefined)),
  "85": prompt((context) => (hasBook(context) ? withCommas(context.quote.askSize) : undefined)),
  "86": prompt((context) => (hasBook(context) ? price(context, context.quote.ask) : undefined)),
  "88": prompt((context) => (hasBook(context) ? withCommas(context.quote.bidSize) : undefined)),
  "87": slow(volume),
  "7057": prompt((context) => (hasBook(context) ? "Q" : undefined)),
  "7058": prompt((context) => (context.showsLast ? "Q" : undefined)),
  "7059": prompt((context) => (hasVolume(context) && context.showsLast ? "100" : undefined)),
  "7068": prompt((context) => (hasBook(context) ? "K" : undefined)),
  "7293": slow((context) => price(context, context.quote.week52High)),
  "7294": slow((context) => price(context, context.quote.week52Low)),
  "7295": prompt((context) => (context.quote.tradedToday ? price(context, context.quote.open) : undefined)),
  "7296": prompt((context) => price(context, context.quote.priorClose)),
  "7635": prompt((context) => price(context, mark(context))),
  "7682": slow((context) =>
    context.quote.tradedToday ? percent(ratio(context.quote.last.minus(context.quote.open), context.quote.open)) : undefined,
  ),
  "7741": prompt((context) => price(context, context.quote.priorClose)),
  "7762": slow((context) => (hasVolume(context) ? context.quote.volume.toString() : undefined)),
};

function mark({ quote }: FieldContext): Decimal {
  return Decimal.max(quote.bid, Decimal.min(quote.last, quote.ask));
}

/** What the instrument is: known without a subscription. */
const CONTRACT_FIELDS: Readonly<Record<string, Field>> = {
  "55": known(({ instrument }) => (instrument.secType === "CASH" ? instrument.name : instrument.symbol)),
  "58": known(() => ""),
  "201": known(({ instrument }) => instrument.right),
  "6004": known(({ instrument }) => instrument.validExchanges[0]),
  "6008": known(({ instrument }) => String(instrument.conid)),
  "6070": known(({ instrument }) => instrument.secType),
  "6072": known(({ instrument, market, at }) => {
    const months = [...new Set(market.expiries(instrument.conid, at).map(monthOf))];
    return months.length === 0 ? undefined : months.join(";");
  }),
  "6073": known(({ instrument }) => instrument.expiry),
  "6457": known(({ instrument }) => instrument.underlyingConid?.toString()),
  "7051": known(({ instrument }) => instrument.name),
  "7094": known(({ instrument }) => `${instrument.conid}@${instrument.validExchanges[0] ?? instrument.listingExchange}`),
  "7184": known(({ instrument }) => (instrument.secType === "IND" ? "0" : "1")),
  "7219": known(({ instrument }) => contractDescription(instrument)),
  "7220": known(({ instrument }) => contractDescription(instrument)),
  "7221": known(({ instrument }) => instrument.listingExchange),
  "7280": known(({ instrument }) => instrument.group),
  "7281": known(({ instrument }) => instrument.sector),
  "7714": known(({ instrument }) => instrument.expiry),
  "7768": known(({ instrument }) => (instrument.secType === "IND" ? "0" : "1")),
};

const dividend: Read = (context) => {
  const yearly = context.market.listing(context.instrument.conid)?.dividend;
  return yearly === undefined ? undefined : Decimal.parse(yearly).toFixed(2);
};

/** Fundamentals of shares, and averages over the past; they arrive late. */
const STATISTICS_FIELDS: Readonly<Record<string, Field>> = {
  "7087": slow((context) => `${historicalVolatility(context.past).toFixed(1)}%`),
  "7088": slow((context) => `${historicalVolatility(context.past).toFixed(1)}%`),
  "7282": slow((context) => {
    if (!hasVolume(context)) return undefined;
    const average = averageVolume(context.past);
    return { text: shortened(average), raw: average };
  }),
  "7286": slow(dividend),
  "7287": slow((context) => {
    const yearly = context.market.listing(context.instrument.conid)?.dividend;
    return yearly === undefined ? undefined : `${ratio(Decimal.parse(yearly), context.quote.last).toFixed(2)}%`;
  }),
  "7289": slow((context) => {
    const shares = context.market.listing(context.instrument.conid)?.sharesOutstanding;
    if (shares === undefined) return undefined;
    const value = context.quote.last.times(Decimal.fromInteger(shares)).round(0);
    return { text: shortened(value), raw: value };
  }),
  "7290": slow((context) => {
    const earnings = context.market.listing(context.instrument.conid)?.earnings;
    return earnings === undefined ? undefined : context.quote.last.dividedBy(Decimal.parse(earnings), 2).toFixed(2);
  }),
  "7291": slow((context) => context.market.listing(context.instrument.conid)?.earnings),
  "7636": slow((context) => (isShare(context) ? "10,000,000" : undefined)),
  "7637": slow((context) => (isShare(context) ? "0.25%" : undefined)),
  "7644": slow((context) => (isShare(context) ? "3.0" : undefined)),
  "7671": slow(dividend),
  "7672": slow(dividend),
  ...averageFields({ "7674": 200, "7675": 100, "7676": 50, "7677": 20 }, (context, average) => price(context, average)),
  ...averageFields({ "7678": 200, "7679": 100, "7724": 50, "7681": 20 }, (context, average) =>
    percent(ratio(context.quote.last.minus(average), average)),
  ),
};

function averageFields(
  days: Readonly<Record<string, number>>,
  show: (context: FieldContext, average: Decimal) => string,
): Readonly<Record<string, Field>> {
  const fields = Object.entries(days).map(([id, count]) => {
    const read: Read = (context) => show(context, exponentialAverage(context.past, count));
    return [id, slow(read)] as const;
  });
  return Object.fromEntries(fields);
}

type GreekName = "delta" | "gamma" | "theta" | "vega";

const greek = (name: GreekName): Field => slow(({ market, instrument, at }) => market.greeks(instrument.conid, at)?.[name].toFixed(3));

/** Options' own fields, which arrive late. */
const OPTION_FIELDS: Readonly<Record<string, Field>> = {
  "7089": slow((context) => (context.instrument.secType === "OPT" ? withCommas(context.quote.volume) : undefined)),
  "7283": slow((context) =>
    context.market.strikes(context.instrument.conid).length === 0 ? undefined : `${historicalVolatility(context.past).toFixed(1)}%`,
  ),
  "7308": greek("delta"),
  "7309": greek("gamma"),
  "7310": greek("theta"),
  "7311": greek("vega"),
  "7633": slow(({ market, instrument, at }) => {
    const greeks = market.greeks(instrument.conid, at);
    return greeks === undefined ? undefined : `${(greeks.impliedVolatility * 100).toFixed(1)}%`;
  }),
  "7697": slow((context) => (context.instrument.secType === "FUT" ? shortened(openInterest(context)) : undefined)),
  "7638": slow((context) => (context.instrument.secType === "OPT" ? shortened(openInterest(context)) : undefined)),
};

/** Open interest changes once a day: a multiple of an average day's volume. */
function openInterest(context: FieldContext): Decimal {
  return averageVolume(context.past).times(Decimal.fromInteger(12)).round(0);
}

type ReadPosition = (position: PositionFigures, context: FieldContext) => string | FieldValue;

const ofPosition = (read: ReadPosition): Field =>
  slow((context) => {
    const position = context.position();
    return position === undefined ? undefined : read(position, context);
  });
const amount = (value: Decimal): FieldValue => ({ text: signed(value, 2).replace("+", ""), raw: value.round(2) });

/** What the user holds: absent where that is nothing. */
const POSITION_FIELDS: Readonly<Record<string, Field>> = {
  "73": ofPosition(({ value }) => amount(value)),
  "74": ofPosition(({ averagePrice }, context) => averagePrice.toFixed(Math.max(4, priceDecimals(context.instrument)))),
  "75": ofPosition(({ unrealized }) => amount(unrealized)),
  "76": ofPosition(({ quantity }) => ({ text: withCommas(quantity), raw: quantity })),
  "77": ofPosition(({ unrealized }) => ({ text: shortened(unrealized), raw: unrealized.round(2) })),
  "78": ofPosition(({ daily }) => amount(daily)),
  "79": ofPosition(({ realized }) => amount(realized)),
  "80": ofPosition(({ unrealized, costBasis }) =>
    percent(costBasis.isZero() ? Decimal.zero : unrealized.times(HUNDRED).dividedBy(costBasis.abs(), 6)),
  ),
  "7292": ofPosition(({ costBasis }) => amount(costBasis)),
  "7639": ofPosition(({ shareOfAccount }) => `${shareOfAccount.toFixed(2)}%`),
  "7920": ofPosition(({ daily }) => daily.round(2).toString()),
  "7921": ofPosition(({ costBasis }) => costBasis.round(2).toString()),
};

/**
 * Every market data field that the simulated market can fill, by IBKR's id. Those of bonds and of a news and events
 * subscription are absent from its rows.
 */
export const SNAPSHOT_FIELDS: Readonly<Record<string, Field>> = {
  ...QUOTE_FIELDS,
  ...CONTRACT_FIELDS,
  ...STATISTICS_FIELDS,
  ...OPTION_FIELDS,
  ...POSITION_FIELDS,
};
