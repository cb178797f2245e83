import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { LOOPBACK, type OauthStack, startOauthStack, VERIFIER } from "../support/oauth-stack.ts";
import { ENGINES, startEngine, type TestEngine } from "../support/storages.ts";

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
