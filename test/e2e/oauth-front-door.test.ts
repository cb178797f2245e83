/** What may come in at the authorization, registration and metadata addresses. Numbers are those of the list of threats that OAuth servers are checked against. */
import { createSign, generateKeyPairSync, randomUUID } from "node:crypto";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import type { FetchedDocument } from "../../src/auth/oauth/document-fetch.ts";
import { sha256Hex } from "../../src/lib/secret.ts";
import {
  LOOPBACK,
  noInternet,
  type OauthStack,
  type OauthStackOptions,
  pageRequest,
  startOauthStack,
  VERIFIER,
} from "../support/oauth-stack.ts";
import { startEngine, type TestEngine } from "../support/storages.ts";
import { testBrowser } from "../support/test-browser.ts";

let databases: TestEngine;
let stack: OauthStack;
/** Documents on the pretended internet, by address. */
let documents: Map<string, unknown>;
let fetched: string[];

beforeAll(async () => {
  databases = await startEngine("sqlite");
});
afterAll(() => databases.stop());
beforeEach(async () => {
  documents = new Map();
  fetched = [];
  stack = await start();
});
afterEach(async () => {
  vi.useRealTimers();
  await stack.close();
});

const start = async (options: Partial<OauthStackOptions> = {}): Promise<OauthStack> =>
  startOauthStack({
    storage: await (await databases.createDatabase()).open(),
    fetchDocument: async (url) => {
      fetched.push(url);
      const document = documents.get(url);
      return document === undefined ? await noInternet(url) : json(document);
    },
    ...options,
  });
const json = (document: unknown, status = 200): FetchedDocument => ({
  status,
  contentType: "application/json; charset=utf-8",
  cacheHeaders: {},
  text: typeof document === "string" ? document : JSON.stringify(document),
});
const registered = async (...redirectUris: string[]): Promise<string> =>
  String((await stack.register({ client_name: "Host", redirect_uris: redirectUris })).body["client_id"]);
/** Where the browser is sent, or the page it gets. */
const authorize = async (clientId: string, redirectUri: string, parameters: Readonly<Record<string, string | undefined>> = {}) => {
  const response = await testBrowser().get(stack.authorizeUrl({ clientId, redirectUri, parameters }));
  return { status: response.status, location: response.headers.get("location"), headers: response.headers, text: await response.text() };
};

