import type { Listing } from "./listing.ts";

/** Indices: quoted, never traded. */
export const INDICES: readonly Listing[] = [
  {
    conid: 416_904,
    symbol: "SPX",
    name: "S&P 500 Stock Index",
    venue: "CBOE",
    price: "6658.4",
    volume: 0,
    sector: "Indices",
    group: "Broad Range Equity Index",
    kind: "index",
    pathKey: "SPX",
    volatility: 0.008,
  },
  {
    conid: 416_843,
    symbol: "NDX",
    name: "NASDAQ 100 Stock Index",
    venue: "CBOE",
    price: "24512.7",
    volume: 0,
    sector: "Indices",
    group: "Broad Range Equity Index",
    kind: "index",
    volatility: 0.012,
  },
  {
    conid: 13_455_763,
    symbol: "VIX",
    name: "CBOE Volatility Index",
    venue: "CBOE",
    price: "18.4",
    volume: 0,
    sector: "Indices",
    group: "Broad Range Equity Index",
    kind: "index",
    volatility: 0.055,
  },
];
