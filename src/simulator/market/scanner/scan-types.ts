import { Decimal } from "../../../lib/decimal.ts";
import { shortened, signed } from "../market-data/number-format.ts";
import { averageVolume, createPastDays, historicalVolatility } from "../market-data/statistics.ts";
import type { Market, SimInstrument, SimQuote } from "../market.ts";

/** An instrument as a scan judges it. */
export interface Candidate {
  readonly market: Market;
  readonly instrument: SimInstrument;
  readonly quote: SimQuote;
}

/** One kind of scan. */
export interface ScanType {
  readonly code: string;
  readonly name: string;
  /** Heading of the figure. */
  readonly column: string;
  /** What is ranked, highest first; undefined leaves the instrument out. */
  score(candidate: Candidate): Decimal | undefined;
  /** The figure as text; of what fell, the score is the fall. */
  show(score: Decimal): string;
}

const HUNDRED = Decimal.fromInteger(100);
const DECIMALS = 6;

const percentOf = (part: Decimal, whole: Decimal): Decimal | undefined =>
  whole.isZero() ? undefined : part.times(HUNDRED).dividedBy(whole, DECIMALS);
const rise = ({ quote }: Candidate): Decimal | undefined => percentOf(quote.last.minus(quote.priorClose), quote.priorClose);
const riseSinceOpen = ({ quote }: Candidate): Decimal | undefined =>
  quote.tradedToday ? percentOf(quote.last.minus(quote.open), quote.open) : undefined;
const inYear = ({ quote }: Candidate): Decimal | undefined =>
  percentOf(quote.last.minus(quote.week52Low), quote.week52High.minus(quote.week52Low));
const percent = (value: Decimal): string => `${signed(value, 2)}%`;
const plainPercent = (value: Decimal): string => `${value.toFixed(2)}%`;

function dividendYield({ market, instrument, quote }: Candidate): Decimal | undefined {
  const dividend = market.listing(instrument.conid)?.dividend;
  return dividend === undefined ? undefined : percentOf(Decimal.parse(dividend), quote.last);
}

function usualVolume({ market, instrument, quote }: Candidate): Decimal {
  return averageVolume(createPastDays(market, instrument.conid, quote.at));
}

function volatility({ market, instrument, quote }: Candidate): Decimal | undefined {
  if (market.strikes(instrument.conid).length === 0) return undefined;
  return Decimal.fromApproximation(historicalVolatility(createPastDays(market, instrument.conid, quote.at)), 4);
}

/** The scans that the simulated market can answer. */
export const SCAN_TYPES: readonly ScanType[] = [
  { code: "TOP_PERC_GAIN", name: "Top % Gainers", column: "Chg%", score: rise, show: percent },
  {
    code: "TOP_PERC_LOSE",
    name: "Top % Losers",
    column: "Chg%",
    score: (each) => rise(each)?.negated(),
    show: (fall) => percent(fall.negated()),
  },
  { code: "MOST_ACTIVE", name: "Most Active", column: "Volume", score: ({ quote }) => quote.volume, show: shortened },
  {
    code: "MOST_ACTIVE_USD",
    name: "Most Active ($)",
    column: "Volume ($)",
    score: ({ market, instrument, quote }) => {
      const amount = quote.volume.times(quote.last).dividedBy(Decimal.fromInteger(instrument.magnifier), 2);
      return amount.times(market.rate(instrument.currency, "USD", quote.at)).round(0);
    },
    show: shortened,
  },
  {
    code: "HOT_BY_VOLUME",
    name: "Hot by Volume",
    column: "Volume vs average",
    score: (each) => percentOf(each.quote.volume, usualVolume(each)),
    show: plainPercent,
  },
  { code: "HIGH_VS_52W_HL", name: "52-Week High", column: "52w range %", score: inYear, show: plainPercent },
  {
    code: "LOW_VS_52W_HL",
    name: "52-Week Low",
    column: "52w range %",
    score: (each) => inYear(each)?.negated(),
    show: (score) => plainPercent(score.negated()),
  },
  { code: "TOP_OPEN_PERC_GAIN", name: "Top % Gainers Since Open", column: "Chg% since open", score: riseSinceOpen, show: percent },
  {
    code: "TOP_OPEN_PERC_LOSE",
    name: "Top % Losers Since Open",
    column: "Chg% since open",
    score: (each) => riseSinceOpen(each)?.negated(),
    show: (fall) => percent(fall.negated()),
  },
  { code: "HIGH_DIVIDEND_YIELD_IB", name: "High Dividend Yield", column: "Dividend yield", score: dividendYield, show: plainPercent },
  {
    code: "TOP_TRADE_COUNT",
    name: "Top Trade Count",
    column: "Trades",
    score: ({ quote }) => quote.volume.dividedBy(HUNDRED, 0),
    show: shortened,
  },
  { code: "HIGH_OPT_IMP_VOLAT", name: "Highest Option Implied Volatility", column: "Opt IV", score: volatility, show: plainPercent },
];

/** A condition on what a scan shows. */
export interface ScanFilter {
  readonly code: string;
  readonly name: string;
  passes(candidate: Candidate, limit: Decimal): boolean;
}

const MILLION = Decimal.fromInteger(1_000_000);

function marketCapitalisation({ market, instrument, quote }: Candidate): Decimal | undefined {
  const shares = market.listing(instrument.conid)?.sharesOutstanding;
  if (shares === undefined) return undefined;
  return quote.last.times(Decimal.fromInteger(shares)).dividedBy(Decimal.fromInteger(instrument.magnifier), 2).dividedBy(MILLION, 2);
}

const above = (code: string, name: string, read: (candidate: Candidate) => Decimal | undefined): ScanFilter => ({
  code,
  name,
  passes: (candidate, limit) => read(candidate)?.lessThan(limit) === false,
});
const below = (code: string, name: string, read: (candidate: Candidate) => Decimal | undefined): ScanFilter => ({
  code,
  name,
  passes: (candidate, limit) => read(candidate)?.greaterThan(limit) === false,
});

/** The conditions that a scan may set. */
export const SCAN_FILTERS: readonly ScanFilter[] = [
  above("priceAbove", "Price Above", ({ quote }) => quote.last),
  below("priceBelow", "Price Below", ({ quote }) => quote.last),
  above("volumeAbove", "Volume Above", ({ quote }) => quote.volume),
  above("avgVolumeAbove", "Avg Volume Above", usualVolume),
  above("changePercAbove", "Change (%) Above", rise),
  below("changePercBelow", "Change (%) Below", rise),
  above("marketCapAbove1e6", "Market Cap Above (millions)", marketCapitalisation),
  below("marketCapBelow1e6", "Market Cap Below (millions)", marketCapitalisation),
];
