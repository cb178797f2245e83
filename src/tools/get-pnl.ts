import { z } from "zod";

import type { AccountPnl } from "../broker/research.ts";
import { defineTool } from "../mcp/define-tool.ts";
import { resolveAccount } from "./account-argument.ts";
import { READS } from "./annotations.ts";
import { completeAnswer, outputSchema } from "./envelope.ts";
import { optionalText } from "./fields.ts";
import { signed } from "./quote-row.ts";

/** `get_pnl`: profit and loss of today. */
export const tool = defineTool({
  name: "get_pnl",
  title: "Get profit and loss",
  description: "Today's profit and loss, unrealized and realized, in the base currency. Example: {}",
  scope: "read",
  annotations: READS,
  input: z.strictObject({ account_id: optionalText(undefined, 32) }),
  outputSchema: outputSchema({
    account_id: "text",
    currency: "text",
    daily_pnl: "text",
    note: "text",
  }),
  async run(args, context) {
    const { account, note } = await resolveAccount(context, args.account_id, "read");
    const pnl = await context.broker.pnl(account.accountId, context.call);
    return completeAnswer(context, {
      text: pnlText(pnl),
      asOf: pnl.asOf,
      accountId: account.accountId,
      notes: [note, pnl.daily === undefined ? "IBKR has not worked out today's figure yet; ask again in some seconds." : undefined],
      body: {
        currency: pnl.currency,
        daily_pnl: pnl.daily,
        unrealized_pnl: pnl.unrealized,
        realized_pnl: pnl.realized,
        net_liquidation_value: pnl.netLiquidationValue,
        excess_liquidity: pnl.excessLiquidity,
        market_value: pnl.marketValue,
      },
    });
  },
});

function pnlText({ accountId, currency, daily, unrealized, realized }: AccountPnl): string {
  const figures = [
    ["today", daily],
    ["unrealized", unrealized],
    ["realized", realized],
  ] as const;
  const parts = figures.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${signed(value.toString())}`]));
  return `${accountId}, in ${currency}: ${parts.length === 0 ? "no figures yet" : parts.join(", ")}.`;
}
