/** What a host or an attacker may try with codes and tokens. Numbers are those of the list of threats that OAuth servers are checked against. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import { createConnectedApps } from "../../src/auth/connected-apps.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { deleteConnection } from "../../src/storage/connections.ts";
import { deleteUser } from "../../src/storage/users.ts";
import { LOOPBACK, type OauthStack, pageRequest, startOauthStack, VERIFIER } from "../support/oauth-stack.ts";
import { seedOwner } from "../support/seed-keys.ts";
import { ENGINES, startEngine, type TestEngine } from "../support/storages.ts";
import { testBrowser } from "../support/test-browser.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe.each(ENGINES)("codes and tokens on %s", (engine) => {
  let databases: TestEngine;
  let stack: OauthStack;
  beforeAll(async () => {
    databases = await startEngine(engine);
  });
  afterAll(() => databases.stop());
  beforeEach(async () => {
    stack = await startOauthStack({ storage: await (await databases.createDatabase()).open() });
  });
  afterEach(async () => {
    vi.useRealTimers();
    await stack.close();
  });

  /** Turns every clock in the process forward; timers run on. */
  const later = (ms: number): void => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
  };
  const client = async (): Promise<string> => String((await stack.register({ redirect_uris: [LOOPBACK] })).body["client_id"]);
  const newCode = async (clientId: string): Promise<string> =>
    (await stack.approve(await stack.begin({ clientId, redirectUri: LOOPBACK }))).searchParams.get("code") ?? "";
  const exchange = (clientId: string, code: string, changes: Readonly<Record<string, string>> = {}) =>
    stack.token({
      grant_type: "authorization_code",
      code,
      client_id: clientId,
      redirect_uri: LOOPBACK,
      code_verifier: VERIFIER,
      ...changes,
    });
  const refresh = (clientId: string, token: string, changes: Readonly<Record<string, string>> = {}) =>
    stack.token({ grant_type: "refresh_token", refresh_token: token, client_id: clientId, ...changes });
  const status = async (token: string): Promise<number> => (await stack.mcp(token)).status;
  const audited = async () => {
    await stack.audit.flush();
    return await stack.storage.db.selectFrom("audit_log").selectAll().where("tool", "like", "oauth.%").orderBy("sequence").execute();
  };

  it("4: of many exchanges of one code exactly one succeeds", async () => {
    const clientId = await client();
    const code = await newCode(clientId);
    const answers = await Promise.all(Array.from({ length: 8 }, () => exchange(clientId, code)));
    expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([200, 400, 400, 400, 400, 400, 400, 400]);
    expect(answers.filter((answer) => answer.status === 400).every((answer) => answer.body["error"] === "invalid_grant")).toBe(true);
  });

  it("4: a code is bound to its client, its redirect and its resource, and a replay revokes the tokens", async () => {
    const [clientId, other] = [await client(), await client()];
    const code = await newCode(clientId);
    expect(await exchange(other, code)).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    expect(await exchange(clientId, code, { redirect_uri: "http://127.0.0.1:1/" })).toMatchObject({
      status: 400,
      body: { error: "invalid_grant" },
    });
    expect(await exchange(clientId, code, { resource: "https://elsewhere.example/mcp" })).toMatchObject({ status: 400 });
    const fresh = await newCode(clientId);
    const { body } = await exchange(clientId, fresh);
    expect(await status(String(body["access_token"]))).toBe(200);
    expect(await exchange(clientId, fresh)).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    expect(await status(String(body["access_token"]))).toBe(401);
    expect(await refresh(clientId, String(body["refresh_token"]))).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    expect((await audited()).map((row) => row.tool)).toContain("oauth.code_reused");
  });

  it("4: a code is good for at most a minute", async () => {
    const clientId = await client();
    const code = await newCode(clientId);
    later(61_000);
    expect(await exchange(clientId, code)).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
  });

  it("3: a verifier that is missing, wrong or too short gets nothing", async () => {
    const clientId = await client();
    for (const code_verifier of ["", "w".repeat(64), "v"]) {
      const code = await newCode(clientId);
      expect((await exchange(clientId, code, { code_verifier })).status, code_verifier).toBe(400);
    }
  });

  it("13: a dump of the database holds no secret that could be used", async () => {
    const registered = await stack.register({ redirect_uris: [LOOPBACK], token_endpoint_auth_method: "client_secret_post" });
    const clientId = String(registered.body["client_id"]);
    const secret = String(registered.body["client_secret"]);
    const interaction = await stack.begin({ clientId, redirectUri: LOOPBACK });
    const pending = await stack.begin({ clientId, redirectUri: LOOPBACK }, testBrowser());
    const back = await stack.approve(interaction);
    const code = back.searchParams.get("code") ?? "";
    const unused = (await stack.approve(await stack.begin({ clientId, redirectUri: LOOPBACK }))).searchParams.get("code") ?? "";
    const first = await exchange(clientId, code, { client_secret: secret });
    expect(first.status).toBe(200);
    const second = await refresh(clientId, String(first.body["refresh_token"]), { client_secret: secret });
    expect(second.status).toBe(200);
    const secrets = [
      secret,
      interaction,
      pending,
      code,
      unused,
      ...[first, second].flatMap(({ body }) => [body["access_token"], body["refresh_token"]]),
    ];
    const tables = ["app_grants", "oauth_clients", "oauth_access_tokens", "oauth_records", "oauth_refresh_answers", "audit_log"] as const;
    await stack.audit.flush();
    const dump = JSON.stringify(await Promise.all(tables.map((table) => stack.storage.db.selectFrom(table).selectAll().execute())));
    expect(dump).toContain(clientId);
    for (const value of secrets) {
      expect(String(value).length).toBeGreaterThan(20);
      expect(dump).not.toContain(String(value));
      // Nor without the part that all share.
      expect(dump).not.toContain(String(value).slice(-20));
    }
    expect(JSON.stringify(stack.logged)).not.toContain(String(first.body["access_token"]));
  });

  it("16: a refresh rotates, and the same answer comes again within the window, to many at once", async () => {
    const { clientId, refresh_token } = await stack.connect();
    const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(clientId, refresh_token)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toHaveLength(1);
    expect(answers[0]?.status).toBe(200);
    later(50_000);
    expect(await refresh(clientId, refresh_token)).toEqual(answers[0]);
    expect(await status(String(answers[0]?.body["access_token"]))).toBe(200);
    const tokens = await stack.storage.db.selectFrom("oauth_access_tokens").selectAll().execute();
    expect(tokens).toHaveLength(2);
  });

  it("16: a used refresh token that comes after the window kills the whole grant", async () => {
    const { clientId, refresh_token, access_token, grantId } = await stack.connect();
    const next = await refresh(clientId, refresh_token);
    later(61_000);
    expect(await refresh(clientId, refresh_token)).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    expect(await status(access_token)).toBe(401);
    expect(await status(String(next.body["access_token"]))).toBe(401);
    expect(await refresh(clientId, String(next.body["refresh_token"]))).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    expect(await audited()).toContainEqual(expect.objectContaining({ tool: "oauth.refresh_reused", caller_id: grantId, source: "oauth" }));
  });

  it("16: the window's answer goes to the same client alone, and only once it has proved itself", async () => {
    const registered = await stack.register({ redirect_uris: [LOOPBACK], token_endpoint_auth_method: "client_secret_basic" });
    const clientId = String(registered.body["client_id"]);
    const basic = { Authorization: `Basic ${Buffer.from(`${clientId}:${String(registered.body["client_secret"])}`).toString("base64")}` };
    const form = { grant_type: "authorization_code", code: await newCode(clientId), redirect_uri: LOOPBACK, code_verifier: VERIFIER };
    const first = await stack.token(form, basic);
    expect(first.status).toBe(200);
    const again = { grant_type: "refresh_token", refresh_token: String(first.body["refresh_token"]) };
    const answer = await stack.token(again, basic);
    expect(answer.status).toBe(200);
    expect(await stack.token({ ...again, client_id: clientId })).toMatchObject({ status: 401, body: { error: "invalid_client" } });
    expect(await stack.token({ ...again, client_id: await client() })).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    expect(await stack.token(again, basic)).toEqual(answer);
  });

  it("15: a refresh never widens the scope, whatever is asked, and may narrow it", async () => {
    const { clientId, refresh_token } = await stack.connect({ scope: "read" });
    const wider = await refresh(clientId, refresh_token, { scope: "read write offline_access" });
    expect(wider).toMatchObject({ status: 200, body: { scope: "read" } });
    const all = await stack.connect({ scope: "write" });
    expect(all.scope).toBe("read write");
    const narrow = await refresh(all.clientId, all.refresh_token, { scope: "read" });
    expect(narrow).toMatchObject({ status: 200, body: { scope: "read" } });
    const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "change", arguments: {} } };
    expect((await stack.mcp(String(narrow.body["access_token"]), call)).status).toBe(403);
    expect((await stack.mcp(all.access_token, call)).status).toBe(200);
  });

  it("17: RFC 7009 takes an access or a refresh token, from its own client only, and answers 200 to the unknown", async () => {
    const revoke = (clientId: string, token: string) =>
      fetch(`${stack.issuer}/revoke`, { method: "POST", body: new URLSearchParams({ token, client_id: clientId }) });
    const [byAccess, byRefresh] = [await stack.connect(), await stack.connect()];
    expect((await revoke(byRefresh.clientId, byAccess.access_token)).status).toBe(200);
    expect(await status(byAccess.access_token)).toBe(200);
    expect((await revoke(byAccess.clientId, byAccess.access_token)).status).toBe(200);
    expect(await status(byAccess.access_token)).toBe(401);
    expect((await refresh(byAccess.clientId, byAccess.refresh_token)).status).toBe(400);
    expect((await revoke(byRefresh.clientId, byRefresh.refresh_token)).status).toBe(200);
    expect(await status(byRefresh.access_token)).toBe(401);
    expect((await revoke(byRefresh.clientId, "ibkr_at_unknown")).status).toBe(200);
    expect((await revoke("client_unknown", byRefresh.access_token)).status).toBe(401);
  });

  it("17: what its owner cuts off is dead on the very next request, one or all of a connection or all", async () => {
    const apps = createConnectedApps({ storage: stack.storage, clock: systemClock, audit: stack.audit, unusedLimitMs: 90 * DAY_MS });
    const { userId, connectionId } = stack.owner;
    const [one, two, three] = [await stack.connect(), await stack.connect(), await stack.connect({ scope: "write" })];
    expect(await apps.list(userId)).toMatchObject([
      { scope: "write" },
      { scope: "read" },
      { scope: "read", connectionId, redirectUri: LOOPBACK },
    ]);
    expect(await apps.revoke({ userId: "usr_somebody_else", id: one.grantId }, "req_1")).toBe(false);
    expect(await status(one.access_token)).toBe(200);
    expect(await apps.revoke({ userId, id: one.grantId }, "req_2")).toBe(true);
    expect([await status(one.access_token), await status(two.access_token)]).toEqual([401, 200]);
    expect((await refresh(one.clientId, one.refresh_token)).body).toMatchObject({ error: "invalid_grant" });
    expect(await apps.revokeAll({ userId, connectionId: "con_other" }, "req_3")).toBe(0);
    expect(await apps.revokeAll({ userId, connectionId }, "req_4")).toBe(2);
    expect([await status(two.access_token), await status(three.access_token)]).toEqual([401, 401]);
    expect(await apps.list(userId)).toEqual([]);
    expect((await audited()).filter((row) => row.tool === "oauth.revoked")).toHaveLength(3);
  });

  it("16, 17: a revocation in a race with refreshes leaves nothing alive", async () => {
    const apps = createConnectedApps({ storage: stack.storage, clock: systemClock, audit: stack.audit, unusedLimitMs: 90 * DAY_MS });
    for (let round = 0; round < 5; round += 1) {
      const { clientId, refresh_token, grantId } = await stack.connect();
      const [answer] = await Promise.all([
        refresh(clientId, refresh_token),
        apps.revoke({ userId: stack.owner.userId, id: grantId }, `req_${round}`),
      ]);
      if (answer.status === 200) {
        expect(await status(String(answer.body["access_token"]))).toBe(401);
        expect((await refresh(clientId, String(answer.body["refresh_token"]))).status).toBe(400);
      }
      expect((await refresh(clientId, refresh_token)).status).toBe(400);
    }
  });

  it("11, 17: tokens go with their connection and with their account", async () => {
    const mine = await stack.connect();
    await deleteConnection(stack.storage, stack.owner);
    expect(await status(mine.access_token)).toBe(401);
    expect((await refresh(mine.clientId, mine.refresh_token)).status).toBe(400);
    const other = await seedOwner(stack.storage, "another");
    const theirs = await stack.connect({ userId: other.userId, connectionId: other.connectionId });
    expect(await status(theirs.access_token)).toBe(200);
    await deleteUser(stack.storage, other.userId);
    expect(await status(theirs.access_token)).toBe(401);
    expect((await refresh(theirs.clientId, theirs.refresh_token)).status).toBe(400);
  });

  it("11: nobody approves with a connection of somebody else", async () => {
    const other = await seedOwner(stack.storage, "another");
    const interaction = await stack.begin({ clientId: await client(), redirectUri: LOOPBACK });
    await expect(stack.approve(interaction, { connectionId: other.connectionId })).rejects.toThrow("You have no such connection.");
    await expect(stack.approve(interaction, { allowedAccountIds: [] })).rejects.toThrow("empty or too long");
    await expect(stack.approve(interaction, { expiresAt: 1 })).rejects.toThrow("not a time in the future");
    expect((await stack.approve(interaction)).searchParams.get("code")).not.toBeNull();
  });

  it("18: an access token lives an hour; a grant until its chosen end, or until it lay unused for 90 days", async () => {
    const expiring = await stack.connect({ expiresAt: Date.now() + HOUR_MS / 2 });
    expect(expiring.expires_in).toBeLessThanOrEqual(1_800);
    const lasting = await stack.connect();
    later(HOUR_MS + 1_000);
    expect(await status(lasting.access_token)).toBe(401);
    expect((await refresh(expiring.clientId, expiring.refresh_token)).status).toBe(400);
    const next = await refresh(lasting.clientId, lasting.refresh_token);
    expect(next.status).toBe(200);
    later(89 * DAY_MS);
    const last = await refresh(lasting.clientId, String(next.body["refresh_token"]));
    expect(last.status).toBe(200);
    later(91 * DAY_MS);
    expect((await refresh(lasting.clientId, String(last.body["refresh_token"]))).body).toMatchObject({ error: "invalid_grant" });
  });

  it("9: an authorization is the browser's that began it, and can be answered once", async () => {
    const clientId = await client();
    const victim = testBrowser();
    const interaction = await stack.begin({ clientId, redirectUri: LOOPBACK });
    const sent = pageRequest(interaction, victim);
    expect(await stack.desk.find(sent.req, sent.res, interaction)).toBeUndefined();
    await expect(stack.approve(interaction, {}, victim)).rejects.toThrow("This authorization is over");
    const own = pageRequest(interaction, stack.browser);
    expect(await stack.desk.find(own.req, own.res, interaction)).toMatchObject({
      clientId,
      identity: "registered",
      redirectKind: "loopback",
    });
    const answers = await Promise.allSettled([stack.approve(interaction), stack.approve(interaction), stack.approve(interaction)]);
    expect(answers.filter((answer) => answer.status === "fulfilled")).toHaveLength(1);
    expect(await stack.desk.find(own.req, own.res, interaction)).toBeUndefined();
  });

  it("7: each authorization asks anew, also for the same client, person and browser", async () => {
    const { clientId } = await stack.connect();
    const input = { clientId, redirectUri: LOOPBACK };
    expect(await stack.begin(input)).toMatch(/^[\w-]+$/);
    const silent = await stack.browser.get(stack.authorizeUrl({ ...input, parameters: { prompt: "none" } }));
    expect(new URL(silent.headers.get("location") ?? "").searchParams.get("error")).toBe("login_required");
    expect(stack.browser.jar.join()).not.toContain("session");
  });

  it("28: consent is on record without secrets, and a refusal goes back to the host", async () => {
    const { grantId } = await stack.connect({ scope: "write" });
    expect(await audited()).toEqual([
      expect.objectContaining({
        tool: "oauth.approved",
        caller_id: grantId,
        source: "oauth",
        scope: "write",
        connection_id: stack.owner.connectionId,
      }),
    ]);
    const interaction = await stack.begin({ clientId: await client(), redirectUri: LOOPBACK });
    const { req, res } = pageRequest(interaction, stack.browser);
    const { redirectTo } = await stack.desk.deny(req, res, interaction);
    const back = new URL((await stack.browser.get(redirectTo)).headers.get("location") ?? "");
    expect(Object.fromEntries(back.searchParams)).toMatchObject({ error: "access_denied", state: "state-1", iss: stack.issuer });
  });
});
