import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { startGateway } from "../support/gateway.ts";
import { challengeOf, LOOPBACK, type OauthStack, startOauthStack, VERIFIER } from "../support/oauth-stack.ts";
import { ENGINES, startEngine, type TestEngine } from "../support/storages.ts";
import { testBrowser } from "../support/test-browser.ts";

describe.each(ENGINES)("an authorization from registration to revocation on %s", (engine) => {
  let databases: TestEngine;
  let stack: OauthStack;
  beforeAll(async () => {
    databases = await startEngine(engine);
  });
  afterAll(() => databases.stop());
  beforeEach(async () => {
    stack = await startOauthStack({ storage: await (await databases.createDatabase()).open() });
  });
  afterEach(() => stack.close());

  it("a client id that no database takes is an unknown one, not a fault", async () => {
    for (const id of ["a\0b", "client_\ud800", "x".repeat(5_000)]) {
      const refresh = await stack.token({ grant_type: "refresh_token", refresh_token: "any\0", client_id: id });
      expect(refresh).toMatchObject({ status: 401, body: { error: "invalid_client" } });
      const asked = await testBrowser().get(stack.authorizeUrl({ clientId: id, redirectUri: LOOPBACK }));
      expect([asked.status, await asked.text()]).toEqual([400, expect.stringContaining("not known")]);
    }
  });

  it("ends with tools of the scope that the person picked", async () => {
    const { status, body } = await stack.register({ client_name: "Test host", redirect_uris: [LOOPBACK] });
    expect(status).toBe(201);
    const clientId = String(body["client_id"]);
    const interaction = await stack.begin({ clientId, redirectUri: LOOPBACK, parameters: { scope: "read write" } });
    const back = await stack.approve(interaction, { scope: "read" });
    expect(back.origin + back.pathname).toBe(LOOPBACK);
    expect(back.searchParams.get("state")).toBe("state-1");
    expect(back.searchParams.get("iss")).toBe(stack.issuer);
    const answer = await stack.token({
      grant_type: "authorization_code",
      code: back.searchParams.get("code") ?? "",
      client_id: clientId,
      redirect_uri: LOOPBACK,
      code_verifier: VERIFIER,
      resource: `${stack.issuer}/mcp?toolsets=all`,
    });
    expect(answer).toMatchObject({ status: 200, body: { token_type: "Bearer", expires_in: 3_600, scope: "read" } });
    const list = await stack.mcp(String(answer.body["access_token"]));
    expect(list.status).toBe(200);
    expect(JSON.stringify(await list.json())).not.toContain('"change"');
    const next = await stack.token({
      grant_type: "refresh_token",
      refresh_token: String(answer.body["refresh_token"]),
      client_id: clientId,
    });
    expect(next).toMatchObject({ status: 200, body: { scope: "read" } });
    expect(next.body["refresh_token"]).not.toBe(answer.body["refresh_token"]);
    expect((await stack.mcp(String(next.body["access_token"]))).status).toBe(200);
  });
});

describe("the gateway as it is composed", () => {
  it("challenges, says where to go, registers a host, and sends its person to the consent page", async () => {
    const gateway = await startGateway();
    const { publicUrl } = gateway.app;
    const challenge = (await fetch(`${publicUrl}/mcp`, { method: "POST" })).headers.get("www-authenticate") ?? "";
    const resource = (await (await fetch(/resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? "")).json()) as Record<string, unknown>;
    expect(resource).toMatchObject({ resource: `${publicUrl}/mcp`, authorization_servers: [publicUrl] });
    const server = (await (await fetch(`${publicUrl}/.well-known/oauth-authorization-server`)).json()) as Record<string, string>;
    const registration = await fetch(server["registration_endpoint"] ?? "", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ redirect_uris: [LOOPBACK] }),
    });
    const client = (await registration.json()) as Record<string, string>;
    const query = new URLSearchParams({
      client_id: client["client_id"] ?? "",
      redirect_uri: LOOPBACK,
      response_type: "code",
      code_challenge: challengeOf(VERIFIER),
      code_challenge_method: "S256",
    });
    const response = await testBrowser().get(`${server["authorization_endpoint"] ?? ""}?${query.toString()}`);
    expect([response.status, response.headers.get("location")]).toEqual([303, expect.stringMatching(/^\/consent\/[\w-]+$/)]);
    // The demo is for this machine alone, here too.
    const forwarded = await fetch(`${publicUrl}/register`, { method: "POST", headers: { "X-Forwarded-For": "192.0.2.1" }, body: "{}" });
    expect(forwarded.status).toBe(403);
    await gateway.close();
  });
});
