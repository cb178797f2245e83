import { expect, test } from "vitest";

import { parseCurrencyPair, parseOptionWords } from "./option-words.ts";

test.each(["AAPL 2027-01-15 200 C", "aapl 20270115 C 200", "AAPL 200C 2027-01-15", "AAPL 2027-01-15 200 call"])(
  "%s is an option",
  (words) => {
    const option = parseOptionWords(words);
    expect({ ...option, strike: String(option?.strike) }).toEqual({ underlying: "AAPL", expiry: "2027-01-15", strike: "200", right: "C" });
  },
);

test("a strike keeps its fraction", () => {
  expect(String(parseOptionWords("BRK.B 2027-01-15 412.5 P")?.strike)).toBe("412.5");
});

test.each([
  "AAPL",
  "AAPL 2027-02-30 200 C",
  "AAPL 2027-01-15 200",
  "AAPL 2027-01-15 0 C",
  "AAPL 2027-01-15 -1 C",
  "AAPL 2027-01-15 200 C X",
  "",
])("%j is none", (words) => {
  expect(parseOptionWords(words)).toBeUndefined();
});

test("two currencies are a pair, a share class is none", () => {
  expect(parseCurrencyPair("eur/usd")).toEqual({ base: "EUR", quote: "USD" });
  expect(parseCurrencyPair("EUR.USD")).toEqual({ base: "EUR", quote: "USD" });
  expect(parseCurrencyPair("BRK.B")).toBeUndefined();
});
