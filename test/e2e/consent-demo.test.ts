/** What hosts can be given of the demo once this gateway may not show it: nothing. */
import { afterEach, expect, it } from "vitest";

import { registerHost, startGatewayForPeople, type TestHost } from "../support/consent-walk.ts";
import { PERSON } from "../support/person.ts";
import { siteVisitor, type SiteVisitor } from "../support/site-visitor.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const account = { display_name: PERSON.displayName, login_name: PERSON.loginName, password: PERSON.password };

/** Goes to the consent page as a browser does. */
async function openConsent(ada: SiteVisitor, host: TestHost, origin: string) {
  const authorized = await ada.get(host.authorizeUrl());
  const path = new URL(authorized.location ?? "", origin).pathname;
  return { path, page: await ada.get(path) };
}

async function listTools(gatewayUrl: string, token: unknown): Promise<number> {
  const answer = await fetch(`${gatewayUrl}/mcp`, {
    method: "POST",
    headers: { Authorization: `Bearer ${String(token)}`, "Content-Type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }),
  });
  await answer.text();
  return answer.status;
}

it("a host's access to the demo ends where the demo may not be, and nobody is offered more of it", async () => {
  const first = await startGatewayForPeople();
  const ada = siteVisitor(first.url);
  const setupPath = new URL(first.setupUrl).pathname;
  await ada.get(setupPath);
  await ada.post(setupPath, account);
  const host = await registerHost(first.url);
  const { path, page } = await openConsent(ada, host, first.url);
  const connection = /name="connection" value="(con_\w+)"/.exec(page.text)?.[1] ?? "";
  // The page has another form before, to sign out.
  const form_token = /name="form_token" value="([^"]+)"/.exec(page.text.slice(page.text.indexOf('id="consent"')))?.[1] ?? "";
  const choices = { connection, scope: "write", accounts: "all", duration: "until_revoked", decision: "approve" };
  const approved = await ada.post(path, { ...choices, form_token });
  const back = await ada.get(approved.location ?? "");
  const { access_token } = await host.exchange(new URL(back.location ?? "").searchParams.get("code") ?? "");
  expect(await listTools(first.url, access_token)).toBe(200);
  await host.close();
  await first.close();

  const second = await startGatewayForPeople({ environment: { DEMO: "off", PORT: new URL(first.url).port }, dataDir: first.dataDir });
  closers.push(() => second.close());
  expect(await listTools(second.url, access_token)).toBe(401);
  const again = await registerHost(second.url);
  closers.push(() => again.close());
  const shown = await openConsent(ada, again, second.url);
  expect(shown.page.status).toBe(200);
  expect(shown.page.text).not.toContain(connection);
  expect(shown.page.text).toContain("/console/connections/new");
  const lastToken = [...shown.page.text.matchAll(/name="form_token" value="([^"]+)"/g)].at(-1)?.[1] ?? "";
  expect((await ada.post(shown.path, { ...choices, form_token: lastToken })).status).toBe(422);
});
