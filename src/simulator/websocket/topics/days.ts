/** Milliseconds in a day. */
export const DAY_MS = 86_400_000;

/** How far back orders and trades can be asked for, in days. */
const MAX_DAYS = 7;

/** Reads how many trading days back a subscription begins: 1, today, when nothing is said. Undefined when it is no such number. */
export function readDays(value: unknown): number | undefined {
  if (value === undefined) return 1;
  const days = Number(value);
  return Number.isSafeInteger(days) && days >= 0 ? Math.min(Math.max(days, 1), MAX_DAYS) : undefined;
}
