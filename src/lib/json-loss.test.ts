import fc from "fast-check";
import { describe, expect, it, test } from "vitest";

import { findJsonLoss } from "./json-loss.ts";

const rounded = (source: string, member?: string) => ({ kind: "rounded_number", member, source });
const repeated = (name: string) => ({ kind: "repeated_member", name });

describe("a number that a double rounds", () => {
  test.each([
    ["4.9999999999999999", "D12.a"],
    ["5.00000000000000000001", "D12.b"],
    ["0.10000000000000001", "the neighbor of 0.1"],
    ["9007199254740993", "the first whole number without a double"],
    ["-12345678901234567890", "a negative id"],
    ["123456789012345678e-3", "a power of ten behind too many digits"],
    ["1e400", "above all doubles"],
    ["1E-400", "below all doubles"],
    ["-1e400", "below all doubles"],
    ["0.1e99999999999999999999", "a power without a double"],
    [`1${"0".repeat(400)}`, "too large, without a power"],
  ])("%s is found (%s)", (source) => {
    expect(findJsonLoss(source)).toEqual(rounded(source));
    expect(findJsonLoss(`{"a":[{"quantity":[ ${source}]}]}`)).toEqual(rounded(source, "quantity"));
  });

  test.each(["0", "-0", "5", "5.0", "5.00000000000000000000000", "1e2", "1E+2", "100e-2", "0.1", "230.25", "0e5", "-0.0e-999"])(
    "%s passes",
    (source) => {
      expect(findJsonLoss(`[${source}]`)).toBeUndefined();
    },
  );

  test.each(["9007199254740992", "12345678901234567000", "1e22", "0.000001", "1e-7", "1.7976931348623157e308", "5e-324"])(
    "%s passes, since its double prints the same value",
    (source) => {
      expect(findJsonLoss(source)).toBeUndefined();
    },
  );

  it("takes every double as it is printed, and finds every digit more", () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => value !== 0),
        fc.integer({ min: 1, max: 9 }),
        (value, digit) => {
          const printed = String(value);
          expect(findJsonLoss(printed)).toBeUndefined();
          const [mantissa = "", power] = printed.split("e");
          const longer = `${mantissa.includes(".") ? mantissa : `${mantissa}.`}${"0".repeat(20)}${digit}${power === undefined ? "" : `e${power}`}`;
          expect(findJsonLoss(longer)).toEqual(rounded(longer));
        },
      ),
    );
  });

  it("counts inside the named member only, at any depth", () => {
    const long = "1.00000000000000000001";
    expect(findJsonLoss(`{"id":${long},"params":{"_meta":{"at":${long}},"arguments":{"a":1}}}`, "arguments")).toBeUndefined();
    expect(findJsonLoss(`[${long},{"arguments":{}},${long}]`, "arguments")).toBeUndefined();
    expect(findJsonLoss(`{"params":{"arguments":{}},"id":${long}}`, "arguments")).toBeUndefined();
    expect(findJsonLoss(`{"arguments":${long}}`, "arguments")).toEqual(rounded(long, "arguments"));
    expect(findJsonLoss(`[{"params":{"arguments":{"a":[{"b":{}},{"c":[${long}]}]}}}]`, "arguments")).toEqual(rounded(long, "c"));
  });

  it("is none where the digits are text", () => {
    expect(findJsonLoss('{"a":"4.9999999999999999","b":"\\"4.9999999999999999","4.9999999999999999":1}')).toBeUndefined();
  });
});

describe("a member that an object has twice", () => {
  test.each([
    ['{"quantity":"1","quantity":"77"}', "quantity", "D12.c"],
    ['{"quantity":1,"side":"BUY","quantity":1}', "quantity", "the same value, with another member between"],
    ['{"quantity":{"a":1},"quantity":2}', "quantity", "an object between"],
    ['{"quantity":1,"quant\\u0069ty":2}', "quantity", "an escape in the second"],
    ['{"quant\\u0069ty" \n:1, "quantity"\t: 2}', "quantity", "an escape in the first, space before the colon"],
    ['{"\\"":1,"\\u0022":2}', '"', "a quotation mark"],
    ['{"a\\\\":1,"a\\u005c":2}', "a\\", "a backslash"],
    ['{"":1,"":2}', "", "the empty name"],
    ['{"__proto__":1,"__proto__":2}', "__proto__", "the prototype's name"],
    ['{"constructor":1,"a":2,"constructor":3}', "constructor", "a name that every object inherits"],
    ['[{"a":1},[{"b":{"c":[{"d":1,"e":2,"d":3}]}}]]', "d", "any depth"],
    ['{"a:":1,"a:":2}', "a:", "a colon in the name"],
  ])("%s is found", (text, name, _what) => {
    expect(findJsonLoss(text)).toEqual(repeated(name));
    expect(findJsonLoss(text, "arguments")).toEqual(repeated(name));
  });

  test.each([
    ['[{"a":1},{"a":2}]', "objects of one list"],
    ['{"a":{"a":{"a":1}},"b":{"a":1}}', "an object and its own"],
    ['{"a":"a","b":"a","c":["a","a"]}', "values"],
    ['{"a":1,"A":2}', "another case"],
    ['{"a":"{\\"b\\":1,\\"b\\":2}"}', "text"],
    ['{"constructor":1,"__proto__":2,"hasOwnProperty":3}', "names that every object inherits"],
    ['"a"', "no object"],
  ])("%s has none (%s)", (text) => {
    expect(findJsonLoss(text)).toBeUndefined();
  });

  it("is never found in what JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(4), (value, space) => {
        expect(findJsonLoss(JSON.stringify(value, undefined, space))).toBeUndefined();
      }),
    );
  });

  it("is found in any object that gets one of its members again", () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 });
    fc.assert(
      fc.property(object, fc.nat(), (value, pick) => {
        const names = Object.keys(value);
        const name = names[pick % names.length] ?? "";
        const text = `${JSON.stringify(value).slice(0, -1)},${JSON.stringify(name)}:0}`;
        expect(findJsonLoss(text)).toEqual(repeated(name));
      }),
    );
  });
});

describe("a long text", () => {
  // Each takes minutes where the time grows with the square of the length.
  test.each([
    ["backslashes", `"${"\\\\".repeat(500_000)}"`],
    ["zeros before a last digit", `1${"0".repeat(500_000)}1`],
    ["zeros behind the point", `0.${"0".repeat(500_000)}1`],
    ["open objects", `${'{"a":'.repeat(100_000)}1.${"0".repeat(20)}1${"}".repeat(100_000)}`],
    ["strings with spaces after them", `[${`"a"${" ".repeat(50)},`.repeat(10_000)}1]`],
  ])("of %s is read in one pass", (_what, text) => {
    JSON.parse(text);
    expect(findJsonLoss(text, "arguments")).toBeUndefined();
    expect(findJsonLoss(`{"arguments":${text}}`, "arguments")?.kind).toBe(/\d{20}/.test(text) ? "rounded_number" : undefined);
  });
});
