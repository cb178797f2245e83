import {
  canada,
  chicagoFutures,
  euronext,
  foreignExchange,
  germany,
  japan,
  switzerland,
  unitedKingdom,
  unitedStates,
  type YearOfHolidays,
} from "./holidays.ts";

/** Hours of a group of exchanges. Times are minutes after local midnight of the trading date; negative is the day before. */
export interface ExchangeHours {
  readonly zone: string;
  /** IBKR's own name of the zone in the newer schedule endpoint. */
  readonly ibkrZone: string;
  readonly opens: number;
  readonly closes: number;
  /** Extended hours around the regular ones; on an early close the evening ends this long after the close. */
  readonly extended: { readonly opens: number; readonly closes: number; readonly afterEarlyClose: number } | undefined;
  readonly holidays: (year: number) => YearOfHolidays;
}

const at = (hours: number, minutes = 0): number => hours * 60 + minutes;

const newYork = { zone: "America/New_York", ibkrZone: "US/Eastern", opens: at(9, 30), closes: at(16), holidays: unitedStates };
const continental = { opens: at(9), closes: at(17, 30), extended: undefined };

/** Every calendar by the name that `SimInstrument.calendar` holds. */
export const EXCHANGE_HOURS = {
  US: { ...newYork, extended: { opens: at(4), closes: at(20), afterEarlyClose: at(4) } },
  US_REGULAR: { ...newYork, extended: undefined },
  LSE: { zone: "Europe/London", ibkrZone: "GB", opens: at(8), closes: at(16, 30), extended: undefined, holidays: unitedKingdom },
  XETRA: { zone: "Europe/Berlin", ibkrZone: "MET", ...continental, holidays: germany },
  AMSTERDAM: { zone: "Europe/Amsterdam", ibkrZone: "MET", ...continental, holidays: euronext },
  PARIS: { zone: "Europe/Paris", ibkrZone: "MET", ...continental, holidays: euronext },
  MADRID: { zone: "Europe/Madrid", ibkrZone: "MET", ...continental, holidays: euronext },
  SIX: { zone: "Europe/Zurich", ibkrZone: "MET", ...continental, holidays: switzerland },
  TORONTO: {
    zone: "America/Toronto",
    ibkrZone: "US/Eastern",
    opens: at(9, 30),
    closes: at(16),
    extended: undefined,
    holidays: canada,
  },
  /** Without the hour of rest at noon. */
  TOKYO: { zone: "Asia/Tokyo", ibkrZone: "Japan", opens: at(9), closes: at(15, 30), extended: undefined, holidays: japan },
  /** Futures: from 17:00 in Chicago on the day before to 16:00 of the trading date, Monday to Friday. */
  CME: {
    zone: "America/Chicago",
    ibkrZone: "US/Central",
    opens: at(-7),
    closes: at(16),
    extended: undefined,
    holidays: chicagoFutures,
  },
  /** From 17:00 in New York on the day before to 17:00 of the trading date, Monday to Friday. */
  FX: {
    zone: "America/New_York",
    ibkrZone: "US/Eastern",
    opens: at(-7),
    closes: at(17),
    extended: undefined,
    holidays: foreignExchange,
  },
} as const satisfies Record<string, ExchangeHours>;

export type CalendarName = keyof typeof EXCHANGE_HOURS;
