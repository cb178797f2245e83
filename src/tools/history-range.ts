import { GatewayError } from "../lib/errors.ts";
import { optionalText } from "./fields.ts";

/** How far back, and in which steps. */
export interface HistoryRange {
  readonly period: string;
  readonly bar: string;
}

interface Span {
  readonly count: number;
  readonly unit: Unit;
}

type Unit = "min" | "h" | "d" | "w" | "m" | "y";

/** Length of a unit in minutes; months and years at their longest. */
const MINUTES: Record<Unit, number> = { min: 1, h: 60, d: 1_440, w: 10_080, m: 44_640, y: 527_040 };
/** IBKR's bounds on a period. */
const MAX_COUNT: Record<Unit, number> = { min: 30, h: 8, d: 1_000, w: 792, m: 182, y: 15 };
const BARS = ["1min", "2min", "3min", "5min", "10min", "15min", "30min", "1h", "2h", "3h", "4h", "8h", "1d", "1w", "1m"] as const;

type Bar = (typeof BARS)[number];

interface Step {
  /** Periods up to this long. */
  readonly upTo: Span;
  readonly finest: Bar;
  readonly coarsest: Bar;
  /** Ours, not IBKR's: coarse enough that an answer stays short. */
  readonly usual: Bar;
}

/** IBKR's table of the bars that go with a period. */
const STEPS: readonly Step[] = [
  { upTo: { count: 1, unit: "min" }, finest: "1min", coarsest: "1min", usual: "1min" },
  { upTo: { count: 1, unit: "h" }, finest: "1min", coarsest: "8h", usual: "1min" },
  { upTo: { count: 1, unit: "d" }, finest: "1min", coarsest: "8h", usual: "5min" },
  { upTo: { count: 1, unit: "w" }, finest: "10min", coarsest: "1w", usual: "1h" },
  { upTo: { count: 1, unit: "m" }, finest: "1h", coarsest: "1m", usual: "1d" },
  { upTo: { count: 3, unit: "m" }, finest: "2h", coarsest: "1m", usual: "1d" },
  { upTo: { count: 6, unit: "m" }, finest: "4h", coarsest: "1m", usual: "1d" },
  { upTo: { count: 1, unit: "y" }, finest: "8h", coarsest: "1m", usual: "1d" },
  { upTo: { count: 3, unit: "y" }, finest: "1d", coarsest: "1m", usual: "1w" },
  { upTo: { count: 15, unit: "y" }, finest: "1w", coarsest: "1m", usual: "1m" },
];

/** The argument for how far back. */
export const periodField = optionalText("1d, 1w, 3m, 1y … (m is month)", 20);
/** The argument for the length of a bar. */
export const barField = optionalText("1min … 30min, 1h … 8h, 1d, 1w, 1m", 20);

const WORDS: readonly (readonly [RegExp, Unit])[] = [
  [/^(?:min|mins|minute|minutes)$/, "min"],
  [/^(?:h|hr|hrs|hour|hours)$/, "h"],
  [/^(?:d|day|days)$/, "d"],
  [/^(?:w|wk|week|weeks)$/, "w"],
  [/^(?:m|mo|month|months)$/, "m"],
  [/^(?:y|yr|year|years)$/, "y"],
];

/**
 * Reads a period and a bar, fills in the usual bar, and checks them against IBKR's table.
 * Throws `invalid_arguments` that names what is allowed.
 */
export function historyRange(period: string, bar: string | undefined): HistoryRange {
  const span = spanOf(period);
  if (span === undefined || span.count < 1 || span.count > MAX_COUNT[span.unit]) {
    throw refuse(
      `${period} is not a period that IBKR offers.`,
      "Use 1–30min, 1–8h, 1–1000d, 1–792w, 1–182m (months) or 1–15y, such as 3m.",
    );
  }
  const normalPeriod = textOf(span);
  const step = STEPS.find(({ upTo }) => minutesOf(span) <= minutesOf(upTo)) ?? STEPS.at(-1);
  if (step === undefined) throw new RangeError("the table of periods is empty");
  const allowed = BARS.slice(BARS.indexOf(step.finest), BARS.indexOf(step.coarsest) + 1);
  if (bar === undefined) return { period: normalPeriod, bar: step.usual };
  const barSpan = spanOf(bar);
  const found = allowed.find((candidate) => barSpan !== undefined && candidate === textOf(barSpan));
  if (found === undefined) throw refuse(`IBKR has no ${bar} bars for a period of ${normalPeriod}.`, `Use one of ${allowed.join(", ")}.`);
  return { period: normalPeriod, bar: found };
}

function refuse(message: string, whatToDo: string): GatewayError {
  return new GatewayError("invalid_arguments", message, { whatToDo });
}

function spanOf(text: string): Span | undefined {
  const [, digits = "", word = ""] = /^(\d{0,4})\s*([a-z]+)$/.exec(text.trim().toLowerCase()) ?? [];
  const unit = WORDS.find(([pattern]) => pattern.test(word))?.[1];
  return unit === undefined ? undefined : { count: digits === "" ? 1 : Number(digits), unit };
}

function textOf(span: Span): string {
  return `${span.count}${span.unit}`;
}

function minutesOf(span: Span): number {
  return span.count * MINUTES[span.unit];
}

/** True when the bars of this length carry the exchange's date rather than an instant. */
export function isDaily(bar: string): boolean {
  return BARS.findIndex((candidate) => candidate === bar) >= BARS.indexOf("1d");
}
