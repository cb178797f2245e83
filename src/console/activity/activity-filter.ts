import { activityTexts } from "../../pages/texts/activity.ts";
import type { AuditEntry, AuditFilter } from "../../storage/audit-search.ts";

/** Every outcome of a call. */
export const OUTCOMES = ["ok", "error", "cancelled", "input_required", "started"] as const;

/** The filter as it stands in the address, and in its form. */
export interface TypedFilter {
  readonly caller: string;
  readonly connection: string;
  readonly tool: string;
  readonly outcome: string;
  readonly code: string;
  readonly from: string;
  readonly until: string;
}

const FIELDS = ["caller", "connection", "tool", "outcome", "code", "from", "until"] as const;
/** Longer than any id, tool or code. */
const MAX_LENGTH = 128;
/** What browsers send of a field for date and time, and a day alone. */
const TIME = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?)?$/;

/** A filter that was read: what to look for, and why each wrong field is wrong. */
export interface ReadFilter {
  readonly typed: TypedFilter;
  readonly filter: AuditFilter;
  readonly errors: Partial<Record<keyof TypedFilter, string>>;
  readonly isFiltered: boolean;
}

/** Reads the filter of an address. Nothing in it is trusted: what can't be an id simply finds nothing. */
export function readActivityFilter(query: (name: string) => string | undefined): ReadFilter {
  const text = (name: keyof TypedFilter): string => (query(name) ?? "").replaceAll("\0", "").trim().slice(0, MAX_LENGTH).toWellFormed();
  const typed: TypedFilter = {
    caller: text("caller"),
    connection: text("connection"),
    tool: text("tool"),
    outcome: text("outcome"),
    code: text("code"),
    from: text("from"),
    until: text("until"),
  };
  const [from, until] = [timeOf(typed.from), timeOf(typed.until)];
  const knownOutcome = typed.outcome === "" || OUTCOMES.some((outcome) => outcome === typed.outcome);
  const texts = activityTexts.filter;
  return {
    typed,
    filter: {
      callerId: given(typed.caller),
      connectionId: given(typed.connection),
      tool: given(typed.tool),
      outcome: given(typed.outcome),
      code: given(typed.code),
      from: from === "wrong" ? undefined : from,
      until: until === "wrong" ? undefined : until,
    },
    errors: {
      ...(from === "wrong" ? { from: texts.wrongTime } : {}),
      ...(until === "wrong" ? { until: texts.wrongTime } : {}),
      ...(knownOutcome ? {} : { outcome: texts.wrongOutcome }),
    },
    isFiltered: FIELDS.some((name) => typed[name] !== ""),
  };
}

/** An address with this filter, which others of the same person can open. */
export function activityAddress(path: string, typed: Partial<TypedFilter>, further: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams();
  for (const name of FIELDS) {
    const value = typed[name];
    if (value !== undefined && value !== "") query.set(name, value);
  }
  for (const [name, value] of Object.entries(further)) query.set(name, value);
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}

/** Tells whether a call fits a filter. */
export function fits(entry: AuditEntry, filter: AuditFilter): boolean {
  const isSame = (wanted: string | undefined, value: string | null): boolean => wanted === undefined || wanted === value;
  return (
    isSame(filter.callerId, entry.caller_id) &&
    isSame(filter.connectionId, entry.connection_id) &&
    isSame(filter.tool, entry.tool) &&
    isSame(filter.outcome, entry.outcome) &&
    isSame(filter.code, entry.code) &&
    (filter.from === undefined || entry.at >= filter.from) &&
    (filter.until === undefined || entry.at < filter.until)
  );
}

function given(text: string): string | undefined {
  return text === "" ? undefined : text;
}

function timeOf(text: string): number | undefined | "wrong" {
  if (text === "") return undefined;
  if (!TIME.test(text)) return "wrong";
  const at = Date.parse(text.includes("T") ? `${text}Z` : `${text}T00:00Z`);
  return Number.isNaN(at) ? "wrong" : at;
}
