import type { CancelOutcome, Order, OrderStatusName } from "../broker/order.ts";
import { GatewayError } from "../lib/errors.ts";
import { findOrder } from "./find-order.ts";
import { turnOf } from "./account-turns.ts";
import type { RequestState } from "./order-states.ts";
import type { PipelineDeps } from "./pipeline.ts";
import { outcomeUnknown } from "./trading-errors.ts";
import type { CancelResult, OrderName, TradingCall } from "./trading.ts";

/** When to look after a cancellation: most are done within a second, and an answer should not take longer than these together. */
const LOOKS_AFTER_MS = [250, 500, 1_000, 2_000] as const;

const CANCELLED = new Set<OrderStatusName>(["Cancelled"]);
const WORKING = new Set<OrderStatusName>(["PendingSubmit", "PreSubmitted", "Submitted"]);
const OPEN: ReadonlySet<RequestState> = new Set(["received", "sending", "unknown", "unresolved"]);
const OVER = new Set<OrderStatusName>(["Cancelled", "Filled"]);

/**
 * Asks the broker to cancel and watches for a few seconds what becomes of it; a fill may still win.
 * Throws `order_not_found`, `order_not_working` or `outcome_unknown`. Cancelling a cancelled order is an answer, not an error.
 */
export async function cancelOrder(deps: PipelineDeps, name: OrderName, call: TradingCall): Promise<CancelResult> {
  const target = await targetOf(deps, name, call);
  const { orderId, clientOrderId } = target;
  if (target.order?.status === "Cancelled") return { orderId, clientOrderId, status: "Cancelled", order: target.order, wasCancelled: true };
  const outcome = await cancelInTurn(deps, { accountId: name.accountId, orderId }, call);
  if (outcome.kind === "not_found") throw notFound(name, outcome.message);
  if (outcome.kind === "not_working")
    return alreadyOver(target, await call.broker.order(name.accountId, orderId, call.call), outcome.message);
  const order = await watch(deps, { accountId: name.accountId, orderId }, call);
  if (outcome.kind === "unknown" && (order === undefined || !(OVER.has(order.status) || isPending(order)))) {
    throw cancelUnknown(orderId, outcome.error);
  }
  return { orderId, clientOrderId, status: order?.status ?? "PendingCancel", order, wasCancelled: false };
}

/** In the queue of the account's orders, where it disturbs no question; it waits for no order of unknown outcome. */
async function cancelInTurn(deps: PipelineDeps, order: { accountId: string; orderId: string }, { broker, call, caller }: TradingCall) {
  let hasBegun = false;
  return await deps.turns.run<CancelOutcome>({
    account: turnOf({ connectionId: caller.connectionId, accountId: order.accountId }),
    signal: call.signal,
    action: async () => {
      // Its caller was told that it was not sent.
      if (call.signal.aborted) throw cancelTooLate(order.orderId);
      hasBegun = true;
      return await broker.cancelOrder(order.accountId, order.orderId, call);
    },
    whenLate: async () => {
      throw hasBegun ? cancelUnknown(order.orderId, undefined) : cancelTooLate(order.orderId);
    },
  });
}

function cancelTooLate(orderId: string): GatewayError {
  return new GatewayError("timeout", "The cancellation was not sent: its turn did not come in time.", {
    whatToDo: "The order still works. Cancel it again, or in IBKR's own apps.",
    retryAfterSeconds: 5,
    details: { order_id: orderId },
  });
}

function cancelUnknown(orderId: string, cause: Error | undefined): GatewayError {
  return new GatewayError("outcome_unknown", "IBKR gave no definite answer to the cancellation.", {
    whatToDo: "Call get_order_status; cancelling again is safe.",
    details: { order_id: orderId },
    cause,
  });
}

function isPending(order: Order): boolean {
  return order.status === "PendingCancel" || order.status === "PreCancelled";
}

interface Target {
  readonly orderId: string;
  readonly clientOrderId: string | undefined;
  readonly order: Order | undefined;
}

async function targetOf(deps: PipelineDeps, name: OrderName, call: TradingCall): Promise<Target> {
  // An order id goes straight to the broker: a cancellation should not wait for a look-up that it doesn't need. A caller
  // that is limited to some accounts does wait, until the order is known to be in one of them.
  const isLimited = call.caller.allowedAccountIds !== undefined;
  if (name.orderId !== undefined && !isLimited) return { orderId: name.orderId, clientOrderId: name.clientOrderId, order: undefined };
  const found = await findOrder(deps, name, call);
  if (found === undefined) throw notFound(name, undefined);
  if (found.kind === "order") return { orderId: found.order.orderId, clientOrderId: found.clientOrderId, order: found.order };
  if (found.orderId !== undefined) return { orderId: found.orderId, clientOrderId: found.clientOrderId, order: undefined };
  if (OPEN.has(found.state)) throw outcomeUnknown({ accountId: name.accountId, clientOrderId: found.clientOrderId }, { said: found.said });
  throw new GatewayError("order_not_working", `This order was never placed (${found.state}).`, {
    whatToDo: "There is nothing to cancel.",
    details: { client_order_id: found.clientOrderId },
  });
}

function alreadyOver(target: Target, order: Order | undefined, message: string): CancelResult {
  const { orderId, clientOrderId } = target;
  if (order !== undefined && CANCELLED.has(order.status)) {
    return { orderId, clientOrderId, status: order.status, order, wasCancelled: true };
  }
  if (order !== undefined && WORKING.has(order.status)) {
    throw new GatewayError("broker_error", `IBKR did not cancel the order, which is still ${order.status}. IBKR says: ${message}`, {
      whatToDo: "The order still works. Cancel it again, or cancel it in IBKR's own apps.",
      details: { order_id: orderId, status: order.status },
    });
  }
  const state = order === undefined ? "no longer working" : order.status;
  throw new GatewayError("order_not_working", `The order can't be cancelled: it is ${state}. IBKR says: ${message}`, {
    whatToDo:
      state === "Filled" ? "It has been filled; to undo it, place an order on the other side." : "Call get_order_status to see its state.",
    details: { order_id: orderId, ...(order === undefined ? {} : { status: order.status }) },
  });
}

async function watch(
  deps: PipelineDeps,
  { accountId, orderId }: { accountId: string; orderId: string },
  call: TradingCall,
): Promise<Order | undefined> {
  let order: Order | undefined;
  for (const ms of LOOKS_AFTER_MS) {
    try {
      await deps.clock.wait(ms, call.call.signal);
      order = (await call.broker.order(accountId, orderId, call.call)) ?? order;
    } catch (error) {
      // The cancellation is on its way; that it can't be watched is no failure of it.
      deps.log.warn({ err: error }, "could not watch a cancellation");
      return order;
    }
    if (order !== undefined && OVER.has(order.status)) return order;
  }
  return order;
}

function notFound(name: OrderName, message: string | undefined): GatewayError {
  const what = name.orderId ?? name.clientOrderId ?? "";
  return new GatewayError(
    "order_not_found",
    `Account ${name.accountId} has no order ${what}.${message === undefined ? "" : ` IBKR says: ${message}`}`,
    {
      whatToDo: "Call get_orders to see the orders of the account, or send the right account_id.",
    },
  );
}
