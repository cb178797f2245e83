/** How clients make themselves known. Numbers are those of the list of threats that OAuth servers are checked against. */
import { createSign, generateKeyPairSync, randomUUID } from "node:crypto";

import { describe, expect, it, vi } from "vitest";

import type { FetchedDocument } from "../../src/auth/oauth/document-fetch.ts";
import { jsonDocument, useOauth } from "../support/oauth-fixture.ts";
import { LOOPBACK, pageRequest, VERIFIER } from "../support/oauth-stack.ts";

const use = useOauth();

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
      await use.restart({ fetchDocument: () => Promise.resolve(jsonDocument(bad)) });
      const { status, location } = await use.authorize(clientId, "https://host.example/cb");
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
      expect((await use.authorize(id, "https://host.example/cb")).status, id).toBe(400);
    }
    expect(use.fetched).toEqual([]);
  });

  it("21: a document that can't be fetched is not asked for again at once, nor more often than a limit", async () => {
    for (let attempt = 0; attempt < 5; attempt += 1) expect((await use.authorize(clientId, "https://host.example/cb")).status).toBe(400);
    expect(use.fetched).toEqual([clientId]);
    for (let index = 0; index < 80; index += 1) await use.authorize(`https://host.example/${index}.json`, "https://host.example/cb");
    expect(use.fetched.length).toBe(60);
  });

  it("a document that was read stands in for itself while its host is down, for a week; then the host is told to wait, not to forget", async () => {
    use.documents.set(clientId, good);
    const { refresh_token } = await use.stack.connect({}, { clientId, redirectUri: "https://host.example/cb" });
    const refresh = (token: unknown) => use.stack.token({ grant_type: "refresh_token", refresh_token: String(token), client_id: clientId });
    use.documents.clear();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 25 * 3_600_000 });
    const next = await refresh(refresh_token);
    expect([next.status, use.fetched.length]).toEqual([200, 2]);
    vi.setSystemTime(Date.now() + 8 * 24 * 3_600_000);
    expect(await refresh(next.body["refresh_token"])).toMatchObject({ status: 503, body: { error: "temporarily_unavailable" } });
  });

  it("strangers who use the limit of fetches up cut off no host that is connected", async () => {
    const other = "https://other.example/client.json";
    use.documents.set(clientId, good);
    use.documents.set(other, { ...good, client_id: other });
    const { refresh_token } = await use.stack.connect({}, { clientId, redirectUri: "https://host.example/cb" });
    // The library keeps a document without cache headers for a minute.
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
    for (let index = 0; index < 60; index += 1) await use.authorize(`https://flood.example/${index}.json`, "https://host.example/cb");
    const fetched = use.fetched.length;
    const refresh = (token: unknown, id: string) =>
      use.stack.token({ grant_type: "refresh_token", refresh_token: String(token), client_id: id });
    expect((await refresh(refresh_token, clientId)).status).toBe(200);
    // One that is not known yet waits; it must not hear that its client id is wrong.
    expect(await refresh("any", other)).toMatchObject({ status: 503, body: { error: "temporarily_unavailable" } });
    expect(use.fetched.length).toBe(fetched);
    vi.setSystemTime(Date.now() + 600_000);
    expect((await use.authorize(other, "https://host.example/cb")).status).toBe(303);
  });

  it("21: an IPv6 network counts as one address in the limit of fetches", async () => {
    await use.restart({ http: { trustedProxies: ["127.0.0.1"] } });
    for (let index = 0; index < 80; index += 1) {
      const url = use.stack.authorizeUrl({ clientId: `https://host.example/${index}.json`, redirectUri: "https://host.example/cb" });
      await fetch(url, { redirect: "manual", headers: { "X-Forwarded-For": `2001:db8:1:2::${index}` } });
    }
    expect(use.fetched.length).toBe(60);
  });

  it("21: a list of hosts limits whose documents are fetched", async () => {
    use.documents.set(clientId, good);
    await use.restart({ clientDocumentHosts: ["claude.ai"] });
    expect((await use.authorize(clientId, "https://host.example/cb")).status).toBe(400);
    expect(use.fetched).toEqual([]);
  });

  it("built-in facts stand in for a well-known host's document only while it can't be fetched", async () => {
    const claude = "https://claude.ai/oauth/mcp-oauth-client-metadata";
    const callback = "https://claude.ai/api/mcp/auth_callback";
    const interaction = await use.stack.begin({ clientId: claude, redirectUri: callback });
    const { req, res } = pageRequest(interaction, use.stack.browser);
    expect(await use.stack.desk.find(req, res, interaction)).toMatchObject({
      identity: "built_in",
      claimedName: "Claude",
      clientHost: "claude.ai",
    });
    expect((await use.stack.connect({}, { clientId: claude, redirectUri: callback })).token_type).toBe("Bearer");
    const answers: readonly (readonly [FetchedDocument, number])[] = [
      [jsonDocument("challenge", 403), 303],
      [{ ...jsonDocument("<html>"), contentType: "text/html" }, 303],
      [jsonDocument("", 500), 303],
      [jsonDocument("", 302), 303],
      // The vendor has spoken: there is no such document, or it says something else.
      [jsonDocument("", 404), 400],
      [jsonDocument({ client_id: claude, client_name: "Claude", redirect_uris: ["https://elsewhere.example/cb"] }), 400],
      [jsonDocument("{"), 400],
    ];
    for (const [answer, status] of answers) {
      await use.restart({ fetchDocument: () => Promise.resolve(answer) });
      expect((await use.authorize(claude, callback)).status, JSON.stringify(answer)).toBe(status);
    }
    await use.restart({ builtInClients: false });
    expect((await use.authorize(claude, callback)).status).toBe(400);
  });

  it("22: a client proves itself by a signed assertion: for us, in time, once, with its own key", async () => {
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const keys = "https://host.example/keys.json";
    use.documents.set(clientId, { ...good, token_endpoint_auth_method: "private_key_jwt", jwks_uri: keys });
    use.documents.set(keys, { keys: [{ ...pair.publicKey.export({ format: "jwk" }), alg: "ES256", use: "sig" }] });
    const assertion = (changes: Record<string, unknown> = {}, key = pair.privateKey, alg = "ES256"): string => {
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        iss: clientId,
        sub: clientId,
        aud: `${use.stack.issuer}/token`,
        iat: now,
        exp: now + 60,
        jti: randomUUID(),
        ...changes,
      };
      const text = [{ alg, typ: "JWT" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
      return alg === "none"
        ? `${text}.`
        : `${text}.${createSign("sha256").update(text).sign({ key, dsaEncoding: "ieee-p1363" }, "base64url")}`;
    };
    const exchange = async (client_assertion: string) => {
      const code =
        (await use.stack.approve(await use.stack.begin({ clientId, redirectUri: "https://host.example/cb" }))).searchParams.get("code") ??
        "";
      const type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
      const form = { grant_type: "authorization_code", code, redirect_uri: "https://host.example/cb", code_verifier: VERIFIER };
      return await use.stack.token({ ...form, client_assertion, client_assertion_type: type });
    };
    const used = assertion();
    expect((await exchange(used)).status).toBe(200);
    const refused = [
      used,
      assertion({ aud: "https://elsewhere.example/token" }),
      assertion({ exp: 1 }),
      // Remembered until it expires, so that it must not be for ever.
      assertion({ exp: Math.floor(Date.now() / 1000) + 3_600 }),
      assertion({ jti: undefined }),
      assertion({ iss: "https://elsewhere.example/c.json" }),
      assertion({}, stranger.privateKey),
      assertion({}, pair.privateKey, "none"),
      assertion({}, pair.privateKey, "HS256"),
    ];
    for (const bad of refused) expect(await exchange(bad)).toMatchObject({ status: 401, body: { error: "invalid_client" } });
    // Without its assertion it is nobody.
    const code =
      (await use.stack.approve(await use.stack.begin({ clientId, redirectUri: "https://host.example/cb" }))).searchParams.get("code") ?? "";
    const bare = {
      grant_type: "authorization_code",
      code,
      client_id: clientId,
      redirect_uri: "https://host.example/cb",
      code_verifier: VERIFIER,
    };
    expect((await use.stack.token(bare)).status).toBe(401);
    // A clock that is a little off is borne.
    const now = Math.floor(Date.now() / 1000);
    expect((await exchange(assertion({ iat: now + 10, nbf: now + 10, exp: now + 70 }))).status).toBe(200);
  });
});

