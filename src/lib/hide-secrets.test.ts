import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { hideSecrets } from "./hide-secrets.ts";

const KEY = `ibkr_${"aZ09_-".repeat(8).slice(0, 43)}`;
const TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl-_AA";
const PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADAN\nBgkqhkiG9w0B\n-----END PRIVATE KEY-----";

describe("a secret by its form", () => {
  test.each([
    ["R.b: a key", KEY, "[secret]"],
    ["R.b: an access token", `ibkr_at_${"A".repeat(43)}`, "[secret]"],
    ["R.b: a key in capitals", KEY.toUpperCase(), "[secret]"],
    ["R.b: the start of a key", `${KEY.slice(0, 25)} is mine`, "[secret] is mine"],
    ["R.b: a key inside a word", `x${KEY}.`, "x[secret]."],
    ["R.b: two keys", `${KEY},${KEY}`, "[secret],[secret]"],
    ["R.c: a signed token", `take ${TOKEN}, please`, "take [secret], please"],
    ["R.c: an unsigned token", `${TOKEN.split(".").slice(0, 2).join(".")}.`, "[secret]"],
    ["R.c: a token behind other letters", `id_token-${TOKEN}`, "[secret]"],
    ["R.c: an encrypted token", "eyJhbGciOiJkaXIifQ.AAAAAAAAAA.aXY.Y2lwaGVy.dGFn end", "[secret] end"],
    ["R.c: a bearer value", "Authorization: Bearer abcdefgh", "Authorization: [secret]"],
    ["R.c: a bearer value of every character", "bearer a.b_c~d+e/f=g-h done", "[secret] done"],
    ["R.c: a bearer value on another line", "BEARER \n\tabcdefgh", "[secret]"],
    ["R.c: a PEM block", `key:\n${PEM}`, "key:\n[secret]"],
    ["R.c: a PEM block cut short", `a ${PEM.slice(0, 40)}`, "a [secret]"],
    ["R.c: a PEM block without a label", "-----BEGIN-----\nAAAA", "[secret]"],
  ])("%s is hidden", (_case, text, hidden) => {
    expect(hideSecrets(text)).toBe(hidden);
  });

  test.each([
    ["R.d: a short name of the gateway's", "ibkr_gateway_session_1"],
    ["R.d: the word bearer", "the bearer of news"],
    ["R.d: a short bearer value", "bearer abcdefg"],
    ["R.d: a word with eyJ", "eyJust.a.name"],
    ["R.d: a short first part", "eyJust.anothername.of"],
    ["R.d: two parts with dots", "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxMjM0In0"],
    ["R.d: a short second part", "eyJhbGciOiJFUzI1NiJ9.e30."],
    ["R.d: dashes", "----- BEGIN ----- END -----"],
    ["R.d: a heading of dashes", `-----BEGIN${"x".repeat(61)}-----`],
  ])("%s stays", (_case, text) => {
    expect(hideSecrets(text)).toBe(text);
  });
});

describe("a secret by its name", () => {
  test.each([
    ["password=hunter2", "[secret]"],
    ["my passwd: hunter2, thanks", "my [secret], thanks"],
    ["Passphrase = x", "[secret]"],
    ['{"password":"hunter two","symbol":"AAPL"}', '{"[secret],"symbol":"AAPL"}'],
    [String.raw`{\"password\":\"hunter2\",\"a\":1}`, String.raw`{\"[secret],\"a\":1}`],
    ["{'api_key': 'a b', 'c': 1}", "{'[secret], 'c': 1}"],
    ["?access_token=abc&symbol=AAPL", "?access_[secret]&symbol=AAPL"],
    ["client-secret : abc;", "client-[secret];"],
    ["api key:abc", "[secret]"],
    ["api-key=abc", "[secret]"],
    ["apiKey='abc", "[secret]"],
    ["credential: a", "[secret]"],
    ["credentials: a", "[secret]"],
    ['secret="never closed, to the end', "[secret]"],
    ["token: Bearer abcdefgh", "[secret]"],
    [`token=${KEY}`, "[secret]"],
  ])("R.a: %s is hidden", (text, hidden) => {
    expect(hideSecrets(text)).toBe(hidden);
  });

  test.each(["I bought the token", "secret = ", "A secret. Buy 5", "password", "api keys", "tokens sold: 5"])("R.d: %s stays", (text) => {
    expect(hideSecrets(text)).toBe(text);
  });
});

describe("R.d: what callers write every day stays readable", () => {
  test.each([
    "AAPL",
    "BRK B",
    "EUR.USD",
    "ES DEC2026 5000 C",
    "265598",
    "DU1234567",
    "my-order-2026-11-24-0001",
    "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
    "Earnings beat; take profit at 230.25 (limit), stop 199",
    "Überkauft, 50 % verkaufen — 買い",
    "",
  ])("%s", (text) => {
    expect(hideSecrets(text)).toBe(text);
  });
});

describe("R.b: a secret around the cut", () => {
  const LIMIT = 100;
  const secrets = [KEY, TOKEN, `Bearer ${"b4".repeat(20)}`, `ibkr_rt_${"C5".repeat(21)}c`];

  test.each(secrets)("%s never shows a part, wherever it begins", (secret) => {
    const visible = secret.replace(/^(?:Bearer |ibkr_(?:rt_)?|eyJ)/, "").slice(0, 6);
    for (let at = 0; at <= LIMIT; at += 1) {
      const before = "word ".repeat(LIMIT).slice(0, at - 1);
      expect(hideSecrets(`${before} ${secret} and more`, LIMIT)).not.toContain(visible);
    }
  });

  test("text before the cut stays, the word at the cut does not", () => {
    expect(hideSecrets("one two three", 13)).toBe("one two three");
    expect(hideSecrets("one two three", 12)).toBe("one two ");
    expect(hideSecrets("one two three", 8)).toBe("one two ");
    expect(hideSecrets("one two three", 7)).toBe("one ");
    expect(hideSecrets("onetwothree", 5)).toBe("");
    expect(hideSecrets("x".repeat(101), 100)).toBe("x".repeat(100));
    expect(hideSecrets("x".repeat(100), 99)).toBe("");
  });

  test("a secret that shrinks shows nothing of the one at the cut", () => {
    expect(hideSecrets(`Bearer ${"b".repeat(60)} ${KEY}`, LIMIT)).toBe("[secret] ");
  });

  test.each([
    ["x", `eyJhbGciOiJFUzI1NiJ9.${"a".repeat(500)}.c2ln`],
    ["x".repeat(50), `eyJhbGciOiJFUzI1NiJ9.${"a".repeat(500)}.c2ln`],
    ["x".repeat(80), KEY],
    [`${"x".repeat(89)}Bearer `, "abcdefghijkl"],
  ])("a word of any length before and in it: %s%s", (before, secret) => {
    expect(hideSecrets(`${before}${secret}`, LIMIT)).toBe(before);
  });
});

test("any text with a key in it hides the key", () => {
  const word = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(word, word, fc.nat(300), (before, after, limit) => {
      expect(hideSecrets(`${before}${KEY}${after}`, limit)).not.toContain(KEY.slice(5, 30));
    }),
  );
});

test.each(["a", "eyJ", "eyJaaaaaaaa.", "password\\", "-----BEGIN", "bearer ", "ibkr_", 'secret="', "token: ", "a "])(
  "a long text of %j takes time in proportion to its length",
  (part) => {
    // Takes minutes where the time grows with the square of the length.
    expect(hideSecrets(part.repeat(100_000), 100_000).length).toBeLessThanOrEqual(100_000);
  },
);
