import { anything, assert, property, string } from "fast-check";
import { describe, expect, it } from "vitest";

import { redactArguments } from "./redact.ts";

describe("arguments in the audit", () => {
  it("are kept as they were sent when nothing is secret", () => {
    const sent = {
      symbol: "AAPL",
      conids: [265598, "8314"],
      quantity: "100",
      outside_rth: true,
      limit_price: null,
      nested: { tif: "DAY" },
    };
    expect(JSON.parse(redactArguments(sent))).toEqual(sent);
  });

  it.each([
    "confirm_token",
    "token",
    "apiKey",
    "api-key",
    "key",
    "client_secret",
    "password",
    "Authorization",
    "requestState",
    "private_key",
    "otp",
  ])("hide the value of %s", (name) => {
    expect(redactArguments({ [name]: "hunter2", deep: { [name]: ["hunter2"] } })).not.toContain("hunter2");
  });

  it.each(["symbol", "keyword", "conid", "tokyo_stock", "spin"])("keep the value of %s", (name) => {
    expect(JSON.parse(redactArguments({ [name]: name === "tokyo_stock" ? 1 : "kept" }))).toHaveProperty(name);
  });

  const key = `ibkr_${"aB3_-".repeat(9).slice(0, 43)}`;
  it.each([
    ["a key", key],
    ["a key in a sentence", `use ${key} please`],
    ["a bearer header", `Bearer ${"x".repeat(40)}`],
    ["a JSON web token", `eyJhbGciOiJIUzI1NiJ9.${"a".repeat(30)}.${"b".repeat(30)}`],
    ["a PEM block", "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----"],
  ])("hide %s wherever it stands", (_name, text) => {
    const written = redactArguments({ query: text, list: [text], [text]: 1 });
    expect(written).not.toMatch(/aB3_|xxxx|aaaa|MIIE/);
    expect(written).toContain("[secret]");
  });

  it("hide a key that lies across the place where a long text is cut", () => {
    for (const before of [470, 490, 499, 980, 999]) {
      expect(redactArguments({ query: `${"x ".repeat(before / 2)}${key}` })).not.toMatch(/ibkr_a/);
    }
    expect(redactArguments({ query: `${key} `.repeat(40) })).not.toMatch(/ibkr_a/);
  });

  it("are cut when texts, lists, objects or depth go on and on", () => {
    const written = redactArguments({
      text: "y".repeat(100_000),
      list: Array.from({ length: 100 }, (_value, index) => index),
      deep: { a: { b: { c: { d: { e: { f: { g: 1 } } } } } } },
    });
    expect(JSON.parse(written)).toMatchObject({ text: expect.stringMatching(/^y{500}… \(100000 characters\)$/), deep: { a: { b: {} } } });
    expect(written).toContain("[50 more]");
    expect(written).toContain("[too deep]");
  });

  it("are valid JSON of at most 4,096 characters without the secret, whatever was sent", () => {
    const whatever = anything({ withDate: false, withBigInt: true, withMap: true, maxDepth: 8 });
    assert(
      property(whatever, string(), (value, text) => {
        const written = redactArguments({ value, [text]: value, confirm_token: "the-secret-itself", note: `${text} ${key}` });
        expect(written.length).toBeLessThanOrEqual(4_096);
        expect(JSON.parse(written)).toBeTypeOf("object");
        expect(written).not.toMatch(/the-secret-itself|ibkr_aB3/);
      }),
    );
  });

  it.each([undefined, null, 5, "text", () => 1, Symbol("s")])("may be no object at all (%s)", (value) => {
    expect(() => JSON.parse(redactArguments(value))).not.toThrow();
  });
});
