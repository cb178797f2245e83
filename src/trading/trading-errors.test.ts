import { describe, expect, test } from "vitest";

import { GatewayError } from "../lib/errors.ts";
import type { OrderRequestRow } from "../storage/order-requests.ts";
import * as errors from "./trading-errors.ts";

// Errors read these members only.
const row = { id: "ord_1", account_id: "DU1", client_order_id: "c1", state: "unknown" } as OrderRequestRow;
const cause = new Error("cut");

/** Everything that a caller sees of an error. */
function shown(error: GatewayError): object {
  const { code, message, whatToDo, retryAfterSeconds, link, details } = error;
  const all = { code, message, whatToDo, retryAfterSeconds, link, details };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

describe("an order of unknown outcome", () => {
  test("is never called not placed, and is to be looked up, not sent again", () => {
    const error = errors.outcomeUnknown({ accountId: "DU1", clientOrderId: "c1" }, { cause });
    expect(shown(error)).toEqual({
      code: "outcome_unknown",
      message: "IBKR gave no definite answer: the order may or may not have been placed.",
      whatToDo: 'Do NOT send it again under any id. Call get_order_status with client_order_id "c1" until the outcome is known.',
      details: { account_id: "DU1", client_order_id: "c1" },
    });
    expect(error.cause).toBe(cause);
  });

  test("carries IBKR's words and its order id", () => {
    const error = errors.outcomeUnknown({ accountId: "DU1", clientOrderId: "c1" }, { said: "hm", orderId: "7" });
    expect(error.message).toMatch(/placed\. IBKR says: hm$/);
    expect(error.details).toEqual({ account_id: "DU1", client_order_id: "c1", order_id: "7" });
    expect(errors.outcomeUnknown({ accountId: "DU1", clientOrderId: "c1" }).message).toMatch(/placed\.$/);
  });

  test("that was not seen sends its owner to its page", () => {
    expect(shown(errors.outcomeUnresolved(row))).toEqual({
      code: "outcome_unresolved",
      message: "The order was not seen at IBKR for 5 minutes, and may still be there.",
      whatToDo: "Do NOT send it again under any id. Ask the owner to look in IBKR's app or TWS, then to decide on the page in link.",
      link: "/console/orders/ord_1",
      details: { account_id: "DU1", client_order_id: "c1" },
    });
  });
});

describe("an order that was not placed", () => {
  test("because IBKR refused it needs a change and another id", () => {
    expect(shown(errors.brokerRejected("no permission", "c1"))).toEqual({
      code: "broker_rejected",
      message: "IBKR rejected the order: no permission",
      whatToDo: "Nothing was placed. Change the order and send it with another client_order_id.",
      details: { client_order_id: "c1" },
    });
  });

  test("because IBKR asked too often needs a change and another id", () => {
    expect(shown(errors.confirmationLimit("c1"))).toEqual({
      code: "confirmation_limit",
      message: "IBKR asked again after 3 confirmations. Nothing was placed.",
      whatToDo: "Change the order (a price nearer to the market, another size) and send it with another client_order_id.",
      details: { client_order_id: "c1" },
    });
  });

  test("because of a failure may be sent again with its id, and carries the failure's advice", () => {
    const failure = new GatewayError("rate_limited", "too many.", { whatToDo: "Wait.", retryAfterSeconds: 9, link: "/help" });
    const error = errors.notSent(failure, "c1");
    expect(shown(error)).toEqual({
      code: "not_sent",
      message: "The order was not sent: too many.",
      whatToDo: 'Nothing was placed. Send it again with the same client_order_id "c1". Wait.',
      retryAfterSeconds: 9,
      link: "/help",
      details: { reason: "rate_limited", client_order_id: "c1" },
    });
    expect(error.cause).toBe(failure);
  });

  test("because of an error without a code names IBKR as unavailable", () => {
    expect(shown(errors.notSent(cause, "c1"))).toEqual({
      code: "not_sent",
      message: "The order was not sent: cut",
      whatToDo: 'Nothing was placed. Send it again with the same client_order_id "c1".',
      details: { reason: "upstream_unavailable", client_order_id: "c1" },
    });
  });

  test("because its caller was revoked is not to be sent again", () => {
    const { whatToDo, details } = errors.notSent(new GatewayError("caller_revoked", "revoked.", { whatToDo: "Ask." }), "c1");
    expect([whatToDo, details]).toEqual(["Nothing was placed. Ask.", { reason: "caller_revoked", client_order_id: "c1" }]);
  });

  test("because its turn came too late has nothing else to say", () => {
    expect(shown(errors.turnTooLate())).toEqual({
      code: "timeout",
      message: "its turn did not come in time.",
      whatToDo: "",
      retryAfterSeconds: 5,
    });
    const error = errors.notSent(errors.turnTooLate(), "c1");
    expect(error.whatToDo).toBe('Nothing was placed. Send it again with the same client_order_id "c1".');
  });

  test("because too many wait may be sent again later", () => {
    expect(shown(errors.tooManyWaiting())).toEqual({
      code: "rate_limited",
      message: "Too many orders of this account are waiting to be sent.",
      whatToDo: "This one was not sent. Wait for the answers to the others, then send it again.",
      retryAfterSeconds: 5,
    });
  });

  test("because the database failed first is called not sent", () => {
    const error = errors.storageUnavailable(cause, { client_order_id: "c1" });
    expect(shown(error)).toEqual({
      code: "storage_unavailable",
      message: "The gateway's database could not store the order. Nothing was sent.",
      whatToDo: "Nothing was placed. Send it again later, with the same client_order_id if it had one.",
      retryAfterSeconds: 10,
      details: { client_order_id: "c1" },
    });
    expect([error.cause, errors.storageUnavailable(cause).details]).toEqual([cause, {}]);
  });
});

test("a repeat that could not be read says nothing about the earlier call", () => {
  const error = errors.repeatNotRead(cause, "c1");
  expect(shown(error)).toEqual({
    code: "storage_unavailable",
    message: "The gateway's database could not be read. This call sent nothing.",
    whatToDo: 'An earlier call may have placed the order. Send it again later with the same client_order_id "c1".',
    retryAfterSeconds: 10,
    details: { client_order_id: "c1" },
  });
  expect(error.cause).toBe(cause);
});

test("an id of another order needs another id", () => {
  expect(shown(errors.idempotencyMismatch("c1"))).toEqual({
    code: "idempotency_mismatch",
    message: 'client_order_id "c1" was used for a different order.',
    whatToDo: "Use another client_order_id for this order, or send exactly the first order's arguments.",
    details: { client_order_id: "c1" },
  });
});

describe("an order that may be the double of another", () => {
  test.each([
    ["received", "waits for its turn"],
    ["sending", "is being sent right now"],
    ["unknown", "has an unknown outcome"],
    ["unresolved", "has an unknown outcome, which its owner must resolve"],
    ["placed", "was placed within the last minute"],
    ["asked", "is open"],
  ])("names the other one, which is %s", (state, words) => {
    expect(shown(errors.possibleDuplicate({ ...row, state }, { isNamed: true }))).toEqual({
      code: "possible_duplicate",
      message: `An equal order (client_order_id "c1") ${words}. Nothing was sent.`,
      whatToDo: 'Call get_order_status with client_order_id "c1" until its outcome is known.',
      details: { client_order_id: "c1", status: state },
    });
  });

  test("without an id learns the id for a repeat, and how to place a second one", () => {
    expect(errors.possibleDuplicate(row, { isNamed: false }).whatToDo).toBe(
      'To repeat that order, send client_order_id "c1". For a second order, send a client_order_id of its own.',
    );
  });
});

describe("a confirm_token", () => {
  test("of another caller or order sends nothing", () => {
    expect(shown(errors.confirmationMismatch("Not yours."))).toEqual({
      code: "confirmation_mismatch",
      message: "Not yours.",
      whatToDo: "Send confirm_token alone, exactly as it was given; nothing was sent.",
    });
  });

  test("that was used says nothing about the order", () => {
    expect(shown(errors.confirmationExpired(true, "c1"))).toEqual({
      code: "confirmation_expired",
      message: "This confirm_token was used or replaced.",
      whatToDo: 'Call get_order_status with client_order_id "c1" to see what became of the order.',
      details: { client_order_id: "c1" },
    });
  });

  test("that has expired placed nothing", () => {
    expect(shown(errors.confirmationExpired(false, "c1"))).toEqual({
      code: "confirmation_expired",
      message: "This confirm_token has expired.",
      whatToDo: 'Nothing was placed. Send the order again with client_order_id "c1" to be asked again.',
      details: { client_order_id: "c1" },
    });
  });
});

test("a preview that took too long placed nothing", () => {
  const error = errors.previewTimedOut(cause);
  expect(shown(error)).toEqual({
    code: "timeout",
    message: "IBKR did not answer the preview in time.",
    whatToDo: "A preview places nothing. Try again.",
    retryAfterSeconds: 5,
  });
  expect(error.cause).toBe(cause);
});
