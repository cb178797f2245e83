import { describe, expect, test } from "vitest";
import { z } from "zod";

import { defineTool } from "./define-tool.ts";
import { redactArguments } from "./redact-arguments.ts";
import { createRegistry } from "./registry.ts";

const tool = defineTool({
  name: "order",
  title: "Order",
  description: "Takes arguments.",
  scope: "write",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  input: z.strictObject({ symbol: z.unknown(), symbols: z.unknown(), reason: z.unknown(), confirm_token: z.unknown() }),
  outputSchema: { type: "object" },
  run: () => Promise.resolve({ kind: "complete", structured: {}, text: "" }),
});
const registered = createRegistry([tool], { name: "t", title: "T", version: "0" }).find("order");

const redacted = (given: unknown): unknown => JSON.parse(redactArguments(registered, given));

const KEY = `ibkr_${"aZ09_-".repeat(8).slice(0, 43)}`;
const TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl";

describe("R.d: what was asked stays readable", () => {
  test.each([
    [{ symbol: "AAPL", symbols: ["BRK B", 265598], reason: "Earnings beat; sell at 230.25" }],
    [{ symbol: 265598, symbols: [1.5, true, null, ""], reason: false }],
    [{ symbol: { type: "STK", legs: [{ conid: 1 }, { conid: 2 }] } }],
    [{}],
  ])("%j", (given) => {
    expect(redacted(given)).toEqual(given);
    expect(redacted(JSON.stringify(given))).toEqual(given);
  });

  test.each([
    ["nothing", undefined],
    ["null", null],
    ["a list", [1]],
    ["a number", 5],
    ["no JSON", `symbol=${KEY}`],
    ["JSON of a list", "[1]"],
  ])("%s is an empty object", (_what, given) => {
    expect(redactArguments(registered, given)).toBe("{}");
  });

  test("nothing is shown of a tool that doesn't exist", () => {
    expect(redactArguments(undefined, { symbol: "AAPL" })).toBe("{}");
  });
});

describe("R.a: a secret by its name", () => {
  test.each([
    "confirm_token",
    "token",
    "Client-Secret",
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "apikey",
    "api_key",
    "API Key",
    "x-api-key",
    "privateKey",
    "private_key",
    "private-key",
    "credentials",
    "Authorization",
    "cookie",
  ])("%s is hidden with its value, at any depth", (name) => {
    expect(redacted({ symbol: { [name]: "hunter2" } })).toEqual({ symbol: { [name]: "[secret]" } });
    expect(redacted({ symbols: [{ login: { [name]: { user: "a", code: 4711 } } }] })).toEqual({
      symbols: [{ login: { [name]: "[secret]" } }],
    });
  });

  test("an argument that the tool takes is hidden by its name, too", () => {
    expect(redacted({ confirm_token: "ct_1", symbol: "AAPL" })).toEqual({ confirm_token: "[secret]", symbol: "AAPL" });
  });

  test("an argument that the tool doesn't take shows nothing of its value", () => {
    const given = { symbol: "AAPL", note: { login: { password: "hunter2" } }, list: ["hunter2"], pin: 4711 };
    const unknown = "[unknown argument]";
    expect(redacted(given)).toEqual({ symbol: "AAPL", note: unknown, list: unknown, pin: unknown });
  });

  test("values are shown to the fourth level, and texts below it aren't objects", () => {
    const nested = { a: { b: { c: { d: { e: "hunter2" }, f: ["hunter2"], g: "text", h: 5 } } } };
    expect(redacted({ symbol: nested })).toEqual({ symbol: { a: { b: { c: { d: "…", f: "…", g: "text", h: "…" } } } } });
    expect(redacted({ symbol: [[[[["hunter2"]]]]] })).toEqual({ symbol: [[[["…"]]]] });
    expect(redacted({ symbol: [[[["text", 5]]]] })).toEqual({ symbol: [[[["text", "…"]]]] });
  });
});

describe("R.b: a key around the cuts", () => {
  test.each([0, 1, 200, 208, 240, 255, 256, 257, 300, 1_990, 2_000, 2_040, 2_047, 2_048, 2_100])("at character %i", (at) => {
    const text = `${"word ".repeat(500).slice(0, Math.max(at - 1, 0))}${at === 0 ? "" : " "}${KEY} ${"more ".repeat(500)}`;
    for (const given of [{ symbol: text }, { symbols: [text] }, { symbol: { [text]: 1 } }, { [text]: 1 }])
      expect(redactArguments(registered, given)).not.toContain(KEY.slice(5, 9));
  });

  test("behind secrets that shrink", () => {
    const long = `Bearer ${"b".repeat(2_000)} ${TOKEN} ${KEY}`;
    for (let cut = 0; cut < 60; cut += 1) {
      const shown = redactArguments(registered, { symbol: long.replace("b".repeat(cut), "") });
      expect(shown).not.toMatch(/aZ09|eyJ|bbb/);
    }
  });

  test("a text is cut behind 256 characters", () => {
    const short = "x".repeat(256);
    expect(redacted({ symbol: short })).toEqual({ symbol: short });
    expect(redacted({ symbol: `${short}y` })).toEqual({ symbol: `${short}…` });
    expect(redacted({ symbol: "x".repeat(5_000) })).toEqual({ symbol: `${short}…` });
  });

  test("a text over 2,048 characters says that it was cut, however short it is then", () => {
    const pem = `-----BEGIN KEY-----\n${"A".repeat(2_028)}`;
    expect(redacted({ symbol: pem })).toEqual({ symbol: "[secret]" });
    expect(redacted({ symbol: `${pem}A` })).toEqual({ symbol: "…" });
  });
});

describe("R.c: a secret by its form", () => {
  test.each([KEY, TOKEN, `Bearer ${"b4".repeat(20)}`, "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"])(
    "%s is hidden as value, in a text, as name, in lists and unknown arguments",
    (secret) => {
      const hidden = "[secret]";
      expect(redacted({ symbol: secret, symbols: ["AAPL", secret] })).toEqual({ symbol: hidden, symbols: ["AAPL", hidden] });
      expect(redacted({ reason: `as in ${secret}` })).toEqual({ reason: `as in ${hidden}` });
      expect(redacted({ symbol: { [`as ${secret}`]: {} } })).toHaveProperty(["symbol", `as ${hidden}`]);
      expect(redacted({ [secret]: 1, note: secret })).toEqual({ [hidden]: "[unknown argument]", note: "[unknown argument]" });
    },
  );
});

describe("many values", () => {
  test("50 of a list, of an object and of the arguments are shown", () => {
    const many = Array.from({ length: 51 }, (_, index) => index);
    const object = Object.fromEntries(many.map((index) => [`n${index}`, index]));
    expect(redacted({ symbols: many })).toEqual({ symbols: many.slice(0, 50) });
    expect(redacted({ symbol: object })).toEqual({ symbol: Object.fromEntries(Object.entries(object).slice(0, 50)) });
    expect(Object.keys(z.record(z.string(), z.unknown()).parse(redacted(object)))).toHaveLength(50);
  });
});
