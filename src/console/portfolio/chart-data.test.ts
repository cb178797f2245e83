import { describe, expect, it } from "vitest";

import type { History } from "../../broker/market-data.ts";
import type { Performance } from "../../broker/research.ts";
import { Decimal } from "../../lib/decimal.ts";
import { candleChart, valueChart } from "./chart-data.ts";

const decimal = (text: string) => Decimal.parse(text);
// Our own JSON.
const dataOf = (chart: { readonly data: string } | undefined) => JSON.parse(chart?.data ?? "{}") as Record<string, unknown>;

function history(over: Partial<History>): History {
  const bar = (start: number, open: string, close: string) => ({
    start,
    date: undefined,
    open: decimal(open),
    high: decimal("12"),
    low: decimal("9"),
    close: decimal(close),
    volume: Decimal.zero,
  });
  return {
    conid: 1,
    currency: "USD",
    period: "1d",
    bar: "5min",
    outsideRth: false,
    timeZone: "America/New_York",
    dataStatus: "live",
    bars: [bar(Date.UTC(2026, 10, 20, 14, 30), "10", "11"), bar(Date.UTC(2026, 10, 20, 14, 35), "11", "10.5")],
    asOf: 0,
    ...over,
  };
}

describe("candles", () => {
  it("carry each bar's prices, and its time at the exchange", () => {
    expect(dataOf(candleChart(history({})))).toMatchObject({
      kind: "candles",
      open: [10, 11],
      high: [12, 12],
      low: [9, 9],
      close: [11, 10.5],
      labels: ["20 Nov 2026 09:30", "20 Nov 2026 09:35"],
      ticks: ["09:30", "09:35"],
    });
  });

  it("are drawn apart by whether they rise or fall, within the picture", () => {
    const chart = candleChart(history({}));
    expect(chart?.rising.match(/Z/g)).toHaveLength(1);
    expect(chart?.falling.match(/Z/g)).toHaveLength(1);
    const places = [...(chart?.rising ?? "").matchAll(/-?\d+(?:\.\d+)?/g)].map(([text]) => Number(text));
    expect(Math.max(...places)).toBeLessThanOrEqual(1000);
  });

  it("of days carry their date, and are none without bars", () => {
    const [first] = history({}).bars;
    const bars = first === undefined ? [] : [{ ...first, date: "2026-03-05" }];
    expect(dataOf(candleChart(history({ period: "1y", bar: "1d", bars })))["labels"]).toEqual(["5 Mar 2026"]);
    expect(dataOf(candleChart(history({ period: "5y", bar: "1w", bars })))["ticks"]).toEqual(["2026"]);
    expect(candleChart(history({ bars: [] }))).toBeUndefined();
  });
});

describe("value over time", () => {
  const performance: Performance = {
    accountId: "DU1",
    currency: "USD",
    period: "1M",
    startDate: "2026-10-31",
    startValue: decimal("1000"),
    points: [
      { date: "2026-11-01", netAssetValue: decimal("1100.25"), cumulativeReturn: decimal("0.1") },
      { date: "2026-11-02", netAssetValue: undefined, cumulativeReturn: undefined },
      { date: "2026-11-03", netAssetValue: decimal("900"), cumulativeReturn: decimal("-0.1") },
    ],
    asOf: 0,
  };

  it("begins with the value at the period's start, and leaves out days without one", () => {
    const chart = valueChart(performance);
    expect(dataOf(chart)).toMatchObject({ labels: ["31 Oct 2026", "1 Nov 2026", "3 Nov 2026"], values: [1000, 1100.25, 900], decimals: 2 });
    expect([chart?.low.toString(), chart?.high.toString()]).toEqual(["900", "1100.25"]);
    expect(chart?.line).toMatch(/^M0 [\d.]+L500 12L1000 228$/);
  });

  it("is a straight line while nothing changes, and none of a single day", () => {
    const flat = { ...performance, points: [{ date: "2026-11-01", netAssetValue: decimal("1000"), cumulativeReturn: undefined }] };
    expect(valueChart(flat)?.line).toBe("M0 120L1000 120");
    expect(valueChart({ ...flat, startValue: undefined })).toBeUndefined();
  });
});
