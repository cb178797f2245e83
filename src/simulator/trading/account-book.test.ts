import { array, assert, constantFrom, integer, property, tuple } from "fast-check";
import type { Arbitrary } from "fast-check";
import { describe, expect, test } from "vitest";

import { Decimal } from "../../lib/decimal.ts";
import { AccountBook } from "./account-book.ts";
import type { Execution } from "./records.ts";

const D = (text: string): Decimal => Decimal.parse(text);
const NOON = Date.UTC(2026, 10, 23, 17);

function execution(side: "BUY" | "SELL", quantity: string, price: string, more: Partial<Execution> = {}): Execution {
  return {
    executionId: "1",
    accountId: "DU1",
    orderId: undefined,
    clientOrderId: undefined,
    conid: 1,
    side,
    quantity: D(quantity),
    price: D(price),
    amount: D(quantity).times(D(price)),
    commission: Decimal.one,
    currency: "USD",
    exchangedCurrency: undefined,
    exchange: "NYSE",
    at: NOON,
    ...more,
  };
}

function bookOf(...executions: readonly Execution[]): AccountBook {
  const book = new AccountBook();
  for (const each of executions) book.apply(each);
  return book;
}

const figures = (book: AccountBook): readonly string[] => {
  const position = book.position(1);
  return [position?.quantity, position?.cost, position?.realized, book.cash.get("USD")].map(String);
};

function decimalText(decimals: number): Arbitrary<string> {
  return integer({ min: 1, max: 999_999 }).map((value) => (value / 10 ** decimals).toFixed(decimals));
}

function signOf({ side }: Execution): Decimal {
  return side === "BUY" ? Decimal.one : Decimal.one.negated();
}

describe("an account's book", () => {
  test("keeps the average cost of what is bought, commissions included", () => {
    expect(figures(bookOf(execution("BUY", "10", "100"), execution("BUY", "10", "110")))).toEqual(["20", "2102", "0", "-2102"]);
  });

  test("realises the profit of what is sold", () => {
    expect(figures(bookOf(execution("BUY", "10", "100"), execution("SELL", "4", "110")))).toEqual(["6", "600.6", "38.6", "-562"]);
  });

  test("goes through zero: a larger sale closes and opens short", () => {
    const book = bookOf(execution("BUY", "10", "100"), execution("SELL", "20", "110"));
    expect(figures(book)).toEqual(["-10", "-1099.5", "98.5", "1198"]);
    book.apply(execution("BUY", "10", "90"));
    expect(figures(book)).toEqual(["0", "0", "297", "297"]);
  });

  test("begins a day with what it holds, and shows what was closed today", () => {
    const book = bookOf(execution("BUY", "10", "100"), execution("SELL", "10", "110"));
    expect(book.positions).toHaveLength(1);
    expect(book.position(1)?.realizedToday.toString()).toBe("98");
    book.rollTo(NOON + 86_400_000);
    expect(book.positions).toEqual([]);
    expect(book.position(1)?.realizedToday.toString()).toBe("0");
    expect(book.position(1)?.realized.toString()).toBe("98");
  });

  test("exchanges two currencies without a position", () => {
    const book = bookOf(execution("BUY", "1000", "1.15", { exchangedCurrency: "EUR" }));
    expect([book.cash.get("EUR"), book.cash.get("USD")].map(String)).toEqual(["1000", "-1151"]);
    expect(book.positions).toEqual([]);
  });

  test("always adds up to the last digit", () => {
    const side = constantFrom("BUY" as const, "SELL" as const);
    const trade = tuple(side, decimalText(4), decimalText(2)).map(([each, quantity, price]) => execution(each, quantity, price));
    assert(
      property(array(trade, { maxLength: 60 }), (trades) => {
        const book = bookOf(...trades);
        const spent = Decimal.sum(trades.map((each) => each.amount.times(signOf(each)).plus(each.commission)));
        const held = Decimal.sum(trades.map((each) => each.quantity.times(signOf(each))));
        const position = book.position(1);
        expect(String(position?.quantity ?? 0)).toBe(held.toString());
        expect(String(book.cash.get("USD") ?? 0)).toBe(spent.negated().toString());
        expect(String(position?.realized ?? 0)).toBe((position?.cost ?? Decimal.zero).minus(spent).toString());
        expect(String(position?.investedToday ?? 0)).toBe(spent.toString());
      }),
      { numRuns: 200 },
    );
  });
});
