import { z } from "zod";

import type { Bar, History } from "../broker/market-data.ts";
import { GatewayError } from "../lib/errors.ts";
import { defineTool } from "../mcp/define-tool.ts";
import { READS } from "./annotations.ts";
import { contractFields, contractRow, describe, resolveContract } from "./contract-argument.ts";
import { completeAnswer, isoTime, outputSchema } from "./envelope.ts";
import { optionalFlag } from "./fields.ts";
import { barField, historyRange, isDaily, periodField } from "./history-range.ts";

/** Most bars in one answer: about 30 KB. */
const MAX_BARS = 500;
const DEFAULT_PERIOD = "1m";

/** `get_history`: OHLCV bars, as a list of columns and a row of values per bar. */
export const tool = defineTool({
  name: "get_history",
  title: "Get price history",
  description: `OHLCV bars, oldest first, as columns and rows; at most the latest ${MAX_BARS}. Example: {"symbol":"AAPL","period":"3m","bar":"1d"}`,
  scope: "read",
  annotations: READS,
  input: z.strictObject({
    ...contractFields,
    period: periodField,
    bar: barField,
    outside_rth: optionalFlag(),
  }),
  outputSchema: outputSchema({
    conid: "integer",
    symbol: "text",
    currency: "text",
    period: "text",
    bar: "text",
    data_status: "text",
    columns: "texts",
    rows: "table",
    bars_total: "integer",
    note: "text",
  }),
  async run(args, context) {
    const range = historyRange(args.period ?? DEFAULT_PERIOD, args.bar);
    const instrument = await resolveContract(context, args, "read");
    const outsideRth = args.outside_rth ?? false;
    const history = await context.broker.history({ conid: instrument.conid, ...range, outsideRth }, context.call);
    const shown = history.bars.slice(-MAX_BARS);
    const [first] = shown;
    const last = shown.at(-1);
    if (first === undefined || last === undefined) {
      throw new GatewayError("market_data_unavailable", `IBKR has no bars of ${describe(instrument)} for ${range.period}.`, {
        whatToDo: "Try a longer period or another bar.",
      });
    }
    const daily = isDaily(range.bar);
    const cut = history.bars.length > shown.length;
    return completeAnswer(context, {
      text: `${describe(instrument)}: ${shown.length} bars of ${range.bar} from ${timeOf(first, daily)} to ${timeOf(last, daily)}, last close ${last.close.toString()} ${history.currency}.`,
      asOf: history.asOf,
      notes: [cut ? `Showing the latest ${shown.length} of ${history.bars.length} bars; use a longer bar to see them all.` : undefined],
      body: {
        ...contractRow(instrument),
        ...historyFields(history),
        columns: [daily ? "date" : "start", "open", "high", "low", "close", "volume"],
        rows: shown.map((bar) => [timeOf(bar, daily), bar.open, bar.high, bar.low, bar.close, bar.volume]),
        bars_total: history.bars.length,
      },
    });
  },
});

function historyFields(history: History) {
  return {
    currency: history.currency,
    period: history.period,
    bar: history.bar,
    outside_rth: history.outsideRth,
    time_zone: history.timeZone,
    data_status: history.dataStatus,
    missing_fields: [],
  };
}

function timeOf(bar: Bar, daily: boolean): string {
  return (daily ? bar.date : undefined) ?? isoTime(bar.start);
}
