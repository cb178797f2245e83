import { expect, test } from "vitest";

import { plainText } from "./plain-text.ts";

test.each([
  ["a text that turns the direction round", "Claude\u202Egnp.exe", "Claude gnp.exe"],
  ["isolates and marks of direction", "\u2066a\u2069\u200Fb", "a b"],
  ["zero-width characters", "Cl\u200Baude", "Cl aude"],
  ["control characters and line breaks", "a\u0000\r\n\tb\u2028c", "a b c"],
  ["private and lone surrogate characters", "a\uE000b\uD800", "a b"],
  ["stacks of marks", `e${"\u0301".repeat(9)}`, "\u00e9\u0301\u0301"],
  ["spaces all round", "  My   app ", "My app"],
  ["other scripts", "取引 Ζεύς عربي", "取引 Ζεύς عربي"],
  ["nothing at all", "\u200B\u202E", ""],
])("of %s only what can be read is left", (_what, value, shown) => {
  expect(plainText(value, 80)).toBe(shown);
});

test("a long text is cut at whole characters", () => {
  expect(plainText("x".repeat(81), 80)).toBe(`${"x".repeat(79)}…`);
  expect(plainText("😀".repeat(5), 3)).toBe("😀😀…");
  expect(plainText("x".repeat(80), 80)).toHaveLength(80);
});
