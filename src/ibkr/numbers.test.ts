import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Decimal } from "../lib/decimal.ts";
import { currencyOf, parseInteger, parseNumber } from "./numbers.ts";

function isRead(value: unknown): boolean {
  const number = parseNumber(value);
  return number === undefined || number instanceof Decimal;
}

describe("parseNumber", () => {
  it.each([
    ["", undefined],
    ["   ", undefined],
    ["None", undefined],
    ["N/A", undefined],
    ["NaN", undefined],
    ["-", undefined],
    [null, undefined],
    [undefined, undefined],
    [true, undefined],
    [{}, undefined],
    ["C", undefined],
    ["abc", undefined],
    ["1.2.3", undefined],
    ["1.7976931348623157E308", undefined],
    ["0", "0"],
    [0, "0"],
    [25, "25"],
    ["233.4189987", "233.4189987"],
    ["1,200", "1200"],
    ["3,649,600 USD", "3649600"],
    ["2,300.00 USD (10 Shares)", "2300"],
    ["45.3M", "45300000"],
    ["1.2K", "1200"],
    ["0.8B", "800000000"],
    ["4.53E7", "45300000"],
    ["+1.22", "1.22"],
    ["-1.22", "-1.22"],
    ["+0.53%", "0.53"],
    ["-0.5 %", "-0.5"],
    ["C233.1", "233.1"],
    ["H12.5", "12.5"],
    ["968500.10", "968500.1"],
    [".5", "0.5"],
    ["5.", "5"],
  ])("reads %j as %j", (written, expected) => {
    expect(parseNumber(written)?.toString()).toBe(expected);
  });

  it("keeps every digit of a number that a double can't hold", () => {
    expect(parseNumber("123456789012345678.123456789")?.toString()).toBe("123456789012345678.123456789");
  });

  it("reads back what it wrote with thousands commas", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }), (whole) => {
        expect(parseNumber(whole.toLocaleString("en-US"))?.toString()).toBe(String(whole));
      }),
    );
  });

  it("never throws, whatever IBKR sends", () => {
    fc.assert(fc.property(fc.anything(), isRead));
    fc.assert(fc.property(fc.string(), isRead));
  });
});

describe("parseInteger", () => {
  it.each([
    ["265598", 265598],
    [265598, 265598],
    ["5.0", 5],
    ["5.5", undefined],
    ["", undefined],
    ["99999999999999999999", undefined],
  ])("reads %j as %j", (written, expected) => expect(parseInteger(written)).toBe(expected));
});

describe("currencyOf", () => {
  it.each([
    ["2,300.00 USD (10 Shares)", "USD"],
    ["0.7 … 1 USD", "USD"],
    ["1,004,120", undefined],
    [5, undefined],
  ])("finds in %j the currency %j", (written, expected) => expect(currencyOf(written)).toBe(expected));
});
