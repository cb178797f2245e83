import type { Availability } from "../market.ts";
import type { TradingStyle } from "../prices/price-series.ts";
import type { VenueName } from "./venues.ts";

/** One line of the catalogue: what an instrument is and how its price behaves. Everything else follows from its venue. */
export interface Listing {
  readonly conid: number;
  readonly symbol: string;
  readonly name: string;
  readonly venue: VenueName;
  /** Price about which it wanders, in the quoting unit, as a plain decimal. */
  readonly price: string;
  /** Average volume of a day. */
  readonly volume: number;
  readonly sector: string;
  readonly group: string;
  readonly kind?: "stock" | "etf" | "index" | "currency_pair";
  /** Daily standard deviation; the default is 1.4 % for a share, 0.8 % for a fund, 0.4 % for a currency pair. */
  readonly volatility?: number;
  /** Shares its path with the listings of the same key. */
  readonly pathKey?: string;
  /** Spread in price increments, 1 by default. */
  readonly spread?: number;
  readonly availability?: Availability;
  readonly style?: TradingStyle;
  /** Overrides of the venue. */
  readonly currency?: string;
  readonly increment?: string;
  readonly fractions?: boolean;
  /** Yearly dividend per share in the quoting unit, as a plain decimal. */
  readonly dividend?: string;
  /** Earnings per share of a year, as a plain decimal. */
  readonly earnings?: string;
  /** Shares outstanding, for the market capitalisation. */
  readonly sharesOutstanding?: number;
}
