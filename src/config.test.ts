import { describe, expect, it } from "vitest";

import { ConfigError, describeSettings, isLoopbackHost, loadConfig } from "./config.ts";

describe("loadConfig", () => {
  it("binds to loopback with the demo when nothing is set", () => {
    const config = loadConfig({});
    expect(config).toMatchObject({ port: 8080, host: "127.0.0.1", publicUrl: "http://localhost:8080", demo: true, simulator: true });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it.each([
    [{ PORT: "99999" }, "setting PORT"],
    [{ PORT: "eighty" }, "setting PORT"],
    [{ PUBLIC_URL: "gateway.example.com" }, "setting PUBLIC_URL"],
    [{ PUBLIC_URL: "https://gateway.example.com/path" }, "setting PUBLIC_URL"],
    [{ PUBLIC_URL: "http://gateway.example.com" }, "must be https"],
    [{ DATABASE_URL: "mysql://x" }, "setting DATABASE_URL"],
    [{ GOOGLE_CLIENT_ID: "x" }, "setting GOOGLE_CLIENT_SECRET: GOOGLE_CLIENT_ID needs it"],
    [{ OIDC_CLIENT_ID: "x" }, "setting OIDC_ISSUER: OIDC_CLIENT_ID needs it"],
    [{ OIDC_CLIENT_SECRET: "x" }, "setting OIDC_ISSUER: OIDC_CLIENT_SECRET needs it"],
    [{ OIDC_ISSUER: "http://login.example.com", OIDC_CLIENT_ID: "x" }, "must be https"],
    [{ DEMO: "yes" }, "setting DEMO"],
    [{ LOG_LEVEL: "loud" }, "setting LOG_LEVEL"],
  ])("refuses %j in one line that names the setting", (environment, expected) => {
    expect(() => loadConfig(environment)).toThrow(ConfigError);
    expect(() => loadConfig(environment)).toThrow(expected);
    expect(() => loadConfig(environment)).not.toThrow(/\n/);
  });

  it.each([{ HOST: "0.0.0.0" }, { PUBLIC_URL: "https://gateway.example.com" }, { DEMO: "off" }])("has no demo with %j", (environment) => {
    expect(loadConfig(environment).demo).toBe(false);
  });

  it("treats an empty variable as unset", () => {
    expect(loadConfig({ PORT: "", PUBLIC_URL: "" }).port).toBe(8080);
  });

  it("knows the issuers at which people may sign in, and keeps their secrets out of print", () => {
    const config = loadConfig({
      GOOGLE_CLIENT_ID: "g",
      GOOGLE_CLIENT_SECRET: "not for print",
      OIDC_ISSUER: "https://login.example.com",
      OIDC_CLIENT_ID: "c",
      OIDC_NAME: "Example",
      OIDC_ALLOWED_DOMAINS: "Example.com, @example.org",
    });
    expect(config.oidcProviders).toMatchObject([
      { id: "google", name: "Google", issuer: "https://accounts.google.com", clientId: "g" },
      { id: "sso", name: "Example", issuer: "https://login.example.com", clientId: "c", clientSecret: undefined },
    ]);
    expect(config.oidcAllowedDomains).toEqual(["example.com", "example.org"]);
    expect(JSON.stringify(config)).not.toContain("not for print");
  });

  it("splits lists and keeps secrets out of print", () => {
    const config = loadConfig({ TRUSTED_PROXIES: "10.0.0.0/8, 127.0.0.1", SEALING_KEY: "c2VjcmV0", DATABASE_URL: "postgres://u:p@h/d" });
    expect(config.trustedProxies).toEqual(["10.0.0.0/8", "127.0.0.1"]);
    expect(JSON.stringify(config)).not.toMatch(/c2VjcmV0|postgres:/);
  });
});

it.each([
  ["localhost", true],
  ["127.0.0.1", true],
  ["127.9.9.9", true],
  ["[::1]", true],
  ["0.0.0.0", false],
  ["localhost.example.com", false],
  ["127.0.0.1.example.com", false],
])("isLoopbackHost(%s) is %s", (host, expected) => {
  expect(isLoopbackHost(host)).toBe(expected);
});

it("describes every setting in one line", () => {
  for (const setting of describeSettings()) expect(setting.description, setting.name).toMatch(/^.{20,250}$/);
});
