import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { parseLossless } from "../../lib/json.ts";
import type { CommitResult } from "../api.ts";
import { cancelOutcome, declineOutcome, submitOutcome } from "./order-outcomes.ts";

const ACCEPTED = { order_id: "1234567890", order_status: "PreSubmitted", encrypt_message: "1" };
const QUESTION = {
  id: "3f0a7c52",
  message: ["price exceeds\nthe Percentage constraint of 3%."],
  isSuppressed: false,
  messageIds: ["o163"],
};
const PROMPT = {
  orderId: 123456789,
  messageId: "p12",
  options: ["Cancel", "Submit"],
  prompt: true,
  text: "If your order is not immediately executable, it may be canceled.",
};
const REFUSAL = "We cannot accept an order at the limit price you selected.";
const REGISTERED = "Order couldn't be submitted: Local order ID=gw1 is already registered.";

function answered(status: number, body: unknown): CommitResult {
  // Parsed as the transport does it, so ids and decimals have their real types.
  return { kind: "answered", answer: { status, body: typeof body === "string" ? body : parseLossless(JSON.stringify(body)) } };
}

type Row = readonly [name: string, status: number, body: unknown, expected: object];
const UNKNOWN = { kind: "unknown" };

const TO_AN_ORDER: readonly Row[] = [
  ["an accepted row", 200, [ACCEPTED], { kind: "accepted", orderId: "1234567890", status: "PreSubmitted" }],
  ["an accepted row by itself", 200, ACCEPTED, { kind: "accepted", orderId: "1234567890" }],
  ["an accepted row with a number", 200, [{ ...ACCEPTED, order_id: 42 }], { kind: "accepted", orderId: "42" }],
  ["an accepted row with a note", 200, [{ ...ACCEPTED, text: "Order held while securities are located." }], { kind: "accepted" }],
  ["an accepted row that is inactive", 200, [{ ...ACCEPTED, order_status: "Inactive" }], { kind: "accepted", status: "Inactive" }],
  ["a row in a state without a known name", 200, [{ ...ACCEPTED, order_status: "Pondering" }], { ...UNKNOWN, orderId: "1234567890" }],
  ["a row in which IBKR wants something", 200, [{ ...ACCEPTED, order_status: "WarnState" }], { ...UNKNOWN, orderId: "1234567890" }],
  ["a row without a state", 200, [{ order_id: "7" }], { ...UNKNOWN, orderId: "7" }],
  ["a row without an id", 200, [{ order_status: "Submitted" }], UNKNOWN],
  ["an accepted row with an error", 200, [{ ...ACCEPTED, error: REFUSAL }], { ...UNKNOWN, orderId: "1234567890", said: REFUSAL }],
  ["an accepted row that fails", 200, [{ ...ACCEPTED, order_status: "Failed" }], { ...UNKNOWN, orderId: "1234567890" }],
  ["an accepted row at 500", 500, [ACCEPTED], { ...UNKNOWN, orderId: "1234567890" }],
  ["two accepted rows", 200, [ACCEPTED, { ...ACCEPTED, order_id: "8" }], { ...UNKNOWN, orderId: "1234567890" }],
  ["an accepted row and a question", 200, [ACCEPTED, QUESTION], { ...UNKNOWN, orderId: "1234567890", said: /Percentage/ }],
  ["a question and an accepted row", 200, [QUESTION, ACCEPTED], { ...UNKNOWN, orderId: "1234567890", said: /Percentage/ }],
  ["an accepted row and a prompt", 200, [ACCEPTED, PROMPT], { ...UNKNOWN, said: /executable/ }],
  ["an accepted row that is a prompt", 200, [{ ...ACCEPTED, prompt: true, text: "Sure?" }], { ...UNKNOWN, said: "Sure?" }],
  [
    "a question",
    200,
    [QUESTION],
    {
      kind: "question",
      question: { replyId: "3f0a7c52", messages: ["price exceeds the Percentage constraint of 3%."], messageIds: ["o163"] },
    },
  ],
  ["a question by itself", 200, QUESTION, { kind: "question", question: { replyId: "3f0a7c52" } }],
  ["a question as one text", 200, [{ id: "q", message: "Sure?" }], { kind: "question", question: { messages: ["Sure?"], messageIds: [] } }],
  [
    "a question with odd texts",
    200,
    [{ id: "q", message: ["A", { b: 1 }] }],
    { kind: "question", question: { messages: ["A", '{"b":1}'] } },
  ],
  ["a question with options", 200, [{ ...QUESTION, options: ["Yes", "No"] }], { kind: "question" }],
  ["a question without texts", 200, [{ id: "q", messageIds: ["o163"] }], { kind: "question", question: { messages: [] } }],
  ["a question that names an order", 200, [{ ...QUESTION, order_id: 5 }], { ...UNKNOWN, orderId: "5" }],
  ["a question with an error inside", 200, [{ ...QUESTION, error: REFUSAL }], { ...UNKNOWN, said: /closer|cannot accept/ }],
  ["a question and an error", 200, [QUESTION, { error: REFUSAL }], { ...UNKNOWN, said: /Percentage.*cannot accept/ }],
  ["two questions", 200, [QUESTION, { ...QUESTION, id: "other" }], UNKNOWN],
  ["a question at 503", 503, [QUESTION], { ...UNKNOWN, said: /Percentage/ }],
  ["C5: a prompt", 200, PROMPT, { ...UNKNOWN, orderId: "123456789", said: PROMPT.text }],
  ["C5: a prompt in a list", 200, [PROMPT], { ...UNKNOWN, orderId: "123456789", said: PROMPT.text }],
  [
    "C5: a prompt with an error",
    200,
    { ...PROMPT, error: REFUSAL },
    { ...UNKNOWN, orderId: "123456789", said: /cannot accept.*executable/ },
  ],
  ["C5: a prompt without an order", 200, { prompt: "true", error: REFUSAL }, { ...UNKNOWN, said: REFUSAL }],
  ["C5: options without a prompt", 200, { options: ["Yes", "No"], text: "Sure?", error: REFUSAL }, { ...UNKNOWN, said: /Sure/ }],
  ["C5: a prompt with a reply id", 200, [{ ...QUESTION, ...PROMPT }], { ...UNKNOWN, orderId: "123456789" }],
  ["a refusal", 200, { error: REFUSAL }, { kind: "rejected", reason: REFUSAL }],
  ["a refusal at 400", 400, { error: "Invalid order price fields\n" }, { kind: "rejected", reason: "Invalid order price fields" }],
  ["a refusal in a list", 200, [{ error: REFUSAL }], { kind: "rejected", reason: REFUSAL }],
  ["a refusal with further keys", 200, { error: REFUSAL, action: "order_cancel", cqe: { post_payload: {} } }, { kind: "rejected" }],
  ["a refusal with its status", 400, { error: REFUSAL, statusCode: 400 }, { kind: "rejected" }],
  [
    "a failed row",
    200,
    [{ order_id: "-1", order_status: "Failed", text: "No permission." }],
    { kind: "rejected", reason: "No permission." },
  ],
  [
    "a failed row with a number",
    200,
    [{ order_id: -1, order_status: "Failed", warning_message: "No." }],
    { kind: "rejected", reason: "No." },
  ],
  ["a failed row of a used cOID", 200, [{ order_id: "-1", order_status: "Failed", text: REGISTERED }], { ...UNKNOWN, isRegistered: true }],
  ["a failed row in another state", 200, [{ order_id: "-1", order_status: "Submitted", text: "No." }], UNKNOWN],
  ["a refusal that names an order", 200, { error: REFUSAL, order_id: 77 }, { ...UNKNOWN, orderId: "77", said: REFUSAL }],
  ["a refusal of another status inside", 200, { error: REFUSAL, statusCode: 503 }, UNKNOWN],
  ["an error that is no text", 200, { error: { message: REFUSAL } }, { ...UNKNOWN, said: /cannot accept/ }],
  ["an error that is true, with a message", 200, { error: true, message: REFUSAL }, { ...UNKNOWN, said: REFUSAL }],
  ["two refusals", 200, [{ error: REFUSAL }, { error: "No." }], UNKNOWN],
  ["a cOID that is registered", 400, { error: REGISTERED }, { ...UNKNOWN, isRegistered: true, said: REGISTERED }],
  ["a cOID that is registered, at 200", 200, { error: REGISTERED }, { ...UNKNOWN, isRegistered: true }],
  ["nothing", 200, "", UNKNOWN],
  ["an empty list", 200, [], UNKNOWN],
  ["an empty object", 200, {}, UNKNOWN],
  ["a list of nothing", 200, [null], UNKNOWN],
  ["an accepted row and nothing", 200, [ACCEPTED, null], { ...UNKNOWN, orderId: "1234567890" }],
  ["half JSON", 200, '[{"order_id":"1234567890","order_st', { ...UNKNOWN, said: /order_id/ }],
  ["HTML", 200, "<html><body><h1>Access\nDenied</h1></body></html>", { ...UNKNOWN, said: "Access Denied" }],
  ["plain words", 400, "No trading permissions.", { ...UNKNOWN, said: "No trading permissions." }],
  ["a note", 200, { msg: "Request was submitted", order_id: 5 }, { ...UNKNOWN, orderId: "5" }],
];

