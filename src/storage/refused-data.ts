/** SQLite's primary result codes for a row that can never be stored: too big, constraint, datatype mismatch. */
const SQLITE_REFUSALS = new Set([18, 19, 20]);

/** Tells a row that the database refuses for what it holds from a database that fails; only the latter is worth another try. */
export function isRefusedData(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof RangeError) return true;
  if (!(error instanceof Error)) return false;
  if ("errcode" in error && typeof error.errcode === "number") return SQLITE_REFUSALS.has(error.errcode & 0xff);
  // PostgreSQL: class 22 is a data exception, class 23 an integrity constraint.
  return "code" in error && typeof error.code === "string" && /^2[23]...$/.test(error.code);
}
