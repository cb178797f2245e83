import { GatewayError } from "../lib/errors.ts";
import { attemptsOf, moveOrderAttempt, type OrderAttemptRow } from "../storage/order-attempts.ts";
import { findOrderRequestById, listOrderRequests, moveOrderRequest, type OrderRequestRow } from "../storage/order-requests.ts";
import { LATENESS_MS } from "./look-schedule.ts";
import { type OrderDraft, parseDraft } from "./order-draft.ts";
import type { SendEnd } from "./order-ends.ts";
import type { AttemptState, RequestState } from "./order-states.ts";
import type { PipelineDeps } from "./pipeline.ts";

/** An order that IBKR's lists don't show, as its owner sees it. Times are epoch ms and only shown. */
export interface UnresolvedOrder {
  readonly requestId: string;
  readonly connectionId: string;
  readonly accountId: string;
  readonly callerId: string;
  readonly clientOrderId: string;
  readonly customerOrderId: string;
  readonly draft: OrderDraft;
  readonly state: "unknown" | "unresolved";
  readonly sentAt: number;
  /** How often IBKR's lists were read without showing it, and when last. */
  readonly looks: number;
  readonly lookedAt: number | undefined;
  /** IBKR's words, where its answer was not clear. */
  readonly said: string | undefined;
  readonly brokerOrderId: string | undefined;
  /** Milliseconds until its owner may say that it is not there: until then it may still go live. */
  readonly absentInMs: number;
}

/** What its owner says of an unresolved order. `there` names IBKR's order id, or that they cancelled it. */
export type OrderVerdict =
  | { readonly kind: "there"; readonly orderId: string }
  | { readonly kind: "cancelled" }
  | { readonly kind: "not_there" };

/** An owner's word on one unresolved order. */
export interface OrderDecision {
  readonly userId: string;
  readonly requestId: string;
  readonly verdict: OrderVerdict;
  /** The owner's own words on where they looked. */
  readonly words: string;
}

/** Most orders shown at a time. */
const MAX_SHOWN = 100;
const OPEN = ["unknown", "unresolved"] as const satisfies readonly RequestState[];

/** A user's orders of unknown outcome, newest first; at most 100. */
export async function unresolvedOrders(deps: PipelineDeps, userId: string): Promise<readonly UnresolvedOrder[]> {
  const rows = await listOrderRequests(deps.storage.db, { userId, states: OPEN, limit: MAX_SHOWN });
  const shown = await Promise.all(rows.map((row) => describe(deps, row)));
  return shown.filter((order) => order !== undefined);
}

/** One of them; undefined when there is none of this id, or it is resolved. */
export async function unresolvedOrder(
  deps: PipelineDeps,
  { userId, requestId }: Pick<OrderDecision, "userId" | "requestId">,
): Promise<UnresolvedOrder | undefined> {
  const row = await findOrderRequestById(deps.storage.db, userId, requestId);
  return row === undefined || !OPEN.some((state) => state === row.state) ? undefined : await describe(deps, row);
}

async function describe(deps: PipelineDeps, row: OrderRequestRow): Promise<UnresolvedOrder | undefined> {
  const attempt = await openAttempt(deps, row);
  if (attempt === undefined) return undefined;
  deps.ages.seen(attempt.id);
  return {
    requestId: row.id,
    connectionId: row.connection_id,
    accountId: row.account_id,
    callerId: row.caller_id,
    clientOrderId: row.client_order_id,
    customerOrderId: attempt.customer_order_id,
    draft: parseDraft(row.ticket),
    state: row.state === "unresolved" ? "unresolved" : "unknown",
    sentAt: attempt.sent_at,
    looks: attempt.looks,
    lookedAt: attempt.looked_at ?? undefined,
    said: attempt.said ?? undefined,
    brokerOrderId: attempt.broker_order_id ?? undefined,
    absentInMs: Math.max(0, LATENESS_MS - deps.ages.atLeast(attempt)),
  };
}

async function openAttempt({ storage }: PipelineDeps, row: OrderRequestRow): Promise<OrderAttemptRow | undefined> {
  return (await attemptsOf(storage.db, row.user_id, row.id)).find(({ state }) => state === ("unknown" satisfies AttemptState));
}

/**
 * Stores what the owner found at IBKR. A later sighting at IBKR still wins. Throws `order_not_found` where it is no longer
 * unresolved, and `invalid_arguments` where it is too early to call it absent.
 */
export async function decideOrder(deps: PipelineDeps, { userId, requestId, verdict, words }: OrderDecision): Promise<void> {
  const row = await findOrderRequestById(deps.storage.db, userId, requestId);
  const attempt = row === undefined ? undefined : await openAttempt(deps, row);
  if (row === undefined || attempt === undefined || row.state !== ("unresolved" satisfies RequestState)) throw resolvedAlready();
  deps.ages.seen(attempt.id);
  const isEarly = deps.ages.atLeast(attempt) < LATENESS_MS;
  if (verdict.kind === "not_there" && isEarly) throw tooEarly();
  const at = deps.clock.now();
  const isThere = verdict.kind !== "not_there";
  const result = resultOf(verdict);
  const endedBy: SendEnd | "person" = isThere ? "placed" : "person";
  const orderId = verdict.kind === "there" ? { broker_order_id: verdict.orderId } : {};
  const change = { doubt: 0, ended_by: endedBy, said: words, placed_broker_at: null };
  const isDecided = await deps.storage.transaction(async (db) => {
    const to: AttemptState = isThere ? "placed" : "no";
    if (!(await moveOrderAttempt(db, { userId, id: attempt.id, from: ["unknown"], to, change: { ...change, ...orderId }, at })))
      return false;
    const from: RequestState[] = ["unresolved"];
    return await moveOrderRequest(db, { userId, id: requestId, from, to: isThere ? "placed" : "not_placed", result, at });
  });
  if (!isDecided) throw resolvedAlready();
  if (isThere) deps.ages.placed(attempt.id);
  deps.log.info({ request: requestId, verdict: verdict.kind }, "a user resolved an order");
}

function resultOf(verdict: OrderVerdict): string {
  if (verdict.kind === "there") return JSON.stringify({ order_id: verdict.orderId });
  return JSON.stringify(verdict.kind === "cancelled" ? { status: "Cancelled" } : { reason: "person" });
}

function resolvedAlready(): GatewayError {
  return new GatewayError("order_not_found", "This order is not unresolved, or no longer.", {
    whatToDo: "Open the list of orders again to see its state.",
  });
}

function tooEarly(): GatewayError {
  return new GatewayError("invalid_arguments", "It is too early to call this order absent: it may still go live.", {
    whatToDo: "Wait until 30 minutes after it was sent, look at IBKR again, then decide.",
  });
}
