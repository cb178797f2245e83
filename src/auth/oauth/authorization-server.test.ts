import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { fakeClock } from "../../../test/support/fake-clock.ts";
import { LOOPBACK, noInternet, startOauthStack } from "../../../test/support/oauth-stack.ts";
import { silentLog } from "../../../test/support/silent-log.ts";
import { startEngine, type TestEngine } from "../../../test/support/storages.ts";
import { systemRandom } from "../../lib/random.ts";
import { createBearerCheck } from "../bearer.ts";
import { createAuthorizationServer } from "./authorization-server.ts";

const DAY_MS = 86_400_000;

describe("the authorization server", () => {
  let databases: TestEngine;
  beforeAll(async () => {
    databases = await startEngine("sqlite");
  });
  afterAll(() => databases.stop());

  it("26: has an issuer on https or loopback, without a slash at its end", async () => {
    const storage = await (await databases.createDatabase()).open();
    const clock = fakeClock();
    const make = async (issuer: string): Promise<void> => {
      const deps = { storage, audit: { record: () => undefined }, clock, random: systemRandom, log: silentLog, fetchDocument: noInternet };
      const options = { unusedLimitMs: DAY_MS, builtInClients: true, clientDocumentHosts: [] };
      await createAuthorizationServer(deps, { issuer, ...options }).close();
    };
    for (const good of [
      "https://gateway.example",
      "https://gateway.example:8443",
      "http://localhost:8080",
      "http://127.0.0.1:1",
      "http://[::1]:1",
    ]) {
      await make(good);
    }
    for (const bad of ["http://gateway.example", "https://gateway.example/", "https://gateway.example/path", "ftp://gateway.example"]) {
      await expect(make(bad), bad).rejects.toThrow("the issuer must be");
    }
    expect(clock.pending).toBe(0);
  });

  it("24, 26: on https sends secure cookies, and browsers keep to https", async () => {
    const storage = await (await databases.createDatabase()).open();
    const stack = await startOauthStack({ storage, http: { publicUrl: "https://gateway.example" } });
    const { body } = await stack.register({ redirect_uris: [LOOPBACK] });
    const response = await stack.browser.get(stack.authorizeUrl({ clientId: String(body["client_id"]), redirectUri: LOOPBACK }));
    expect(response.headers.get("strict-transport-security")).toBe("max-age=31536000");
    expect(response.headers.getSetCookie()).toHaveLength(2);
    for (const cookie of response.headers.getSetCookie()) expect(cookie).toMatch(/; secure/i);
    const metadata = await fetch(
      stack.authorizeUrl({ clientId: "", redirectUri: "" }).replace(/\/authorize.*/, "/.well-known/oauth-authorization-server"),
    );
    expect(await metadata.json()).toMatchObject({ issuer: "https://gateway.example", token_endpoint: "https://gateway.example/token" });
    await stack.close();
  });

  it("lets expired rows go by and by", async () => {
    const storage = await (await databases.createDatabase()).open();
    const clock = fakeClock();
    const deps = { storage, audit: { record: () => undefined }, clock, random: systemRandom, log: silentLog, fetchDocument: noInternet };
    const server = createAuthorizationServer(deps, {
      issuer: "https://gateway.example",
      unusedLimitMs: DAY_MS,
      builtInClients: true,
      clientDocumentHosts: [],
    });
    const row = { id_hash: "a", kind: "Interaction", grant_id: null, payload: "{}", consumed_at: null, expires_at: clock.now() };
    await storage.db.insertInto("oauth_records").values(row).execute();
    await clock.advance(600_000);
    await server.close();
    expect(await storage.db.selectFrom("oauth_records").selectAll().execute()).toEqual([]);
  });

  it("a grant's last use is noted, at most once a minute", async () => {
    const storage = await (await databases.createDatabase()).open();
    const stack = await startOauthStack({ storage });
    const { access_token, grantId } = await stack.connect();
    const clock = fakeClock(Date.now());
    const bearer = createBearerCheck({ storage, clock, log: silentLog, resource: () => `${stack.issuer}/mcp` });
    const check = (address: string) => bearer.check(`Bearer ${access_token}`, { address, client: "host/1" });
    const lastUse = async () => await storage.db.selectFrom("app_grants").selectAll().where("id", "=", grantId).executeTakeFirst();
    const first = clock.now();
    expect(await check("10.0.0.1")).toMatchObject({ kind: "caller", caller: { id: grantId, source: "oauth", scope: "read" } });
    await check("10.0.0.2");
    await clock.advance(1_000);
    await check("10.0.0.3");
    await bearer.close();
    expect(await lastUse()).toMatchObject({ last_used_at: first, last_used_address: "10.0.0.1", last_used_client: "host/1" });
    await stack.close();
  });
});
