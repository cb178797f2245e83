import { z } from "zod";

import { defineTool } from "../mcp/define-tool.ts";
import { CANCELS } from "./annotations.ts";
import { completeAnswer, outputSchema } from "./envelope.ts";
import { orderNameFields, resolveOrderName, tradingCall } from "./order-name.ts";
import { orderRow, STATUS_NOTES } from "./order-row.ts";

/** `cancel_order`: asks IBKR to cancel, and tells what became of it within a few seconds. */
export const tool = defineTool({
  name: "cancel_order",
  title: "Cancel an order",
  description: 'Cancels a working order by order_id or client_order_id; a fill may still win. Example: {"order_id":"1234567890"}',
  scope: "write",
  annotations: CANCELS,
  input: z.strictObject(orderNameFields),
  outputSchema: outputSchema({ account_id: "text", order_id: "text", client_order_id: "text", status: "text", note: "text" }),
  async run(args, context) {
    const { name } = await resolveOrderName(context, args, "order");
    const result = await context.trading.cancelOrder(name, tradingCall(context));
    const { status, orderId, clientOrderId, order, wasCancelled } = result;
    const words: Partial<Record<typeof status, string>> = {
      Cancelled: wasCancelled ? "had already been cancelled" : "is cancelled",
      Filled: "was filled before the cancellation",
    };
    return completeAnswer(context, {
      text: `Order ${orderId} ${words[status] ?? "is being cancelled"} (${name.accountId}, ${context.broker.mode}).`,
      accountId: name.accountId,
      notes: [STATUS_NOTES[status]],
      body: { ...(order === undefined ? {} : orderRow(order, clientOrderId)), order_id: orderId, client_order_id: clientOrderId, status },
    });
  },
});
