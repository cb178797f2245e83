import { z } from "zod";

import type { ScannerHit, ScannerParameters, ScannerRequest } from "../../broker/research.ts";
import { Decimal } from "../../lib/decimal.ts";
import { rawNumber } from "../../lib/json.ts";
import type { ApiRequest } from "../transport.ts";
import { secTypeOf } from "./codes.ts";
import { integer, listOf, text } from "./reply.ts";

/** `GET /iserver/scanner/params`: about 200 KB, once in 15 minutes. */
export const SCANNER_PARAMETERS: ApiRequest = { method: "GET", path: "/iserver/scanner/params", endpoint: "/iserver/scanner/params" };

/** `POST /iserver/scanner/run`: once a second. */
export function scannerRunRequest({ instrument, type, location, filters }: ScannerRequest): ApiRequest {
  const filter = filters.map(({ code, value }) => ({ code, value: wireValue(value) }));
  return {
    method: "POST",
    path: "/iserver/scanner/run",
    endpoint: "/iserver/scanner/run",
    body: { instrument, type, location, filter },
  };
}

/** Numbers go as numbers with their own digits. */
function wireValue(value: string): unknown {
  const number = Decimal.tryParsePlain(value);
  return number === undefined ? value : rawNumber(number.toString());
}

/** How deep places lie within each other at most; IBKR's own tree is three deep. */
const MAX_DEPTH = 8;

interface Place {
  readonly display_name?: string | undefined;
  readonly type?: string | undefined;
  readonly locations?: readonly Place[];
}

const place: z.ZodType<Place> = z.lazy(() => z.looseObject({ display_name: text, type: text, locations: listOf(place) }));

/** What scanners there are. */
export const scannerParametersReply = z.looseObject({
  scan_type_list: listOf(z.looseObject({ display_name: text, code: text, instruments: listOf(text) })),
  instrument_list: listOf(z.looseObject({ display_name: text, type: text, filters: listOf(text) })),
  filter_list: listOf(z.looseObject({ display_name: text, code: text })),
  location_tree: listOf(place),
});

/** Reads the parameters into our terms; the places of each instrument become one list. */
export function toScannerParameters(reply: z.output<typeof scannerParametersReply>, asOf: number): ScannerParameters {
  return {
    types: reply.scan_type_list.flatMap((row) => choiceOf(row.code, row.display_name, { instruments: known(row.instruments) })),
    instruments: reply.instrument_list.flatMap((row) => choiceOf(row.type, row.display_name, { filters: known(row.filters) })),
    filters: reply.filter_list.flatMap((row) => choiceOf(row.code, row.display_name, {})),
    locations: reply.location_tree.flatMap((root) =>
      placesOf(root.locations ?? [], { instrument: root.type ?? "", path: root.display_name }, 1),
    ),
    asOf,
  };
}

function choiceOf<T extends object>(code: string | undefined, name: string | undefined, more: T): (T & { code: string; name: string })[] {
  return code === undefined ? [] : [{ code, name: name ?? code, ...more }];
}

function known(values: readonly (string | undefined)[]): string[] {
  return values.filter((value) => value !== undefined);
}

interface Within {
  readonly instrument: string;
  readonly path: string | undefined;
}

function placesOf(places: readonly Place[], within: Within, depth: number): ScannerParameters["locations"] {
  if (depth > MAX_DEPTH) return [];
  return places.flatMap((row) => {
    const path = [within.path, row.display_name].filter((part) => part !== undefined).join(" / ");
    const own = choiceOf(row.type, path, { instrument: within.instrument });
    return [...own, ...placesOf(row.locations ?? [], { ...within, path }, depth + 1)];
  });
}

/** Hits of a scan, best first. */
export const scannerRunReply = z.looseObject({
  contracts: listOf(
    z.looseObject({
      con_id: integer,
      conidex: text,
      symbol: text,
      company_name: text,
      contract_description_1: text,
      listing_exchange: text,
      sec_type: text,
      scan_data: text,
      column_name: text,
    }),
  ),
  scan_data_column_name: text,
});

/** Reads a hit into our terms; undefined for one that names no contract. */
export function toScannerHit(row: z.output<typeof scannerRunReply>["contracts"][number]): ScannerHit | undefined {
  const conid = row.con_id ?? Number.parseInt(row.conidex ?? "", 10);
  const symbol = row.symbol ?? row.contract_description_1;
  if (!Number.isSafeInteger(conid) || conid <= 0 || symbol === undefined) return undefined;
  return {
    conid,
    symbol,
    name: row.company_name,
    secType: secTypeOf(row.sec_type),
    // Nasdaq's market tiers (`NASDAQ.NMS`) are one exchange.
    exchange: row.listing_exchange?.replace(/^NASDAQ\..*$/, "NASDAQ"),
    value: row.scan_data,
  };
}
