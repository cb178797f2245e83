import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";

import { Decimal } from "../lib/decimal.ts";
import {
  optionalChoice,
  optionalChoices,
  optionalConid,
  optionalConids,
  optionalDecimal,
  optionalFlag,
  optionalInteger,
  optionalText,
  optionalTexts,
  requiredText,
} from "./fields.ts";

const input = z.strictObject({
  name: requiredText("A name"),
  note: optionalText(undefined, 5),
  conid: optionalConid(),
  amount: optionalDecimal(),
  flag: optionalFlag(),
  limit: optionalInteger({ min: 1, max: 50 }),
  side: optionalChoice({ values: ["BUY", "SELL"], synonyms: { B: "BUY", S: "SELL" } }),
  statuses: optionalChoices({ values: ["PreSubmitted", "Filled"] }),
  symbols: optionalTexts(3),
  conids: optionalConids(3),
});

function messagesOf(value: unknown): string[] {
  return input.safeParse(value).error?.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`) ?? [];
}

describe("lenient fields", () => {
  test("take numbers, booleans and choices written as text", () => {
    const parsed = input.parse({
      name: " x ",
      conid: "265598",
      amount: "12.50",
      flag: "TRUE",
      limit: "7",
      side: "b",
      statuses: "pre submitted",
    });
    expect({ ...parsed, amount: String(parsed.amount) }).toEqual({
      name: "x",
      conid: 265598,
      amount: "12.5",
      flag: true,
      limit: 7,
      side: "BUY",
      statuses: ["PreSubmitted"],
    });
  });

  test("take a list as a list, as JSON text, with commas, or as its only item", () => {
    for (const symbols of [["AAPL", "MSFT"], '["AAPL","MSFT"]', "AAPL, MSFT"]) {
      expect(input.parse({ name: "x", symbols }).symbols).toEqual(["AAPL", "MSFT"]);
    }
    expect(input.parse({ name: "x", conids: 265598 }).conids).toEqual([265598]);
    expect(input.parse({ name: "x", conids: '["265598",8314]' }).conids).toEqual([265598, 8314]);
  });

  test("count null and an empty text as absent", () => {
    expect(input.parse({ name: "x", conid: null, side: "", flag: null, symbols: "" })).toEqual({ name: "x" });
    expect(messagesOf({})).toEqual(["name is required"]);
    expect(messagesOf({ name: null })).toEqual(["name is required"]);
  });

  test("refuse what has no clear meaning, in words that name what is allowed", () => {
    expect(messagesOf({ name: "x", amount: "1,000" })).toEqual(['amount must be a plain decimal number such as "12.5"']);
    for (const amount of ["NaN", "Infinity", "1e5", Number.NaN, {}, true, 0.1 + 0.2])
      expect(messagesOf({ name: "x", amount })).toHaveLength(1);
    expect(messagesOf({ name: "x", amount: "1".repeat(16) })).toEqual(["amount is too large"]);
    expect(messagesOf({ name: "x", amount: "0.123456789" })).toEqual(["amount must have at most 8 decimals"]);
    expect(messagesOf({ name: "x", conid: "1.5" })).toEqual(["conid must be a contract id such as 265598"]);
    expect(messagesOf({ name: "x", flag: { toString: 1 }, side: { toString: 1 } })).toHaveLength(2);
    expect(messagesOf({ name: "x", side: "hold" })).toEqual(["side must be one of BUY, SELL"]);
    expect(messagesOf({ name: "x", symbols: ["A", "B", "C", "D"] })).toEqual(["symbols must have at most 3 items"]);
    expect(messagesOf({ name: "x", limit: 51 })).toEqual(["limit must be a whole number from 1 to 50"]);
    expect(messagesOf({ name: "x", note: "too long" })).toEqual(["note must have at most 5 characters"]);
    expect(messagesOf({ name: "a\nb" })).toEqual(["name must not contain control characters or line breaks"]);
    expect(messagesOf({ name: "a\u202eb" })).toHaveLength(1);
  });

  test("read every plain decimal text exactly", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 14n }), fc.nat({ max: 99_999_999 }), (whole, fraction) => {
        const text = `${whole}.${String(fraction).padStart(8, "0")}`;
        expect(input.parse({ name: "x", amount: text }).amount?.equals(Decimal.parse(text))).toBe(true);
      }),
    );
  });

  test("never throw anything but a refusal, whatever is sent", () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom("name", "conid", "amount", "flag", "limit", "side", "statuses", "symbols", "conids"),
        (value, key) => {
          expect(typeof input.safeParse({ name: "x", [key]: value }).success).toBe("boolean");
        },
      ),
    );
  });

  test("publish one plain JSON type each", () => {
    const schema = z.toJSONSchema(input, { io: "input" });
    expect(schema.required).toEqual(["name"]);
    expect(schema.additionalProperties).toBe(false);
    expect(schema.properties).toMatchObject({
      name: { type: "string", description: "A name" },
      conid: { type: ["integer", "string"] },
      amount: { type: ["string", "number"] },
      flag: { type: ["boolean", "string"] },
      side: { type: "string", enum: ["BUY", "SELL"] },
      symbols: { type: ["array", "string"], items: { type: "string" } },
    });
  });
});
