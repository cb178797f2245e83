/** What the consent page and the form of a connection refuse, asked over HTTP with a signed-in browser's cookies. */
import { join } from "node:path";

import type { APIResponse, BrowserContext } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { openStorage } from "../../src/storage/open-storage.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { openBrowser, type TestBrowser } from "../support/browser.ts";
import { invitePerson, registerHost, startGatewayForPeople, type TestHost } from "../support/consent-walk.ts";
import { setUpPerson } from "../support/person.ts";
import { silentLog } from "../support/silent-log.ts";

let gateway: Awaited<ReturnType<typeof startGatewayForPeople>>;
let storage: Storage;
let browser: TestBrowser;
let host: TestHost;
let ada: BrowserContext;
let grace: BrowserContext;

beforeAll(async () => {
  gateway = await startGatewayForPeople();
  storage = await openStorage({ file: join(gateway.dataDir, "gateway.sqlite"), log: silentLog });
  browser = await openBrowser();
  host = await registerHost(gateway.url);
  ada = await browser.context();
  grace = await browser.context();
  const page = await ada.newPage();
  await setUpPerson(page, gateway.setupUrl);
  await invitePerson(page, await grace.newPage(), gateway.url);
});
afterAll(async () => {
  await browser.close();
  await host.close();
  await storage.close();
  await gateway.close();
});

type Fields = Record<string, string>;

/** The form of a page: where it stands and its hidden fields and first choices. */
async function open(profile: BrowserContext, url: string): Promise<{ readonly url: string; readonly fields: Fields }> {
  const answer = await profile.request.get(url);
  const html = await answer.text();
  const hidden = [...html.slice(html.indexOf("<main")).matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)];
  const fields = Object.fromEntries(hidden.map(([, name = "", value = ""]) => [name, value]));
  const connection = /name="connection" value="(con_\w+)"/.exec(html)?.[1];
  const [, kind] = /name="kind" value="(simulator)"/.exec(html) ?? [];
  return {
    url: answer.url(),
    fields: { ...fields, ...(connection === undefined ? {} : { connection }), ...(kind === undefined ? {} : { kind }) },
  };
}

const openConsent = async (profile: BrowserContext) => {
  const { url, fields } = await open(profile, host.authorizeUrl());
  return { url, fields: { ...fields, scope: "read", accounts: "all", duration: "until_revoked", decision: "approve" } as Fields };
};

function send(profile: BrowserContext, url: string, form: Fields, headers: Fields = { Origin: gateway.url }): Promise<APIResponse> {
  return profile.request.post(url, { form, headers, maxRedirects: 0 });
}

const count = async (table: "app_grants" | "connections" | "api_keys"): Promise<number> =>
  (await storage.db.selectFrom(table).select("id").execute()).length;

