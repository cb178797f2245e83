import { z } from "zod";

import { Decimal } from "../lib/decimal.ts";
import { findJsonLoss } from "../lib/json-loss.ts";

/*
 * Argument types that forgive how hosts write values: numbers as text, booleans as text, arrays as JSON text or with
 * commas, any letter case. Each publishes a plain JSON type. `null` and an empty text count as absent.
 */

/** Longest free text taken from a caller. */
const MAX_TEXT = 200;
/** Most digits before the point of an amount: above any price or quantity. */
const MAX_INTEGER_DIGITS = 15;
/** Most digits after the point: IBKR's finest price and fraction steps have fewer. */
const MAX_DECIMALS = 8;
/** A JSON number with more significant digits than this was already rounded by its sender. */
const SAFE_DIGITS = 15;
/** Control and format characters and line separators, which could break out of a line or hide in it. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

type JsonType = "string" | "integer" | "number" | "boolean" | "array";

/** Why a value can't be taken: the words after the argument's name. */
class Refusal {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** How a field is published and how its value is read. */
interface Shape<T> {
  readonly type: JsonType | readonly JsonType[];
  readonly description?: string | undefined;
  readonly enum?: readonly string[];
  readonly items?: { readonly type: JsonType | readonly JsonType[] };
  readonly read: (value: unknown) => T | Refusal;
}

function published<T>(shape: Shape<T>) {
  const entries = Object.entries(shape).filter(([key, value]) => key !== "read" && value !== undefined);
  return z.unknown().meta(Object.fromEntries(entries));
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === "string" && value.trim() === "");
}

/** Makes a field of this shape that must be there. */
function required<T>(shape: Shape<T>) {
  return published(shape).transform((value, context): T => {
    const result = isAbsent(value) ? new Refusal("is required") : shape.read(value);
    if (!(result instanceof Refusal)) return result;
    context.addIssue({ code: "custom", message: result.message });
    return z.NEVER;
  });
}

/** Makes a field of this shape that may be left out. */
function optional<T>(shape: Shape<T>) {
  return published(shape)
    .transform((value, context): T | undefined => {
      const result = isAbsent(value) ? undefined : shape.read(value);
      if (!(result instanceof Refusal)) return result;
      context.addIssue({ code: "custom", message: result.message });
      return z.NEVER;
    })
    .optional();
}

/** A required text of one printable line. */
export function requiredText(description?: string, maxLength = MAX_TEXT) {
  return required({ type: "string", description, read: (value) => readText(value, maxLength) });
}

/** An optional text of one printable line. */
export function optionalText(description?: string, maxLength = MAX_TEXT) {
  return optional({ type: "string", description, read: (value) => readText(value, maxLength) });
}

function readText(value: unknown, maxLength: number): string | Refusal {
  if (typeof value !== "string" && typeof value !== "number") return new Refusal("must be a text");
  const text = String(value).trim();
  if (text.length > maxLength) return new Refusal(`must have at most ${maxLength} characters`);
  return UNPRINTABLE.test(text) ? new Refusal("must not contain control characters or line breaks") : text;
}

/** An optional amount, price or quantity: digits as text (`"12.5"`), or a JSON number. Never a float inside. */
export function optionalDecimal(description?: string) {
  return optional({ type: ["string", "number"], description, read: readDecimal });
}

function readDecimal(value: unknown): Decimal | Refusal {
  const refusal = new Refusal('must be a plain decimal number such as "12.5"');
  const parsed = typeof value === "number" ? decimalOfNumber(value) : typeof value === "string" ? Decimal.tryParsePlain(value) : undefined;
  if (parsed === undefined) return refusal;
  const [whole = "", decimals = ""] = parsed.abs().toString().split(".");
  if (whole.length > MAX_INTEGER_DIGITS) return new Refusal("is too large");
  return decimals.length > MAX_DECIMALS ? new Refusal(`must have at most ${MAX_DECIMALS} decimals`) : parsed;
}

function decimalOfNumber(value: number): Decimal | undefined {
  if (!Number.isFinite(value) || Math.abs(value) >= 1e15 || (value !== 0 && Math.abs(value) < 1e-8)) return undefined;
  const decimal = Decimal.parse(String(value));
  const significant = decimal.abs().toString().replace(".", "").replace(/^0+/, "");
  return significant.replace(/0+$/, "").length > SAFE_DIGITS ? undefined : decimal;
}

/** An optional contract id: a positive whole number, also as text. */
export function optionalConid(description?: string) {
  return optional({ type: ["integer", "string"], description, read: readConid });
}

