import { z } from "zod";

import { GatewayError } from "../lib/errors.ts";
import { defineTool } from "../mcp/define-tool.ts";
import { draftFields, draftText } from "../trading/order-draft.ts";
import type { OrderRequestStatus } from "../trading/trading.ts";
import { READS } from "./annotations.ts";
import { completeAnswer, outputSchema } from "./envelope.ts";
import { orderNameFields, resolveOrderName, tradingCall } from "./order-name.ts";
import { orderRow, orderText, STATUS_NOTES } from "./order-row.ts";

/** What our own state of an order means, and what to do. */
const STATE_NOTES: Record<OrderRequestStatus, string | undefined> = {
  sending: "The order is being sent. Do NOT send it again; ask again in a few seconds.",
  unknown: "IBKR's answer was lost and the order has not been found yet. Do NOT send it again; ask again in a few seconds.",
  not_sent: "It was not placed. It may be sent again with the same client_order_id.",
  confirmation_required: "It was not placed: IBKR asked a question. Call place_order with its confirm_token, or send the order again.",
  accepted: "IBKR no longer lists this order; this is its last known state.",
  rejected: "IBKR rejected it; nothing was placed.",
  declined: "The question was answered with no; nothing was placed.",
  too_many_questions: "IBKR kept asking; nothing was placed.",
};

/** `get_order_status`: one order, at IBKR or in our own rows. */
export const tool = defineTool({
  name: "get_order_status",
  title: "Get an order's status",
  description: 'State and fills of one order, by IBKR\'s order_id or your client_order_id. Example: {"order_id":"1234567890"}',
  scope: "read",
  annotations: READS,
  input: z.strictObject(orderNameFields),
  outputSchema: outputSchema({ account_id: "text", order_id: "text", client_order_id: "text", status: "text", note: "text" }),
  async run(args, context) {
    const { name, note } = await resolveOrderName(context, args, "read");
    const found = await context.trading.findOrder(name, tradingCall(context));
    if (found === undefined) {
      throw new GatewayError("order_not_found", `Account ${name.accountId} has no order ${name.orderId ?? name.clientOrderId ?? ""}.`, {
        whatToDo: "Call get_orders to see the orders of the account, or send the right account_id.",
      });
    }
    if (found.kind === "order") {
      return completeAnswer(context, {
        text: `${orderText(found.order)}.`,
        accountId: name.accountId,
        notes: [note, STATUS_NOTES[found.order.status]],
        body: orderRow(found.order, found.clientOrderId),
      });
    }
    const status = found.state === "accepted" ? (found.status ?? "Unknown") : found.state;
    return completeAnswer(context, {
      text: `${found.clientOrderId}: ${draftText(found.draft)}: ${status}.`,
      accountId: name.accountId,
      notes: [note, STATE_NOTES[found.state]],
      body: { ...draftFields(found.draft), order_id: found.orderId, client_order_id: found.clientOrderId, status, reason: found.reason },
    });
  },
});