/** Statuses that carry neither refusals nor acceptances of orders. */
const NO_PROOF = [100, 199, 300, 301, 302, 307, 401, 403, 404, 408, 409, 410, 421, 423, 425, 429, 500, 502, 503, 504, 520];

function matching(expected: object): object {
  return Object.fromEntries(
    Object.entries(expected).map(([key, value]) => [key, value instanceof RegExp ? expect.stringMatching(value) : value]),
  );
}

describe("the outcome of an order, or of a yes", () => {
  it.each(TO_AN_ORDER)("of %s (%i)", (_name, status, body, expected) => {
    expect(submitOutcome(answered(status, body))).toMatchObject(matching(expected));
  });

  it.each(NO_PROOF)("is unknown at %i in any words", (status) => {
    for (const body of [{ error: REFUSAL }, [{ error: REFUSAL }], [ACCEPTED], [QUESTION], PROMPT, {}, "", "<h1>Oops</h1>", [failedRow()]])
      expect(submitOutcome(answered(status, body)).kind).toBe("unknown");
  });

  it("carries the transport's error where no response came", () => {
    const error = new Error("cut");
    expect(submitOutcome({ kind: "not_sent", error })).toEqual({ kind: "not_sent", error });
    expect(submitOutcome({ kind: "unknown", error })).toEqual({ kind: "unknown", error });
  });

  it("carries IBKR's words at most 500 characters long, and no key without a value", () => {
    expect(Object.keys(submitOutcome(answered(503, "")))).toEqual(["kind", "error"]);
    expect(Object.keys(submitOutcome(answered(503, "Oops")))).toEqual(["kind", "error", "said"]);
    const long = submitOutcome(answered(503, { error: `a\u202eb\u0007${"x".repeat(900)}` }));
    expect(long).toMatchObject({ said: expect.stringMatching(/^a b x{495}…$/) });
    expect(submitOutcome(answered(400, { error: `No ${"x".repeat(900)}` }))).toMatchObject({
      reason: expect.stringMatching(/^No x{496}…$/),
    });
  });

  it("never takes several rows, or an error, for an acceptance", () => {
    const part = fc.constantFrom<object | null>(ACCEPTED, QUESTION, PROMPT, { error: REFUSAL }, failedRow(), {}, null);
    fc.assert(
      fc.property(fc.array(part, { minLength: 2, maxLength: 4 }), fc.constantFrom(200, 400), (rows, status) => {
        expect(submitOutcome(answered(status, rows)).kind).toBe("unknown");
      }),
    );
  });
});

