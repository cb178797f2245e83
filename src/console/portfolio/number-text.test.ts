import { describe, expect, it } from "vitest";

import { Decimal } from "../../lib/decimal.ts";
import { amountText, fractionDigits, percentText, priceText, quantityText, signed } from "./number-text.ts";

const decimal = (text: string) => Decimal.parse(text);

describe("an amount", () => {
  it.each([
    ["0", "USD", "0.00"],
    ["1234567.005", "USD", "1,234,567.01"],
    ["-1234.5", "EUR", "−1,234.50"],
    ["-0.001", "EUR", "0.00"],
    ["999.999", "USD", "1,000.00"],
    ["1234567.5", "JPY", "1,234,568"],
    ["123456789012345678.91", "USD", "123,456,789,012,345,678.91"],
  ])("of %s %s is written %s", (value, currency, text) => {
    expect(amountText(decimal(value), currency)).toBe(text);
  });

  it("has as many decimals as its currency", () => {
    expect([fractionDigits("USD"), fractionDigits("JPY")]).toEqual([2, 0]);
  });
});

describe("a price", () => {
  it.each([
    ["189.5", "189.50"],
    ["1.08345", "1.08345"],
    ["0.0000014", "0.000001"],
    ["123.456789", "123.4568"],
    ["6012.25", "6,012.25"],
    ["-37.63", "−37.63"],
  ])("of %s is written %s", (value, text) => {
    expect(priceText(decimal(value))).toBe(text);
  });
});

describe("other numbers", () => {
  it("keep their grouping and sign", () => {
    expect(quantityText(decimal("1500"))).toBe("1,500");
    expect(quantityText(decimal("-0.25"))).toBe("−0.25");
    expect(percentText(decimal("12.3"))).toBe("12.30%");
    expect(percentText(decimal("-1234.56"), 1)).toBe("−1,234.6%");
  });

  it("have a plus when they gain, and none when they come to nothing", () => {
    expect(signed(decimal("5"), "5.00")).toBe("+5.00");
    expect(signed(decimal("0.001"), "0.00")).toBe("0.00");
    expect(signed(decimal("-5"), "−5.00")).toBe("−5.00");
    expect(signed(decimal("0"), "0.00")).toBe("0.00");
  });
});
