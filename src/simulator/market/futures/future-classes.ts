/** When the contracts of a class end, by the rule of its exchange. */
export type LastDayRule = "third_friday" | "before_25th" | "before_month" | "end_of_month" | "before_end_of_month";

/** The futures on one underlying: every listed contract follows from this. */
export interface FutureClass {
  /** Part of the conid: never reuse or change it. */
  readonly code: number;
  readonly underlyingConid: number;
  readonly symbol: string;
  readonly name: string;
  readonly exchange: "CME" | "CBOT" | "NYMEX" | "COMEX";
  readonly multiplier: string;
  readonly increment: string;
  /** Delivery months, 1 to 12, and how many of them are listed at one time. */
  readonly months: readonly number[];
  readonly listed: number;
  readonly lastDay: LastDayRule;
  /** Yearly rate by which a contract costs more than its underlying; negative where storing it earns. */
  readonly carry: number;
  /** Contracts of the busiest month in an average day. */
  readonly volume: number;
}

const QUARTERLY = [3, 6, 9, 12];
const MONTHLY = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
const index = { exchange: "CME", months: QUARTERLY, listed: 5, lastDay: "third_friday", carry: 0.03 } as const;

/** Every class of futures that is listed. */
export const FUTURE_CLASSES: readonly FutureClass[] = [
  {
    ...index,
    code: 0,
    underlyingConid: 11_004_968,
    symbol: "ES",
    name: "E-mini S&P 500",
    multiplier: "50",
    increment: "0.25",
    volume: 1_500_000,
  },
  {
    ...index,
    code: 1,
    underlyingConid: 11_004_958,
    symbol: "NQ",
    name: "E-mini NASDAQ 100",
    multiplier: "20",
    increment: "0.25",
    volume: 600_000,
  },
  {
    ...index,
    code: 2,
    underlyingConid: 362_687_422,
    symbol: "MES",
    name: "Micro E-mini S&P 500",
    multiplier: "5",
    increment: "0.25",
    volume: 1_200_000,
  },
  {
    ...index,
    code: 3,
    underlyingConid: 362_687_423,
    symbol: "MNQ",
    name: "Micro E-mini NASDAQ 100",
    multiplier: "2",
    increment: "0.25",
    volume: 1_400_000,
  },
  {
    ...index,
    code: 4,
    underlyingConid: 17_340_718,
    symbol: "RTY",
    name: "E-mini Russell 2000",
    multiplier: "50",
    increment: "0.1",
    volume: 200_000,
  },
  {
    ...index,
    code: 5,
    underlyingConid: 10_169_934,
    symbol: "YM",
    name: "Mini Dow Jones Industrial Average",
    exchange: "CBOT",
    multiplier: "5",
    increment: "1",
    volume: 150_000,
  },
  {
    code: 6,
    underlyingConid: 17_340_715,
    symbol: "CL",
    name: "Light Sweet Crude Oil",
    exchange: "NYMEX",
    multiplier: "1000",
    increment: "0.01",
    months: MONTHLY,
    listed: 18,
    lastDay: "before_25th",
    carry: -0.02,
    volume: 350_000,
  },
  {
    code: 7,
    underlyingConid: 17_340_717,
    symbol: "NG",
    name: "Henry Hub Natural Gas",
    exchange: "NYMEX",
    multiplier: "10000",
    increment: "0.001",
    months: MONTHLY,
    listed: 12,
    lastDay: "before_month",
    carry: 0.05,
    volume: 180_000,
  },
  {
    code: 8,
    underlyingConid: 17_340_714,
    symbol: "GC",
    name: "Gold",
    exchange: "COMEX",
    multiplier: "100",
    increment: "0.1",
    months: [2, 4, 6, 8, 10, 12],
    listed: 8,
    lastDay: "end_of_month",
    carry: 0.04,
    volume: 220_000,
  },
  {
    code: 9,
    underlyingConid: 17_340_713,
    symbol: "SI",
    name: "Silver",
    exchange: "COMEX",
    multiplier: "5000",
    increment: "0.005",
    months: [3, 5, 7, 9, 12],
    listed: 6,
    lastDay: "end_of_month",
    carry: 0.04,
    volume: 60_000,
  },
  {
    code: 10,
    underlyingConid: 17_340_712,
    symbol: "ZN",
    name: "10 Year US Treasury Note",
    exchange: "CBOT",
    multiplier: "1000",
    increment: "0.015625",
    months: QUARTERLY,
    listed: 3,
    lastDay: "before_end_of_month",
    carry: 0,
    volume: 1_300_000,
  },
];
