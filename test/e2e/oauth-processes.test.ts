/** Two processes on one database: what one does, the other must see. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { LOOPBACK, type OauthStack, startOauthStack, VERIFIER } from "../support/oauth-stack.ts";
import { ENGINES, startEngine, type TestEngine } from "../support/storages.ts";

describe.each(ENGINES)("two authorization servers on one %s database", (engine) => {
  let databases: TestEngine;
  let one: OauthStack;
  let two: OauthStack;
  beforeAll(async () => {
    databases = await startEngine(engine);
    const database = await databases.createDatabase();
    const publicUrl = "http://localhost:1";
    one = await startOauthStack({ storage: await database.open(), http: { publicUrl } });
    two = await startOauthStack({ storage: await database.open(), http: { publicUrl }, owner: one.owner });
  });
  afterAll(async () => {
    await one.close();
    await two.close();
    await databases.stop();
  });

  const client = async (): Promise<string> => String((await one.register({ redirect_uris: [LOOPBACK] })).body["client_id"]);
  const newCode = async (clientId: string): Promise<string> =>
    (await one.approve(await one.begin({ clientId, redirectUri: LOOPBACK }))).searchParams.get("code") ?? "";
  const exchangeForm = (clientId: string, code: string) => ({
    grant_type: "authorization_code",
    code,
    client_id: clientId,
    redirect_uri: LOOPBACK,
    code_verifier: VERIFIER,
  });

  it("4: exactly one of many exchanges of one code succeeds", async () => {
    for (let round = 0; round < 3; round += 1) {
      const clientId = await client();
      const form = exchangeForm(clientId, await newCode(clientId));
      const answers = await Promise.all([one, two, one, two, one, two, one, two].map((stack) => stack.token(form)));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    }
  });

  it("16: many refreshes with one token get one answer", async () => {
    for (let round = 0; round < 3; round += 1) {
      const clientId = await client();
      const first = await two.token(exchangeForm(clientId, await newCode(clientId)));
      const form = { grant_type: "refresh_token", refresh_token: String(first.body["refresh_token"]), client_id: clientId };
      const answers = await Promise.all([one, two, one, two, one, two, one, two].map((stack) => stack.token(form)));
      expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
      expect(new Set(answers.map(({ body }) => JSON.stringify(body)))).toHaveLength(1);
      expect((await one.mcp(String(answers[0]?.body["access_token"]))).status).toBe(200);
    }
  });

  it("17: what one revokes is dead at the other", async () => {
    const clientId = await client();
    const { body } = await one.token(exchangeForm(clientId, await newCode(clientId)));
    const token = String(body["access_token"]);
    expect((await two.mcp(token)).status).toBe(200);
    await one.storage.db.updateTable("app_grants").set({ revoked_at: 1 }).execute();
    expect((await two.mcp(token)).status).toBe(401);
    expect(
      (await two.token({ grant_type: "refresh_token", refresh_token: String(body["refresh_token"]), client_id: clientId })).status,
    ).toBe(400);
  });
});
