import { z } from "zod";

import type { Trade } from "../broker/order.ts";
import { defineTool } from "../mcp/define-tool.ts";
import { resolveAccount } from "./account-argument.ts";
import { READS } from "./annotations.ts";
import { cell, completeAnswer, isoTime, outputSchema } from "./envelope.ts";
import { optionalInteger, optionalText } from "./fields.ts";
import { clientOrderIdOf } from "./order-name.ts";
import { pageFields, pageOf } from "./page.ts";

/** As far back as IBKR tells executions. */
const MAX_DAYS = 7;
/** 100 rows are about 12 KB. */
const ROWS = { usual: 100, max: 500 };
/** Most executions named in the text for people. */
const MAX_IN_TEXT = 5;
const COLUMNS = [
  "at",
  "side",
  "quantity",
  "symbol",
  "conid",
  "price",
  "currency",
  "commission",
  "order_id",
  "client_order_id",
  "execution_id",
];

/** Column of executions whose time IBKR has not sent; left out while every time is IBKR's. */
const APPROXIMATE = "at_is_approximate";

/** `get_trades`: executions of the last days, newest first, as a list of columns and a row of values per execution. */
export const tool = defineTool({
  name: "get_trades",
  title: "List trades",
  description: `Executions of the last ${MAX_DAYS} days at most, newest first. Example: {"days":1}`,
  scope: "read",
  annotations: READS,
  input: z.strictObject({
    account_id: optionalText(undefined, 32),
    days: optionalInteger({ min: 1, max: MAX_DAYS }, `Default ${MAX_DAYS}`),
    symbol: optionalText(undefined, 60),
    ...pageFields(ROWS),
  }),
  outputSchema: outputSchema({ account_id: "text", columns: "texts", rows: "table", rows_total: "integer", note: "text" }),
  async run(args, context) {
    const { account, note } = await resolveAccount(context, args.account_id, "read");
    const { accountId } = account;
    const days = args.days ?? MAX_DAYS;
    const symbol = args.symbol?.toUpperCase();
    const all = (await context.broker.trades(accountId, days, context.call))
      // IBKR's list is that of the whole login; another account's rows are nobody's business here.
      .filter((trade) => trade.accountId === accountId && (symbol === undefined || trade.symbol?.toUpperCase() === symbol))
      .toSorted((a, b) => b.at - a.at);
    const page = pageOf(all, args, ROWS);
    const columns = page.rows.some(({ isTimeApproximate }) => isTimeApproximate) ? [...COLUMNS, APPROXIMATE] : COLUMNS;
    const names = await context.trading.recognize(
      page.rows.map(({ customerOrderId, orderId }) => ({ customerOrderId, orderId })),
      context,
    );
    const lines = page.rows.slice(0, MAX_IN_TEXT).map(tradeText);
    const head = `${all.length} execution${all.length === 1 ? "" : "s"} in ${accountId} (${context.broker.mode}) within ${days} day${days === 1 ? "" : "s"}.`;
    return completeAnswer(context, {
      text: [head, ...lines].join("\n"),
      accountId,
      notes: [note, page.note],
      body: {
        columns,
        rows: page.rows.map((trade) => tradeRow(trade, clientOrderIdOf(trade, names)).slice(0, columns.length)),
        rows_total: all.length,
      },
    });
  },
});

function tradeRow(trade: Trade, clientOrderId: string | undefined) {
  return [
    isoTime(trade.at),
    cell(trade.side),
    trade.quantity,
    cell(trade.symbol),
    trade.conid,
    trade.price,
    cell(trade.currency),
    cell(trade.commission),
    cell(trade.orderId),
    cell(clientOrderId),
    trade.executionId,
    trade.isTimeApproximate,
  ];
}

function tradeText({ at, isTimeApproximate, side, quantity, symbol, conid, price, currency }: Trade): string {
  const amount = `${price.toString()}${currency === undefined ? "" : ` ${currency}`}`;
  return `${isTimeApproximate ? "about " : ""}${isoTime(at)}: ${side ?? "?"} ${quantity.toString()} ${symbol ?? String(conid)} at ${amount}`;
}
