import { z } from "zod";

import type { AccountSummary, Position } from "../broker/account.ts";
import { defineTool } from "../mcp/define-tool.ts";
import { resolveAccount } from "./account-argument.ts";
import { READS } from "./annotations.ts";
import { cashFields, cashText } from "./cash-rows.ts";
import { completeAnswer, outputSchema } from "./envelope.ts";
import { optionalText } from "./fields.ts";

/** Most rows of each kind of position in one answer: about 60 KB in all. */
const MAX_ROWS = 100;

/** `get_portfolio`: positions by kind, the cash ledger, and the account's totals in its base currency. */
export const tool = defineTool({
  name: "get_portfolio",
  title: "Get the portfolio",
  description:
    "Stocks, options, other positions, cash by currency, and totals in the base currency. Amounts are in each row's currency. Example: {}",
  scope: "read",
  annotations: READS,
  input: z.strictObject({ account_id: optionalText(undefined, 32) }),
  outputSchema: outputSchema({
    account_id: "text",
    base_currency: "text",
    stocks: "rows",
    options: "rows",
    other_positions: "rows",
    cash: "rows",
    total: "object",
    totals: "object",
    note: "text",
  }),
  async run(args, context) {
    const { account, note } = await resolveAccount(context, args.account_id, "read");
    const [positions, ledger, summary] = await Promise.all([
      context.broker.positions(account.accountId, context.call),
      context.broker.cashLedger(account.accountId, context.call),
      context.broker.summary(account.accountId, context.call),
    ]);
    // IBKR keeps a closed position in the list for the rest of the day.
    const held = positions.filter((position) => !position.quantity.isZero());
    const stocks = section("stocks", held, ({ secType }) => secType === "STK");
    const options = section("options", held, ({ secType }) => secType === "OPT" || secType === "FOP");
    const others = section("other_positions", held, ({ secType }) => secType !== "STK" && secType !== "OPT" && secType !== "FOP");
    const netLiquidation = summary.netLiquidationValue;
    const worth = netLiquidation === undefined ? "" : ` worth ${netLiquidation.toString()} ${summary.currency}`;
    return completeAnswer(context, {
      text: `${account.accountId} (${context.broker.mode})${worth}: ${held.length} positions${held.length === 0 ? "" : ` (${namesOf(held)})`}; cash ${cashText(ledger)}.`,
      asOf: Math.min(ledger.asOf, summary.asOf),
      accountId: account.accountId,
      notes: [note, stocks.cut, options.cut, others.cut],
      body: {
        stocks: stocks.rows,
        options: options.rows,
        other_positions: others.rows,
        ...cashFields(ledger),
        totals: totalsOf(summary),
      },
    });
  },
});

function section(name: string, held: readonly Position[], belongs: (position: Position) => boolean) {
  const all = held.filter(belongs);
  return {
    rows: all.slice(0, MAX_ROWS).map(positionRow),
    cut: all.length > MAX_ROWS ? `Showing ${MAX_ROWS} of ${all.length} rows in ${name}.` : undefined,
  };
}

function positionRow(position: Position) {
  return {
    conid: position.conid,
    symbol: position.symbol,
    description: position.description === position.symbol ? undefined : position.description,
    sec_type: position.secType,
    quantity: position.quantity,
    currency: position.currency,
    market_price: position.marketPrice,
    market_value: position.marketValue,
    average_price: position.averagePrice,
    unrealized_pnl: position.unrealizedPnl,
    realized_pnl: position.realizedPnl,
    multiplier: position.multiplier,
    right: position.right,
    strike: position.strike,
    expiry: position.expiry,
  };
}

function totalsOf(summary: AccountSummary) {
  return {
    currency: summary.currency,
    net_liquidation_value: summary.netLiquidationValue,
    total_cash: summary.totalCash,
    gross_position_value: summary.grossPositionValue,
    available_funds: summary.availableFunds,
    excess_liquidity: summary.excessLiquidity,
    buying_power: summary.buyingPower,
    initial_margin: summary.initialMargin,
    maintenance_margin: summary.maintenanceMargin,
  };
}

function namesOf(held: readonly Position[]): string {
  const shown = held.slice(0, 8).map((position) => `${position.quantity.toString()} ${position.symbol}`);
  return held.length > shown.length ? `${shown.join(", ")} …` : shown.join(", ");
}
