import { z } from "zod";

import type { ScannerHit, ScannerRequest, ScannerRun } from "../broker/research.ts";
import { GatewayError } from "../lib/errors.ts";
import { defineTool, type ToolContext } from "../mcp/define-tool.ts";
import { READS } from "./annotations.ts";
import { cell, completeAnswer, outputSchema, toJson } from "./envelope.ts";
import { optionalText, optionalTexts } from "./fields.ts";
import { type Page, pageFields, pageOf } from "./page.ts";
import { choicesFor, findScanners, rowsOf, scannerNamed } from "./scanner-choices.ts";

/** IBKR answers fifty hits. */
const ROWS = { usual: 25, max: 50 };
const MAX_FILTERS = 10;
const MAX_IN_TEXT = 10;
const DEFAULT_INSTRUMENT = "STK";
const DEFAULT_LOCATION = "STK.US.MAJOR";
/** A code such as `TOP_PERC_GAIN`; anything else is a name for people. */
const CODE = /^[A-Z0-9_]+$/;
const FILTER = /^([A-Za-z0-9_]+)\s*=\s*(\S.*)$/;

/** `run_scanner`: a market scan, or the scanners that there are. */
export const tool = defineTool({
  name: "run_scanner",
  title: "Scan the market",
  description:
    'Runs one of IBKR\'s market scans by its type; without a type it lists the scanners, also by a search word. Example: {"type":"TOP_PERC_GAIN","filters":["priceAbove=5"]}',
  scope: "read",
  annotations: READS,
  input: z.strictObject({
    type: optionalText("Code or name of a scanner", 60),
    search: optionalText("Word to find scanners by", 60),
    instrument: optionalText(`Default ${DEFAULT_INSTRUMENT}`, 30),
    location: optionalText(`Default ${DEFAULT_LOCATION}`, 60),
    filters: optionalTexts(MAX_FILTERS, "code=value"),
    ...pageFields(ROWS),
  }),
  outputSchema: outputSchema({
    type: "text",
    instrument: "text",
    location: "text",
    columns: "texts",
    rows: "table",
    rows_total: "integer",
    instruments: "rows",
    locations: "rows",
    filters: "rows",
    note: "text",
  }),
  run: (args, context) => (args.type === undefined ? listScanners(context, args) : scan(context, args, args.type)),
});

interface ScannerArguments {
  readonly search?: string | undefined;
  readonly instrument?: string | undefined;
  readonly location?: string | undefined;
  readonly filters?: readonly string[] | undefined;
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
}

async function listScanners(context: ToolContext, args: ScannerArguments) {
  const parameters = await context.broker.scannerParameters(context.call);
  const instrument = args.instrument?.toUpperCase();
  const isKnown = instrument === undefined || parameters.instruments.some(({ code }) => code === instrument);
  const found = findScanners(parameters, { word: args.search, instrument });
  const page = pageOf(found, args, ROWS);
  const names = page.rows.slice(0, MAX_IN_TEXT).map(({ code, name }) => `${code} (${name})`);
  return completeAnswer(context, {
    text:
      found.length === 0 ? "No scanner fits." : `${found.length} scanners: ${names.join(", ")}${found.length > names.length ? " …" : ""}.`,
    asOf: parameters.asOf,
    notes: [
      page.note,
      isKnown ? undefined : `There is no instrument ${instrument}: use one of instruments.`,
      instrument === undefined ? "Send type to run one; instrument shows its locations and filters." : undefined,
    ],
    body: {
      columns: ["type", "name", "instruments"],
      rows: page.rows.map(({ code, name, instruments }) => [code, name, instruments.join(" ")]),
      rows_total: found.length,
      instruments: rowsOf(parameters.instruments),
      ...(instrument === undefined ? {} : choicesFor(parameters, instrument)),
    },
  });
}

