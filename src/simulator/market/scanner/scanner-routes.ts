import { Decimal } from "../../../lib/decimal.ts";
import { isRecord } from "../../../lib/json.ts";
import { failure, ok, type Route, type SimReply, type SimRequest } from "../../http/route.ts";
import type { Session } from "../../session/session.ts";
import type { Simulation } from "../../simulation.ts";
import { contractDescription } from "../contracts/security-definition.ts";
import { SCAN_INSTRUMENTS, type ScanLocation } from "./scan-locations.ts";
import { SCAN_FILTERS, SCAN_TYPES, type Candidate, type ScanFilter, type ScanType } from "./scan-types.ts";

/** Most rows of an answer. */
const MAX_ROWS = 50;

/** Scanners: what can be asked, and the asking (reference E.3). */
export const scannerRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/iserver/scanner/params",
    tier: "brokerage",
    pacing: { requests: 1, perMs: 900_000 },
    handle: () => ok(scannerParameters()),
  },
  { method: "POST", path: "/iserver/scanner/run", tier: "brokerage", pacing: { requests: 1, perMs: 1_000 }, handle: runScanner },
];

function scannerParameters(): Readonly<Record<string, unknown>> {
  const instruments = SCAN_INSTRUMENTS.map(({ type }) => type);
  const filters = SCAN_FILTERS.map(({ code }) => code);
  return {
    scan_type_list: SCAN_TYPES.map(({ code, name }) => ({ display_name: name, code, instruments })),
    instrument_list: SCAN_INSTRUMENTS.map(({ type, name }) => ({ display_name: name, type, filters })),
    filter_list: SCAN_FILTERS.map(({ code, name }) => ({ group: code, display_name: name, code, type: "non-range" })),
    location_tree: SCAN_INSTRUMENTS.map(({ type, name, locations }) => ({
      display_name: name,
      type,
      locations: locations.map((location) => ({ display_name: location.name, type: location.type, locations: [] })),
    })),
  };
}

interface Scan {
  readonly type: ScanType;
  readonly location: ScanLocation;
  readonly conditions: readonly { readonly filter: ScanFilter; readonly limit: Decimal }[];
}

/** Reads what is to be scanned, or answers the words of the refusal. */
function readScan(body: unknown): Scan | string {
  const fields = isRecord(body) ? body : {};
  const type = SCAN_TYPES.find(({ code }) => code === fields["type"]);
  if (type === undefined) return `invalid scan type: ${String(fields["type"]).slice(0, 40)}`;
  const instrument = SCAN_INSTRUMENTS.find((each) => each.type === fields["instrument"]);
  const location = instrument?.locations.find((each) => each.type === fields["location"]);
  if (location === undefined) return "invalid instrument or location";
  const filters = Array.isArray(fields["filter"]) ? fields["filter"] : [];
  const conditions = filters.map((each: unknown) => {
    const { code, value } = isRecord(each) ? each : {};
    return { filter: SCAN_FILTERS.find((known) => known.code === code), limit: Decimal.tryParsePlain(String(value)) };
  });
  const known = conditions.flatMap(({ filter, limit }) => (filter === undefined || limit === undefined ? [] : [{ filter, limit }]));
  return known.length === conditions.length ? { type, location, conditions: known } : "invalid filter";
}

function runScanner({ body, now }: SimRequest, _session: Session, { market }: Simulation): SimReply {
  const scan = readScan(body);
  if (typeof scan === "string") return failure(500, scan);
  const listed = market.all().filter((instrument) => instrument.availability !== "none" && scan.location.holds(instrument));
  const candidates = listed.map((instrument): Candidate => ({ market, instrument, quote: market.quote(instrument.conid, now) }));
  const ranked = candidates
    .filter((candidate) => scan.conditions.every(({ filter, limit }) => filter.passes(candidate, limit)))
    .flatMap((candidate) => {
      const score = scan.type.score(candidate);
      return score === undefined ? [] : [{ ...candidate, score }];
    })
    .toSorted((a, b) => b.score.compare(a.score))
    .slice(0, MAX_ROWS);
  const contracts = ranked.map((found, rank) => rowOf(found, rank, scan.type));
  return ok({ contracts, scan_data_column_name: scan.type.column });
}

/** One row; only the first names the column. */
function rowOf({ instrument, score }: Candidate & { readonly score: Decimal }, rank: number, type: ScanType) {
  const heading = rank === 0 ? { column_name: type.column } : {};
  return {
    server_id: String(rank),
    ...heading,
    symbol: instrument.symbol,
    conidex: String(instrument.conid),
    con_id: instrument.conid,
    available_chart_periods: "#R|1",
    company_name: instrument.name,
    scan_data: type.show(score),
    contract_description_1: contractDescription(instrument),
    listing_exchange: instrument.listingExchange === "NASDAQ" ? "NASDAQ.NMS" : instrument.listingExchange,
    sec_type: instrument.secType,
  };
}
