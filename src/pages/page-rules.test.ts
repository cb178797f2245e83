import { describe, expect, it } from "vitest";

import { loadAssets } from "./assets.ts";
import { ANY_FORM_TARGET, contentSecurityPolicy } from "./content-security.ts";
import { returnPath, withReturnPath } from "./return-path.ts";
import { isSameOrigin } from "./same-origin.ts";

describe("the content security policy", () => {
  it("lets nothing in but our own style, script and images", () => {
    expect(contentSecurityPolicy()).toBe(
      "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    );
  });

  it("is changed for one page only where that page needs it", () => {
    expect(contentSecurityPolicy(ANY_FORM_TARGET)).not.toContain("form-action");
    expect(contentSecurityPolicy({ "connect-src": "'self'" })).toContain("connect-src 'self'");
    expect(contentSecurityPolicy()).toContain("form-action 'self'");
  });
});

describe("a way back", () => {
  it.each(["/", "/consent/abc", "/account?done=1#top", "/authorize?redirect_uri=https%3A%2F%2Fhost.example%2Fcb", "/a:b"])(
    "may be %s",
    (path) => {
      expect(returnPath(path)).toBe(path);
    },
  );

  it.each([
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/..//evil.example",
    "javascript:alert(1)",
    "account",
    "",
    " /account",
    "/acc\u00e9",
    `/${"x".repeat(8_000)}`,
    undefined,
    ["/account"],
  ])("is never %j", (value) => {
    expect(returnPath(value)).toBeUndefined();
  });

  it("is carried as one parameter", () => {
    expect(withReturnPath("/sign-in", "/consent/a?b=c&d")).toBe("/sign-in?return_to=%2Fconsent%2Fa%3Fb%3Dc%26d");
    expect(withReturnPath("/sign-in?done=1", "/a")).toBe("/sign-in?done=1&return_to=%2Fa");
    expect(withReturnPath("/sign-in", undefined)).toBe("/sign-in");
  });
});

describe("a form comes from a page of ours", () => {
  const site = "gateway.example.com";
  const from = (origin: string | undefined, secFetchSite?: string) => isSameOrigin({ origin, host: site, secFetchSite }, `https://${site}`);

  it("when its origin is the public one", () => {
    expect(from(`https://${site}`)).toBe(true);
    expect(from(`https://${site}`, "same-origin")).toBe(true);
    expect(from(undefined, "same-origin")).toBe(true);
  });

  it("and never when anything says otherwise, or nothing says anything", () => {
    for (const origin of ["https://evil.example", `http://${site}`, `https://${site}:444`, "null", "", `https://${site}.evil.example`]) {
      expect(from(origin), origin).toBe(false);
    }
    expect(from(undefined)).toBe(false);
    for (const other of ["cross-site", "same-site", "none"]) expect(from(`https://${site}`, other), other).toBe(false);
  });

  it("on this machine by each of its names, but not from another port", () => {
    const local = (origin: string, host: string) => isSameOrigin({ origin, host, secFetchSite: undefined }, "http://localhost:8080");
    expect(local("http://127.0.0.1:8080", "127.0.0.1:8080")).toBe(true);
    expect(local("http://localhost:3000", "localhost:8080")).toBe(false);
    expect(local("http://127.0.0.1:8080", "localhost:8080")).toBe(false);
  });
});

describe("the files that pages load", () => {
  const assets = loadAssets();

  it("are named by their content and found by that name only", () => {
    expect(assets.stylesheet.path).toMatch(/^\/assets\/style\.[0-9a-f]{12}\.css$/);
    expect(assets.script.path).toMatch(/^\/assets\/page\.[0-9a-f]{12}\.js$/);
    expect(assets.find(assets.stylesheet.path.replace("/assets/", ""))?.body).toBe(assets.stylesheet.body);
    for (const name of ["style.css", "../assets.ts", "style.000000000000.css", ""]) expect(assets.find(name)).toBeUndefined();
  });

  it("load nothing from elsewhere, and stay small", () => {
    const all = [assets.stylesheet, assets.script, assets.passkeys, assets.live];
    for (const { body } of all) expect(body).not.toMatch(/https?:\/\/|@import|url\(|@font-face/);
    expect(all.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0)).toBeLessThan(40_000);
  });

  it("colour the two themes by the same tokens", () => {
    const [light = "", dark = ""] = assets.stylesheet.body.split("@media (prefers-color-scheme: dark)");
    const tokens = (css: string) => new Set([...css.matchAll(/^\s+(--[a-z-]+): (?:#|0 1px)/gm)].map(([, name]) => name));
    expect(tokens(dark)).toEqual(tokens(light));
  });
});
