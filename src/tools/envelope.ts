import type { Broker } from "../broker/broker.ts";
import type { Clock } from "../lib/clock.ts";
import type { CompleteAnswer } from "../mcp/define-tool.ts";
import { Decimal } from "../lib/decimal.ts";
import type { JsonObject } from "../lib/json.ts";

/** What an answer may be made of: decimals become plain text, absent values are left out. */
export type Field = string | number | boolean | Decimal | undefined | readonly Field[] | { readonly [key: string]: Field };

/** What a tool puts into its answer. */
export interface AnswerParts {
  /** The short text for people. */
  readonly text: string;
  /** When the facts were true, epoch ms; now when nothing better is known. */
  readonly asOf?: number | undefined;
  readonly accountId?: string | undefined;
  /** Things that the reader should know about this answer. */
  readonly notes?: readonly (string | undefined)[];
  readonly body: { readonly [key: string]: Field };
}

/** What an answer says of where it comes from. */
export interface AnswerSource {
  readonly clock: Clock;
  readonly broker: Pick<Broker, "mode">;
}

/** Puts an answer into the envelope that every tool shares: `as_of`, `mode`, `account_id`, then the tool's own fields. */
export function completeAnswer(context: AnswerSource, parts: AnswerParts): CompleteAnswer {
  const notes = (parts.notes ?? []).filter((note) => note !== undefined);
  const structured = toJson({
    as_of: isoTime(parts.asOf ?? context.clock.now()),
    mode: context.broker.mode,
    account_id: parts.accountId,
    ...parts.body,
    note: notes.length === 0 ? undefined : notes.join(" "),
  });
  return { kind: "complete", structured, text: [parts.text, ...notes].join("\n") };
}

/** Turns fields into JSON: decimals as plain text, undefined left out. Numbers here are ids and counts, never money. */
export function toJson(fields: { readonly [key: string]: Field }): JsonObject {
  const entries = Object.entries(fields).flatMap(([key, value]) => (value === undefined ? [] : [[key, jsonOf(value)] as const]));
  return Object.fromEntries(entries);
}

function jsonOf(value: Exclude<Field, undefined>): JsonObject[string] {
  if (value instanceof Decimal) return value.toString();
  if (typeof value !== "object") return value;
  if (isList(value)) return value.flatMap((item) => (item === undefined ? [] : [jsonOf(item)]));
  return toJson(value);
}

function isList(value: object): value is readonly Field[] {
  return Array.isArray(value);
}

/** A value in a table's row: an unknown one is an empty text there, since leaving it out would move those after it. */
export function cell<T extends Field>(value: T | undefined): T | "" {
  return value ?? "";
}

/** An instant as ISO 8601 in UTC. */
export function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** Kinds of an envelope's own fields; rows are open objects that `docs/reference` documents. */
export type OutputKind = "text" | "rows" | "object" | "integer" | "texts" | "table" | "flag";

const KINDS: Record<OutputKind, JsonObject> = {
  text: { type: "string" },
  integer: { type: "integer" },
  object: { type: "object" },
  rows: { type: "array", items: { type: "object" } },
  flag: { type: "boolean" },
  table: { type: "array", items: { type: "array" } },
  texts: { type: "array", items: { type: "string" } },
};

/**
 * The output schema of a tool: the envelope with these fields beside it. Only `as_of` and `mode` are required and unknown
 * fields are allowed, so that a host that cached the list accepts the answers of a later version.
 */
export function outputSchema(fields: Readonly<Record<string, OutputKind>>): JsonObject {
  const own = Object.entries(fields).map(([name, kind]) => [name, KINDS[kind]] as const);
  return {
    type: "object",
    properties: { as_of: KINDS.text, mode: KINDS.text, ...Object.fromEntries(own) },
    required: ["as_of", "mode"],
  };
}
