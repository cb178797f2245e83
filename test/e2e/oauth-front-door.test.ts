/** What may come in at the authorization, metadata and MCP addresses. Numbers are those of the list of threats that OAuth servers are checked against. */
import { describe, expect, it } from "vitest";

import { sha256Hex } from "../../src/lib/secret.ts";
import { useOauth } from "../support/oauth-fixture.ts";
import { LOOPBACK, pageRequest } from "../support/oauth-stack.ts";
import { testBrowser } from "../support/test-browser.ts";

const use = useOauth();

describe("redirects", () => {
  it("1: only the registered address, with any port on loopback, gets an answer; anything else is a page", async () => {
    const web = "https://host.example/callback?a=1";
    const clientId = await use.registered(
      web,
      "http://127.0.0.1/callback",
      "http://localhost:3000/cb",
      "cursor://anysphere.cursor-mcp/oauth/callback",
    );
    for (const good of [web, "http://127.0.0.1:49152/callback", "http://localhost:1/cb", "cursor://anysphere.cursor-mcp/oauth/callback"]) {
      expect((await use.authorize(clientId, good)).location, good).toMatch(/^\/consent\//);
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
      const { status, location, text, headers } = await use.authorize(clientId, bad);
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
      expect((await use.stack.register({ redirect_uris: [LOOPBACK, bad] })).body["error"], bad).toBe("invalid_redirect_uri");
    }
    for (const redirect_uris of [
      undefined,
      null,
      [],
      "https://host.example/",
      [1],
      Array.from({ length: 21 }, (_, index) => `https://host.example/${index}`),
    ]) {
      expect((await use.stack.register({ redirect_uris })).status).toBe(400);
    }
  });

  it("3, 5, 6: faults go back with state and issuer, each by its own error", async () => {
    const clientId = await use.registered(LOOPBACK);
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
      [{ response_mode: "fragment" }, "unsupported_response_mode"],
      [{ prompt: "none" }, "login_required"],
    ] as const;
    for (const [parameters, error] of cases) {
      const { status, location } = await use.authorize(clientId, LOOPBACK, parameters);
      expect([status, JSON.stringify(parameters)]).toEqual([303, JSON.stringify(parameters)]);
      const back = new URL((location ?? "").replace("#", "?"));
      expect(back.origin + back.pathname).toBe(LOOPBACK);
      expect(Object.fromEntries(back.searchParams)).toMatchObject({ error, state: "state-1", iss: use.stack.issuer });
    }
  });

  it("6: an answer goes into the query of the address and nowhere else, also when it is a refusal", async () => {
    const redirectUri = "https://host.example/cb";
    const clientId = await use.registered(redirectUri);
    for (const response_mode of ["form_post", "fragment", "web_message", "jwt", "form_post.jwt", "nonsense"]) {
      const answer = await use.authorize(clientId, redirectUri, { response_mode });
      const back = new URL(answer.location ?? "https://nowhere.example");
      expect([answer.status, back.origin, back.hash], response_mode).toEqual([303, "https://host.example", ""]);
      expect(back.searchParams.get("error"), response_mode).toBe("unsupported_response_mode");
      expect(answer.text).not.toContain("<script");
    }
    expect((await use.authorize(clientId, redirectUri, { response_mode: "query" })).location).toContain("/consent/");
  });

  it("6: a parameter that comes twice is refused", async () => {
    const clientId = await use.registered(LOOPBACK);
    for (const name of ["state", "scope", "code_challenge", "prompt", "redirect_uri", "client_id", "response_type"]) {
      const url = `${use.stack.authorizeUrl({ clientId, redirectUri: LOOPBACK, parameters: { scope: "read", prompt: "consent" } })}&${name}=again`;
      const response = await testBrowser().get(url);
      const fault = `${response.headers.get("location") ?? ""} ${await response.text()}`;
      expect(fault, name).toMatch(/error=invalid_request|invalid_request:/);
    }
    const twice = await fetch(`${use.stack.issuer}/token`, {
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
    const clientId = await use.registered(LOOPBACK);
    for (const grant_type of ["password", "implicit", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code", ""]) {
      const { status, body } = await use.stack.token({ grant_type, client_id: clientId, username: "a", password: "b" });
      expect([status, ["unsupported_grant_type", "invalid_request"].includes(String(body["error"]))]).toEqual([400, true]);
    }
  });

  it("takes what hosts send beside the standard, and answers for every spelling of the resource", async () => {
    const clientId = await use.registered(LOOPBACK);
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
      expect((await use.authorize(clientId, LOOPBACK, { ...strange, scope })).location, scope).toMatch(/^\/consent\//);
    }
    for (const suffix of ["", "/", "/mcp", "/mcp/", "/mcp?toolsets=orders"]) {
      expect((await use.authorize(clientId, LOOPBACK, { resource: use.stack.issuer + suffix })).location, suffix).toMatch(/^\/consent\//);
    }
    expect((await use.authorize(clientId, LOOPBACK, { resource: undefined, state: undefined })).location).toMatch(/^\/consent\//);
  });
});

describe("what the consent page is told", () => {
  const seen = async (clientId: string, redirectUri: string, parameters: Readonly<Record<string, string>> = {}) => {
    const interaction = await use.stack.begin({ clientId, redirectUri, parameters });
    const { req, res } = pageRequest(interaction, use.stack.browser);
    return await use.stack.desk.find(req, res, interaction);
  };

  it("8: a name that is only claimed, cleaned, and where it leads", async () => {
    const { body } = await use.stack.register({
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
    const nameless = await use.registered("cursor://anysphere.cursor-mcp/oauth/callback");
    expect(await seen(nameless, "cursor://anysphere.cursor-mcp/oauth/callback")).toMatchObject({
      redirectKind: "custom_scheme",
      askedScope: undefined,
    });
  });

  it("21: a client that is known by its document, which is fetched once", async () => {
    const clientId = "https://host.example/oauth/client.json";
    use.documents.set(clientId, {
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
    const tokens = await use.stack.connect({ scope: "write" }, { clientId, redirectUri: "http://127.0.0.1:5000/callback" });
    expect(tokens.scope).toBe("read write");
    expect(use.fetched).toEqual([clientId]);
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
      const response = await fetch(`${use.stack.issuer}/.well-known/${path}`, {
        headers: { "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", Forwarded: "host=evil.example" },
      });
      const text = await response.text();
      expect(text).not.toContain("evil");
      expect(text).toContain(use.stack.issuer);
      expect(response.headers.get("access-control-allow-origin")).toBe("*");
      expect(response.headers.get("x-powered-by")).toBeNull();
    }
    const clientId = await use.registered(LOOPBACK);
    const response = await testBrowser().get(use.stack.authorizeUrl({ clientId, redirectUri: LOOPBACK }), {
      "X-Forwarded-Host": "evil.example",
    });
    expect(response.headers.getSetCookie().join()).not.toContain("evil");
    expect(response.headers.get("location")).toMatch(/^\/consent\//);
  });

  it("23: refuse a foreign Host, and forwarded requests while there is a demo", async () => {
    await use.restart({ http: { refuseForwarded: true } });
    for (const path of ["/token", "/register", "/authorize", "/.well-known/oauth-authorization-server"]) {
      expect((await fetch(use.stack.issuer + path, { method: "POST", headers: { "X-Forwarded-For": "1.2.3.4" } })).status, path).toBe(403);
    }
  });

  it("10, 24, 26: cookies are for this flow alone, no answer is kept, and issuers are https or loopback", async () => {
    const clientId = await use.registered(LOOPBACK);
    const { headers } = await use.authorize(clientId, LOOPBACK);
    const cookies = headers.getSetCookie();
    expect(cookies).toHaveLength(2);
    for (const cookie of cookies) expect(cookie).toMatch(/path=\/(?:consent|authorize)\/[\w-]+;.*samesite=lax; httponly/i);
    expect(headers.get("cache-control")).toBe("no-store");
  });

  it("answer browsers of any origin where no cookie counts, and their preflights", async () => {
    for (const path of ["/token", "/register", "/revoke", "/.well-known/oauth-authorization-server"]) {
      const preflight = await fetch(use.stack.issuer + path, {
        method: "OPTIONS",
        headers: { Origin: "https://inspector.example", "Access-Control-Request-Method": "POST" },
      });
      expect([path, preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([path, 204, "*"]);
    }
    const response = await fetch(`${use.stack.issuer}/token`, {
      method: "POST",
      headers: { Origin: "https://inspector.example" },
      body: new URLSearchParams(),
    });
    expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([400, "*"]);
    expect((await use.stack.mcp("x")).status).toBe(401);
  });

  it("20: let one address begin only so many authorizations", async () => {
    const clientId = await use.registered(LOOPBACK);
    const begun = await Promise.all(Array.from({ length: 310 }, () => use.authorize(clientId, LOOPBACK)));
    expect(begun.filter(({ status }) => status === 303)).toHaveLength(300);
    expect(begun.filter(({ status }) => status === 429)).toHaveLength(10);
  });

  it("take forms at the token endpoint and nothing else", async () => {
    const post = (body: string, type: string) =>
      fetch(`${use.stack.issuer}/token`, { method: "POST", headers: { "Content-Type": type }, body });
    expect((await post("{}", "application/json")).status).toBe(400);
    expect((await post("a".repeat(60_000), "application/x-www-form-urlencoded")).status).toBe(413);
    expect((await fetch(`${use.stack.issuer}/token?grant_type=refresh_token`)).status).toBe(405);
    expect((await fetch(`${use.stack.issuer}/authorize`, { method: "POST" })).status).toBe(405);
  });

  it("tell a person whose browser refuses cookies, and one who comes too late", async () => {
    const clientId = await use.registered(LOOPBACK);
    const browser = testBrowser({ cookies: false });
    const interaction = await use.stack.begin({ clientId, redirectUri: LOOPBACK }, browser);
    const { req, res } = pageRequest(interaction, browser);
    expect(await use.stack.desk.find(req, res, interaction)).toBeUndefined();
    const response = await browser.get(`${use.stack.issuer}/authorize/${interaction}`);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("This authorization is over");
  });
});

describe("the bearer check", () => {
  const change = { jsonrpc: "2.0", id: 7, method: "tools/call", params: { name: "change", arguments: {} } };

  it("19: challenges with the metadata's address and a scope, and ignores a token in the address", async () => {
    const none = await use.stack.mcp(undefined);
    const where = `resource_metadata="${use.stack.issuer}/.well-known/oauth-protected-resource/mcp", scope="read"`;
    expect([none.status, none.headers.get("www-authenticate")]).toEqual([401, `Bearer ${where}`]);
    const { access_token } = await use.stack.connect();
    expect((await use.stack.mcp(undefined, undefined, `/mcp?access_token=${access_token}`)).status).toBe(401);
    const bad = await use.stack.mcp(`${access_token}x`);
    expect(bad.headers.get("www-authenticate")).toContain('error="invalid_token"');
    expect(bad.headers.get("www-authenticate")).toContain(where);
  });

  it("15, 19: a read token neither lists nor calls what writes; the call is a 403 that asks for more", async () => {
    const { access_token } = await use.stack.connect({ scope: "read" });
    expect(await (await use.stack.mcp(access_token)).text()).not.toContain('"change"');
    for (const message of [change, { ...change, id: "x", params: { name: "change" } }]) {
      const response = await use.stack.mcp(access_token, message);
      expect(response.status).toBe(403);
      const challenge = response.headers.get("www-authenticate") ?? "";
      expect(challenge).toContain('error="insufficient_scope"');
      expect(challenge).toContain('scope="read write"');
      expect(challenge).toContain("resource_metadata=");
      expect(await response.json()).toMatchObject({ id: message.id, error: { data: { code: "scope_insufficient" } } });
    }
    expect(await (await use.stack.mcp(access_token, [change])).text()).toContain("scope_insufficient");
    await use.stack.audit.flush();
    const rows = await use.stack.storage.db.selectFrom("audit_log").selectAll().where("tool", "=", "change").execute();
    const refused = { source: "oauth", scope: "read", outcome: "error", code: "scope_insufficient" };
    expect(rows).toMatchObject([refused, refused, refused]);
  });

  it("14: a token for another resource, or of another kind, is nobody's", async () => {
    const { access_token, refresh_token } = await use.stack.connect();
    expect((await use.stack.mcp(refresh_token)).status).toBe(401);
    expect((await use.stack.mcp("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2FjY291bnRzLmdvb2dsZS5jb20ifQ.c2ln")).status).toBe(401);
    await use.stack.storage.db
      .updateTable("oauth_access_tokens")
      .set({ audience: "https://elsewhere.example/mcp" })
      .where("token_hash", "=", sha256Hex(access_token))
      .execute();
    expect((await use.stack.mcp(access_token)).status).toBe(401);
  });

  it("a token dies with the client that registered for it, and a session id opens nothing", async () => {
    const { access_token, clientId } = await use.stack.connect();
    expect((await use.stack.mcp(access_token)).status).toBe(200);
    // 27: what a client sends as its session is no credential.
    const stolen = await fetch(`${use.stack.issuer}/mcp`, {
      method: "POST",
      headers: { "Mcp-Session-Id": access_token, "Content-Type": "application/json" },
      body: "{}",
    });
    expect(stolen.status).toBe(401);
    await use.stack.storage.db.deleteFrom("oauth_clients").where("client_id", "=", clientId).execute();
    expect((await use.stack.mcp(access_token)).status).toBe(401);
  });
});
