import { hideSecrets } from "../lib/hide-secrets.ts";
import { isRecord } from "../lib/json.ts";
import { asObject } from "./read-arguments.ts";
import type { RegisteredTool } from "./registry.ts";

/** Argument names whose values are secrets. */
const SECRET_NAME = /token|secret|passw|passphrase|pwd|api[ _-]?key|private[ _-]?key|credential|authorization|cookie/i;
/** Longest text kept of one value, most entries of one list, and deepest nesting: enough to see what was asked. */
const MAX_TEXT = 256;
/** How much of a longer text is searched for secrets. */
const MAX_SEARCHED = 2_048;
const MAX_ITEMS = 50;
const MAX_DEPTH = 4;

/**
 * The arguments of a call as JSON text for the audit log: secrets (by name or by form) and the values of unknown names are left out,
 * long values are cut.
 */
export function redactArguments(registered: RegisteredTool | undefined, given: unknown): string {
  const object = asObject(given);
  if (object === undefined || registered === undefined) return "{}";
  const entries = Object.entries(object)
    .slice(0, MAX_ITEMS)
    .map(([name, value]) => {
      if (!registered.argumentNames.has(name)) return [textOf(name), "[unknown argument]"] as const;
      return [name, SECRET_NAME.test(name) ? "[secret]" : bounded(value, 1)] as const;
    });
  return JSON.stringify(Object.fromEntries(entries));
}

function bounded(value: unknown, depth: number): unknown {
  if (typeof value === "string") return textOf(value);
  if (depth > MAX_DEPTH) return "…";
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => bounded(item, depth + 1));
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).slice(0, MAX_ITEMS);
  return Object.fromEntries(
    entries.map(([name, inner]) => [textOf(name), SECRET_NAME.test(name) ? "[secret]" : bounded(inner, depth + 1)]),
  );
}

function textOf(value: string): string {
  const text = hideSecrets(value, MAX_SEARCHED);
  return text.length > MAX_TEXT || value.length > MAX_SEARCHED ? `${text.slice(0, MAX_TEXT)}…` : text;
}
