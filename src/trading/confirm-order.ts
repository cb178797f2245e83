import { sha256Hex } from "../lib/secret.ts";
import { consumeOrderConfirmation, findOrderConfirmation, type OrderConfirmationRow } from "../storage/order-confirmations.ts";
import { findOrderRequestById, moveOrderRequest, type OrderRequestRow } from "../storage/order-requests.ts";
import { refuseUntilEnabled } from "./live-guard.ts";
import { draftDigest, parseDraft } from "./order-draft.ts";
import { turnOf } from "./place-order.ts";
import { parseMessages } from "./questions.ts";
import { orderToSend, refuseIdentical } from "./refuse-identical.ts";
import { type PipelineDeps, type PreparedAttempt, prepareAttempt, runAttempt } from "./run-attempt.ts";
import { confirmationExpired, confirmationMismatch } from "./trading-errors.ts";
import type { ConfirmRequest, PlaceOutcome, TradingCall } from "./trading.ts";

/** Goes on with an order whose questions were shown: uses the token up and sends a new attempt. */
export async function confirmOrder(deps: PipelineDeps, request: ConfirmRequest, call: TradingCall): Promise<PlaceOutcome> {
  const known = await findConfirmed(deps, request, call);
  const { order } = known;
  return deps.turns.run<PlaceOutcome>({
    account: turnOf({ connectionId: order.connection_id, accountId: order.account_id }),
    signal: call.call.signal,
    action: async () => {
      await refuseUntilEnabled(deps.storage, call);
      await refuseIdentical(deps.storage, orderToSend(order));
      return runAttempt(deps, await consume(deps, known, call), call);
    },
    whenLate: () => ({ kind: "pending", clientOrderId: order.client_order_id, draft: parseDraft(order.ticket) }),
  });
}

/** Uses the token up and closes the request without placing anything. */
export async function declineOrder(deps: PipelineDeps, request: ConfirmRequest, call: TradingCall): Promise<PlaceOutcome> {
  const { confirmation, order } = await findConfirmed(deps, request, call);
  const at = deps.clock.now();
  const { userId, id: callerId } = call.caller;
  await deps.storage.transaction(async (db) => {
    const isMine = await consumeOrderConfirmation(db, { userId, callerId, tokenHash: confirmation.token_hash, at });
    if (!isMine) throw confirmationExpired(true, order.client_order_id);
    await moveOrderRequest(db, { userId, id: order.id, from: ["confirmation_required"], to: "declined", at });
  });
  return { kind: "declined", clientOrderId: order.client_order_id, draft: parseDraft(order.ticket) };
}

interface Confirmed {
  readonly confirmation: OrderConfirmationRow;
  readonly order: OrderRequestRow;
}

/** Finds what a token stands for, and checks that it is this caller's, for this very order, and still good. */
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

/** One conditional UPDATE uses the token up, another takes the request; both and the new attempt's row, or nothing. */
async function consume(deps: PipelineDeps, { confirmation, order }: Confirmed, call: TradingCall): Promise<PreparedAttempt> {
  const at = deps.clock.now();
  const { userId, id: callerId } = call.caller;
  return deps.storage.transaction(async (db) => {
    const isMine = await consumeOrderConfirmation(db, { userId, callerId, tokenHash: confirmation.token_hash, at });
    if (!isMine) throw confirmationExpired(confirmation.expires_at > at, order.client_order_id);
    const isOpen = await moveOrderRequest(db, { userId, id: order.id, from: ["confirmation_required"], to: "sending", at });
    if (!isOpen) throw confirmationExpired(true, order.client_order_id);
    const confirmed = parseMessages(confirmation.questions);
    return prepareAttempt(db, deps, { request: order, round: confirmation.round, confirmed, callerId });
  });
}
