import { z } from "zod";

import type { Decimal } from "../../lib/decimal.ts";
import { GatewayError } from "../../lib/errors.ts";
import { isRecord } from "../../lib/json.ts";
import { parseInteger, parseNumber } from "../numbers.ts";

/** A key that may be absent: IBKR leaves out what it has nothing to say about. */
const anything = z.unknown().optional();

/** A number in any of IBKR's ways of writing one; undefined where there is none. */
export const decimal = anything.transform((value): Decimal | undefined => parseNumber(value));

/** A whole number, written as number or text. */
export const integer = anything.transform((value): number | undefined => parseInteger(value));

/** Text; numbers become text; empty text and anything else are undefined. */
export const text = anything.transform((value): string | undefined => {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
});

/** True or false, also as text or 0/1. */
export const flag = anything.transform((value): boolean | undefined => {
  if (value === true || value === "true" || value === 1 || value === "1") return true;
  return value === false || value === "false" || value === 0 || value === "0" ? false : undefined;
});

/** A list whose unreadable entries are left out; anything but a list is empty. */
export function listOf<T extends z.ZodType>(entry: T) {
  return anything.transform((value): z.output<T>[] => {
    if (!Array.isArray(value)) return [];
    return value.flatMap((item: unknown) => {
      const parsed = entry.safeParse(item);
      return parsed.success ? [parsed.data] : [];
    });
  });
}

/** Reads a reply; throws `broker_error` when it has not the form that the endpoint is known for. */
export function readReply<T extends z.ZodType>(schema: T, body: unknown, what: string): z.output<T> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new GatewayError("broker_error", `IBKR's answer about ${what} cannot be read.`, {
    whatToDo: "Try again later; if it stays so, IBKR may have changed its answers.",
    cause: parsed.error,
  });
}

/** The text of IBKR's usual error body, which also comes with status 200; undefined where there is none. */
export function errorTextOf(body: unknown): string | undefined {
  if (!isRecord(body)) return undefined;
  const { error } = body;
  return typeof error === "string" && error.trim() !== "" ? error.trim() : undefined;
}
