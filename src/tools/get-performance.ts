import { z } from "zod";

import { type Performance, PERFORMANCE_PERIODS, type PerformancePeriod } from "../broker/research.ts";
import { Decimal } from "../lib/decimal.ts";
import { defineTool } from "../mcp/define-tool.ts";
import { resolveAccount } from "./account-argument.ts";
import { READS } from "./annotations.ts";
import { cell, completeAnswer, outputSchema } from "./envelope.ts";
import { optionalChoice, optionalText } from "./fields.ts";
import { signed } from "./quote-row.ts";

const DEFAULT_PERIOD: PerformancePeriod = "1M";
/** A year has 366 days at most; about 15 KB. */
const MAX_POINTS = 400;
const HUNDRED = Decimal.fromInteger(100);

/** `get_performance`: value and time-weighted return of an account, day by day. */
export const tool = defineTool({
  name: "get_performance",
  title: "Get performance",
  description:
    'Net value by day and the time-weighted return since the start of a period; IBKR updates it every 15 minutes at most. Example: {"period":"YTD"}',
  scope: "read",
  annotations: READS,
  input: z.strictObject({
    account_id: optionalText(undefined, 32),
    period: optionalChoice<PerformancePeriod>({
      values: PERFORMANCE_PERIODS,
      synonyms: { "1W": "7D", WEEK: "7D", MONTH: "1M", "30D": "1M", "90D": "3M", "12M": "1Y", "365D": "1Y", YEAR: "1Y", DAY: "1D" },
      description: `Default ${DEFAULT_PERIOD}`,
    }),
  }),
  outputSchema: outputSchema({
    account_id: "text",
    currency: "text",
    period: "text",
    start_date: "text",
    start_value: "text",
    return_pct: "text",
    columns: "texts",
    rows: "table",
    note: "text",
  }),
  async run(args, context) {
    const { account, note } = await resolveAccount(context, args.account_id, "read");
    const performance = await context.broker.performance(account.accountId, args.period ?? DEFAULT_PERIOD, context.call);
    const { points } = performance;
    const shown = points.slice(-MAX_POINTS);
    const total = percentOf(points.at(-1)?.cumulativeReturn);
    return completeAnswer(context, {
      text: performanceText(performance, total),
      asOf: performance.asOf,
      accountId: account.accountId,
      notes: [
        note,
        points.length === 0 ? "IBKR has no values of this account for the period yet." : undefined,
        points.length > shown.length ? `Showing the latest ${shown.length} of ${points.length} days.` : undefined,
      ],
      body: {
        currency: performance.currency,
        period: performance.period,
        start_date: performance.startDate,
        start_value: performance.startValue,
        return_pct: total,
        columns: ["date", "net_asset_value", "return_pct"],
        rows: shown.map(({ date, netAssetValue, cumulativeReturn }) => [date, cell(netAssetValue), cell(percentOf(cumulativeReturn))]),
      },
    });
  },
});

function percentOf(fraction: Decimal | undefined): Decimal | undefined {
  return fraction?.times(HUNDRED);
}

function performanceText({ accountId, currency, period, startValue, startDate, points }: Performance, total: Decimal | undefined): string {
  const last = points.at(-1);
  const end = last?.netAssetValue === undefined ? "" : ` ${last.netAssetValue.toString()} ${currency} on ${last.date}`;
  const start = startValue === undefined ? "" : `, from ${startValue.toString()}${startDate === undefined ? "" : ` on ${startDate}`}`;
  const change = total === undefined ? "" : `; return ${signed(total.toFixed(2))}%`;
  return `${accountId} over ${period}:${end === "" ? " no value" : end}${start}${change}.`;
}