describe("an unknown outcome", () => {
  const NO_MORE = "Do not send the order again. Look it up with get_orders or get_order_status.";
  const AGAIN = "Look the order up with get_order_status. Cancelling it again is safe.";

  it.each([
    ["an order", submitOutcome, NO_MORE],
    ["a no", declineOutcome, NO_MORE],
    ["a cancellation", cancelOutcome, AGAIN],
  ])("of %s tells status, IBKR's words and what to do", (_name, outcomeOf, whatToDo) => {
    const message = (what: string) => `IBKR's response does not show what became of the request (${what}).`;
    const error = (what: string) => ({ name: "GatewayError", code: "outcome_unknown", message: message(what), whatToDo });
    expect(outcomeOf(answered(503, "Oops"))).toMatchObject({ kind: "unknown", said: "Oops", error: error("503: Oops") });
    expect(outcomeOf(answered(200, ""))).toMatchObject({ kind: "unknown", error: error("200") });
  });
});

describe("the outcome of a no", () => {
  it.each([200, 400])("is declined by IBKR's own words at %i", (status) => {
    expect(declineOutcome(answered(status, { error: "Order not confirmed " }))).toEqual({ kind: "declined" });
    expect(declineOutcome(answered(status, [{ error: "Order not confirmed" }]))).toEqual({ kind: "declined" });
  });

  it.each<Row>([
    ["the words at 503", 503, { error: "Order not confirmed " }, { said: "Order not confirmed" }],
    ["the words at 401", 401, { error: "Order not confirmed " }, {}],
    ["the words in plain text", 200, "Order not confirmed ", {}],
    ["the words with an order", 200, { error: "Order not confirmed", order_id: 9 }, { orderId: "9" }],
    ["the words with a question", 200, { ...QUESTION, error: "Order not confirmed" }, {}],
    ["an accepted row", 200, [ACCEPTED], { orderId: "1234567890" }],
    ["another question", 200, [QUESTION], { said: /Percentage/ }],
    ["a prompt", 200, PROMPT, { orderId: "123456789" }],
    ["a refusal", 200, { error: REFUSAL }, { said: REFUSAL }],
    ["the words after others", 200, { error: "Earlier order not confirmed" }, { said: "Earlier order not confirmed" }],
    ["the words of a failed row", 200, { ...failedRow(), text: "Order not confirmed" }, { said: "Order not confirmed" }],
    ["a reply id that is gone", 400, { error: "reply id not found: 'abc'" }, { said: /reply id/ }],
    ["a stale question", 503, { error: "Service Unavailable", statusCode: 503 }, {}],
    ["nothing", 200, "", {}],
  ])("is unknown after %s (%i)", (_name, status, body, expected) => {
    expect(declineOutcome(answered(status, body))).toMatchObject({ kind: "unknown", ...matching(expected) });
  });

  it.each(["not_sent", "unknown"] as const)("is unknown where the no is %s: the question stays open", (kind) => {
    expect(declineOutcome({ kind, error: new Error("cut") }).kind).toBe("unknown");
  });
});