function readConid(value: unknown): number | Refusal {
  return readInteger(value, 1, 2_147_483_647) ?? new Refusal("must be a contract id such as 265598");
}

/** An optional whole number between two bounds. */
export function optionalInteger(bounds: { readonly min: number; readonly max: number }, description?: string) {
  return optional({
    type: ["integer", "string"],
    description,
    read: (value) =>
      readInteger(value, bounds.min, bounds.max) ?? new Refusal(`must be a whole number from ${bounds.min} to ${bounds.max}`),
  });
}

function readInteger(value: unknown, min: number, max: number): number | undefined {
  const number = typeof value === "string" && /^\s*\d{1,15}\s*$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number >= min && number <= max ? number : undefined;
}

/** An optional yes or no, also as text. */
export function optionalFlag(description?: string) {
  return optional({ type: ["boolean", "string"], description, read: readFlag });
}

function readFlag(value: unknown): boolean | Refusal {
  const isPlain = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  const text = isPlain ? String(value).trim().toLowerCase() : "";
  if (["true", "yes", "1"].includes(text)) return true;
  return ["false", "no", "0"].includes(text) ? false : new Refusal("must be true or false");
}

/** A closed choice: its values, and other words that people and models use for them (upper case, nothing between words). */
export interface Choice<T extends string> {
  readonly values: readonly T[];
  readonly synonyms?: Readonly<Record<string, T>>;
  readonly description?: string;
}

/** An optional value of a closed choice, in any letter case. */
export function optionalChoice<T extends string>(choice: Choice<T>) {
  return optional({ type: "string", enum: choice.values, description: choice.description, read: (value) => readChoice(value, choice) });
}

/** An optional list of values of a closed choice. */
export function optionalChoices<T extends string>(choice: Choice<T>) {
  const max = choice.values.length;
  return optional({
    type: ["array", "string"],
    items: { type: "string" },
    description: choice.description,
    read: (value) => readList(value, max, (item) => readChoice(item, choice)),
  });
}

function readChoice<T extends string>(value: unknown, choice: Choice<T>): T | Refusal {
  const word = typeof value === "string" ? foldWord(value) : "";
  const found = choice.values.find((candidate) => foldWord(candidate) === word) ?? choice.synonyms?.[word];
  return found ?? new Refusal(`must be one of ${choice.values.join(", ")}`);
}

function foldWord(text: string): string {
  return text.toUpperCase().replaceAll(/[\s_-]+/g, "");
}

/** An optional list of texts of one line each. */
export function optionalTexts(max: number, description?: string) {
  return optional({
    type: ["array", "string"],
    items: { type: "string" },
    description,
    read: (value) => readList(value, max, (item) => readText(item, MAX_TEXT)),
  });
}

/** A required list of texts of one line each. */
export function requiredTexts(max: number, description?: string) {
  return required({
    type: ["array", "string"],
    items: { type: "string" },
    description,
    read: (value) => readList(value, max, (item) => readText(item, MAX_TEXT)),
  });
}

/** An optional list of contract ids. */
export function optionalConids(max: number, description?: string) {
  return optional({
    type: ["array", "string"],
    items: { type: ["integer", "string"] },
    description,
    read: (value) => readList(value, max, readConid),
  });
}

function readList<T>(value: unknown, max: number, readItem: (item: unknown) => T | Refusal): readonly T[] | Refusal {
  const given = itemsOf(value);
  if (given instanceof Refusal) return given;
  const items = given.filter((item) => !isAbsent(item));
  if (items.length > max) return new Refusal(`must have at most ${max} items`);
  const results: T[] = [];
  for (const item of items) {
    const result = readItem(item);
    if (result instanceof Refusal) return new Refusal(`each item ${result.message}`);
    results.push(result);
  }
  return results.length === 0 ? new Refusal("must have at least one item") : results;
}

/** A list may come as a list, as JSON text, with commas between its items, or as its only item. */
function itemsOf(value: unknown): readonly unknown[] | Refusal {
  if (Array.isArray(value)) return value;
  if (typeof value !== "string") return [value];
  return jsonArray(value) ?? value.split(",");
}

function jsonArray(text: string): readonly unknown[] | Refusal | undefined {
  if (!text.trim().startsWith("[")) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    if (!Array.isArray(parsed)) return undefined;
    return findJsonLoss(text) === undefined ? parsed : new Refusal("must hold no number that JSON readers round and no member twice");
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
