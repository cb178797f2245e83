import { describe, expect, test } from "vitest";
import { ZodError } from "zod";

import { Decimal } from "../lib/decimal.ts";
import type { OrderDraft } from "./order-draft.ts";
import { isCovered, MAX_SHOWN_TEXT, maskNumbers, parseMessages, shownBefore } from "./questions.ts";

const draft: OrderDraft = {
  accountId: "DU1",
  conid: 1,
  symbol: "VOD",
  currency: "GBP",
  side: "BUY",
  quantity: Decimal.fromInteger(10),
  orderType: "MKT",
  limitPrice: undefined,
  stopPrice: undefined,
  timeInForce: "DAY",
  outsideRth: false,
};

/** Whether the confirmation of a text covers the same text with another number in place of `#`. */
function covers(text: string, before: string, now: string, change: Partial<OrderDraft> = {}): boolean {
  const message = (number: string) => ({ id: "o1", text: text.replace("#", number) });
  return isCovered(message(now), [message(before)], { ...draft, ...change });
}

describe("an amount in a message", () => {
  test.each(["funds", "equity", "cushion", "liquidity", "remaining", "balance", "cash", "buying power", "available", "Cash"])(
    "about %s is worse when it is less",
    (word) => {
      expect([covers(`your ${word} is #`, "10", "9"), covers(`your ${word} is #`, "10", "11")]).toEqual([false, true]);
    },
  );

  test.each(["refunds", "cashier", "fee"])("about %s is worse when it is more", (word) => {
    expect([covers(`your ${word} is #`, "10", "9"), covers(`your ${word} is #`, "10", "11")]).toEqual([true, false]);
  });

  test.each(["price", "bid", "ask", "last", "market", "Price"])("about %s is worse when it is against the order", (word) => {
    expect([covers(`the ${word} is #`, "10", "9"), covers(`the ${word} is #`, "10", "11")]).toEqual([true, false]);
    const sell = { side: "SELL" } as const;
    expect([covers(`the ${word} is #`, "10", "9", sell), covers(`the ${word} is #`, "10", "11", sell)]).toEqual([false, true]);
  });

  test.each(["#%", "# %"])("in percent of a price (%s) is worse when it is more, on either side", (number) => {
    const sell = { side: "SELL" } as const;
    const text = `off the price by ${number}`;
    expect([covers(text, "10", "11", sell), covers(text, "10", "9", sell)]).toEqual([false, true]);
  });

  test("is about what is right before it: not about what stands before another number, or more than 40 characters away", () => {
    expect(covers("cash 5 and fee #", "10", "9")).toBe(true);
    expect(covers(`cash${" x".repeat(17)} #`, "10", "9")).toBe(false);
    expect(covers(`cash${" x".repeat(20)} #`, "10", "9")).toBe(true);
    expect(covers(`price 5 and fee #`, "10", "11", { side: "SELL" })).toBe(false);
  });

  test.each(["-#", "− #", "(#)", "( #"])("below zero (%s) is worse when it is more, and when it changes its sign", (number) => {
    expect([covers(`cash ${number}`, "10", "11"), covers(`cash ${number}`, "10", "9")]).toEqual([false, true]);
    const shown = [{ id: "o1", text: "size 10" }];
    expect(isCovered({ id: "o1", text: `size ${number.replace("#", "10")}` }, shown, draft)).toBe(false);
  });

  test("is compared by its value, with its decimals and groups", () => {
    expect(covers("size #", "1,000.50", "1000.5")).toBe(true);
    expect(covers("size #", "1,000.50", "1,000.51")).toBe(false);
    expect(covers("size #", ".5", ".6")).toBe(false);
    expect(covers("size #", "9.99", "10")).toBe(false);
  });

  test("about a price is worse when it is farther from the order's stop price, where it has no limit", () => {
    const stop = { stopPrice: Decimal.fromInteger(20) };
    expect([covers("price #", "19", "20.5", stop), covers("price #", "19", "18", stop), covers("price #", "19", "21", stop)]).toEqual([
      true,
      false,
      true,
    ]);
    const both = { ...stop, limitPrice: Decimal.fromInteger(10) };
    expect(covers("price #", "19", "20.5", both)).toBe(false);
  });

  test("is compared with the one in its place", () => {
    const shown = [{ id: "o1", text: "size 5 of 10" }];
    expect(isCovered({ id: "o1", text: "size 10 of 5" }, shown, draft)).toBe(false);
    expect(isCovered({ id: "o1", text: "size 5 of 9" }, shown, draft)).toBe(true);
  });
});

describe("a message", () => {
  test("that is longer than what is shown is never covered", () => {
    const text = "x".repeat(MAX_SHOWN_TEXT);
    expect(isCovered({ id: "o1", text }, [{ id: "o1", text }], draft)).toBe(true);
    const longer = `${text}x`;
    expect(isCovered({ id: "o1", text: longer }, [{ id: "o1", text: longer }], draft)).toBe(false);
  });

  test("is the same by its id and its words together", () => {
    const message = { id: "o1", text: "size 5" };
    const [same, otherId, otherWords] = [
      { id: "o1", text: "size  7 " },
      { id: "o2", text: "size 5" },
      { id: "o1", text: "sum 5" },
    ];
    expect(shownBefore(message, [otherId, otherWords, same])).toBe(same);
    expect(shownBefore(message, [otherId, otherWords])).toBeUndefined();
  });

  test.each([
    [" a\n1 ", "a #"],
    ["1,2 and .5 and 6.", "# and # and #."],
    ["x1y22z", "x#y#z"],
  ])("%j is masked as %j", (text, masked) => {
    expect(maskNumbers(text)).toBe(masked);
  });

  test("is read back as it was stored, and nothing else is", () => {
    expect(parseMessages('[{"id":"o1","text":"a"}]')).toEqual([{ id: "o1", text: "a" }]);
    for (const json of ["{}", "[{}]", '[{"id":1,"text":"a"}]', '[{"id":"o1"}]']) expect(() => parseMessages(json)).toThrow(ZodError);
  });
});
