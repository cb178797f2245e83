import { describe, expect, test } from "vitest";

import { parseAuthorizationHeader } from "./authorization-header.ts";
import vectors from "./oauth.vectors.json" with { type: "json" };

const expected = { ...vectors.hmac_request.params, oauth_signature: vectors.hmac_request.signature_base64 };

function parse(header: string): Record<string, string> | undefined {
  const parameters = parseAuthorizationHeader(header);
  return parameters === undefined ? undefined : Object.fromEntries(parameters);
}

describe("an OAuth header", () => {
  const header = vectors.hmac_request.authorization_header;

  test("is read with its realm in front, which is not signed", () => {
    expect(parse(header)).toEqual(expected);
  });

  test("is read with its realm among the sorted parameters", () => {
    const sorted = header.replace('realm="limited_poa", ', "").replace(/, /g, ",");
    expect(parse(`${sorted},realm="limited_poa"`)).toEqual(expected);
  });

  test("is read with unquoted values", () => {
    expect(parse(header.replace('"limited_poa"', "limited_poa"))).toEqual(expected);
    expect(parse(header.replaceAll('"', ""))).toEqual(expected);
  });

  test("keeps the plus signs and padding of a signature that was not escaped", () => {
    expect(parse('OAuth oauth_signature="a+b/c=="')).toEqual({ oauth_signature: "a+b/c==" });
    expect(parse("OAuth oauth_signature=a+b/c==")).toEqual({ oauth_signature: "a+b/c==" });
  });

  test.each([
    ["another scheme", "Bearer abc"],
    ["nothing", ""],
    ["a parameter given twice", 'OAuth oauth_nonce="a", oauth_nonce="b"'],
    ["a quote left open", 'OAuth oauth_nonce="a'],
    ["a broken escape", 'OAuth oauth_nonce="%zz"'],
    ["something that is no pair", "OAuth oauth_nonce"],
    ["more parameters than any request has", `OAuth ${Array.from({ length: 30 }, (_, i) => `p${"_".repeat(i)}="1"`).join(", ")}`],
  ])("is refused for %s", (_reason, bad) => {
    expect(parse(bad)).toBeUndefined();
  });
});
