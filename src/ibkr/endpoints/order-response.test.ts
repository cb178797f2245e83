import { describe, expect, it } from "vitest";

import { bounded, cleaned, readOrderResponse } from "./order-response.ts";

const ROW = { order_id: "7", order_status: "Submitted" };
const QUESTION = { id: "q", message: ["Sure?"], messageIds: ["o163"] };
const FAILED = { order_id: "-1", order_status: "Failed" };

const ACCEPTED = { kind: "accepted", orderId: "7", status: "Submitted" };
const UNCLEAR = { kind: "unclear" };
const MESSAGE = { kind: "message" };

function question(change: object): object {
  return { kind: "question", question: { replyId: "q", messages: ["Sure?"], messageIds: ["o163"], ...change } };
}

const FORMS: readonly (readonly [body: unknown, form: object])[] = [
  [ROW, ACCEPTED],
  [[ROW], ACCEPTED],
  [{ ...ROW, order_id: " 7 " }, ACCEPTED],
  [{ ...ROW, order_id: undefined, orderId: 7 }, ACCEPTED],
  [
    { ...ROW, order_status: "pre_submitted" },
    { ...ACCEPTED, status: "PreSubmitted" },
  ],
  [{ ...ROW, order_status: "Pondering" }, UNCLEAR],
  [{ ...ROW, order_status: "WarnState" }, UNCLEAR],
  [{ ...ROW, msg: "Request was submitted" }, ACCEPTED],
  [{ ...ROW, order_status: undefined }, UNCLEAR],
  [{ ...ROW, order_status: undefined, msg: "Request was submitted" }, MESSAGE],
  [{ msg: "Request was submitted" }, MESSAGE],
  // What is no id of an order.
  ...["0", "-1", "07", "7x", "x7", "7 8", "1.5", ""].map((order_id) => [{ ...ROW, order_id }, UNCLEAR] as const),
  // What is no error.
  ...[undefined, null, false, "", "  "].map((error) => [{ ...ROW, error }, ACCEPTED] as const),
  ...[true, 0, 1, {}, ["No."], "No."].map((error) => [{ ...ROW, error }, UNCLEAR] as const),
  [QUESTION, question({})],
  [{ ...QUESTION, id: 5 }, question({ replyId: "5" })],
  [{ ...QUESTION, message: "Sure?\nReally? " }, question({ messages: ["Sure? Really?"] })],
  [{ id: "q", message: ["Sure?", { a: 1 }] }, question({ messages: ["Sure?", '{"a":1}'], messageIds: [] })],
  [{ id: "q", messageIds: ["o163"] }, question({ messages: [] })],
  [{ id: "q" }, UNCLEAR],
  [{ id: "q", msg: "Sure?" }, MESSAGE],
  [{ message: ["Sure?"], messageIds: ["o163"] }, UNCLEAR],
  [{ ...QUESTION, order_id: "7" }, UNCLEAR],
  [{ ...QUESTION, error: "No." }, UNCLEAR],
  [{ ...QUESTION, options: ["Yes"] }, question({})],
  [{ ...QUESTION, prompt: true }, UNCLEAR],
  [{ ...ROW, prompt: true }, UNCLEAR],
  [{ ...ROW, prompt: false }, ACCEPTED],
  [{ ...ROW, options: ["Yes", "No"] }, UNCLEAR],
  [{ ...ROW, options: [] }, ACCEPTED],
  [{ error: " No.\n" }, { kind: "error", text: "No." }],
  [
    { error: "No.", statusCode: 400 },
    { kind: "error", text: "No." },
  ],
  [
    { error: "No.", statusCode: 200 },
    { kind: "error", text: "No." },
  ],
  [{ error: "No.", statusCode: 503 }, UNCLEAR],
  [{ error: "No.", msg: "Request was submitted" }, UNCLEAR],
  [{ error: "No.", order_id: "7" }, UNCLEAR],
  [{ error: true }, UNCLEAR],
  [FAILED, { kind: "failed", text: "IBKR did not take the order and gave no reason." }],
  [
    { ...FAILED, text: "No.", warning_message: "Mind." },
    { kind: "failed", text: "No." },
  ],
  [
    { ...FAILED, order_status: "FAILED", warning_message: "Mind." },
    { kind: "failed", text: "Mind." },
  ],
  [{ ...FAILED, order_id: undefined, text: "No." }, UNCLEAR],
  [{ ...FAILED, order_status: "Inactive", text: "No." }, UNCLEAR],
  ...["", "No.", null, undefined, 5, [], {}, [null], [5, ROW], [ROW, ROW], [ROW, null]].map((body) => [body, UNCLEAR] as const),
];

describe("the form of a response", () => {
  it.each(FORMS)("of %j is %j", (body, form) => {
    expect(readOrderResponse(body).form).toEqual(form);
  });
});

describe("the order id of a response", () => {
  it.each([
    [ROW, "7"],
    [{ orderId: 7 }, "7"],
    [{ order_id: "-1", orderId: 8 }, "8"],
    [[QUESTION, ROW, { order_id: "9" }], "7"],
    [QUESTION, undefined],
    ["7", undefined],
  ])("of %j is %s", (body, orderId) => {
    expect(readOrderResponse(body).orderId).toBe(orderId);
  });
});

describe("the words of a response", () => {
  const KEYS = ["error", "errors", "text", "message", "msg", "warning_message", "reason"];

  it("stand under any of IBKR's keys", () => {
    for (const key of KEYS) expect(readOrderResponse({ [key]: `By ${key}.` }).said).toBe(`By ${key}.`);
    expect(readOrderResponse(Object.fromEntries(KEYS.map((key) => [key, key]))).said).toBe(KEYS.join(" "));
  });

  it.each([
    ["<p>Access\nDenied</p>", "Access Denied"],
    [[{ error: "One." }, null, { text: "Two." }], "One. Two."],
    [{ message: ["One.", { a: 1 }, 5] }, 'One. {"a":1}'],
    [{ error: { code: 1 } }, '{"code":1}'],
    [{ error: 5, id: "q", order_status: "Submitted" }, undefined],
    ["", undefined],
    [5, undefined],
  ])("of %j are %j", (body, said) => {
    expect(readOrderResponse(body).said).toBe(said);
  });
});

describe("IBKR's text", () => {
  it.each([
    [" One\n\ttwo ", "One two"],
    ["<b class='x'>One</b><!-- two --><br/>three&nbsp;four&NBSP;five", "One three four five"],
    ["a\u202eb\u0007c\u200bd", "a b c d"],
    ["1 < 2 and 3 > 2, <5>", "1 < 2 and 3 > 2, <5>"],
  ])("%j is %j once it is cleaned", (said, clean) => {
    expect([cleaned(said), bounded(said)]).toEqual([clean, clean]);
  });

  it("of mere markup says nothing", () => {
    expect([cleaned("<br> \u0000"), bounded("<br> \u0000")]).toEqual(["", undefined]);
  });

  it("longer than 500 characters ends with an ellipsis where it is carried", () => {
    expect(bounded("x".repeat(500))).toBe("x".repeat(500));
    expect(bounded("x".repeat(501))).toBe(`${"x".repeat(499)}…`);
    expect(cleaned("x".repeat(501))).toBe("x".repeat(501));
  });
});
