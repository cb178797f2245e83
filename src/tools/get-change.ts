import { z } from "zod";

import type { Instrument } from "../broker/instrument.ts";
import { Decimal } from "../lib/decimal.ts";
import { GatewayError } from "../lib/errors.ts";
import { defineTool } from "../mcp/define-tool.ts";
import type { ToolContext } from "../mcp/define-tool.ts";
import { READS } from "./annotations.ts";
import { contractFields, contractRow, describe, resolveContract } from "./contract-argument.ts";
import { completeAnswer, isoTime, outputSchema } from "./envelope.ts";
import { historyRange, isDaily, periodField } from "./history-range.ts";
import { quoteNote, signed } from "./quote-row.ts";

const DEFAULT_PERIOD = "1d";
const HUNDRED = Decimal.fromInteger(100);

/** A price and when it was. */
interface Point {
  readonly price: Decimal;
  readonly at: string;
}

interface Change {
  readonly first: Point;
  readonly last: Point;
  readonly currency: string;
  readonly dataStatus: string;
  readonly asOf: number;
  readonly note: string | undefined;
}

/** `get_change`: how far a price moved over a period, in its currency and in percent. */
export const tool = defineTool({
  name: "get_change",
  title: "Get the price change",
  description:
    'Change from the first to the last close of a period, in percent; 1d is from the prior close to the last price. Example: {"symbol":"AAPL","period":"1m"}',
  scope: "read",
  annotations: READS,
  input: z.strictObject({ ...contractFields, period: periodField }),
  outputSchema: outputSchema({
    conid: "integer",
    symbol: "text",
    currency: "text",
    period: "text",
    change: "text",
    change_pct: "text",
    data_status: "text",
    note: "text",
  }),
  async run(args, context) {
    const { period } = historyRange(args.period ?? DEFAULT_PERIOD, undefined);
    const instrument = await resolveContract(context, args, "read");
    const move = period === "1d" ? await changeToday(context, instrument) : await changeOver(context, instrument, period);
    const change = move.last.price.minus(move.first.price);
    const percent = move.first.price.isZero() ? undefined : change.times(HUNDRED).dividedBy(move.first.price.abs(), 4);
    const inPercent = percent === undefined ? "" : ` (${signed(percent.toFixed(2))}%)`;
    return completeAnswer(context, {
      text: `${describe(instrument)} over ${period}: ${signed(change.toString())} ${move.currency}${inPercent}, from ${move.first.price.toString()} to ${move.last.price.toString()}.`,
      asOf: move.asOf,
      notes: [move.note],
      body: {
        ...contractRow(instrument),
        currency: move.currency,
        period,
        from_price: move.first.price,
        from: move.first.at,
        to_price: move.last.price,
        to: move.last.at,
        change,
        change_pct: percent,
        data_status: move.dataStatus,
        missing_fields: [],
      },
    });
  },
});

async function changeToday(context: ToolContext, instrument: Instrument): Promise<Change> {
  const [quote] = await context.broker.quotes([instrument.conid], context.call);
  if (quote?.last === undefined || quote.priorClose === undefined) throw noPrices(instrument, "today");
  return {
    first: { price: quote.priorClose, at: "prior_close" },
    last: { price: quote.last, at: isoTime(quote.asOf) },
    currency: quote.currency,
    dataStatus: quote.dataStatus,
    asOf: quote.asOf,
    note: quoteNote(quote),
  };
}

async function changeOver(context: ToolContext, instrument: Instrument, period: string): Promise<Change> {
  const { bar } = historyRange(period, barFor(period));
  const history = await context.broker.history({ conid: instrument.conid, period, bar, outsideRth: false }, context.call);
  const [first] = history.bars;
  const last = history.bars.at(-1);
  if (first === undefined || last === undefined) throw noPrices(instrument, `for ${period}`);
  const timeOf = (at: typeof first) => (isDaily(bar) ? at.date : undefined) ?? isoTime(at.start);
  return {
    first: { price: first.close, at: timeOf(first) },
    last: { price: last.close, at: timeOf(last) },
    currency: history.currency,
    dataStatus: history.dataStatus,
    asOf: history.asOf,
    note: undefined,
  };
}

/** Daily closes for whatever IBKR has them for; the usual bar for the shortest and the longest periods. */
function barFor(period: string): string | undefined {
  const [, count = "", unit] = /^(\d+)(.+)$/.exec(period) ?? [];
  if (unit === "min" || unit === "h") return "1min";
  if (unit === "y") return Number(count) > 3 ? "1w" : "1d";
  if (unit === "m") return Number(count) > 35 ? "1w" : "1d";
  if (unit === "w") return Number(count) > 150 ? "1w" : "1d";
  return "1d";
}

function noPrices(instrument: Instrument, when: string): GatewayError {
  return new GatewayError("market_data_unavailable", `IBKR has no prices of ${describe(instrument)} ${when}.`, {
    whatToDo: "Try again later, or another period.",
  });
}
