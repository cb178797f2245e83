import { describe, expect, it } from "vitest";

import { outcomeSummary } from "./outcome-summary.ts";

describe("the summary of a call", () => {
  it.each([
    ["AAPL 233.42 USD, delayed.\nMore below.", "AAPL 233.42 USD, delayed."],
    ["DU1234567 holds 3 positions.", "DU…67 holds 3 positions."],
    ["Use the key ibkr_abcdefghijklmnopqrstuvwxyz.", "Use the key [secret]."],
    ["", ""],
  ])("of %j is %j", (text, summary) => {
    expect(outcomeSummary(text)).toBe(summary);
  });

  it("is cut at 200 characters, and shows no half of an account number or a secret at its end", () => {
    expect(outcomeSummary("x".repeat(5000))).toBe(`${"x".repeat(199)}…`);
    for (let at = 150; at < 200; at += 1)
      expect(outcomeSummary(`${"x".repeat(at)} DU1234567 and ibkr_abcdefghijklmnopqrstuvwxyz`)).not.toMatch(/DU1234|ibkr_a/);
    const shrinks = `Bearer ${"b".repeat(570)}`;
    for (let at = 0; at < 30; at += 1)
      expect(outcomeSummary(`${shrinks.slice(at)} DU1234567 ibkr_abcdefghijklmnopqrstuvwxyz`)).not.toMatch(/DU1|ibkr_a/);
  });
});
