import type { Instrument } from "../../broker/instrument.ts";
import type { OptionExpiry, OptionQuote } from "../../broker/research.ts";
import { Decimal } from "../../lib/decimal.ts";
import { parseNumber } from "../numbers.ts";
import type { ApiRequest } from "../transport.ts";
import { isUnsubscribed, isStarted, snapshotRequest, type SnapshotRow, toQuote } from "./market-data.ts";

/** Delta, gamma, theta, vega, implied volatility in per cent, open interest. */
const OPTION_FIELDS = {
  delta: "7308",
  gamma: "7309",
  theta: "7310",
  vega: "7311",
  impliedVolatility: "7633",
  openInterest: "7638",
} as const;
const PER_CENT = Decimal.parse("0.01");

/** `GET /iserver/marketdata/snapshot` of a quote's fields and those of options. */
export function optionSnapshotRequest(conids: readonly number[]): ApiRequest {
  const { query, ...request } = snapshotRequest(conids);
  return { ...request, query: { ...query, fields: [query?.["fields"], ...Object.values(OPTION_FIELDS)].join(",") } };
}

/** True when all has come that an option usually has; its Greeks come last. */
export function isCompleteOption(row: SnapshotRow): boolean {
  if (isUnsubscribed(row)) return true;
  return isStarted(row) && row[OPTION_FIELDS.delta] !== undefined && row[OPTION_FIELDS.impliedVolatility] !== undefined;
}

/** Reads what is known of an option into our terms; undefined for a contract that is no option. */
export function toOptionQuote(
  row: SnapshotRow,
  about: { instrument: Instrument; magnifier: Decimal | undefined; now: number },
): OptionQuote | undefined {
  const { instrument } = about;
  if (instrument.right === undefined || instrument.strike === undefined) return undefined;
  const figure = (field: keyof typeof OPTION_FIELDS) =>
    parseNumber(row[`${OPTION_FIELDS[field]}_raw`]) ?? parseNumber(row[OPTION_FIELDS[field]]);
  return {
    instrument,
    right: instrument.right,
    strike: instrument.strike,
    quote: toQuote(row, about),
    impliedVolatility: parseNumber(row[OPTION_FIELDS.impliedVolatility])?.times(PER_CENT),
    delta: figure("delta"),
    gamma: figure("gamma"),
    theta: figure("theta"),
    vega: figure("vega"),
    openInterest: figure("openInterest"),
  };
}

/** Groups contracts by the day on which they expire, ascending; those without a day are left out. */
export function toExpiries(contracts: readonly Instrument[]): OptionExpiry[] {
  const unique = [...new Map(contracts.map((contract) => [contract.conid, contract])).values()];
  const byDay = Map.groupBy(unique, (contract) => contract.expiry ?? "");
  byDay.delete("");
  const expiries = [...byDay].map(([expiry, days]): OptionExpiry => ({ expiry, contracts: days.toSorted(compareOptions) }));
  return expiries.toSorted((a, b) => a.expiry.localeCompare(b.expiry));
}

function compareOptions(a: Instrument, b: Instrument): number {
  const byStrike = (a.strike ?? Decimal.zero).compare(b.strike ?? Decimal.zero);
  return byStrike === 0 ? (a.right ?? "").localeCompare(b.right ?? "") : byStrike;
}
