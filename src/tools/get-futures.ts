import { z } from "zod";

import { defineTool } from "../mcp/define-tool.ts";
import { READS } from "./annotations.ts";
import { cell, completeAnswer, outputSchema } from "./envelope.ts";
import { requiredTexts } from "./fields.ts";
import { pageFields, pageOf } from "./page.ts";

/** More than anybody compares at once. */
const MAX_SYMBOLS = 20;
/** 50 rows are about 4 KB. */
const ROWS = { usual: 50, max: 200 };
const MAX_IN_TEXT = 5;

/** `get_futures`: the futures on root symbols, nearest first. */
export const tool = defineTool({
  name: "get_futures",
  title: "List futures",
  description: 'Futures contracts on root symbols, nearest expiry first; get_quote takes their conid. Example: {"symbols":["ES","CL"]}',
  scope: "read",
  annotations: READS,
  input: z.strictObject({ symbols: requiredTexts(MAX_SYMBOLS, `Root symbols such as ES; up to ${MAX_SYMBOLS}`), ...pageFields(ROWS) }),
  outputSchema: outputSchema({ columns: "texts", rows: "table", rows_total: "integer", note: "text" }),
  async run(args, context) {
    const symbols = args.symbols.map((symbol) => symbol.toUpperCase());
    const futures = await context.broker.futures(symbols, context.call);
    const page = pageOf(futures, args, ROWS);
    const without = symbols.filter((symbol) => !futures.some((future) => future.symbol === symbol));
    const nearest = page.rows.slice(0, MAX_IN_TEXT).map(({ symbol, expiry, conid }) => `${symbol} ${expiry} = ${conid}`);
    return completeAnswer(context, {
      text: futures.length === 0 ? "No futures found." : `${futures.length} futures, nearest first: ${nearest.join(", ")}.`,
      notes: [
        page.note,
        without.length === 0 ? undefined : `IBKR lists no futures on ${without.join(", ")}: use root symbols such as ES, NQ, CL or GC.`,
      ],
      body: {
        columns: ["symbol", "conid", "expiry", "last_trading_day", "underlying_conid"],
        rows: page.rows.map((future) => [
          future.symbol,
          future.conid,
          future.expiry,
          cell(future.lastTradingDay),
          cell(future.underlyingConid),
        ]),
        rows_total: futures.length,
      },
    });
  },
});
