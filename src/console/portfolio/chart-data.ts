import type { History } from "../../broker/market-data.ts";
import type { Performance } from "../../broker/research.ts";
import { Decimal } from "../../lib/decimal.ts";
import { portfolioTexts as texts } from "../../pages/texts/portfolio.ts";
import { fractionDigits } from "./number-text.ts";

/** The picture's own units; it is stretched to its place. */
export const PICTURE = { width: 1000, height: 240 } as const;

/** A curve as it comes with the page, and the same for the script that draws it with axes. */
export interface ValueChart {
  readonly line: string;
  readonly area: string;
  readonly data: string;
  readonly points: readonly { readonly label: string; readonly value: Decimal }[];
  readonly low: Decimal;
  readonly high: Decimal;
}

/** Candles as they come with the page, and the same for the script. */
export interface CandleChart {
  readonly rising: string;
  readonly falling: string;
  readonly data: string;
  readonly labels: readonly string[];
  readonly low: Decimal;
  readonly high: Decimal;
}

/** Draws value over time; undefined where fewer than two values are known. */
export function valueChart({ points, startDate, startValue, currency }: Performance): ValueChart | undefined {
  const start = startDate === undefined || startValue === undefined ? [] : [{ label: startDate, value: startValue }];
  const rest = points.flatMap(({ date, netAssetValue }) => (netAssetValue === undefined ? [] : [{ label: date, value: netAssetValue }]));
  const all = [...start.filter(({ label }) => label !== rest[0]?.label), ...rest];
  const [first, ...others] = all.map(({ value }) => value);
  if (first === undefined || others.length === 0) return undefined;
  const [low, high] = [Decimal.min(first, ...others), Decimal.max(first, ...others)];
  const y = scaleOf(low, high);
  const line = all.map(({ value }, index) => `${index === 0 ? "M" : "L"}${xOf(index, all.length - 1)} ${y(value)}`).join("");
  return {
    line,
    area: `${line}V${PICTURE.height}H0Z`,
    points: all,
    low,
    high,
    data: JSON.stringify({
      kind: "value",
      labels: all.map(({ label }) => dayText(label)),
      ticks: all.map(({ label }) => shortDay(label)),
      values: all.map(({ value }) => value.toApproximation()),
      decimals: fractionDigits(currency),
      axisDecimals: axisDecimals(low, high),
      timeLabel: texts.chart.day,
      seriesLabel: `${texts.chart.value} (${currency})`,
    }),
  };
}

/** Draws bars as candles; undefined where there are none. */
export function candleChart(history: History): CandleChart | undefined {
  const { bars } = history;
  const [first, ...others] = bars;
  if (first === undefined) return undefined;
  const low = Decimal.min(first.low, ...others.map((bar) => bar.low));
  const high = Decimal.max(first.high, ...others.map((bar) => bar.high));
  const y = scaleOf(low, high);
  const step = PICTURE.width / bars.length;
  const body = Math.max(1, step * 0.6);
  const paths = { rising: "", falling: "" };
  for (const [index, bar] of bars.entries()) {
    const isRising = !bar.close.lessThan(bar.open);
    const middle = round((index + 0.5) * step);
    const [top, bottom] = [Decimal.max(bar.open, bar.close), Decimal.min(bar.open, bar.close)];
    const height = round(Math.max(1, y(bottom) - y(top)));
    const left = round(middle - body / 2);
    paths[isRising ? "rising" : "falling"] +=
      `M${middle} ${y(bar.high)}V${y(top)}M${middle} ${y(bottom)}V${y(bar.low)}M${left} ${y(top)}h${round(body)}v${height}h${round(-body)}Z`;
  }
  const labels = bars.map(labelsOf(history));
  const numbers = (field: "open" | "high" | "low" | "close") => bars.map((bar) => bar[field].toApproximation());
  const words = texts.security.chart;
  return {
    ...paths,
    low,
    high,
    labels: labels.map(({ long }) => long),
    data: JSON.stringify({
      kind: "candles",
      labels: labels.map(({ long }) => long),
      ticks: labels.map(({ short }) => short),
      open: numbers("open"),
      high: numbers("high"),
      low: numbers("low"),
      close: numbers("close"),
      decimals: priceDecimals(high),
      axisDecimals: axisDecimals(low, high),
      timeLabel: words.time,
      seriesLabels: [words.open, words.high, words.low, words.close],
    }),
  };
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

/** Writes a date (`2026-03-05`) as people do: `5 Mar 2026`. */
export function dayText(date: string): string {
  return `${shortDay(date)} ${date.slice(0, 4)}`;
}

function shortDay(date: string): string {
  return `${Number(date.slice(8, 10))} ${MONTHS[Number(date.slice(5, 7)) - 1] ?? ""}`;
}

interface BarLabels {
  readonly long: string;
  readonly short: string;
}

/** Days by their date; shorter bars by the exchange's own time, where its zone is known. */
function labelsOf({ timeZone = "UTC", period }: History): (bar: History["bars"][number]) => BarLabels {
  const clock = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "short" });
  const isOneDay = period === "1d";
  const isYears = period.endsWith("y") && period !== "1y";
  return ({ start, date }) => {
    if (date !== undefined) return { long: dayText(date), short: isYears ? date.slice(0, 4) : shortDay(date) };
    const [day = "", time = ""] = clock.format(start).split(" ");
    return { long: `${dayText(day)} ${time}`, short: isOneDay ? time : shortDay(day) };
  };
}

function xOf(index: number, last: number): number {
  return round((index / last) * PICTURE.width);
}

/** Upwards in the picture is less in its coordinates; a twentieth stays free above and below. */
function scaleOf(low: Decimal, high: Decimal): (value: Decimal) => number {
  const [from, to] = [low.toApproximation(), high.toApproximation()];
  const room = PICTURE.height * 0.05;
  const span = to - from;
  return (value) =>
    span === 0 ? PICTURE.height / 2 : round(room + (1 - (value.toApproximation() - from) / span) * (PICTURE.height - 2 * room));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function axisDecimals(low: Decimal, high: Decimal): number {
  const span = high.minus(low);
  if (!span.lessThan(Decimal.fromInteger(20))) return 0;
  return span.lessThan(Decimal.parse("0.1")) ? 4 : 2;
}

function priceDecimals(high: Decimal): number {
  return high.lessThan(Decimal.fromInteger(10)) ? 4 : 2;
}
