import { z } from "zod";

import type { Transaction } from "../broker/research.ts";
import { defineTool } from "../mcp/define-tool.ts";
import { resolveAccount } from "./account-argument.ts";
import { READS } from "./annotations.ts";
import { contractFields, contractRow, describe, resolveContract } from "./contract-argument.ts";
import { cell, completeAnswer, outputSchema } from "./envelope.ts";
import { optionalInteger, optionalText } from "./fields.ts";
import { pageFields, pageOf } from "./page.ts";

const MAX_DAYS = 365;
const DEFAULT_DAYS = 90;
/** 100 rows are about 10 KB. */
const ROWS = { usual: 100, max: 500 };
const MAX_IN_TEXT = 5;

/** `get_transactions`: purchases, sales and other bookings of one contract, newest first. */
export const tool = defineTool({
  name: "get_transactions",
  title: "List transactions",
  description:
    'Purchases, sales, dividends and other bookings of one contract, newest first; IBKR updates them every 15 minutes at most. Example: {"symbol":"AAPL","days":365}',
  scope: "read",
  annotations: READS,
  input: z.strictObject({
    ...contractFields,
    account_id: optionalText(undefined, 32),
    days: optionalInteger({ min: 1, max: MAX_DAYS }, `Default ${DEFAULT_DAYS}, at most ${MAX_DAYS}`),
    ...pageFields(ROWS),
  }),
  outputSchema: outputSchema({
    account_id: "text",
    conid: "integer",
    symbol: "text",
    currency: "text",
    realized_pnl: "text",
    columns: "texts",
    rows: "table",
    rows_total: "integer",
    note: "text",
  }),
  async run(args, context) {
    const { account, note } = await resolveAccount(context, args.account_id, "read");
    const instrument = await resolveContract(context, args, "read");
    const days = args.days ?? DEFAULT_DAYS;
    const found = await context.broker.transactions({ accountId: account.accountId, conid: instrument.conid, days }, context.call);
    const page = pageOf(found.rows, args, ROWS);
    const { length } = found.rows;
    const head = `${length} transaction${length === 1 ? "" : "s"} in ${describe(instrument)} within ${days} days in ${account.accountId}; realized ${found.realizedPnl.toString()} ${found.currency}.`;
    return completeAnswer(context, {
      text: [head, ...page.rows.slice(0, MAX_IN_TEXT).map(transactionText)].join("\n"),
      asOf: found.asOf,
      accountId: account.accountId,
      notes: [note, page.note],
      body: {
        ...contractRow(instrument),
        currency: found.currency,
        days,
        realized_pnl: found.realizedPnl,
        columns: ["date", "type", "quantity", "price", "amount", "currency", "description"],
        rows: page.rows.map((row) => [
          row.date,
          row.type,
          cell(row.quantity),
          cell(row.price),
          cell(row.amount),
          row.currency,
          cell(row.description),
        ]),
        rows_total: length,
      },
    });
  },
});

function transactionText({ date, type, quantity, price, amount, currency }: Transaction): string {
  const size = quantity === undefined ? "" : ` ${quantity.toString()}`;
  const at = price === undefined ? "" : ` at ${price.toString()}`;
  return `${date}: ${type}${size}${at}${amount === undefined ? "" : `, ${amount.toString()} ${currency}`}`;
}
