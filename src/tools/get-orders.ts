import { z } from "zod";

import type { Order, OrderStatusName } from "../broker/order.ts";
import { defineTool } from "../mcp/define-tool.ts";
import { resolveAccount } from "./account-argument.ts";
import { READS } from "./annotations.ts";
import { completeAnswer, outputSchema } from "./envelope.ts";
import { optionalChoices, optionalText } from "./fields.ts";
import { clientOrderIdOf } from "./order-name.ts";
import { orderRow, orderText } from "./order-row.ts";

/** Most orders in one answer: about 40 KB. */
const MAX_ORDERS = 100;
/** Most orders named in the text for people. */
const MAX_IN_TEXT = 5;

const STATUSES = [
  "open",
  "Filled",
  "Cancelled",
  "Inactive",
  "PendingSubmit",
  "PreSubmitted",
  "Submitted",
  "PendingCancel",
  "PreCancelled",
  "WarnState",
] as const;

type StatusFilter = (typeof STATUSES)[number];

/** States in which an order may still be filled. */
const OPEN = new Set<OrderStatusName>(["PendingSubmit", "PreSubmitted", "Submitted", "PendingCancel", "PreCancelled", "WarnState"]);

/** `get_orders`: today's orders of an account in every state, and those still working. */
export const tool = defineTool({
  name: "get_orders",
  title: "List orders",
  description: 'Orders of today and those still working; status "open" means any that may still fill. Example: {"status":"open"}',
  scope: "read",
  annotations: READS,
  input: z.strictObject({
    account_id: optionalText(undefined, 32),
    status: optionalChoices<StatusFilter>({
      values: STATUSES,
      synonyms: {
        WORKING: "open",
        ACTIVE: "open",
        LIVE: "open",
        PENDING: "open",
        CANCELED: "Cancelled",
        EXECUTED: "Filled",
        DONE: "Filled",
        REJECTED: "Inactive",
      },
      description: "open, or IBKR's states such as Filled, Cancelled, Submitted; one or several",
    }),
  }),
  outputSchema: outputSchema({ account_id: "text", orders: "rows", orders_total: "integer", note: "text" }),
  async run(args, context) {
    const { account, note } = await resolveAccount(context, args.account_id, "read");
    const list = await context.broker.orders(account.accountId, context.call);
    const wanted = list.orders.filter((order) => args.status === undefined || args.status.some((filter) => matches(order, filter)));
    const shown = wanted.toSorted((a, b) => (b.lastUpdateAt ?? 0) - (a.lastUpdateAt ?? 0)).slice(0, MAX_ORDERS);
    const names = await context.trading.recognize(list.orders, context);
    const lines = shown.slice(0, MAX_IN_TEXT).map(orderText);
    return completeAnswer(context, {
      text: [`${wanted.length} order${wanted.length === 1 ? "" : "s"} in ${account.accountId} (${context.broker.mode}).`, ...lines].join(
        "\n",
      ),
      asOf: list.asOf,
      accountId: account.accountId,
      notes: [note, wanted.length > shown.length ? `Showing the latest ${shown.length} of ${wanted.length}; filter by status.` : undefined],
      body: {
        orders: shown.map((order) => orderRow(order, clientOrderIdOf(order, names))),
        orders_total: wanted.length,
      },
    });
  },
});

function matches(order: Order, filter: StatusFilter): boolean {
  return filter === "open" ? OPEN.has(order.status) : order.status === filter;
}
