import { zonedClock } from "./zoned-clock.ts";

const ZONES: Readonly<Record<string, readonly string[]>> = {
  "America/New_York": [
    "NASDAQ",
    "NYSE",
    "ARCA",
    "AMEX",
    "BATS",
    "IEX",
    "PINK",
    "ISLAND",
    "SMART",
    "CBOE",
    "IDEALPRO",
    "NYMEX",
    "COMEX",
    "NYBOT",
  ],
  "America/Chicago": ["CME", "CBOT", "GLOBEX"],
  "America/Toronto": ["TSE", "VENTURE", "CDE"],
  "America/Mexico_City": ["MEXI"],
  "Europe/London": ["LSE", "LSEETF", "LSEIOB1", "ICEEU"],
  "Europe/Berlin": ["IBIS", "IBIS2", "FWB", "FWB2", "SWB", "XETRA", "EUREX", "GETTEX", "DTB"],
  "Europe/Paris": ["SBF", "MONEP"],
  "Europe/Amsterdam": ["AEB", "FTA"],
  "Europe/Brussels": ["ENEXT.BE", "BELFOX"],
  "Europe/Lisbon": ["BVL"],
  "Europe/Madrid": ["BM", "MEFFRV"],
  "Europe/Rome": ["BVME", "BVME.ETF", "IDEM"],
  "Europe/Zurich": ["EBS", "SWX", "VIRTX", "SOFFEX"],
  "Europe/Vienna": ["VSE"],
  "Europe/Stockholm": ["SFB", "OMS"],
  "Europe/Copenhagen": ["CPH"],
  "Europe/Helsinki": ["HEX"],
  "Europe/Oslo": ["OSE"],
  "Europe/Warsaw": ["WSE"],
  "Asia/Tokyo": ["TSEJ", "OSE.JPN"],
  "Asia/Hong_Kong": ["SEHK", "HKFE", "SEHKNTL", "SEHKSZSE"],
  "Asia/Singapore": ["SGX"],
  "Asia/Kolkata": ["NSE"],
  "Asia/Seoul": ["KSE"],
  "Australia/Sydney": ["ASX", "SNFE"],
  "Africa/Johannesburg": ["JSE"],
};

const BY_EXCHANGE: ReadonlyMap<string, string> = new Map(
  Object.entries(ZONES).flatMap(([zone, exchanges]) => exchanges.map((exchange): [string, string] => [exchange, zone])),
);

/** From 17:00 of an exchange's day, a session that opens belongs to the next day, seven hours on: currencies and futures start in the evening. */
const HOURS_FROM_EVENING_MS = 7 * 3_600_000;

/** IANA zone of an exchange by IBKR's code (`NASDAQ`, also `NASDAQ.NMS`); undefined for one that we don't know. */
export function zoneOfExchange(exchange: string | undefined): string | undefined {
  if (exchange === undefined) return undefined;
  return BY_EXCHANGE.get(exchange) ?? BY_EXCHANGE.get(exchange.split(".")[0] ?? "");
}

/** Older names that IBKR uses for zones. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  "US/Eastern": "America/New_York",
  "US/Central": "America/Chicago",
  "US/Mountain": "America/Denver",
  "US/Pacific": "America/Los_Angeles",
  EST: "America/New_York",
  EST5EDT: "America/New_York",
  CST: "America/Chicago",
  CST6CDT: "America/Chicago",
  "Canada/Eastern": "America/Toronto",
  GB: "Europe/London",
  "GB-Eire": "Europe/London",
  MET: "Europe/Berlin",
  CET: "Europe/Berlin",
  EET: "Europe/Helsinki",
  Israel: "Asia/Jerusalem",
  Japan: "Asia/Tokyo",
  JST: "Asia/Tokyo",
  Hongkong: "Asia/Hong_Kong",
  Singapore: "Asia/Singapore",
  ROK: "Asia/Seoul",
  PRC: "Asia/Shanghai",
  "Australia/NSW": "Australia/Sydney",
};

/** IANA name of a zone by any name that IBKR writes (`US/Eastern`, `Asia/Tokyo`); undefined for one that isn't known. */
export function ianaZone(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  return OLD_NAMES[name] ?? (zonedClock(name) === undefined ? undefined : name);
}

/** Gives the trading date (`YYYY-MM-DD`) of a session that opens at an instant. Undefined when the zone isn't one. */
export function tradingDates(zone: string): ((start: number) => string) | undefined {
  const clock = zonedClock(zone);
  return clock === undefined ? undefined : (start) => clock.dateAt(start + HOURS_FROM_EVENING_MS);
}
