import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { Decimal } from "../lib/decimal.ts";
import type { OrderDraft } from "./order-draft.ts";
import { addShown, isCovered, maskNumbers, messagesOf, type QuestionMessage } from "./questions.ts";

const draft: OrderDraft = {
  accountId: "DU1",
  conid: 265598,
  symbol: "AAPL",
  currency: "USD",
  side: "BUY",
  quantity: Decimal.fromInteger(5),
  orderType: "LMT",
  limitPrice: Decimal.fromInteger(150),
  stopPrice: undefined,
  timeInForce: "DAY",
  outsideRth: false,
};

const total = (amount: string): QuestionMessage => ({ id: "o451", text: `value estimate of ${amount} USD exceeds the Total Value Limit` });
const price = (amount: string): QuestionMessage => ({ id: "o163", text: `closer to the current market price of ${amount}. Sure?` });
const percent = (value: string): QuestionMessage => ({ id: "o163", text: `price exceeds the Percentage constraint of ${value}%` });
const change = (amount: string): QuestionMessage => ({ id: "x", text: `equity changes by ${amount} USD` });
const grouped = (number: number): string => String(number).replaceAll(/\B(?=(?:\d{3})+$)/g, ",");
const textOf = (numbers: readonly number[]): string =>
  numbers.map((number, index) => `figure ${"abcde"[index] ?? "f"}: ${grouped(number)} USD`).join("; ");

describe("a message of IBKR's", () => {
  test("keeps its words when its numbers are masked", () => {
    expect(maskNumbers("BUY 5 AAPL @ 150.0 exceeds \nthe  constraint of 3% (1,234,567.89 USD)")).toBe(
      "BUY # AAPL @ # exceeds the constraint of #% (# USD)",
    );
  });

  test("is covered when the very same one was shown, and by no other", () => {
    expect(isCovered(total("100"), [price("1"), total("100")], draft)).toBe(true);
    expect(isCovered(total("100"), [], draft)).toBe(false);
    expect(isCovered(total("100"), [{ ...total("100"), id: "o163" }], draft)).toBe(false);
    expect(isCovered(total("100"), [{ id: "o451", text: "something else about 100 USD" }], draft)).toBe(false);
  });

  test("is asked again when a total, a size or a percentage has grown, and not when it has shrunk", () => {
    expect(isCovered(total("100,000.01"), [total("100,000.00")], draft)).toBe(false);
    expect(isCovered(total("99,999.99"), [total("100,000.00")], draft)).toBe(true);
    expect(isCovered(percent("4"), [percent("3")], draft)).toBe(false);
    expect(isCovered(percent("3"), [percent("4")], draft)).toBe(true);
  });

  test("is asked again when the market has moved away from the order's price, on either side of it", () => {
    expect(isCovered(price("198"), [price("197.79")], draft)).toBe(false);
    expect(isCovered(price("160"), [price("197.79")], draft)).toBe(true);
    expect(isCovered(price("100"), [price("110")], draft)).toBe(false);
  });

  test("is asked again when the market has moved against an order without a price", () => {
    const market = { ...draft, orderType: "MKT", limitPrice: undefined } as const;
    expect(isCovered(price("198"), [price("197")], market)).toBe(false);
    expect(isCovered(price("196"), [price("197")], market)).toBe(true);
    expect(isCovered(price("196"), [price("197")], { ...market, side: "SELL" })).toBe(false);
  });

  test("is asked again when what the account has left has shrunk, and not when it has grown", () => {
    const left = (amount: string): QuestionMessage => ({ id: "o1", text: `Your available funds after this order are ${amount} USD.` });
    const cushion = (percentage: string): QuestionMessage => ({ id: "o2", text: `leaves a margin cushion of ${percentage}%` });
    expect(isCovered(left("900"), [left("1,000")], draft)).toBe(false);
    expect(isCovered(left("1,100"), [left("1,000")], draft)).toBe(true);
    expect(isCovered(left("-1,100"), [left("-1,000")], draft)).toBe(false);
    expect(isCovered(cushion("4"), [cushion("5")], draft)).toBe(false);
  });

  test("is asked again when an amount has changed its sign", () => {
    expect(isCovered(change("-5"), [change("5")], draft)).toBe(false);
  });

  test.each([
    ["size # of 5", "size 7 of 5"],
    ["size 7 of 5", "size # of 5"],
    ["by -# and 5", "by -5 and #"],
  ])("is asked again when a # of IBKR's hides another number: %s, %s", (before, now) => {
    expect(isCovered({ id: "x", text: now }, [{ id: "x", text: before }], draft)).toBe(false);
  });

  test("knows a price from a percentage that follows it, and a minus from a hyphen", () => {
    const beyond = (amount: string): QuestionMessage => ({ id: "x", text: `market price of ${amount} is beyond 3%` });
    expect(isCovered(beyond("110"), [beyond("100")], draft)).toBe(true);
    const left = (amount: string): QuestionMessage => ({ id: "x", text: `post-trade available funds: ${amount}` });
    expect(isCovered(left("900"), [left("1,000")], draft)).toBe(false);
  });

  test("may have a number of any length", () => {
    const long = total("9".repeat(400));
    expect(isCovered(long, [long], draft)).toBe(true);
  });
});

describe("masking and comparing", () => {
  const amounts = fc.array(fc.nat({ max: 10_000_000 }), { minLength: 1, maxLength: 5 });

  test("masks to the same text whatever the numbers are", () => {
    fc.assert(
      fc.property(amounts, amounts, (first, second) => {
        const length = Math.min(first.length, second.length);
        expect(maskNumbers(textOf(first.slice(0, length)))).toBe(maskNumbers(textOf(second.slice(0, length))));
        expect(maskNumbers(textOf(first))).not.toMatch(/\d/);
      }),
    );
  });

  test("covers exactly the messages in which no figure has grown", () => {
    fc.assert(
      fc.property(amounts, fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 5, maxLength: 5 }), (before, changes) => {
        const now = before.map((number, index) => Math.max(0, number + (changes[index] ?? 0)));
        const hasGrown = now.some((number, index) => number > (before[index] ?? 0));
        expect(isCovered({ id: "m", text: textOf(now) }, [{ id: "m", text: textOf(before) }], draft)).toBe(!hasGrown);
      }),
    );
  });

  test("never throw, whatever text IBKR sends", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(isCovered({ id: "", text }, [{ id: "", text }], draft)).toBe(true);
      }),
    );
  });
});

test("messages keep their ids, and the newer text of the same message stands for it", () => {
  const question = { replyId: "r", messages: ["a 1", "b"], messageIds: ["o1"] };
  expect(messagesOf(question)).toEqual([
    { id: "o1", text: "a 1" },
    { id: "", text: "b" },
  ]);
  expect(addShown(messagesOf(question), [{ id: "o1", text: "a 2" }])).toEqual([
    { id: "", text: "b" },
    { id: "o1", text: "a 2" },
  ]);
});
