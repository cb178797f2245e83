import { GatewayError } from "../lib/errors.ts";

/** The order may or may not be at the broker. */
export function outcomeUnknown(accountId: string, clientOrderId: string, cause?: unknown): GatewayError {
  return new GatewayError("outcome_unknown", "IBKR's answer was lost: the order may or may not have been placed.", {
    whatToDo: `Do NOT send it again. Call get_order_status with client_order_id "${clientOrderId}" until the outcome is known.`,
    details: { account_id: accountId, client_order_id: clientOrderId },
    cause,
  });
}

/** The broker refused the order, in its own words. */
export function brokerRejected(reason: string, clientOrderId: string): GatewayError {
  return new GatewayError("broker_rejected", `IBKR rejected the order: ${reason}`, {
    whatToDo: "Nothing was placed. Change the order and send it with another client_order_id.",
    details: { client_order_id: clientOrderId },
  });
}

/** IBKR asked something new after the last confirmation that is allowed. */
export function confirmationLimit(rounds: number, clientOrderId: string): GatewayError {
  return new GatewayError("confirmation_limit", `IBKR asked again after ${rounds} confirmations; nothing was placed.`, {
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

/** An equal order is open, so that a second one could be a double. */
export function identicalOpen(clientOrderId: string, isSending: boolean): GatewayError {
  const what = isSending ? "is being sent right now" : "has an unknown outcome";
  return new GatewayError("outcome_unknown", `An identical order of this account (client_order_id "${clientOrderId}") ${what}.`, {
    whatToDo: `Nothing was sent. Call get_order_status with client_order_id "${clientOrderId}" first.`,
    details: { client_order_id: clientOrderId },
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
    : `Nothing was placed. Send the order again with client_order_id "${clientOrderId}" to be asked anew.`;
  return new GatewayError("confirmation_expired", message, { whatToDo, details: { client_order_id: clientOrderId } });
}

/** The caller's time was up before the order's turn came. */
export function notSentInTime(): GatewayError {
  return new GatewayError("timeout", "The order was not sent: its turn did not come in time.", {
    whatToDo: "Nothing was placed. Send it again, with the same client_order_id if it had one.",
    retryAfterSeconds: 5,
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
