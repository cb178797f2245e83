import { z } from "zod";

import type { Instrument } from "../../broker/instrument.ts";
import type { Bar, DataStatus, HistoryRequest, Quote, QuoteField } from "../../broker/market-data.ts";
import { Decimal } from "../../lib/decimal.ts";
import { isRecord } from "../../lib/json.ts";
import { parseInteger, parseNumber } from "../numbers.ts";
import type { ApiRequest } from "../transport.ts";
import { decimal, integer, listOf, text } from "./reply.ts";

/** Our name of each quote field and the ids under which IBKR may send it, the best first. */
const FIELD_IDS: Readonly<Record<QuoteField, readonly string[]>> = {
  last: ["31"],
  bid: ["84"],
  ask: ["86"],
  bid_size: ["88_raw", "88"],
  ask_size: ["85_raw", "85"],
  day_open: ["7295"],
  day_high: ["70"],
  day_low: ["71"],
  prior_close: ["7741", "7296"],
  change: ["82"],
  change_pct: ["83"],
  volume: ["7762", "87_raw", "87"],
  week_52_high: ["7293"],
  week_52_low: ["7294"],
};

const FIELDS: readonly QuoteField[] = [
  "last",
  "bid",
  "ask",
  "bid_size",
  "ask_size",
  "day_open",
  "day_high",
  "day_low",
  "prior_close",
  "change",
  "change_pct",
  "volume",
  "week_52_high",
  "week_52_low",
];
const AVAILABILITY = "6509";
/** IBKR's ids of everything that a quote needs. */
export const QUOTE_FIELDS: readonly string[] = [
  ...FIELDS.flatMap((field) => FIELD_IDS[field]).filter((id) => !id.endsWith("_raw")),
  AVAILABILITY,
];
const WIRE_FIELDS = QUOTE_FIELDS.join(",");
/** What is kept of a row that is gathered over time. */
const KEPT_FIELDS: ReadonlySet<string> = new Set([...QUOTE_FIELDS.flatMap((id) => [id, `${id}_raw`]), "_updated"]);

/** `GET /iserver/marketdata/snapshot` of everything that a quote needs. */
export function snapshotRequest(conids: readonly number[]): ApiRequest {
  const path = "/iserver/marketdata/snapshot";
  return { method: "GET", path, endpoint: path, query: { conids: conids.join(","), fields: WIRE_FIELDS } };
}

/** `POST /iserver/marketdata/unsubscribe`: closes one stream. */
export function unsubscribeRequest(conid: number): ApiRequest {
  const path = "/iserver/marketdata/unsubscribe";
  return { method: "POST", path, endpoint: path, body: { conid } };
}

/** `GET /iserver/marketdata/unsubscribeall`. */
export const UNSUBSCRIBE_ALL: ApiRequest = {
  method: "GET",
  path: "/iserver/marketdata/unsubscribeall",
  endpoint: "/iserver/marketdata/unsubscribeall",
};

/** What is known of one contract's market: IBKR's fields by id, gathered over several polls. */
export type SnapshotRow = Readonly<Record<string, unknown>>;

/** The rows of a snapshot by contract; what isn't a row is left out. */
export function readSnapshot(body: unknown): Map<number, SnapshotRow> {
  const rows = new Map<number, SnapshotRow>();
  if (!Array.isArray(body)) return rows;
  for (const row of body) {
    const conid = isRecord(row) ? parseInteger(row["conid"]) : undefined;
    if (conid !== undefined) rows.set(conid, row);
  }
  return rows;
}

/**
 * A row with what came since: a stream tells changed fields only. A value that IBKR writes in several ways, of which only some
 * came, loses the others, so that an old one never stands before a new one.
 */
export function mergeRow(row: SnapshotRow, news: SnapshotRow): SnapshotRow {
  const merged: Record<string, unknown> = { ...row };
  for (const [id, value] of Object.entries(news)) {
    if (!KEPT_FIELDS.has(id)) continue;
    merged[id] = value;
    if (!Object.hasOwn(news, `${id}_raw`)) delete merged[`${id}_raw`];
  }
  if ((Object.hasOwn(news, "87") || Object.hasOwn(news, "87_raw")) && !Object.hasOwn(news, "7762")) delete merged["7762"];
  return merged;
}

/** When IBKR sent a row, epoch ms; 0 where it doesn't say. */
export function sentAt(row: SnapshotRow): number {
  return parseInteger(row["_updated"]) ?? 0;
}

/** Which fields of a quote haven't come yet. */
export function missingFields(row: SnapshotRow): QuoteField[] {
  return FIELDS.filter((field) => valueOf(row, field) === undefined);
}