describe("the outcome of a cancellation", () => {
  it.each<Row>([
    ["IBKR's note", 200, { msg: "Request was submitted", order_id: 5, conid: 1, account: "DU1234567" }, { kind: "requested" }],
    ["the note in a row", 200, [{ msg: "Request was submitted", ...ACCEPTED }], { kind: "requested", message: "Request was submitted" }],
    ["a row without the note", 200, [ACCEPTED], UNKNOWN],
    ["another note", 200, { msg: "Request failed" }, UNKNOWN],
    ["the note with an error", 200, { msg: "Request was submitted", error: "Order is inactive" }, UNKNOWN],
    ["the note at 500", 500, { msg: "Request was submitted" }, UNKNOWN],
    ["an order that is not there", 400, { error: "OrderID 1 doesn't exist" }, { kind: "not_found", message: "OrderID 1 doesn't exist" }],
    ["an order that is not there, at 200", 200, { error: "OrderID 1 doesn't exist" }, { kind: "not_found" }],
    ["an order that is not there, at 404", 404, { error: "Order 1 not found" }, { kind: "not_found" }],
    ["an order that is not there, at 503", 503, { error: "OrderID 1 doesn't exist" }, UNKNOWN],
    ["a path that is not there", 404, { error: "Not Found", statusCode: 404 }, UNKNOWN],
    ["an order that is over", 400, { error: "Order is inactive" }, { kind: "not_working", message: "Order is inactive" }],
    ["a limit", 429, { error: "Too Many Requests", statusCode: 429 }, UNKNOWN],
    ["a failed row", 200, { ...failedRow(), text: "Order is inactive" }, UNKNOWN],
    ["mere markup", 400, { error: "<br>" }, UNKNOWN],
    ["a lost session", 400, { error: "Bad Request: no bridge" }, UNKNOWN],
    ["a lost login", 401, { error: "not authenticated" }, UNKNOWN],
    ["a broken service", 200, { error: "java.lang.Exception" }, UNKNOWN],
    ["a prompt", 200, PROMPT, { ...UNKNOWN, said: PROMPT.text }],
    ["nothing", 200, "", UNKNOWN],
    ["HTML", 502, "<h1>Bad gateway</h1>", UNKNOWN],
  ])("of %s (%i)", (_name, status, body, expected) => {
    expect(cancelOutcome(answered(status, body))).toMatchObject(matching(expected));
  });

  it("is thrown where nothing was sent, and unknown where the response was lost", () => {
    const error = new Error("cut");
    expect(() => cancelOutcome({ kind: "not_sent", error })).toThrow(error);
    expect(cancelOutcome({ kind: "unknown", error })).toEqual({ kind: "unknown", error });
  });
});

function failedRow(): object {
  return { order_id: "-1", order_status: "Failed", text: "No permission." };
}
