import { describe, expect, it } from "vitest";

import { addressGroup } from "./address-group.ts";
import { normalizedAuthorizeQuery } from "./authorize-request.ts";
import { displayName } from "./display-name.ts";
import { canonicalResource } from "./resource.ts";
import { newSecret, openUnder, recordHash, sealUnder } from "./secret-ids.ts";
import { normalizedTokenForm } from "./token-request.ts";
import { systemRandom } from "../../lib/random.ts";

const ISSUER = "https://gateway.example";

describe("a resource", () => {
  it.each([
    "",
    "https://gateway.example",
    "https://gateway.example/",
    "https://gateway.example/mcp",
    "https://gateway.example/mcp/",
    "https://gateway.example/mcp?toolsets=a,b",
    "https://GATEWAY.example:443/mcp",
  ])("is ours as %s", (given) => expect(canonicalResource(given, ISSUER)).toBe("https://gateway.example/mcp"));

  it.each([
    "http://gateway.example/mcp",
    "https://gateway.example:444/mcp",
    "https://gateway.example/mcp/x",
    "https://other.example/mcp",
    "https://gateway.example/mcp#x",
    "https://a@gateway.example/mcp",
    "mcp",
    "urn:x",
  ])("is not ours as %s", (given) => expect(canonicalResource(given, ISSUER)).toBe(given));
});

describe("an authorization request", () => {
  const query = (text: string): Record<string, string> => Object.fromEntries(normalizedAuthorizeQuery(text, ISSUER));

  it("asks for everything, and keeps what was asked as a hint that nobody else can set", () => {
    const resource = "https://gateway.example/mcp";
    expect(query("scope=read")).toEqual({ scope: "read write", asked_scope: "read", resource });
    expect(query("scope=openid%20write&asked_scope=read")).toEqual({ scope: "read write", asked_scope: "write", resource });
    expect(query("asked_scope=write")).toEqual({ scope: "read write", resource });
    expect(query("prompt=select_account%20consent&nonce=1&resource=https://gateway.example/")).toEqual({
      scope: "read write",
      prompt: "consent",
      resource,
    });
  });

  it("keeps what came twice, to be refused", () => {
    expect(
      normalizedAuthorizeQuery("state=a&state=b&scope=x&scope=y&resource=https://a.example&resource=https://b.example", ISSUER).getAll(
        "state",
      ),
    ).toEqual(["a", "b"]);
  });
});

describe("a token request", () => {
  it("narrows a refresh and never widens it", () => {
    const scopeOf = (scope: string) => normalizedTokenForm(`grant_type=refresh_token&scope=${scope}`, ISSUER).get("scope");
    expect(["read", "read write", "write", "openid", ""].map(scopeOf)).toEqual(["read", null, null, null, null]);
    expect(normalizedTokenForm("grant_type=authorization_code&scope=read", ISSUER).get("scope")).toBeNull();
    expect(normalizedTokenForm("resource=https://gateway.example/mcp?x", ISSUER).getAll("resource")).toEqual([
      "https://gateway.example/mcp",
    ]);
  });
});

describe("a name to show", () => {
  it.each([
    ["Claude", "Claude"],
    ["  a \n\t b  ", "a b"],
    ["\u202egnp.exe", "gnp.exe"],
    ["a\u200b\u200d\ufeffb", "a b"],
    ["\u0000", "Unnamed"],
    ["", "Unnamed"],
    [42, "Unnamed"],
    [null, "Unnamed"],
    [`a${"\u0301".repeat(50)}`, "\u00e1\u0301\u0301"],
    ["<script>", "<script>"],
    ["\ud800x", "x"],
  ])("%j becomes %j", (claimed, shown) => expect(displayName(claimed, "Unnamed")).toBe(shown));

  it("has at most 80 characters", () => {
    expect(displayName("x".repeat(500), "Unnamed")).toHaveLength(80);
  });
});

describe("an address in a limit", () => {
  it.each([
    ["10.0.0.1", "10.0.0.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    [undefined, "unknown"],
  ])("%s counts as %s", (address, group) => expect(addressGroup(address)).toBe(group));
});

describe("secrets", () => {
  it("have 256 bits, are hashed by their kind, and open what was sealed under them alone", () => {
    const secret = newSecret(systemRandom, "ibkr_rt_");
    expect(secret).toMatch(/^ibkr_rt_[\w-]{43}$/);
    expect(recordHash("RefreshToken", secret)).not.toBe(recordHash("AuthorizationCode", secret));
    const sealed = sealUnder(secret, "an answer", systemRandom);
    expect(openUnder(secret, sealed)).toBe("an answer");
    expect(() => openUnder(newSecret(systemRandom, "ibkr_rt_"), sealed)).toThrow();
    expect(() => openUnder(secret, `${sealed.slice(0, -2)}AA`)).toThrow();
    expect(sealUnder(secret, "an answer", systemRandom)).not.toBe(sealed);
  });
});
