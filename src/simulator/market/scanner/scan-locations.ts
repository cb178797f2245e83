import type { SimInstrument } from "../market.ts";

/** A kind of instrument that can be scanned, with the places where it trades. */
export interface ScanInstrument {
  readonly type: string;
  readonly name: string;
  readonly locations: readonly ScanLocation[];
}

/** A place; one that holds others has a code of its own. */
export interface ScanLocation {
  readonly type: string;
  readonly name: string;
  readonly holds: (instrument: SimInstrument) => boolean;
}

const isStock = ({ secType, etf }: SimInstrument): boolean => secType === "STK" && !etf;
const isUnitedStates = ({ countryCode }: SimInstrument): boolean => countryCode === "US";
const onExchange = (type: string, name: string, exchange: string): ScanLocation => ({
  type,
  name,
  holds: (each) => isStock(each) && each.listingExchange === exchange,
});
const EUROPE = new Set(["GB", "DE", "FR", "NL", "ES", "CH"]);

/** Everything that can be scanned. */
export const SCAN_INSTRUMENTS: readonly ScanInstrument[] = [
  {
    type: "STK",
    name: "US Stocks",
    locations: [
      { type: "STK.US", name: "US Stocks", holds: (each) => isStock(each) && isUnitedStates(each) },
      { type: "STK.US.MAJOR", name: "Listed/NASDAQ", holds: (each) => isStock(each) && isUnitedStates(each) },
      onExchange("STK.NASDAQ", "NASDAQ", "NASDAQ"),
      onExchange("STK.NYSE", "NYSE", "NYSE"),
      onExchange("STK.ARCA", "ARCA", "ARCA"),
    ],
  },
  {
    type: "ETF.EQ.US",
    name: "US Equity ETFs",
    locations: [
      { type: "ETF.EQ.US", name: "US Equity ETFs", holds: (each) => each.etf && isUnitedStates(each) },
      { type: "ETF.EQ.US.MAJOR", name: "Listed/NASDAQ", holds: (each) => each.etf && isUnitedStates(each) },
    ],
  },
  {
    type: "STOCK.EU",
    name: "European Stocks",
    locations: [
      { type: "STK.EU", name: "European Stocks", holds: (each) => isStock(each) && EUROPE.has(each.countryCode) },
      onExchange("STK.EU.LSE", "United Kingdom (LSE)", "LSE"),
      onExchange("STK.EU.IBIS", "Germany (XETRA)", "IBIS"),
      onExchange("STK.EU.SBF", "France (SBF)", "SBF"),
      onExchange("STK.EU.AEB", "Netherlands (AEB)", "AEB"),
      onExchange("STK.EU.EBS", "Switzerland (EBS)", "EBS"),
    ],
  },
  {
    type: "STOCK.NA",
    name: "America Non-US Stocks",
    locations: [onExchange("STK.NA.TSE", "Canada (TSE)", "TSE")],
  },
];
