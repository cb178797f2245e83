/** Waits before the first looks, in ms: most lost answers are found by these. */
const FIRST_GAPS_MS = [5_000, 10_000, 20_000, 40_000] as const;
const MINUTE_MS = 60_000;
/** Looks come each minute for so long, then each ten minutes. */
const EACH_MINUTE_UNTIL_MS = 60 * MINUTE_MS;
/** IBKR lists executions of today and the six days before. */
export const LOOKED_FOR_MS = 6 * 86_400_000;
/** An order that was not seen for so long is put to a person. */
export const UNRESOLVED_AFTER_MS = 5 * MINUTE_MS;
/** Nothing goes live later than this after it was sent, its question included: from then on a person may say "not there". */
export const LATENESS_MS = 30 * MINUTE_MS;

/** The wait before the next look at an attempt, in ms, after this many in its series; undefined when looking ends. */
export function nextLookAfter(looks: number, ageMs: number): number | undefined {
  if (ageMs >= LOOKED_FOR_MS) return undefined;
  return FIRST_GAPS_MS[looks] ?? (ageMs < EACH_MINUTE_UNTIL_MS ? MINUTE_MS : 10 * MINUTE_MS);
}
