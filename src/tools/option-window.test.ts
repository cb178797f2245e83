import { expect, it } from "vitest";

import { Decimal } from "../lib/decimal.ts";
import { allStrikes, parseExpiry, strikesRound } from "./option-window.ts";

const strikes = (...texts: readonly string[]) => texts.map((text) => Decimal.parse(text));
const plain = (list: readonly Decimal[]) => list.map(String);

it("an expiry is a month or a day, in the ways that people write them", () => {
  for (const text of ["2027-01", "202701", "JAN27", "jan 27", "January 2027", "Jan-27"]) {
    expect(parseExpiry(text), text).toEqual({ month: "2027-01", day: undefined });
  }
  for (const text of ["2027-01-15", "20270115"]) expect(parseExpiry(text), text).toEqual({ month: "2027-01", day: "2027-01-15" });
  for (const text of ["2027", "2027-13", "ABC27", "27-01", "2027-01-32", "next month"]) expect(parseExpiry(text), text).toBeUndefined();
});

it("the window holds as many strikes below the price as at it and above", () => {
  const listed = strikes("90", "95", "100", "105", "110");
  expect(plain(strikesRound(listed, Decimal.parse("101"), 1))).toEqual(["100", "105"]);
  expect(plain(strikesRound(listed, Decimal.parse("100"), 2))).toEqual(["90", "95", "100", "105"]);
});

it("the window ends where the strikes end", () => {
  const listed = strikes("90", "95");
  expect(plain(strikesRound(listed, Decimal.parse("500"), 3))).toEqual(["90", "95"]);
  expect(plain(strikesRound(listed, Decimal.parse("1"), 1))).toEqual(["90"]);
  expect(strikesRound([], Decimal.one, 3)).toEqual([]);
});

it("the strikes of calls and puts are one ascending list", () => {
  expect(plain(allStrikes(strikes("10", "9.5"), strikes("9.50", "11")))).toEqual(["9.5", "10", "11"]);
});
