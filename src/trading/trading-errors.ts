import { GatewayError, messageOf } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import type { OrderRequestRow } from "../storage/order-requests.ts";
import { MAX_ROUNDS } from "./order-ends.ts";

/** There was no definite answer: the order may be at the broker. `said`: IBKR's words, where there were any. */
export function outcomeUnknown(
  { accountId, clientOrderId }: { readonly accountId: string; readonly clientOrderId: string },
  { said, orderId, cause }: { readonly said?: string | undefined; readonly orderId?: string | undefined; readonly cause?: unknown } = {},
): GatewayError {
  const words = said === undefined ? "" : ` IBKR says: ${said}`;
  return new GatewayError("outcome_unknown", `IBKR gave no definite answer: the order may or may not have been placed.${words}`, {
    whatToDo: `Do NOT send it again under any id. Call get_order_status with client_order_id "${clientOrderId}" until the outcome is known.`,
    details: { account_id: accountId, client_order_id: clientOrderId, ...(orderId === undefined ? {} : { order_id: orderId }) },
    cause,
  });
}

/** The order was not seen for minutes, and only a person can tell. */
export function outcomeUnresolved(row: OrderRequestRow): GatewayError {
  return new GatewayError("outcome_unresolved", "The order was not seen at IBKR for 5 minutes, and may still be there.", {
    whatToDo: "Do NOT send it again under any id. Ask the owner to look in IBKR's app or TWS, then to decide on the page in link.",
    link: unresolvedPath(row.id),
    details: { account_id: row.account_id, client_order_id: row.client_order_id },
  });
}

/** The page on which a person decides about an order that IBKR's lists don't show. */
export function unresolvedPath(requestId: string): string {
  return `/console/orders/${requestId}`;
}

/** The broker refused the order, in its own words. */
export function brokerRejected(reason: string, clientOrderId: string): GatewayError {
  return new GatewayError("broker_rejected", `IBKR rejected the order: ${reason}`, {
    whatToDo: "Nothing was placed. Change the order and send it with another client_order_id.",
    details: { client_order_id: clientOrderId },
  });
}

/** IBKR asked something new after the last confirmation that is allowed. */
export function confirmationLimit(clientOrderId: string): GatewayError {
  return new GatewayError("confirmation_limit", `IBKR asked again after ${MAX_ROUNDS} confirmations. Nothing was placed.`, {
    whatToDo: "Change the order (a price nearer to the market, another size) and send it with another client_order_id.",
    details: { client_order_id: clientOrderId },
  });
}

/** A client order id was used for another order. */
export function idempotencyMismatch(clientOrderId: string): GatewayError {
  return new GatewayError("idempotency_mismatch", `client_order_id "${clientOrderId}" was used for a different order.`, {
    whatToDo: "Use another client_order_id for this order, or send exactly the first order's arguments.",
    details: { client_order_id: clientOrderId },
  });
}

/** What the state of an equal order means to the caller of another one. */
const EQUAL_STATES: Readonly<Record<string, string>> = {
  received: "waits for its turn",
  sending: "is being sent right now",
  unknown: "has an unknown outcome",
  unresolved: "has an unknown outcome, which its owner must resolve",
  placed: "was placed within the last minute",
};

/** An equal order is open or was just placed: this one may be its double. */
export function possibleDuplicate(other: OrderRequestRow, { isNamed }: { readonly isNamed: boolean }): GatewayError {
  const state = EQUAL_STATES[other.state] ?? "is open";
  const ways = `To repeat that order, send client_order_id "${other.client_order_id}".`;
  return new GatewayError("possible_duplicate", `An equal order (client_order_id "${other.client_order_id}") ${state}. Nothing was sent.`, {
    whatToDo: isNamed
      ? `Call get_order_status with client_order_id "${other.client_order_id}" until its outcome is known.`
      : `${ways} For a second order, send a client_order_id of its own.`,
    details: { client_order_id: other.client_order_id, status: other.state },
  });
}

/** The token is not one of this caller's for this order. */
export function confirmationMismatch(message: string): GatewayError {
  return new GatewayError("confirmation_mismatch", message, {
    whatToDo: "Send confirm_token alone, exactly as it was given; nothing was sent.",
  });
}

/** The token was good once. */
export function confirmationExpired(wasUsed: boolean, clientOrderId: string): GatewayError {
  const message = wasUsed ? "This confirm_token was used or replaced." : "This confirm_token has expired.";
  const whatToDo = wasUsed
    ? `Call get_order_status with client_order_id "${clientOrderId}" to see what became of the order.`
    : `Nothing was placed. Send the order again with client_order_id "${clientOrderId}" to be asked again.`;
  return new GatewayError("confirmation_expired", message, { whatToDo, details: { client_order_id: clientOrderId } });
}

/** Codes after which the same order must not simply be sent again by this caller. */
const NOT_AGAIN: ReadonlySet<string> = new Set(["caller_revoked"]);

/** The order was kept back or never left; `error` says why. Nothing was placed. */
export function notSent(error: Error, clientOrderId: string): GatewayError {
  const known = error instanceof GatewayError ? error : undefined;
  const reason = known?.code ?? "upstream_unavailable";
  const again = NOT_AGAIN.has(reason) ? "" : ` Send it again with the same client_order_id "${clientOrderId}".`;
  return new GatewayError("not_sent", `The order was not sent: ${messageOf(error)}`, {
    whatToDo: `Nothing was placed.${again} ${known?.whatToDo ?? ""}`.trim(),
    ...(known?.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: known.retryAfterSeconds }),
    ...(known?.link === undefined ? {} : { link: known.link }),
    details: { reason, client_order_id: clientOrderId },
    cause: error,
  });
}

/** The caller's time was up before the order's turn came. */
export function turnTooLate(): GatewayError {
  return new GatewayError("timeout", "its turn did not come in time.", { whatToDo: "", retryAfterSeconds: 5 });
}

/** The database failed before anything was sent. */
export function storageUnavailable(cause: unknown, details: JsonObject = {}): GatewayError {
  return new GatewayError("storage_unavailable", "The gateway's database could not store the order. Nothing was sent.", {
    whatToDo: "Nothing was placed. Send it again later, with the same client_order_id if it had one.",
    retryAfterSeconds: 10,
    details,
    cause,
  });
}

/** The database failed before it was known whether an earlier call of this id has sent the order. */
export function repeatNotRead(cause: unknown, clientOrderId: string): GatewayError {
  return new GatewayError("storage_unavailable", "The gateway's database could not be read. This call sent nothing.", {
    whatToDo: `An earlier call may have placed the order. Send it again later with the same client_order_id "${clientOrderId}".`,
    retryAfterSeconds: 10,
    details: { client_order_id: clientOrderId },
    cause,
  });
}

/** The caller's time was up before IBKR had answered a what-if. */
export function previewTimedOut(cause?: unknown): GatewayError {
  return new GatewayError("timeout", "IBKR did not answer the preview in time.", {
    whatToDo: "A preview places nothing. Try again.",
    retryAfterSeconds: 5,
    cause,
  });
}

/** Too many orders of one account wait for their turn. */
export function tooManyWaiting(): GatewayError {
  return new GatewayError("rate_limited", "Too many orders of this account are waiting to be sent.", {
    whatToDo: "This one was not sent. Wait for the answers to the others, then send it again.",
    retryAfterSeconds: 5,
  });
}
