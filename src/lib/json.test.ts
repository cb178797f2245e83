import fc from "fast-check";
import { expect, it } from "vitest";

import { canonicalJson, parseLossless, rawNumber } from "./json.ts";

it("keeps the digits of every number that a double would change or shorten", () => {
  expect(parseLossless('{"a":1004120.10,"b":12345678901234567890,"c":7,"d":-0,"e":1E5,"f":[0.1,true,null,"1.0"]}')).toEqual({
    a: "1004120.10",
    b: "12345678901234567890",
    c: 7,
    d: "-0",
    e: "1E5",
    f: ["0.1", true, null, "1.0"],
  });
  expect(() => parseLossless("{")).toThrow(SyntaxError);
});

it("writes a number with exactly the digits given", () => {
  expect(JSON.stringify({ price: rawNumber("230.00") })).toBe('{"price":230.00}');
});

it("gives equal values equal text, whatever the order of their keys", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const reversed = Object.fromEntries(Object.entries(value).toReversed());
      expect(canonicalJson(reversed)).toBe(canonicalJson(value));
    }),
  );
  expect(canonicalJson({ b: { d: 1, c: [2, { z: 1, y: 2 }] }, a: undefined })).toBe('{"b":{"c":[2,{"y":2,"z":1}],"d":1}}');
});
