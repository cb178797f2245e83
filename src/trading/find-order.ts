import { attemptOfBrokerOrder, clientOrderIds } from "../storage/order-attempts.ts";
import {
  findOrderRequest,
  findOrderRequestById,
  type OrderRequestRow,
  type OrderRequestState,
  readRequestState,
} from "../storage/order-requests.ts";
import { parseDraft } from "./order-draft.ts";
import type { PipelineDeps } from "./run-attempt.ts";
import { parseResult } from "./stored-result.ts";
import type { FoundOrder, OrderName, TradingCall } from "./trading.ts";

/** Looks an order up by the broker's id or the caller's; one whose outcome is open is looked for at the broker first. */
export async function findOrder(deps: PipelineDeps, name: OrderName, call: TradingCall): Promise<FoundOrder | undefined> {
  if (name.clientOrderId !== undefined) return findByClientOrderId(deps, { ...name, clientOrderId: name.clientOrderId }, call);
  return name.orderId === undefined ? undefined : findByOrderId(deps, { ...name, orderId: name.orderId }, call);
}

interface ById extends OrderName {
  readonly orderId: string;
}

async function findByOrderId(deps: PipelineDeps, { accountId, orderId }: ById, call: TradingCall): Promise<FoundOrder | undefined> {
  const { userId, connectionId } = call.caller;
  const attempt = await attemptOfBrokerOrder(deps.storage.db, { userId, connectionId }, orderId);
  const request = attempt?.account_id === accountId ? await findOrderRequestById(deps.storage.db, userId, attempt.request_id) : undefined;
  const order = await call.broker.order(accountId, orderId, call.call);
  if (order === undefined) return request === undefined ? undefined : foundRequest(request);
  const ours = order.customerOrderId === undefined ? undefined : await ourName(deps, order.customerOrderId, call);
  return { kind: "order", order, clientOrderId: request?.client_order_id ?? ours ?? order.customerOrderId };
}

async function ourName(deps: PipelineDeps, customerOrderId: string, call: TradingCall): Promise<string | undefined> {
  const { userId, connectionId } = call.caller;
  return (await clientOrderIds(deps.storage.db, { userId, connectionId }, [customerOrderId])).get(customerOrderId);
}

interface ByClientId extends OrderName {
  readonly clientOrderId: string;
}

const OPEN: ReadonlySet<string> = new Set<OrderRequestState>(["sending", "unknown"]);

async function findByClientOrderId(deps: PipelineDeps, name: ByClientId, call: TradingCall): Promise<FoundOrder | undefined> {
  const { userId, connectionId } = call.caller;
  const { accountId, clientOrderId } = name;
  const key = { userId, connectionId, accountId, clientOrderId };
  const stored = await findOrderRequest(deps.storage.db, key);
  if (stored === undefined) return findForeign(name, call);
  if (OPEN.has(stored.state)) await deps.settlement.lookUp(stored, call.broker, call.call);
  const request = (OPEN.has(stored.state) ? await findOrderRequest(deps.storage.db, key) : undefined) ?? stored;
  const orderId = parseResult(request.result).order_id;
  const order = orderId === undefined ? undefined : await call.broker.order(accountId, orderId, call.call);
  return order === undefined ? foundRequest(request) : { kind: "order", order, clientOrderId };
}

/** An order that another program sent has no row of ours, but its `cOID` is at the broker. */
async function findForeign({ accountId, clientOrderId }: ByClientId, call: TradingCall): Promise<FoundOrder | undefined> {
  const { orders } = await call.broker.orders(accountId, call.call);
  const order = orders.find(({ customerOrderId }) => customerOrderId === clientOrderId);
  return order === undefined ? undefined : { kind: "order", order, clientOrderId };
}

function foundRequest(row: OrderRequestRow): FoundOrder {
  const result = parseResult(row.result);
  return {
    kind: "request",
    clientOrderId: row.client_order_id,
    draft: parseDraft(row.ticket),
    state: readRequestState(row.state),
    orderId: result.order_id,
    status: result.status,
    reason: result.reason,
  };
}
