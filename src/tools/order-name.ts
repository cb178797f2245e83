import { GatewayError } from "../lib/errors.ts";
import type { ToolContext } from "../mcp/define-tool.ts";
import type { OrderName, TradingCall } from "../trading/trading.ts";
import { type AccountPurpose, allowedAccounts, resolveAccount } from "./account-argument.ts";
import { optionalText } from "./fields.ts";

/** Longest `client_order_id`. */
export const MAX_CLIENT_ORDER_ID = 64;

/** The arguments that name one order. */
export const orderNameFields = {
  order_id: optionalText("IBKR's id; or client_order_id", 30),
  client_order_id: optionalText(undefined, MAX_CLIENT_ORDER_ID),
  account_id: optionalText(undefined, 32),
};

interface OrderNameArguments {
  readonly order_id?: string | undefined;
  readonly client_order_id?: string | undefined;
  readonly account_id?: string | undefined;
}

/** An order's name with its account, and what to say when the account was chosen for the caller. */
export interface ResolvedOrderName {
  readonly name: OrderName;
  readonly note: string | undefined;
}

/**
 * Completes an order's name with its account: the one given, else the one in which our rows know the order, else as any
 * other call does. Throws `invalid_arguments` when the order isn't named, and what `resolveAccount` throws.
 */
export async function resolveOrderName(
  context: ToolContext,
  args: OrderNameArguments,
  purpose: AccountPurpose,
): Promise<ResolvedOrderName> {
  const { order_id: orderId, client_order_id: clientOrderId } = args;
  if ((orderId === undefined) === (clientOrderId === undefined)) {
    throw new GatewayError("invalid_arguments", "One order must be named, in one way.", { whatToDo: "Send order_id or client_order_id." });
  }
  if (orderId !== undefined && !/^[1-9]\d{0,19}$/.test(orderId)) {
    throw new GatewayError("invalid_arguments", "order_id must be the digits that IBKR gave.", {
      whatToDo: "Send an order_id from get_orders, or your own id as client_order_id.",
    });
  }
  const known = args.account_id === undefined ? await knownAccount(context, { orderId, clientOrderId }) : undefined;
  const { account, note } = await resolveAccount(context, args.account_id ?? known, purpose);
  return { name: { accountId: account.accountId, orderId, clientOrderId }, note };
}

async function knownAccount(context: ToolContext, name: Omit<OrderName, "accountId">): Promise<string | undefined> {
  const rows = await context.trading.accountsOf(name, context.caller);
  if (rows.length === 0) return undefined;
  const allowed = new Set((await allowedAccounts(context)).map((account) => account.accountId));
  const usable = rows.filter((accountId) => allowed.has(accountId));
  const { pinnedAccountId } = context.caller;
  if (pinnedAccountId !== undefined && usable.includes(pinnedAccountId)) return pinnedAccountId;
  return usable.length === 1 ? usable[0] : undefined;
}

/** What the order pipeline wants to know of a call. */
export function tradingCall(context: ToolContext): TradingCall {
  return { caller: context.caller, broker: context.broker, call: context.call };
}

/** The caller's own name for an order; an order that another program sent keeps that program's. */
export function clientOrderIdOf(
  order: { readonly customerOrderId: string | undefined },
  names: ReadonlyMap<string, string>,
): string | undefined {
  return order.customerOrderId === undefined ? undefined : (names.get(order.customerOrderId) ?? order.customerOrderId);
}