/** True when IBKR says that it will not send this contract's prices: no subscription, or its yearly terms not accepted. */
export function isUnsubscribed(row: SnapshotRow): boolean {
  return /^[NO]/.test(availability(row));
}

/** True when IBKR has told how fresh its data is, which comes with the first real row. */
export function isStarted(row: SnapshotRow): boolean {
  return availability(row) !== "";
}

/** Reads what is known into a quote in the instrument's currency. */
export function toQuote(row: SnapshotRow, about: { instrument: Instrument; magnifier: Decimal | undefined; now: number }): Quote {
  const { instrument, magnifier } = about;
  const price = (field: QuoteField) => {
    const value = valueOf(row, field);
    return value === undefined || magnifier === undefined ? value : value.dividedBy(magnifier);
  };
  const flagged = typeof row["31"] === "string" ? row["31"].trim().slice(0, 1).toUpperCase() : "";
  return {
    conid: instrument.conid,
    currency: instrument.currency,
    last: price("last"),
    lastIsPriorClose: flagged === "C",
    halted: flagged === "H",
    bid: price("bid"),
    ask: price("ask"),
    bidSize: valueOf(row, "bid_size"),
    askSize: valueOf(row, "ask_size"),
    dayOpen: price("day_open"),
    dayHigh: price("day_high"),
    dayLow: price("day_low"),
    priorClose: price("prior_close"),
    change: price("change"),
    changePct: valueOf(row, "change_pct"),
    volume: valueOf(row, "volume"),
    week52High: price("week_52_high"),
    week52Low: price("week_52_low"),
    dataStatus: statusOf(row),
    subscribed: !isUnsubscribed(row),
    missingFields: missingFields(row),
    asOf: parseInteger(row["_updated"]) ?? about.now,
  };
}

function valueOf(row: SnapshotRow, field: QuoteField): Decimal | undefined {
  for (const id of FIELD_IDS[field]) {
    const value = parseNumber(row[id]);
    if (value !== undefined) return value;
  }
  return undefined;
}

function availability(row: SnapshotRow): string {
  const value = row[AVAILABILITY];
  return typeof value === "string" ? value : "";
}

const STATUSES: Readonly<Record<string, DataStatus>> = { R: "live", D: "delayed", Z: "frozen", Y: "frozen" };

/** Without a word on freshness, or without a subscription, the data can't be called more than stale. */
function statusOf(row: SnapshotRow): DataStatus {
  return STATUSES[availability(row).slice(0, 1)] ?? "stale";
}

/** `GET /iserver/marketdata/history`. */
export function historyRequest(request: HistoryRequest): ApiRequest {
  const path = "/iserver/marketdata/history";
  const { conid, period, bar, outsideRth } = request;
  return { method: "GET", path, endpoint: path, query: { conid: String(conid), period, bar, outsideRth: String(outsideRth) } };
}

/** Bars as IBKR sends them; `v` is in units of `volumeFactor`. */
export const historyReply = z.looseObject({
  volumeFactor: decimal,
  mktDataDelay: integer,
  mdAvailability: text,
  data: listOf(z.looseObject({ o: decimal, h: decimal, l: decimal, c: decimal, v: decimal, t: integer })),
});

/** Reads bars into our terms, ascending; IBKR's placeholder bar of an empty window is left out. */
export function toBars(
  reply: z.output<typeof historyReply>,
  about: { magnifier: Decimal | undefined; dateOf: ((start: number) => string) | undefined },
): Bar[] {
  const factor = reply.volumeFactor?.isPositive() === true ? reply.volumeFactor : Decimal.one;
  const inCurrency = (value: Decimal) => (about.magnifier === undefined ? value : value.dividedBy(about.magnifier));
  const bars = reply.data.flatMap(({ o, h, l, c, v, t }): Bar[] => {
    if (t === undefined || o === undefined || h === undefined || l === undefined || c === undefined) return [];
    const volume = (v ?? Decimal.zero).times(factor);
    return [
      { start: t, date: about.dateOf?.(t), open: inCurrency(o), high: inCurrency(h), low: inCurrency(l), close: inCurrency(c), volume },
    ];
  });
  return bars.toSorted((a, b) => a.start - b.start);
}

/** How fresh the last bar is. */
export function historyStatus(reply: z.output<typeof historyReply>): DataStatus {
  const known = STATUSES[(reply.mdAvailability ?? "").slice(0, 1)];
  return known ?? ((reply.mktDataDelay ?? 0) > 0 ? "delayed" : "live");
}
