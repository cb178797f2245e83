import { Decimal } from "../../../lib/decimal.ts";
import { rawNumber } from "../../../lib/json.ts";
import { contractDescription, priceDecimals } from "../contracts/security-definition.ts";
import type { Market, SimBar, SimInstrument } from "../market.ts";
import { BAR_SECONDS } from "./history-period.ts";

export interface HistoryReplyOptions {
  readonly bars: readonly SimBar[];
  readonly period: string;
  readonly bar: string;
  readonly outsideRth: boolean;
  /** False for midpoints and quotes, which have no volume. */
  readonly withVolume: boolean;
  readonly until: number;
  readonly delaySeconds: number;
}

/** What `v` is to be multiplied with: American funds count in 40s, American shares in hundreds, all else in units. */
export function volumeFactor(instrument: SimInstrument): number {
  if (instrument.secType !== "STK" || instrument.countryCode !== "US") return 1;
  return instrument.etf ? 40 : 100;
}

/**
 * The answer of the history endpoint. Prices are real ones in the quoting unit; a bar's volume is `v` × `volumeFactor`; the texts `high`
 * and `low` are price × `priceFactor`, volume as in `v`, and minutes from the start. `points` is one less than there are bars.
 */
export function historyReply(market: Market, instrument: SimInstrument, options: HistoryReplyOptions) {
  const { bars } = options;
  const decimals = priceDecimals(instrument);
  const factor = volumeFactor(instrument);
  const hasVolume = options.withVolume && ["STK", "OPT", "FUT"].includes(instrument.secType);
  const volumeOf = (bar: SimBar): string => (hasVolume ? bar.volume.dividedBy(Decimal.fromInteger(factor), 6).toString() : "0");
  const startsAt = bars[0]?.startsAt ?? options.until;
  const priceFactor = 10 ** decimals;
  const extreme = (price: Decimal, bar: SimBar): string =>
    `${price.times(Decimal.fromInteger(priceFactor)).toString()}/${volumeOf(bar)}/${Math.round((bar.startsAt - startsAt) / 60_000)}`;
  const highest = bars.reduce<SimBar | undefined>(
    (most, bar) => (most === undefined || bar.high.greaterThan(most.high) ? bar : most),
    undefined,
  );
  const lowest = bars.reduce<SimBar | undefined>(
    (least, bar) => (least === undefined || bar.low.lessThan(least.low) ? bar : least),
    undefined,
  );
  const session = market.calendar(instrument.conid).sessionAt(options.until);
  const start = utcText(startsAt);
  const data = bars.map((bar) => ({
    o: rawNumber(bar.open.toString()),
    c: rawNumber(bar.close.toString()),
    h: rawNumber(bar.high.toString()),
    l: rawNumber(bar.low.toString()),
    v: rawNumber(volumeOf(bar)),
    t: bar.startsAt,
  }));
  return {
    serverId: String(7_000_000 + (instrument.conid % 1_000_000)),
    symbol: instrument.symbol,
    text: instrument.expiry !== undefined ? contractDescription(instrument) : instrument.name,
    priceFactor,
    startTime: start,
    high: highest === undefined ? "" : extreme(highest.high, highest),
    low: lowest === undefined ? "" : extreme(lowest.low, lowest),
    timePeriod: options.period,
    barLength: BAR_SECONDS[options.bar] ?? 60,
    mdAvailability: "S",
    mktDataDelay: options.delaySeconds,
    outsideRth: options.outsideRth,
    tradingDayDuration: Math.round((session.closesAt - session.opensAt) / 60_000),
    volumeFactor: factor,
    priceDisplayRule: 1,
    priceDisplayValue: String(decimals),
    chartPanStartTime: start,
    direction: -1,
    negativeCapable: false,
    messageVersion: 2,
    // An empty window is one bar without a time.
    data: data.length === 0 ? [{ o: 0, c: 0, h: 0, l: 0, v: 0 }] : data,
    points: Math.max(0, data.length - 1),
    travelTime: 48,
  };
}

/** `YYYYMMDD-HH:mm:ss` in UTC. */
function utcText(at: number): string {
  const [date = "", time = ""] = new Date(at).toISOString().split("T");
  return `${date.replaceAll("-", "")}-${time.slice(0, 8)}`;
}
