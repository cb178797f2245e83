import { hideSecrets } from "../lib/hide-secrets.ts";
import { isRecord } from "../lib/json.ts";

/** Longest text of one argument that is kept; a search term or a reason fits. */
const MAX_STRING = 500;
/** How much of a longer text is searched for secrets, since they shrink and draw what follows them forward. */
const MAX_SEARCHED = 1_000;
/** More than the shortest secrets that `hideSecrets` knows. */
const MAX_UNKNOWN_START = 64;
const MAX_ITEMS = 50;
const MAX_DEPTH = 6;
/** Longest JSON of all arguments; a row of the audit stays small whatever was sent. */
const MAX_JSON = 4_096;

const HIDDEN = "[secret]";
/** Names of arguments whose value is never kept. */
const SECRET_NAME =
  /token|secret|passw|passphrase|credential|authorization|cookie|signature|api[-_]?key|private|(?:^|[-_])(?:key|pin|otp|pwd)$|request[-_]?state/i;

/** Writes a tool's arguments as JSON for the audit: secrets become `[secret]`, long texts and lists are cut, the whole is at most 4,096 characters. */
export function redactArguments(value: unknown): string {
  const json = JSON.stringify(redact(value, 0)) ?? "null";
  if (json.length <= MAX_JSON) return json;
  const names = isRecord(value) ? Object.keys(value).slice(0, MAX_ITEMS) : [];
  const outline = JSON.stringify({ cut: true, length: json.length, names: names.map((name) => redactText(name).slice(0, 40)) });
  return outline.length <= MAX_JSON ? outline : JSON.stringify({ cut: true, length: json.length });
}

function redact(value: unknown, depth: number): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
  if (depth >= MAX_DEPTH) return "[too deep]";
  if (Array.isArray(value)) {
    const kept = value.slice(0, MAX_ITEMS).map((item) => redact(item, depth + 1));
    return value.length > MAX_ITEMS ? [...kept, `[${value.length - MAX_ITEMS} more]`] : kept;
  }
  if (!isRecord(value)) return `[${typeof value}]`;
  const entries = Object.entries(value);
  const kept = entries
    .slice(0, MAX_ITEMS)
    .map(([name, inner]) => [redactText(name), SECRET_NAME.test(name) ? HIDDEN : redact(inner, depth + 1)] as const);
  return Object.fromEntries(entries.length > MAX_ITEMS ? [...kept, ["…", `${entries.length - MAX_ITEMS} more`]] : kept);
}

function redactText(text: string): string {
  const whole = text.length <= MAX_SEARCHED;
  const searched = hideSecrets((whole ? text : text.slice(0, MAX_SEARCHED)).toWellFormed());
  // A secret that the cut left too short to be known as one stands at the end.
  const clean = whole ? searched : searched.slice(0, -MAX_UNKNOWN_START);
  return text.length <= MAX_STRING && clean.length <= MAX_STRING ? clean : `${clean.slice(0, MAX_STRING)}… (${text.length} characters)`;
}
