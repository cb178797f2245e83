import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Decimal } from "./decimal.ts";

const d = (text: string): Decimal => Decimal.parse(text);
const anyDecimal = fc
  .tuple(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), fc.integer({ min: 0, max: 8 }))
  .map(([digits, decimals]) => Decimal.fromInteger(digits).dividedBy(d(`1e${decimals}`)));

describe("Decimal", () => {
  it("adds what floats can't", () => {
    expect(d("0.1").plus(d("0.2")).toString()).toBe("0.3");
    expect(d("1004120.10").times(d("100")).toString()).toBe("100412010");
  });

  it.each([
    ["1e3", "1000"],
    ["+5", "5"],
    ["5.", "5"],
    [".5", "0.5"],
    ["-0", "0"],
    ["1.50", "1.5"],
    [" 7 ", "7"],
    ["4.53E7", "45300000"],
    ["0.00000001", "0.00000001"],
  ])("reads %s as %s", (text, expected) => {
    expect(d(text).toString()).toBe(expected);
  });

  it.each(["", "NaN", "Infinity", "-Infinity", "1,000", "0x10", "1e999", "1 2", "--1", "1".repeat(61), "١"])("refuses %j", (text) => {
    expect(() => d(text)).toThrow(RangeError);
  });

  it("takes plain digits only where people type", () => {
    expect(Decimal.tryParsePlain("1e3")).toBeUndefined();
    expect(Decimal.tryParsePlain("12.30")?.toString()).toBe("12.3");
  });

  it("refuses binary fractions and unsafe integers", () => {
    expect(() => Decimal.fromInteger(0.5)).toThrow(RangeError);
    expect(() => Decimal.fromInteger(2 ** 53)).toThrow(RangeError);
    expect(() => Decimal.one.dividedBy(Decimal.zero)).toThrow("division by zero");
  });

  it("knows multiples of a step exactly", () => {
    expect(d("233.42").isMultipleOf(d("0.01"))).toBe(true);
    expect(d("233.425").isMultipleOf(d("0.01"))).toBe(false);
    expect(d("0.3").isMultipleOf(d("0.1"))).toBe(true);
    expect(d("233.427").roundToStep(d("0.05"), "down").toString()).toBe("233.4");
    expect(d("233.427").roundToStep(d("0.05"), "up").toString()).toBe("233.45");
  });

  it("rounds halves as asked and prints no negative zero", () => {
    expect(d("2.5").round(0).toString()).toBe("3");
    expect(d("2.5").round(0, "half_even").toString()).toBe("2");
    expect(d("-2.5").round(0, "down").toString()).toBe("-2");
    expect(d("-0.001").toFixed(2)).toBe("0.00");
    expect(d("-0.004").round(2).toString()).toBe("0");
  });

  it("always prints digits that read back as the same value", () => {
    fc.assert(
      fc.property(anyDecimal, (value) => {
        expect(value.toString()).toMatch(/^-?\d+(?:\.\d*[1-9])?$/);
        expect(d(value.toString()).equals(value)).toBe(true);
        expect(JSON.stringify({ value })).toBe(`{"value":"${value.toString()}"}`);
      }),
    );
  });

  it("keeps the laws of arithmetic", () => {
    fc.assert(
      fc.property(anyDecimal, anyDecimal, anyDecimal, (a, b, c) => {
        expect(a.plus(b).minus(b).equals(a)).toBe(true);
        expect(
          a
            .plus(b)
            .times(c)
            .equals(a.times(c).plus(b.times(c))),
        ).toBe(true);
        expect(a.compare(b)).toBe(-b.compare(a) + 0);
        expect(Decimal.sum([a, b, c]).equals(c.plus(b).plus(a))).toBe(true);
        expect(Decimal.min(a, b).lessThan(Decimal.max(a, b)) || a.equals(b)).toBe(true);
      }),
    );
  });
});