describe("consent", () => {
  let grants: number;
  beforeEach(async () => {
    grants = await count("app_grants");
  });

  it("is shown with headers that keep it to this window, and lets its form end at any scheme", async () => {
    const answer = await ada.request.get(host.authorizeUrl());
    expect(answer.headers()).toMatchObject({ "x-frame-options": "DENY", "cache-control": "no-store", "referrer-policy": "same-origin" });
    const csp = answer.headers()["content-security-policy"] ?? "";
    expect(csp).toContain("default-src 'none'");
    expect(csp).toContain("frame-ancestors 'none'");
    expect(csp).not.toContain("form-action");
    expect(csp).not.toContain("unsafe");
  });

  it("is not taken from another site, another port, or from nowhere", async () => {
    const { url, fields } = await openConsent(ada);
    for (const headers of [
      { Origin: "https://evil.example" },
      { Origin: "http://localhost:9" },
      { Origin: "null" },
      {},
      { Origin: gateway.url, "Sec-Fetch-Site": "cross-site" },
    ]) {
      expect((await send(ada, url, fields, headers)).status(), JSON.stringify(headers)).toBe(403);
    }
    const shown = await send(ada, url, fields, { Origin: "https://evil.example", Accept: "text/html" });
    expect(await shown.text()).toContain("The Origin header names a web page that may not call this gateway");
    expect(await count("app_grants")).toBe(grants);
  });

  it("is not taken without this authorization's own form token", async () => {
    const other = await openConsent(ada);
    const { url, fields } = await openConsent(ada);
    for (const form_token of ["", "x", other.fields["form_token"] ?? ""]) {
      expect((await send(ada, url, { ...fields, form_token })).status()).toBe(422);
    }
    expect(await count("app_grants")).toBe(grants);
  });

  it("sent signed out leads to the sign-in page and back", async () => {
    const { url, fields } = await openConsent(ada);
    const answer = await send(await browser.context(), url, fields);
    expect([answer.status(), answer.headers()["location"]]).toEqual([
      303,
      `/sign-in?return_to=${encodeURIComponent(new URL(url).pathname)}`,
    ]);
  });

  it("begun in one browser is over for every other: a link sent to a victim does nothing", async () => {
    const { url, fields } = await openConsent(ada);
    expect((await grace.request.get(url)).status()).toBe(410);
    const own = await open(grace, host.authorizeUrl());
    expect((await send(grace, url, { ...fields, ...own.fields })).status()).toBe(410);
    expect(await count("app_grants")).toBe(grants);
  });

  it("for a connection of somebody else, or one that isn't there, is no choice", async () => {
    const { fields: adas } = await openConsent(ada);
    await addConnection(grace, "Grace's own");
    const { url, fields } = await openConsent(grace);
    for (const connection of [adas["connection"] ?? "", "con_nothing", ""]) {
      const answer = await send(grace, url, { ...fields, connection });
      expect(answer.status()).toBe(422);
      expect(await answer.text()).toContain("Choose one of your connections.");
    }
    for (const change of [{ scope: "admin" }, { duration: "forever" }, { accounts: "some", account: `${fields["connection"]}/DU0` }]) {
      expect((await send(grace, url, { ...fields, ...change })).status()).toBe(422);
    }
    expect(await count("app_grants")).toBe(grants);
  });

  it("sent twice at once is given once", async () => {
    const { url, fields } = await openConsent(ada);
    const answers = await Promise.all([send(ada, url, fields), send(ada, url, fields), send(ada, url, fields)]);
    const statuses = answers.map((answer) => answer.status()).toSorted((a, b) => a - b);
    expect(statuses).toEqual([303, 410, 410]);
    expect(await count("app_grants")).toBe(grants + 1);
    expect((await send(ada, url, fields)).status()).toBe(410);
  });

  it("larger than any true form is refused", async () => {
    const { url, fields } = await openConsent(ada);
    expect((await send(ada, url, { ...fields, note: "x".repeat(70_000) })).status()).toBe(413);
  });
});

async function addConnection(profile: BrowserContext, label: string, back = ""): Promise<APIResponse> {
  const { fields } = await open(profile, `${gateway.url}/console/connections/new${back}`);
  return await send(profile, `${gateway.url}/console/connections/new`, { ...fields, label });
}

