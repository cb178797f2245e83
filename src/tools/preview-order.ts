import { z } from "zod";

import type { MarginChange, OrderPreview } from "../broker/order.ts";
import { defineTool } from "../mcp/define-tool.ts";
import { draftFields, draftText } from "../trading/order-draft.ts";
import { allowedAccounts } from "./account-argument.ts";
import { READS } from "./annotations.ts";
import { completeAnswer, outputSchema } from "./envelope.ts";
import { orderDraft, orderFields } from "./order-arguments.ts";
import { tradingCall } from "./order-name.ts";

/** `preview_order`: IBKR's what-if: cost, commission and margin, with nothing placed. */
export const tool = defineTool({
  name: "preview_order",
  title: "Preview an order",
  description:
    'Cost, commission and margin of an order by IBKR\'s what-if; nothing is placed. Example: {"symbol":"AAPL","side":"BUY","quantity":5,"order_type":"MKT"}',
  scope: "write",
  annotations: READS,
  input: z.strictObject(orderFields),
  outputSchema: outputSchema({ account_id: "text", status: "text", commission: "text", warnings: "texts", error: "text", note: "text" }),
  async run(args, context) {
    const draft = await orderDraft(context, args);
    const preview = await context.trading.previewOrder(draft, tradingCall(context));
    const account = (await allowedAccounts(context)).find(({ accountId }) => accountId === draft.accountId);
    const ok = preview.error === undefined;
    const cost = preview.total === undefined ? "" : `, in all ${preview.total.toString()} ${preview.amountCurrency ?? ""}`.trimEnd();
    const commission = preview.commission === undefined ? "" : `, commission ${preview.commission}`;
    return completeAnswer(context, {
      text: `Preview in ${draft.accountId} (${context.broker.mode}), nothing placed: ${draftText(draft)}${commission}${cost}.${ok ? "" : ` IBKR would refuse it: ${preview.error}`}`,
      accountId: draft.accountId,
      body: {
        status: ok ? "ok" : "would_be_refused",
        order: orderFieldsOf(draft),
        margin_currency: account?.baseCurrency,
        ...previewFields(preview),
      },
    });
  },
});

function orderFieldsOf(draft: Parameters<typeof draftFields>[0]) {
  const { account_id: _account, ...order } = draftFields(draft);
  return order;
}

/** The margin figures are in the account's base currency, the amounts in the order's. */
function previewFields(preview: OrderPreview) {
  return {
    amount: preview.amount,
    total: preview.total,
    amount_currency: preview.amountCurrency,
    commission: preview.commission,
    equity: marginOf(preview.equity),
    initial_margin: marginOf(preview.initialMargin),
    maintenance_margin: marginOf(preview.maintenanceMargin),
    position: marginOf(preview.position),
    warnings: preview.warnings,
    error: preview.error,
  };
}

function marginOf({ current, change, after }: MarginChange) {
  const known = [current, change, after].some((value) => value !== undefined);
  return known ? { current, change, after } : undefined;
}
