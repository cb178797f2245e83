import type { SqlValue } from "./storage.ts";

/**
 * Checks what a query carries before a database driver sees it: text, safe integers and null. Throws `TypeError` otherwise.
 * (`node:sqlite` takes a `Date` in first place for named parameters and shifts the row silently; `pg` turns objects into text.)
 */
export function checkedSqlValues(values: readonly unknown[]): SqlValue[] {
  return values.map((value, index) => {
    if (value === null || typeof value === "string") return value;
    if (typeof value === "number" && Number.isSafeInteger(value)) return value;
    throw new TypeError(`query parameter ${index + 1} is ${describe(value)}: columns take text, whole numbers and null`);
  });
}

function describe(value: unknown): string {
  if (typeof value === "number") return "a fraction, NaN or an unsafe integer";
  if (typeof value === "object" && value !== null) return `an object (${value.constructor?.name ?? "no class"})`;
  return `of type ${typeof value}`;
}