describe("a new connection", () => {
  it("is one, with one key in force, however often its form is sent", async () => {
    const { url, fields } = await open(ada, `${gateway.url}/console/connections/new`);
    const before = [await count("connections"), await count("app_grants")];
    const answers = await Promise.all([1, 2, 3].map(() => send(ada, url, { ...fields, label: "Once" })));
    expect(answers.map((answer) => answer.status())).toEqual([303, 303, 303]);
    expect(new Set(answers.map((answer) => answer.headers()["location"])).size).toBe(1);
    expect([await count("connections"), await count("app_grants")]).toEqual([(before[0] ?? 0) + 1, before[1]]);
    const connectionId = /con_\w+/.exec(answers[0]?.headers()["location"] ?? "")?.[0] ?? "";
    const keys = await storage.db.selectFrom("api_keys").selectAll().where("connection_id", "=", connectionId).execute();
    expect(keys.filter((key) => key.revoked_at === null).map((key) => key.label)).toEqual(["default"]);
  });

  it("has its secrets and its key in no readable form in the database", async () => {
    const answer = await addConnection(ada, "Sealed");
    const connectionId = /con_\w+/.exec(answer.headers()["location"] ?? "")?.[0] ?? "";
    const created = await ada.request.get(`${gateway.url}/console/connections/${connectionId}/created`);
    const key = /ibkr_[\w-]{43}/.exec(await created.text())?.[0] ?? "none";
    const row = await storage.db.selectFrom("connections").selectAll().where("id", "=", connectionId).executeTakeFirstOrThrow();
    // The gateway's own simulator has its credentials with itself.
    expect(row.sealed_secrets).toBeNull();
    expect(JSON.stringify(row)).not.toContain("PRIVATE KEY");
    const keys = await storage.db.selectFrom("api_keys").selectAll().execute();
    expect(JSON.stringify(keys)).not.toContain(key.slice(12));
    expect(answer.headers()["location"]).not.toContain("ibkr_");
    expect(answer.headers()["set-cookie"]).not.toContain(key);
    expect(gateway.logged.join("\n")).not.toContain(key);
  });

  it("of somebody else is not there", async () => {
    const answer = await addConnection(ada, "Mine");
    const path = answer.headers()["location"] ?? "";
    expect((await grace.request.get(`${gateway.url}${path}`)).status()).toBe(404);
    expect((await grace.request.get(`${gateway.url}/console/connections/con_nothing/created`)).status()).toBe(404);
  });

  it("never leads on to another site", async () => {
    for (const back of ["https://evil.example", "//evil.example", "/\\evil.example"]) {
      const { url, fields } = await open(ada, `${gateway.url}/console/connections/new?return_to=${encodeURIComponent(back)}`);
      const answer = await send(ada, url, { ...fields, label: "Back", return_to: back });
      expect(answer.headers()["location"]).toMatch(/^\/console\/connections\/con_\w+\/created$/);
      const page = await ada.request.get(`${gateway.url}${answer.headers()["location"]}?return_to=${encodeURIComponent(back)}`);
      expect(await page.text()).not.toContain("evil.example");
    }
  });

  it("needs a name, a known kind, this session's form token and a page of ours", async () => {
    const { url, fields } = await open(ada, `${gateway.url}/console/connections/new`);
    const connections = await count("connections");
    const wrong: readonly Fields[] = [{ label: "" }, { label: "\u200B" }, { label: "x".repeat(61) }, { kind: "ibkr" }, { form_id: "x" }];
    for (const change of wrong)
      expect((await send(ada, url, { ...fields, label: "Good", ...change })).status(), JSON.stringify(change)).toBe(422);
    expect((await send(ada, url, { ...fields, label: "Good" }, { Origin: "http://localhost:9" })).status()).toBe(403);
    // Who was signed out meanwhile, or signed in anew, finds what they typed in the form again.
    const signedOut = await send(await browser.context(), url, { ...fields, label: "Good one" });
    expect(signedOut.status()).toBe(303);
    expect(decodeURIComponent(signedOut.headers()["location"] ?? "")).toContain("typed.label=Good+one");
    const old = await send(ada, url, { ...fields, label: "Good one", form_token: "x" });
    const again = await ada.request.get(gateway.url + (old.headers()["location"] ?? ""));
    expect(await again.text()).toMatch(/nothing was done[^]*value="Good one"/);
    expect(await count("connections")).toBe(connections);
  });
});

describe("the files that pages load", () => {
  it("are kept for a year under a name that changes with them, and are nothing else's", async () => {
    const html = await (await ada.request.get(`${gateway.url}/console/connections/new`)).text();
    const path = /href="(\/assets\/style\.\w+\.css)"/.exec(html)?.[1] ?? "";
    const css = await ada.request.get(gateway.url + path);
    expect(css.headers()).toMatchObject({
      "content-type": "text/css; charset=utf-8",
      "cache-control": "public, max-age=31536000, immutable",
    });
    for (const other of ["/assets/style.css", "/assets/..%2fassets.ts", "/assets/page.000000000000.js"]) {
      expect((await ada.request.get(gateway.url + other)).status(), other).toBe(404);
    }
  });
});
