import { describe, expect, it } from "vitest";

import type { SubmitOutcome } from "../../broker/order.ts";
import { submitOutcome } from "./order-outcomes.ts";

const REFUSALS = [
  "We cannot accept an order at the limit price you selected.",
  "Available funds below maintenance margin.",
  "The trading session has ended.",
  "No trading permissions for this contract",
  "Price 400 is not found in the range of prices",
];

/** Words of a lost session, a broken service or a limit: the order desk has not refused. */
const NOT_A_REFUSAL = [
  "Bad Request: no bridge",
  "Please query /accounts first",
  "not authenticated",
  "Session expired",
  "Service Unavailable",
  "java.lang.Exception",
  "java.lang.NullPointerException: null",
  "Request timed out",
  "Timeout waiting for reply",
  "Internal Server Error",
  "An error occurred",
  "Unable to process your request",
  "Too Many Requests",
  "Pacing violation",
  "System maintenance",
  "Please try again later.",
  "Your order is being processed",
  "Please retry later",
  "Try later",
  "Order in progress",
  "Bad Request",
  "400: Bad Request",
  "Forbidden",
  "Unauthorized",
  "Unauthorised",
  "Error",
  "Not found.",
  "Failed !",
  "400",
  "503:",
  "...",
  // About the id of the order, or of the question.
  "Duplicate order ID gw1",
  "Duplicate local order ID",
  "Reply 5 was not found",
  "reply id not found: 'abc'",
  "reply_id 5 not found",
  "Replyid 5: not found",
  "Order not confirmed",
];

function outcomesOf(said: string): SubmitOutcome[] {
  const failed = [{ order_id: "-1", order_status: "Failed", text: said }];
  return [200, 400].flatMap((status) =>
    [{ error: said }, failed].map((body) => submitOutcome({ kind: "answered", answer: { status, body } })),
  );
}

describe("IBKR's words to an order", () => {
  it.each(REFUSALS)("%j are a refusal", (said) => {
    for (const outcome of outcomesOf(said)) expect(outcome).toEqual({ kind: "rejected", reason: said });
  });

  it.each(NOT_A_REFUSAL)("%j are none, and are carried", (said) => {
    for (const outcome of outcomesOf(said)) expect(outcome).toMatchObject({ kind: "unknown", said });
  });

  it.each([
    ["<h1>Bad Request</h1>", "Bad Request"],
    ["The session<br>was lost", "The session was lost"],
    ["<java.lang.Exception> refused", "refused"],
  ])("%j are none: markup doesn't hide them", (text, said) => {
    for (const outcome of outcomesOf(text)) expect(outcome).toMatchObject({ kind: "unknown", said });
  });

  it("of mere markup are none", () => {
    for (const outcome of outcomesOf("<br>")) expect(Object.keys(outcome)).toEqual(["kind", "error"]);
  });
});