describe("redirects", () => {
  it("1: only the registered address, with any port on loopback, gets an answer; anything else is a page", async () => {
    const web = "https://host.example/callback?a=1";
    const clientId = await registered(
      web,
      "http://127.0.0.1/callback",
      "http://localhost:3000/cb",
      "cursor://anysphere.cursor-mcp/oauth/callback",
    );
    for (const good of [web, "http://127.0.0.1:49152/callback", "http://localhost:1/cb", "cursor://anysphere.cursor-mcp/oauth/callback"]) {
      expect((await authorize(clientId, good)).location, good).toMatch(/^\/consent\//);
    }
    for (const bad of [
      "https://host.example/callback",
      "https://host.example/callback?a=1&b=2",
      "https://host.example:444/callback?a=1",
      "https://HOST.example/callback?a=1",
      "https://host.example/Callback?a=1",
      "https://host.example/callback/?a=1",
      "https://host.example/x/../callback?a=1",
      "https://host.example.evil.example/callback?a=1",
      "http://host.example/callback?a=1",
      "http://127.0.0.1:49152/other",
      "http://localhost/callback",
      "http://127.0.0.2/callback",
      "http://127.0.0.1@evil.example/callback",
      "http://user@127.0.0.1/callback",
      "cursor://anysphere.cursor-mcp/oauth/callback/",
      "javascript:alert(1)",
    ]) {
      const { status, location, text, headers } = await authorize(clientId, bad);
      expect([bad, status, location]).toEqual([bad, 400, null]);
      expect(text).toContain("You were not sent back");
      expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    }
  });

  it("2: registration refuses addresses that lead anywhere but to the client itself", async () => {
    for (const bad of [
      "http://host.example/callback",
      "http://192.168.1.10/callback",
      "https://host.example/callback#part",
      "https://user:password@host.example/callback",
      "https://localhost/callback",
      "javascript:alert(1)",
      "JavaScript:alert(1)",
      "data:text/html,x",
      "file:///etc/passwd",
      "blob:https://host.example/1",
      "vbscript:x",
      "about:blank",
      "ws://127.0.0.1/",
      "/callback",
      "",
      "https://host.example/\u202ecallback",
      `https://host.example/${"a".repeat(3_000)}`,
    ]) {
      expect((await stack.register({ redirect_uris: [LOOPBACK, bad] })).body["error"], bad).toBe("invalid_redirect_uri");
    }
    for (const redirect_uris of [
      undefined,
      null,
      [],
      "https://host.example/",
      [1],
      Array.from({ length: 21 }, (_, index) => `https://host.example/${index}`),
    ]) {
      expect((await stack.register({ redirect_uris })).status).toBe(400);
    }
  });

  it("3, 5, 6: faults go back with state and issuer, each by its own error", async () => {
    const clientId = await registered(LOOPBACK);
    const cases = [
      [{ code_challenge: undefined, code_challenge_method: undefined }, "invalid_request"],
      [{ code_challenge_method: "plain" }, "invalid_request"],
      [{ code_challenge_method: undefined }, "invalid_request"],
      [{ code_challenge: "short" }, "invalid_request"],
      [{ response_type: "token", response_mode: "query" }, "invalid_request"],
      [{ response_type: "code id_token" }, "invalid_request"],
      [{ response_type: "none" }, "unsupported_response_type"],
      [{ resource: "https://elsewhere.example/mcp" }, "invalid_target"],
      [{ request: "eyJ" }, "request_not_supported"],
      [{ request_uri: "https://host.example/r" }, "request_uri_not_supported"],
      [{ response_mode: "fragment" }, "invalid_request"],
      [{ prompt: "none" }, "login_required"],
    ] as const;
    for (const [parameters, error] of cases) {
      const { status, location } = await authorize(clientId, LOOPBACK, parameters);
      expect([status, JSON.stringify(parameters)]).toEqual([303, JSON.stringify(parameters)]);
      const back = new URL((location ?? "").replace("#", "?"));
      expect(back.origin + back.pathname).toBe(LOOPBACK);
      expect(Object.fromEntries(back.searchParams)).toMatchObject({ error, state: "state-1", iss: stack.issuer });
    }
  });

  it("6: a parameter that comes twice is refused", async () => {
    const clientId = await registered(LOOPBACK);
    for (const name of ["state", "scope", "code_challenge", "prompt", "redirect_uri", "client_id", "response_type"]) {
      const url = `${stack.authorizeUrl({ clientId, redirectUri: LOOPBACK, parameters: { scope: "read", prompt: "consent" } })}&${name}=again`;
      const response = await testBrowser().get(url);
      const fault = `${response.headers.get("location") ?? ""} ${await response.text()}`;
      expect(fault, name).toMatch(/error=invalid_request|invalid_request:/);
    }
    const twice = await fetch(`${stack.issuer}/token`, {
      method: "POST",
      body: new URLSearchParams([
        ["grant_type", "authorization_code"],
        ["client_id", clientId],
        ["code", "a"],
        ["code", "b"],
      ]),
    });
    expect(twice.status).toBe(400);
  });

  it("6: there is no password, implicit or client credentials grant", async () => {
    const clientId = await registered(LOOPBACK);
    for (const grant_type of ["password", "implicit", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code", ""]) {
      const { status, body } = await stack.token({ grant_type, client_id: clientId, username: "a", password: "b" });
      expect([status, ["unsupported_grant_type", "invalid_request"].includes(String(body["error"]))]).toEqual([400, true]);
    }
  });

  it("takes what hosts send beside the standard, and answers for every spelling of the resource", async () => {
    const clientId = await registered(LOOPBACK);
    const strange = {
      nonce: "n",
      max_age: "0",
      acr_values: "x",
      claims: "{",
      id_token_hint: "x",
      display: "popup",
      prompt: "select_account",
      audience: "a",
    };
    for (const scope of [undefined, "", " read", "openid profile", "read trade offline_access"]) {
      expect((await authorize(clientId, LOOPBACK, { ...strange, scope })).location, scope).toMatch(/^\/consent\//);
    }
    for (const suffix of ["", "/", "/mcp", "/mcp/", "/mcp?toolsets=orders"]) {
      expect((await authorize(clientId, LOOPBACK, { resource: stack.issuer + suffix })).location, suffix).toMatch(/^\/consent\//);
    }
    expect((await authorize(clientId, LOOPBACK, { resource: undefined, state: undefined })).location).toMatch(/^\/consent\//);
  });
});

describe("what the consent page is told", () => {
  const seen = async (clientId: string, redirectUri: string, parameters: Readonly<Record<string, string>> = {}) => {
    const interaction = await stack.begin({ clientId, redirectUri, parameters });
    const { req, res } = pageRequest(interaction, stack.browser);
    return await stack.desk.find(req, res, interaction);
  };

  it("8: a name that is only claimed, cleaned, and where it leads", async () => {
    const { body } = await stack.register({
      client_name: "  Cl\u202eaude\u0000\n\u200b <b>x</b>  ",
      redirect_uris: ["https://host.example/cb"],
    });
    expect(await seen(String(body["client_id"]), "https://host.example/cb", { scope: "read write" })).toMatchObject({
      claimedName: "Cl aude <b>x</b>",
      identity: "registered",
      clientHost: undefined,
      redirectKind: "https",
      askedScope: "write",
    });
    const nameless = await registered("cursor://anysphere.cursor-mcp/oauth/callback");
    expect(await seen(nameless, "cursor://anysphere.cursor-mcp/oauth/callback")).toMatchObject({
      redirectKind: "custom_scheme",
      askedScope: undefined,
    });
  });

  it("21: a client that is known by its document, which is fetched once", async () => {
    const clientId = "https://host.example/oauth/client.json";
    documents.set(clientId, {
      client_id: clientId,
      client_name: "Host",
      redirect_uris: ["http://127.0.0.1/callback"],
      scope: "openid email",
      application_type: "web",
      grant_types: ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"],
    });
    expect(await seen(clientId, "http://127.0.0.1:5000/callback")).toMatchObject({
      identity: "metadata_document",
      clientHost: "host.example",
      claimedName: "Host",
    });
    const tokens = await stack.connect({ scope: "write" }, { clientId, redirectUri: "http://127.0.0.1:5000/callback" });
    expect(tokens.scope).toBe("read write");
    expect(fetched).toEqual([clientId]);
  });
});

describe("client documents", () => {
  const clientId = "https://host.example/oauth/client.json";
  const good = { client_id: clientId, client_name: "Host", redirect_uris: ["https://host.example/cb"] };

  it("21: a document that claims too much is refused, with a page and no redirect", async () => {
    for (const bad of [
      { ...good, client_id: "https://host.example/oauth/other.json" },
      { ...good, client_secret: "s" },
      { ...good, token_endpoint_auth_method: "client_secret_post" },
      { ...good, redirect_uris: ["http://host.example/cb"] },
      { ...good, redirect_uris: [] },
      { ...good, token_endpoint_auth_method: "private_key_jwt", jwks_uri: "http://host.example/keys" },
      [good],
      "{",
      "null",
    ]) {
      await stack.close();
      stack = await start({ fetchDocument: () => Promise.resolve(json(bad)) });
      const { status, location } = await authorize(clientId, "https://host.example/cb");
      expect([status, location], JSON.stringify(bad)).toEqual([400, null]);
    }
  });

  it("21: an id that is no address of a document is not asked for", async () => {
    for (const id of [
      "https://host.example",
      "https://host.example/",
      "http://host.example/c.json",
      "https://host.example/c.json?a=1",
      "https://host.example/c.json#a",
      "https://user@host.example/c.json",
      "https://host.example/a/../c.json",
    ]) {
      expect((await authorize(id, "https://host.example/cb")).status, id).toBe(400);
    }
    expect(fetched).toEqual([]);
  });

  it("21: a document that can't be fetched is not asked for again at once, nor more often than a limit", async () => {
    for (let attempt = 0; attempt < 5; attempt += 1) expect((await authorize(clientId, "https://host.example/cb")).status).toBe(400);
    expect(fetched).toEqual([clientId]);
    for (let index = 0; index < 80; index += 1) await authorize(`https://host.example/${index}.json`, "https://host.example/cb");
    expect(fetched.length).toBe(60);
  });

  it("a document that was read stands in for itself while its host is down, for a week; then the host is told to wait, not to forget", async () => {
    documents.set(clientId, good);
    const { refresh_token } = await stack.connect({}, { clientId, redirectUri: "https://host.example/cb" });
    const refresh = (token: unknown) => stack.token({ grant_type: "refresh_token", refresh_token: String(token), client_id: clientId });
    documents.clear();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 25 * 3_600_000 });
    const next = await refresh(refresh_token);
    expect([next.status, fetched.length]).toEqual([200, 2]);
    vi.setSystemTime(Date.now() + 8 * 24 * 3_600_000);
    expect(await refresh(next.body["refresh_token"])).toMatchObject({ status: 503, body: { error: "temporarily_unavailable" } });
  });

  it("21: a list of hosts limits whose documents are fetched", async () => {
    documents.set(clientId, good);
    await stack.close();
    stack = await start({ clientDocumentHosts: ["claude.ai"] });
    expect((await authorize(clientId, "https://host.example/cb")).status).toBe(400);
    expect(fetched).toEqual([]);
  });

  it("built-in facts stand in for a well-known host's document only while it can't be fetched", async () => {
    const claude = "https://claude.ai/oauth/mcp-oauth-client-metadata";
    const callback = "https://claude.ai/api/mcp/auth_callback";
    const interaction = await stack.begin({ clientId: claude, redirectUri: callback });
    const { req, res } = pageRequest(interaction, stack.browser);
    expect(await stack.desk.find(req, res, interaction)).toMatchObject({
      identity: "built_in",
      claimedName: "Claude",
      clientHost: "claude.ai",
    });
    expect((await stack.connect({}, { clientId: claude, redirectUri: callback })).token_type).toBe("Bearer");
    const answers: readonly (readonly [FetchedDocument, number])[] = [
      [json("challenge", 403), 303],
      [{ ...json("<html>"), contentType: "text/html" }, 303],
      [json("", 500), 303],
      [json("", 302), 303],
      // The vendor has spoken: there is no such document, or it says something else.
      [json("", 404), 400],
      [json({ client_id: claude, client_name: "Claude", redirect_uris: ["https://elsewhere.example/cb"] }), 400],
      [json("{"), 400],
    ];
    for (const [answer, status] of answers) {
      await stack.close();
      stack = await start({ fetchDocument: () => Promise.resolve(answer) });
      expect((await authorize(claude, callback)).status, JSON.stringify(answer)).toBe(status);
    }
    await stack.close();
    stack = await start({ builtInClients: false });
    expect((await authorize(claude, callback)).status).toBe(400);
  });

  it("22: a client proves itself by a signed assertion: for us, in time, once, with its own key", async () => {
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const keys = "https://host.example/keys.json";
    documents.set(clientId, { ...good, token_endpoint_auth_method: "private_key_jwt", jwks_uri: keys });
    documents.set(keys, { keys: [{ ...pair.publicKey.export({ format: "jwk" }), alg: "ES256", use: "sig" }] });
    const assertion = (changes: Record<string, unknown> = {}, key = pair.privateKey, alg = "ES256"): string => {
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: clientId, sub: clientId, aud: `${stack.issuer}/token`, iat: now, exp: now + 60, jti: randomUUID(), ...changes };
      const text = [{ alg, typ: "JWT" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
      return alg === "none"
        ? `${text}.`
        : `${text}.${createSign("sha256").update(text).sign({ key, dsaEncoding: "ieee-p1363" }, "base64url")}`;
    };
    const exchange = async (client_assertion: string) => {
      const code =
        (await stack.approve(await stack.begin({ clientId, redirectUri: "https://host.example/cb" }))).searchParams.get("code") ?? "";
      const type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
      const form = { grant_type: "authorization_code", code, redirect_uri: "https://host.example/cb", code_verifier: VERIFIER };
      return await stack.token({ ...form, client_assertion, client_assertion_type: type });
    };
    const used = assertion();
    expect((await exchange(used)).status).toBe(200);
    const refused = [
      used,
      assertion({ aud: "https://elsewhere.example/token" }),
      assertion({ exp: 1 }),
      assertion({ jti: undefined }),
      assertion({ iss: "https://elsewhere.example/c.json" }),
      assertion({}, stranger.privateKey),
      assertion({}, pair.privateKey, "none"),
      assertion({}, pair.privateKey, "HS256"),
    ];
    for (const bad of refused) expect(await exchange(bad)).toMatchObject({ status: 401, body: { error: "invalid_client" } });
    // Without its assertion it is nobody.
    const code =
      (await stack.approve(await stack.begin({ clientId, redirectUri: "https://host.example/cb" }))).searchParams.get("code") ?? "";
    const bare = {
      grant_type: "authorization_code",
      code,
      client_id: clientId,
      redirect_uri: "https://host.example/cb",
      code_verifier: VERIFIER,
    };
    expect((await stack.token(bare)).status).toBe(401);
    // A clock that is a little off is borne.
    const now = Math.floor(Date.now() / 1000);
    expect((await exchange(assertion({ iat: now + 10, nbf: now + 10, exp: now + 70 }))).status).toBe(200);
  });
});

describe("registration", () => {
  it("20: is limited by address, and what it costs is bounded", async () => {
    const one = await Promise.all(Array.from({ length: 310 }, () => stack.register({ redirect_uris: [LOOPBACK] })));
    expect(one.filter(({ status }) => status === 201)).toHaveLength(300);
    expect(one.find(({ status }) => status === 429)?.body).toMatchObject({ error: "temporarily_unavailable" });
  });

  it("20: takes no large, broken or foreign body", async () => {
    const post = (body: string, type = "application/json") =>
      fetch(`${stack.issuer}/register`, { method: "POST", headers: { "Content-Type": type }, body });
    expect((await post(JSON.stringify({ redirect_uris: [LOOPBACK], client_name: "x".repeat(40_000) }))).status).toBe(413);
    for (const body of ["", "{", "[]", "null", '"x"']) expect((await post(body)).status, body).toBe(400);
    expect((await fetch(`${stack.issuer}/register`)).status).toBe(405);
  });

  it("keeps what it uses, and answers that with nothing else", async () => {
    const { status, body } = await stack.register({
      client_name: "VS Code",
      client_uri: "https://code.visualstudio.com",
      logo_uri: null,
      contacts: [],
      scope: "openid admin",
      application_type: "web",
      grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
      response_types: ["code"],
      redirect_uris: ["http://127.0.0.1/", "https://vscode.dev/redirect"],
      token_endpoint_auth_method: "none",
      gateway_identity: "metadata_document",
    });
    expect(status).toBe(201);
    expect(body).toEqual({
      client_id: expect.stringMatching(/^client_/),
      client_id_issued_at: expect.any(Number),
      client_name: "VS Code",
      redirect_uris: ["http://127.0.0.1/", "https://vscode.dev/redirect"],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      application_type: "native",
      token_endpoint_auth_method: "none",
    });
    expect((await stack.register({ redirect_uris: [LOOPBACK], token_endpoint_auth_method: "client_secret_jwt" })).body["error"]).toBe(
      "invalid_client_metadata",
    );
  });

  it("a client id that was lost is refused so that hosts register again, and people read how", async () => {
    const { status, body } = await stack.token({ grant_type: "refresh_token", refresh_token: "ibkr_rt_x", client_id: "client_lost" });
    expect([status, body["error"]]).toEqual([401, "invalid_client"]);
    const page = await authorize("client_lost", LOOPBACK);
    expect([page.status, page.location]).toEqual([400, null]);
    for (const host of ["Claude", "ChatGPT", "Cursor", "VS Code", "Claude Code", "Codex"]) expect(page.text).toContain(`<dt>${host}</dt>`);
  });
});

describe("the addresses themselves", () => {
  it("23: say the issuer's name, whatever the request says", async () => {
    for (const path of [
      "oauth-authorization-server",
      "oauth-authorization-server/mcp",
      "oauth-protected-resource",
      "oauth-protected-resource/mcp",
    ]) {
      const response = await fetch(`${stack.issuer}/.well-known/${path}`, {
        headers: { "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", Forwarded: "host=evil.example" },
      });
      const text = await response.text();
      expect(text).not.toContain("evil");
      expect(text).toContain(stack.issuer);
      expect(response.headers.get("access-control-allow-origin")).toBe("*");
      expect(response.headers.get("x-powered-by")).toBeNull();
    }
    const clientId = await registered(LOOPBACK);
    const response = await testBrowser().get(stack.authorizeUrl({ clientId, redirectUri: LOOPBACK }), {
      "X-Forwarded-Host": "evil.example",
    });
    expect(response.headers.getSetCookie().join()).not.toContain("evil");
    expect(response.headers.get("location")).toMatch(/^\/consent\//);
  });

  it("23: refuse a foreign Host, and forwarded requests while there is a demo", async () => {
    await stack.close();
    stack = await start({ http: { refuseForwarded: true } });
    for (const path of ["/token", "/register", "/authorize", "/.well-known/oauth-authorization-server"]) {
      expect((await fetch(stack.issuer + path, { method: "POST", headers: { "X-Forwarded-For": "1.2.3.4" } })).status, path).toBe(403);
    }
  });

  it("10, 24, 26: cookies are for this flow alone, no answer is kept, and issuers are https or loopback", async () => {
    const clientId = await registered(LOOPBACK);
    const { headers } = await authorize(clientId, LOOPBACK);
    const cookies = headers.getSetCookie();
    expect(cookies).toHaveLength(2);
    for (const cookie of cookies) expect(cookie).toMatch(/path=\/(?:consent|authorize)\/[\w-]+;.*samesite=lax; httponly/i);
    expect(headers.get("cache-control")).toBe("no-store");
  });

  it("answer browsers of any origin where no cookie counts, and their preflights", async () => {
    for (const path of ["/token", "/register", "/revoke", "/.well-known/oauth-authorization-server"]) {
      const preflight = await fetch(stack.issuer + path, {
        method: "OPTIONS",
        headers: { Origin: "https://inspector.example", "Access-Control-Request-Method": "POST" },
      });
      expect([path, preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([path, 204, "*"]);
    }
    const response = await fetch(`${stack.issuer}/token`, {
      method: "POST",
      headers: { Origin: "https://inspector.example" },
      body: new URLSearchParams(),
    });
    expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([400, "*"]);
    expect((await stack.mcp("x")).status).toBe(401);
  });

  it("take forms at the token endpoint and nothing else", async () => {
    const post = (body: string, type: string) =>
      fetch(`${stack.issuer}/token`, { method: "POST", headers: { "Content-Type": type }, body });
    expect((await post("{}", "application/json")).status).toBe(400);
    expect((await post("a".repeat(60_000), "application/x-www-form-urlencoded")).status).toBe(413);
    expect((await fetch(`${stack.issuer}/token?grant_type=refresh_token`)).status).toBe(405);
    expect((await fetch(`${stack.issuer}/authorize`, { method: "POST" })).status).toBe(405);
  });

  it("tell a person whose browser refuses cookies, and one who comes too late", async () => {
    const clientId = await registered(LOOPBACK);
    const browser = testBrowser({ cookies: false });
    const interaction = await stack.begin({ clientId, redirectUri: LOOPBACK }, browser);
    const { req, res } = pageRequest(interaction, browser);
    expect(await stack.desk.find(req, res, interaction)).toBeUndefined();
    const response = await browser.get(`${stack.issuer}/authorize/${interaction}`);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("This authorization is over");
  });
});

describe("the bearer check", () => {
  const change = { jsonrpc: "2.0", id: 7, method: "tools/call", params: { name: "change", arguments: {} } };

  it("19: challenges with the metadata's address and a scope, and ignores a token in the address", async () => {
    const none = await stack.mcp(undefined);
    const where = `resource_metadata="${stack.issuer}/.well-known/oauth-protected-resource/mcp", scope="read"`;
    expect([none.status, none.headers.get("www-authenticate")]).toEqual([401, `Bearer ${where}`]);
    const { access_token } = await stack.connect();
    expect((await stack.mcp(undefined, undefined, `/mcp?access_token=${access_token}`)).status).toBe(401);
    const bad = await stack.mcp(`${access_token}x`);
    expect(bad.headers.get("www-authenticate")).toContain('error="invalid_token"');
    expect(bad.headers.get("www-authenticate")).toContain(where);
  });

  it("15, 19: a read token neither lists nor calls what writes; the call is a 403 that asks for more", async () => {
    const { access_token } = await stack.connect({ scope: "read" });
    expect(await (await stack.mcp(access_token)).text()).not.toContain('"change"');
    for (const message of [change, { ...change, id: "x", params: { name: "change" } }]) {
      const response = await stack.mcp(access_token, message);
      expect(response.status).toBe(403);
      const challenge = response.headers.get("www-authenticate") ?? "";
      expect(challenge).toContain('error="insufficient_scope"');
      expect(challenge).toContain('scope="read write"');
      expect(challenge).toContain("resource_metadata=");
      expect(await response.json()).toMatchObject({ id: message.id, error: { data: { code: "scope_insufficient" } } });
    }
    expect(await (await stack.mcp(access_token, [change])).text()).not.toContain('"isError":false');
    await stack.audit.flush();
    const rows = await stack.storage.db.selectFrom("audit_log").selectAll().where("tool", "=", "change").execute();
    expect(rows).toMatchObject([
      { source: "oauth", scope: "read", outcome: "error", code: "scope_insufficient" },
      { source: "oauth", scope: "read", outcome: "error", code: "scope_insufficient" },
    ]);
  });

  it("14: a token for another resource, or of another kind, is nobody's", async () => {
    const { access_token, refresh_token } = await stack.connect();
    expect((await stack.mcp(refresh_token)).status).toBe(401);
    expect((await stack.mcp("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2FjY291bnRzLmdvb2dsZS5jb20ifQ.c2ln")).status).toBe(401);
    await stack.storage.db
      .updateTable("oauth_access_tokens")
      .set({ audience: "https://elsewhere.example/mcp" })
      .where("token_hash", "=", sha256Hex(access_token))
      .execute();
    expect((await stack.mcp(access_token)).status).toBe(401);
  });

  it("a token dies with the client that registered for it, and a session id opens nothing", async () => {
    const { access_token, clientId } = await stack.connect();
    expect((await stack.mcp(access_token)).status).toBe(200);
    // 27: what a client sends as its session is no credential.
    const stolen = await fetch(`${stack.issuer}/mcp`, {
      method: "POST",
      headers: { "Mcp-Session-Id": access_token, "Content-Type": "application/json" },
      body: "{}",
    });
    expect(stolen.status).toBe(401);
    await stack.storage.db.deleteFrom("oauth_clients").where("client_id", "=", clientId).execute();
    expect((await stack.mcp(access_token)).status).toBe(401);
  });
});
