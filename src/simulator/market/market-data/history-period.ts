/** Bars that the history endpoint knows, by name: their length in seconds, finest first. A month counts as 30 days. */
export const BAR_SECONDS: Readonly<Record<string, number>> = {
  "1min": 60,
  "2min": 120,
  "3min": 180,
  "5min": 300,
  "10min": 600,
  "15min": 900,
  "30min": 1800,
  "1h": 3600,
  "2h": 7200,
  "3h": 10_800,
  "4h": 14_400,
  "8h": 28_800,
  "1d": 86_400,
  "1w": 604_800,
  "1m": 2_592_000,
};

export type PeriodUnit = "min" | "h" | "d" | "w" | "m" | "y";

/** A length of history such as `3m`. */
export interface Period {
  readonly count: number;
  readonly unit: PeriodUnit;
}

const MOST: Readonly<Record<PeriodUnit, number>> = { min: 30, h: 8, d: 1000, w: 792, m: 182, y: 15 };
const UNIT_SECONDS: Readonly<Record<PeriodUnit, number>> = {
  min: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
  m: 2_592_000,
  y: 31_536_000,
};

/** Which bars a period allows, and which one it gets by default: for periods up to `seconds`. */
interface BarRule {
  readonly seconds: number;
  readonly finest: string;
  readonly coarsest: string;
  readonly usual: string;
}

const YEAR = UNIT_SECONDS.y;
const BAR_RULES: readonly BarRule[] = [
  { seconds: 60, finest: "1min", coarsest: "1min", usual: "1min" },
  { seconds: 86_400, finest: "1min", coarsest: "8h", usual: "1min" },
  { seconds: 604_800, finest: "10min", coarsest: "1w", usual: "15min" },
  { seconds: 2_592_000, finest: "1h", coarsest: "1m", usual: "30min" },
  { seconds: 3 * 2_592_000, finest: "2h", coarsest: "1m", usual: "1d" },
  { seconds: 6 * 2_592_000, finest: "4h", coarsest: "1m", usual: "1d" },
  { seconds: YEAR, finest: "8h", coarsest: "1m", usual: "1d" },
  { seconds: 2 * YEAR, finest: "1d", coarsest: "1m", usual: "1d" },
  { seconds: 3 * YEAR, finest: "1d", coarsest: "1m", usual: "1w" },
  { seconds: 15 * YEAR, finest: "1w", coarsest: "1m", usual: "1w" },
];

/**
 * Reads a period such as `1d` or `6m`; undefined when it isn't one or is too long.
 * Units are lower case: as with IBKR, `6M` is silently taken for something else (minutes).
 */
export function readPeriod(text: string): Period | undefined {
  const match = /^(\d{1,4})(min|h|d|w|m|y|M)$/.exec(text);
  const unit = UNITS[match?.[2] ?? ""];
  const count = Number(match?.[1]);
  if (unit === undefined || count < 1 || count > MOST[unit]) return undefined;
  return { count, unit };
}

const UNITS: Readonly<Record<string, PeriodUnit | undefined>> = { min: "min", h: "h", d: "d", w: "w", m: "m", y: "y", M: "min" };

/** Nominal length of a period in seconds. */
export function periodSeconds(period: Period): number {
  return period.count * UNIT_SECONDS[period.unit];
}

/**
 * The bar of a request: the one asked for, or the period's usual one. Undefined when the bar is unknown or the period doesn't
 * allow it; a bar as long as the whole period is always allowed.
 */
export function chooseBar(period: Period, wanted: string | undefined): string | undefined {
  const seconds = periodSeconds(period);
  // 1000 days and 182 months lie between the table's lines or beyond the last one.
  const rule = BAR_RULES.find((each) => seconds <= each.seconds) ?? BAR_RULES.at(-1);
  if (rule === undefined) return undefined;
  if (wanted === undefined) return rule.usual;
  const length = Object.hasOwn(BAR_SECONDS, wanted) ? BAR_SECONDS[wanted] : undefined;
  if (length === undefined) return undefined;
  const [finest = 0, usual = 0, coarsest = 0] = [BAR_SECONDS[rule.finest], BAR_SECONDS[rule.usual], BAR_SECONDS[rule.coarsest]];
  const allowed = length >= Math.min(finest, usual) && length <= coarsest;
  return allowed || length === seconds ? wanted : undefined;
}
