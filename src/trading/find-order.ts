import { attemptOfBrokerOrder, attemptsByCustomerOrderId, attemptsOf, type OrderAttemptRow } from "../storage/order-attempts.ts";
import { findOpenConfirmation } from "../storage/order-confirmations.ts";
import { findOrderRequest, findOrderRequestById, findOrderRequestsNamed, type OrderRequestRow } from "../storage/order-requests.ts";
import { parseDraft } from "./order-draft.ts";
import { type RequestState, readRequestState } from "./order-states.ts";
import { parseResult } from "./outcome-of.ts";
import type { PipelineDeps } from "./pipeline.ts";
import type { FoundOrder, OrderName, SeenOrder, TradingCall } from "./trading.ts";

/** Looks an order up by the broker's id or the caller's; one whose outcome is open is looked for at the broker first. */
export async function findOrder(deps: PipelineDeps, name: OrderName, call: TradingCall): Promise<FoundOrder | undefined> {
  if (name.clientOrderId !== undefined) return await findByClientOrderId(deps, { ...name, clientOrderId: name.clientOrderId }, call);
  return name.orderId === undefined ? undefined : await findByOrderId(deps, { ...name, orderId: name.orderId }, call);
}

interface ById extends OrderName {
  readonly orderId: string;
}

async function findByOrderId(deps: PipelineDeps, { accountId, orderId }: ById, call: TradingCall): Promise<FoundOrder | undefined> {
  const { userId, connectionId } = call.caller;
  const attempt = await attemptOfBrokerOrder(deps.storage.db, { userId, connectionId }, orderId);
  const request = attempt?.account_id === accountId ? await findOrderRequestById(deps.storage.db, userId, attempt.request_id) : undefined;
  const order = await call.broker.order(accountId, orderId, call.call);
  if (order === undefined) return request === undefined ? undefined : await foundRequest(deps, request);
  const names = await recognize(deps, [order], call);
  const ours = order.customerOrderId === undefined ? undefined : names.get(order.customerOrderId);
  return { kind: "order", order, clientOrderId: request?.client_order_id ?? ours ?? order.customerOrderId };
}

interface ByClientId extends OrderName {
  readonly clientOrderId: string;
}

const OPEN: ReadonlySet<string> = new Set<RequestState>(["received", "sending", "unknown", "unresolved"]);

async function findByClientOrderId(deps: PipelineDeps, name: ByClientId, call: TradingCall): Promise<FoundOrder | undefined> {
  const { accountId, clientOrderId } = name;
  const known = await findNamed(deps, name, call);
  if (known === undefined) return await findForeign(name, call);
  if (OPEN.has(known.state)) await deps.watch.lookUp(known, call.broker, call.call);
  const request = (OPEN.has(known.state) ? await findOrderRequestById(deps.storage.db, known.user_id, known.id) : undefined) ?? known;
  const orderId = request.state === "placed" ? parseResult(request.result).order_id : undefined;
  const order = orderId === undefined ? undefined : await call.broker.order(accountId, orderId, call.call);
  return order === undefined ? await foundRequest(deps, request) : { kind: "order", order, clientOrderId };
}

/** The caller's own order of this name, else the only one of another caller of the connection, such as `get_orders` names it. */
async function findNamed(deps: PipelineDeps, { accountId, clientOrderId }: ByClientId, call: TradingCall) {
  const { userId, connectionId, nameSpace } = call.caller;
  const { db } = deps.storage;
  const own = await findOrderRequest(db, { userId, connectionId, accountId, nameSpace, clientOrderId });
  if (own !== undefined) return own;
  const others = (await findOrderRequestsNamed(db, { userId, connectionId, clientOrderId }, 10)).filter(
    (row) => row.account_id === accountId,
  );
  return others.length === 1 ? others[0] : undefined;
}

/** An order that another program sent has no row here, but its `cOID` is at the broker. */
async function findForeign({ accountId, clientOrderId }: ByClientId, call: TradingCall): Promise<FoundOrder | undefined> {
  const { orders } = await call.broker.orders(accountId, call.call);
  const order = orders.find(({ customerOrderId }) => customerOrderId === clientOrderId);
  return order === undefined ? undefined : { kind: "order", order, clientOrderId };
}

async function foundRequest({ storage, clock }: PipelineDeps, row: OrderRequestRow): Promise<FoundOrder> {
  const result = parseResult(row.result);
  const [attempt] = await attemptsOf(storage.db, row.user_id, row.id);
  const open =
    row.state === "asked" ? await findOpenConfirmation(storage.db, { userId: row.user_id, requestId: row.id, at: clock.now() }) : undefined;
  return {
    kind: "request",
    requestId: row.id,
    clientOrderId: row.client_order_id,
    draft: parseDraft(row.ticket),
    state: readRequestState(row.state),
    orderId: result.order_id ?? attempt?.broker_order_id ?? undefined,
    status: result.status,
    reason: result.reason,
    said: attempt?.said ?? undefined,
    canConfirm: open !== undefined,
  };
}

/**
 * The callers' own ids of orders that IBKR listed, by their `cOID`. An order that was not known to be placed is recorded:
 * a sighting at IBKR always wins.
 */
export async function recognize(
  deps: PipelineDeps,
  seen: readonly SeenOrder[],
  { caller, broker }: Pick<TradingCall, "caller" | "broker">,
): Promise<ReadonlyMap<string, string>> {
  const byId = new Map(seen.flatMap((order) => (order.customerOrderId === undefined ? [] : [[order.customerOrderId, order] as const])));
  const { userId, connectionId } = caller;
  const attempts = await attemptsByCustomerOrderId(deps.storage.db, { userId, connectionId }, [...byId.keys()]);
  for (const attempt of attempts) await notice(deps, attempt, { seen: byId.get(attempt.customer_order_id), brokerNow: broker.time() });
  return new Map(attempts.map((attempt) => [attempt.customer_order_id, attempt.client_order_id]));
}

/** States in which an order works or has filled: no open question shows them. */
const LIVE: ReadonlySet<string> = new Set(["PreSubmitted", "Submitted", "Filled", "PendingCancel", "PreCancelled"]);

async function notice(
  deps: PipelineDeps,
  attempt: OrderAttemptRow,
  { seen, brokerNow }: { readonly seen: SeenOrder | undefined; readonly brokerNow: number | undefined },
): Promise<void> {
  const isOpen = attempt.state === "unknown" || attempt.state === "no";
  if (!isOpen || seen?.orderId === undefined || !LIVE.has(seen.status ?? "Filled") || deps.running.attempts.has(attempt.id)) return;
  await deps.placed.record(attempt, { orderId: seen.orderId, status: seen.status ?? "Filled" }, brokerNow);
}
