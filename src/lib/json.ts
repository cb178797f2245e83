/** Any JSON value, as `JSON.parse` gives it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json };

interface ReviverContext {
  readonly source?: string;
}

const INTEGER = /^-?(?:0|[1-9]\d*)$/;

function keepSource(_key: string, value: unknown, context?: ReviverContext): unknown {
  if (typeof value !== "number" || context?.source === undefined) return value;
  return Number.isSafeInteger(value) && INTEGER.test(context.source) && context.source !== "-0" ? value : context.source;
}

/**
 * Parses JSON without losing a digit: an integer that a double holds exactly stays a number, every other
 * number becomes the text that stood in the source (`1004120.10` → `"1004120.10"`).
 * Throws `SyntaxError` for text that isn't JSON.
 */
export function parseLossless(text: string): unknown {
  return JSON.parse(text, keepSource);
}

interface RawJsonSupport {
  rawJSON(text: string): unknown;
}

/** A number to be written into JSON with exactly these digits (plain decimal text), where a peer wants a JSON number. */
export function rawNumber(text: string): unknown {
  // JSON.rawJSON belongs to the same ECMAScript proposal and is present in Node 22 and later.
  return (JSON as unknown as RawJsonSupport).rawJSON(text);
}

/** True for a JSON object: not null, not an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** JSON with the keys of every object in order, so that equal values give equal text. For digests and comparisons. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (!isRecord(inner) || typeof inner["toJSON"] === "function") return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}