async function scan(context: ToolContext, args: ScannerArguments, type: string) {
  const instrument = args.instrument?.toUpperCase() ?? DEFAULT_INSTRUMENT;
  const request: ScannerRequest = {
    type: CODE.test(type) ? type : await codeOf(context, type),
    instrument,
    location:
      args.location?.toUpperCase() ?? (instrument === DEFAULT_INSTRUMENT ? DEFAULT_LOCATION : await firstLocation(context, instrument)),
    filters: (args.filters ?? []).map(readFilter),
  };
  const result = await runOrExplain(context, request);
  const page = pageOf(result.hits, args, ROWS);
  return completeAnswer(context, {
    text: scanText(request, result, page),
    asOf: result.asOf,
    notes: [page.note],
    body: {
      type: request.type,
      instrument,
      location: request.location,
      value_name: result.valueName,
      columns: ["rank", "symbol", "conid", "name", "sec_type", "exchange", "value"],
      rows: page.rows.map((hit, index) => hitRow(hit, (args.offset ?? 0) + index + 1)),
      rows_total: result.hits.length,
    },
  });
}

async function codeOf(context: ToolContext, name: string): Promise<string> {
  const parameters = await context.broker.scannerParameters(context.call);
  const found = scannerNamed(parameters, name);
  if (found !== undefined) return found.code;
  throw new GatewayError("invalid_arguments", `There is no scanner ${name}.`, {
    whatToDo: "Send the code of a candidate as type, or list the scanners with search.",
    details: { candidates: rowsOf(findScanners(parameters, { word: name, instrument: undefined })).map(toJson) },
  });
}

async function firstLocation(context: ToolContext, instrument: string): Promise<string> {
  const { locations } = await context.broker.scannerParameters(context.call);
  const own = locations.find((location) => location.instrument === instrument);
  if (own !== undefined) return own.code;
  throw new GatewayError("invalid_arguments", `There is no instrument ${instrument} to scan.`, {
    whatToDo: "Call run_scanner without arguments to see the instruments.",
  });
}

/** Runs the scan; where IBKR doesn't know a code, says what there is instead. */
async function runOrExplain(context: ToolContext, request: ScannerRequest): Promise<ScannerRun> {
  try {
    return await context.broker.runScanner(request, context.call);
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== "invalid_arguments") throw error;
    const parameters = await context.broker.scannerParameters(context.call);
    const isTypeKnown = scannerNamed(parameters, request.type) !== undefined;
    const { locations, filters } = choicesFor(parameters, request.instrument);
    const candidates = isTypeKnown ? [] : rowsOf(findScanners(parameters, { word: undefined, instrument: request.instrument }));
    throw new GatewayError("invalid_arguments", error.message, {
      whatToDo: isTypeKnown
        ? "Use a location and filters of the lists here, or leave them out."
        : "Send the code of a candidate as type, or list the scanners with search.",
      details: isTypeKnown ? { locations: locations.map(toJson), filters: filters.map(toJson) } : { candidates: candidates.map(toJson) },
      cause: error,
    });
  }
}

function readFilter(text: string): ScannerRequest["filters"][number] {
  const [, code, value] = FILTER.exec(text) ?? [];
  if (code !== undefined && value !== undefined) return { code, value };
  throw new GatewayError("invalid_arguments", `${JSON.stringify(text)} is no filter.`, {
    whatToDo: 'Write each filter as code=value, such as "priceAbove=5".',
  });
}

function hitRow(hit: ScannerHit, rank: number) {
  return [rank, hit.symbol, hit.conid, cell(hit.name), cell(hit.secType), cell(hit.exchange), cell(hit.value)];
}

function scanText({ type, location }: ScannerRequest, { hits, valueName }: ScannerRun, page: Page<ScannerHit>): string {
  if (hits.length === 0) return `${type} in ${location}: nothing found.`;
  const names = page.rows.slice(0, MAX_IN_TEXT).map(({ symbol, value }) => (value === undefined ? symbol : `${symbol} ${value}`));
  return `${type} in ${location}${valueName === undefined ? "" : ` by ${valueName}`}: ${names.join(", ")}${hits.length > names.length ? " …" : ""}.`;
}
