import { sha256Hex } from "../lib/secret.ts";
import { consumeOrderConfirmation, findOrderConfirmation, type OrderConfirmationRow } from "../storage/order-confirmations.ts";
import { findOrderRequestById, moveOrderRequest, type OrderRequestRow } from "../storage/order-requests.ts";
import { draftDigest, parseDraft } from "./order-draft.ts";
import { refuseUntilEnabled } from "./permission.ts";
import type { PipelineDeps } from "./pipeline.ts";
import { sendOrder } from "./send-order.ts";
import { confirmationExpired, confirmationMismatch } from "./trading-errors.ts";
import type { ConfirmRequest, PlaceOutcome, TradingCall } from "./trading.ts";

/** Sends an order whose questions were shown; the transaction that permits it uses the token up. */
export async function confirmOrder(deps: PipelineDeps, request: ConfirmRequest, call: TradingCall): Promise<PlaceOutcome> {
  const { order, confirmation } = await findConfirmed(deps, request, call);
  await refuseUntilEnabled(deps.storage, call);
  // The token may have been given to another process, so the order is read from its row.
  const draft = parseDraft(order.ticket);
  const sent = await sendOrder(deps, { request: order, draft, from: ["asked"], confirmation }, call);
  if (sent === undefined) throw confirmationExpired(true, order.client_order_id);
  return sent;
}

/** Uses the token up and closes the request without placing anything. */
export async function declineOrder(deps: PipelineDeps, request: ConfirmRequest, call: TradingCall): Promise<PlaceOutcome> {
  const { confirmation, order } = await findConfirmed(deps, request, call);
  const at = deps.clock.now();
  const { userId, id: callerId } = call.caller;
  await deps.storage.transaction(async (db) => {
    const isMine = await consumeOrderConfirmation(db, { userId, callerId, tokenHash: confirmation.token_hash, at });
    const isDeclined = isMine && (await moveOrderRequest(db, { userId, id: order.id, from: ["asked"], to: "declined", result: "{}", at }));
    if (!isDeclined) throw confirmationExpired(true, order.client_order_id);
  });
  return { kind: "declined", clientOrderId: order.client_order_id, draft: parseDraft(order.ticket) };
}

interface Confirmed {
  readonly confirmation: OrderConfirmationRow;
  readonly order: OrderRequestRow;
}

/** Finds the order of a token, and checks that it is this caller's, for this very order, and still good. */
async function findConfirmed(deps: PipelineDeps, request: ConfirmRequest, call: TradingCall): Promise<Confirmed> {
  const { caller } = call;
  const { db } = deps.storage;
  const confirmation = await findOrderConfirmation(db, caller.userId, sha256Hex(request.token));
  const order = confirmation === undefined ? undefined : await findOrderRequestById(db, caller.userId, confirmation.request_id);
  const isForeign = confirmation?.caller_id !== caller.id || order?.connection_id !== caller.connectionId;
  if (confirmation === undefined || order === undefined || isForeign) {
    throw confirmationMismatch("This confirm_token is unknown, or was given to another caller.");
  }
  if (caller.allowedAccountIds?.includes(order.account_id) === false) {
    throw confirmationMismatch("This confirm_token is for an account that this key may no longer use.");
  }
  if (differs(request, order)) throw confirmationMismatch("The arguments differ from the order that this confirm_token is for.");
  if (confirmation.consumed_at !== null) throw confirmationExpired(true, order.client_order_id);
  if (confirmation.expires_at <= deps.clock.now()) throw confirmationExpired(false, order.client_order_id);
  return { confirmation, order };
}

function differs({ draft, accountId, clientOrderId }: ConfirmRequest, order: OrderRequestRow): boolean {
  return (
    (draft !== undefined && draftDigest(draft) !== order.arguments_hash) ||
    (accountId !== undefined && accountId !== order.account_id) ||
    (clientOrderId !== undefined && clientOrderId !== order.client_order_id)
  );
}
