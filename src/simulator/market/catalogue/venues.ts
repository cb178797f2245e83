import type { CalendarName } from "../calendar/exchange-hours.ts";

/** What the instruments of one exchange have in common. */
export interface Venue {
  readonly currency: string;
  readonly countryCode: string;
  readonly calendar: CalendarName;
  /** 100 where prices are in hundredths of the currency. */
  readonly magnifier: number;
  /** Lower edge of the price and the increment from there on, as plain decimals. */
  readonly increments: readonly (readonly [lowerEdge: string, increment: string])[];
  readonly validExchanges: readonly string[];
  /** Fractions of a share may be traded, as IBKR allows for most US and European listings. */
  readonly fractions: boolean;
  /** Shares in the exchange's trading unit, where other quantities are refused. */
  readonly lot?: number;
}

const unitedStates = {
  currency: "USD",
  countryCode: "US",
  calendar: "US",
  magnifier: 1,
  increments: [["0", "0.01"]],
  validExchanges: [
    "SMART",
    "AMEX",
    "NYSE",
    "CBOE",
    "PHLX",
    "ISE",
    "CHX",
    "ARCA",
    "NASDAQ",
    "DRCTEDGE",
    "BEX",
    "BATS",
    "EDGEA",
    "BYX",
    "IEX",
  ],
  fractions: true,
} as const;

const continental = {
  currency: "EUR",
  magnifier: 1,
  increments: [
    ["0", "0.001"],
    ["10", "0.005"],
    ["20", "0.01"],
    ["50", "0.02"],
    ["100", "0.05"],
    ["200", "0.1"],
    ["500", "0.2"],
    ["1000", "0.5"],
  ],
  fractions: true,
} as const;

const futuresExchange = {
  currency: "USD",
  countryCode: "US",
  calendar: "CME",
  magnifier: 1,
  increments: [["0", "0.01"]],
  fractions: false,
} as const;

/** Every exchange that lists an instrument of the simulated market. */
export const VENUES = {
  NASDAQ: unitedStates,
  NYSE: unitedStates,
  ARCA: unitedStates,
  BATS: unitedStates,
  /** London shares: quoted in pence, their currency is GBP. */
  LSE: {
    currency: "GBP",
    countryCode: "GB",
    calendar: "LSE",
    magnifier: 100,
    increments: [
      ["0", "0.01"],
      ["50", "0.02"],
      ["100", "0.05"],
      ["200", "0.1"],
      ["500", "0.2"],
      ["1000", "0.5"],
      ["2000", "1"],
      ["5000", "2"],
      ["10000", "5"],
    ],
    validExchanges: ["SMART", "LSE", "CHIXUK", "BATEUK", "TRQXUK"],
    fractions: false,
  },
  /** London funds that are quoted in pounds. */
  LSEETF: {
    currency: "GBP",
    countryCode: "GB",
    calendar: "LSE",
    magnifier: 1,
    increments: [["0", "0.005"]],
    validExchanges: ["SMART", "LSEETF", "CHIXUK", "BATEUK"],
    fractions: false,
  },
  IBIS: { ...continental, countryCode: "DE", calendar: "XETRA", validExchanges: ["SMART", "IBIS", "FWB", "TGATE", "CHIXDE", "BATEDE"] },
  AEB: { ...continental, countryCode: "NL", calendar: "AMSTERDAM", validExchanges: ["SMART", "AEB", "CHIXEN", "BATEEN"] },
  SBF: { ...continental, countryCode: "FR", calendar: "PARIS", validExchanges: ["SMART", "SBF", "CHIXEN", "BATEEN"] },
  BM: { ...continental, countryCode: "ES", calendar: "MADRID", validExchanges: ["SMART", "BM", "CHIXES", "BATEES"] },
  EBS: {
    ...continental,
    currency: "CHF",
    countryCode: "CH",
    calendar: "SIX",
    validExchanges: ["SMART", "EBS", "CHIXCH", "BATECH"],
  },
  TSE: {
    currency: "CAD",
    countryCode: "CA",
    calendar: "TORONTO",
    magnifier: 1,
    increments: [
      ["0", "0.005"],
      ["0.5", "0.01"],
    ],
    validExchanges: ["SMART", "TSE", "CHIX", "ALPHA", "OMEGA"],
    fractions: false,
  },
  /** Tokyo, with the price increments of its largest shares. */
  TSEJ: {
    currency: "JPY",
    countryCode: "JP",
    calendar: "TOKYO",
    magnifier: 1,
    increments: [
      ["0", "0.1"],
      ["1000", "0.5"],
      ["3000", "1"],
      ["10000", "5"],
    ],
    validExchanges: ["SMART", "TSEJ", "CHIXJ", "JPNNEXT"],
    fractions: false,
    lot: 100,
  },
  CBOE: {
    currency: "USD",
    countryCode: "US",
    calendar: "US_REGULAR",
    magnifier: 1,
    increments: [["0", "0.01"]],
    validExchanges: ["CBOE"],
    fractions: false,
  },
  CME: { ...futuresExchange, validExchanges: ["CME"] },
  CBOT: { ...futuresExchange, validExchanges: ["CBOT"] },
  NYMEX: { ...futuresExchange, validExchanges: ["NYMEX"] },
  COMEX: { ...futuresExchange, validExchanges: ["COMEX"] },
  IDEALPRO: {
    currency: "USD",
    countryCode: "",
    calendar: "FX",
    magnifier: 1,
    increments: [["0", "0.00005"]],
    validExchanges: ["IDEALPRO"],
    fractions: false,
  },
} as const satisfies Record<string, Venue>;

export type VenueName = keyof typeof VENUES;
