import { type OrderDraft, parseDraft } from "../../trading/order-draft.ts";
import { parseResult } from "../../trading/outcome-of.ts";
import type { Trading } from "../../trading/trading.ts";
import type { UnresolvedOrder } from "../../trading/unresolved-orders.ts";
import { type CallerName, listCallerNames } from "../../storage/caller-names.ts";
import { attemptsOf, type OrderAttemptRow } from "../../storage/order-attempts.ts";
import { findOrderRequestById, type OrderRequestRow } from "../../storage/order-requests.ts";
import type { Storage } from "../../storage/storage.ts";
import { type ConsoleVisitDeps, nothingHere, type OwnPage } from "../console-visits.ts";
import { listNamedConnections, type NamedConnection } from "../own-connections.tsx";

export interface OwnOrderDeps extends ConsoleVisitDeps {
  readonly storage: Storage;
  readonly trading: Pick<Trading, "unresolvedOrders" | "unresolvedOrder" | "decideOrder">;
}

/** A decision that still holds: a later sighting at IBKR replaces it. */
export interface OwnDecision {
  readonly kind: "found" | "cancelled" | "not_found";
  readonly words: string;
}

/** A user's order with the names that belong to it. Times are epoch ms. */
export interface OwnOrder {
  readonly requestId: string;
  readonly userId: string;
  readonly draft: OrderDraft;
  readonly clientOrderId: string;
  readonly customerOrderId: string | undefined;
  readonly state: string;
  /** Undefined while nothing was sent. */
  readonly sentAt: number | undefined;
  readonly brokerOrderId: string | undefined;
  /** What its owner decided, and their words on where they looked. */
  readonly decided: OwnDecision | undefined;
  /** Undefined where its outcome is known, or it is being sent. */
  readonly open: UnresolvedOrder | undefined;
  readonly connectionId: string;
  readonly connection: NamedConnection | undefined;
  readonly caller: CallerName | undefined;
}

const ORDER_ID = /^ord_\w{1,64}$/;

/** Finds the order that the address names; responds with 404 where this user has no such order. */
export async function withOwnOrder(deps: OwnOrderDeps, page: OwnPage, handle: (order: OwnOrder) => Promise<Response>): Promise<Response> {
  const order = await findOwnOrder(deps, page.user.userId, page.c.req.param("order") ?? "");
  return order === undefined ? nothingHere(deps, page) : await handle(order);
}

/** Where IBKR itself said that an order is placed, the result has both its id and its state. */
function decisionOf(row: OrderRequestRow, { said }: OrderAttemptRow): OwnDecision | undefined {
  const { order_id: orderId, status, reason } = parseResult(row.result);
  const words = said ?? "";
  if (row.state === "not_placed") return reason === "person" ? { kind: "not_found", words } : undefined;
  if (row.state !== "placed" || (orderId === undefined) === (status === undefined)) return undefined;
  return { kind: orderId === undefined ? "cancelled" : "found", words };
}

async function findOwnOrder({ storage, trading }: OwnOrderDeps, userId: string, requestId: string): Promise<OwnOrder | undefined> {
  const row = ORDER_ID.test(requestId) ? await findOrderRequestById(storage.db, userId, requestId) : undefined;
  if (row === undefined) return undefined;
  const open = await trading.unresolvedOrder({ userId, requestId });
  const [newest] = await attemptsOf(storage.db, userId, requestId);
  const [caller] = await listCallerNames(storage, userId, [row.caller_id]);
  const connections = await listNamedConnections(storage, userId);
  return {
    requestId,
    userId,
    draft: parseDraft(row.ticket),
    clientOrderId: row.client_order_id,
    customerOrderId: open?.customerOrderId ?? newest?.customer_order_id,
    state: open?.state ?? row.state,
    sentAt: open?.sentAt ?? newest?.sent_at,
    brokerOrderId: open?.brokerOrderId ?? newest?.broker_order_id ?? undefined,
    decided: newest === undefined ? undefined : decisionOf(row, newest),
    open,
    connectionId: row.connection_id,
    connection: connections.find(({ id }) => id === row.connection_id),
    caller,
  };
}