describe("registration", () => {
  it("20: is limited by address, and what it costs is bounded", async () => {
    const one = await Promise.all(Array.from({ length: 310 }, () => use.stack.register({ redirect_uris: [LOOPBACK] })));
    expect(one.filter(({ status }) => status === 201)).toHaveLength(300);
    expect(one.find(({ status }) => status === 429)?.body).toMatchObject({ error: "temporarily_unavailable" });
  });

  it("20: takes no large, broken or foreign body", async () => {
    const post = (body: string, type = "application/json") =>
      fetch(`${use.stack.issuer}/register`, { method: "POST", headers: { "Content-Type": type }, body });
    expect((await post(JSON.stringify({ redirect_uris: [LOOPBACK], client_name: "x".repeat(40_000) }))).status).toBe(413);
    for (const body of ["", "{", "[]", "null", '"x"']) expect((await post(body)).status, body).toBe(400);
    expect((await fetch(`${use.stack.issuer}/register`)).status).toBe(405);
  });

  it("keeps what it uses, and answers that with nothing else", async () => {
    const { status, body } = await use.stack.register({
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
    expect((await use.stack.register({ redirect_uris: [LOOPBACK], token_endpoint_auth_method: "client_secret_jwt" })).body["error"]).toBe(
      "invalid_client_metadata",
    );
  });

  it("a client id that was lost is refused so that hosts register again, and people read how", async () => {
    const { status, body } = await use.stack.token({ grant_type: "refresh_token", refresh_token: "ibkr_rt_x", client_id: "client_lost" });
    expect([status, body["error"]]).toEqual([401, "invalid_client"]);
    const page = await use.authorize("client_lost", LOOPBACK);
    expect([page.status, page.location]).toEqual([400, null]);
    for (const host of ["Claude", "ChatGPT", "Cursor", "VS Code", "Claude Code", "Codex"]) expect(page.text).toContain(`<dt>${host}</dt>`);
  });
});
