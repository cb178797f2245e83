/** The consent page in real Chromium, from a host's question to its tools. */
import { join } from "node:path";

import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { findAppGrant } from "../../src/storage/app-grants.ts";
import { openStorage } from "../../src/storage/open-storage.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { openBrowser, type TestBrowser } from "../support/browser.ts";
import { invitePerson, registerHost, startGatewayForPeople, type TestHost } from "../support/consent-walk.ts";
import { PERSON, setUpPerson, signIn } from "../support/person.ts";
import { curl } from "../support/mcp-call.ts";
import { silentLog } from "../support/silent-log.ts";

let gateway: Awaited<ReturnType<typeof startGatewayForPeople>>;
let storage: Storage;
let browser: TestBrowser;
let host: TestHost;
/** The profile in which the first person is signed in. */
let home: BrowserContext;

beforeAll(async () => {
  gateway = await startGatewayForPeople();
  storage = await openStorage({ file: join(gateway.dataDir, "gateway.sqlite"), log: silentLog });
  browser = await openBrowser();
  host = await registerHost(gateway.url, { client_name: "Test host" });
  home = await browser.context();
  await setUpPerson(await home.newPage(), gateway.setupUrl);
});
afterAll(async () => {
  await browser.close();
  await host.close();
  await storage.close();
  await gateway.close();
});

/** Begins an authorization in a page of its own and stops at the consent page. */
async function ask(profile: BrowserContext, parameters: Readonly<Record<string, string>> = {}): Promise<Page> {
  const page = await profile.newPage();
  await page.goto(host.authorizeUrl(parameters));
  return page;
}

/** Presses a button and follows to the host; answers the query that came back with it. */
async function goBackBy(page: Page, button: "Approve" | "Deny"): Promise<URLSearchParams> {
  const before = host.returned.length;
  await Promise.all([page.waitForURL(/\/callback/), page.getByRole("button", { name: button }).click()]);
  expect(host.returned).toHaveLength(before + 1);
  return host.returned.at(-1) ?? new URLSearchParams();
}

async function toolNames(token: unknown): Promise<readonly string[]> {
  const answer = await curl(gateway.url, String(token), { jsonrpc: "2.0", id: 1, method: "tools/list" });
  expect(answer.status).toBe(200);
  // The protocol's own form of the answer.
  return (answer.body as { result: { tools: { name: string }[] } }).result.tools.map(({ name }) => name);
}

async function latestGrant() {
  const row = await storage.db.selectFrom("app_grants").select("id").orderBy("created_at", "desc").limit(1).executeTakeFirstOrThrow();
  return await findAppGrant(storage, row.id);
}

describe("a person who is asked by a host", () => {
  it("signs in first, sees who asks, and gives no more than they pick, whatever was asked", async () => {
    const profile = await browser.context();
    const page = await ask(profile, { scope: "read write offline_access" });
    expect(new URL(page.url()).pathname).toBe("/sign-in");
    await signIn(page);
    expect(new URL(page.url()).pathname).toMatch(/^\/consent\//);
    const text = await page.locator("main").textContent();
    for (const shown of ["Test host", "registered itself", new URL(host.redirectUri).host, PERSON.displayName, "read and write"]) {
      expect(text).toContain(shown);
    }
    expect(await page.getByLabel("Read only").isChecked()).toBe(true);
    const back = await goBackBy(page, "Approve");
    expect(back.get("state")).toBe("state-1");
    const tokens = await host.exchange(back.get("code") ?? "");
    expect(tokens["scope"]).toBe("read");
    const names = await toolNames(tokens["access_token"]);
    expect(names).toContain("get_quote");
    expect(names).not.toContain("place_order");
    await profile.close();
  });

  it("is asked again every time, and can give more", async () => {
    const page = await ask(home);
    expect(await page.getByLabel("Read only").isChecked()).toBe(true);
    await page.getByLabel("Read and write").check();
    const tokens = await host.exchange((await goBackBy(page, "Approve")).get("code") ?? "");
    expect(tokens["scope"]).toBe("read write");
    expect(await toolNames(tokens["access_token"])).toContain("place_order");
  });

  it("is given the core tools, and further sets when the person ticks them", async () => {
    const page = await ask(home);
    expect(await page.getByLabel("Reports").isChecked()).toBe(false);
    await page.getByLabel("Options and futures").check();
    const tokens = await host.exchange((await goBackBy(page, "Approve")).get("code") ?? "");
    expect((await latestGrant())?.toolsets).toBe('["derivatives"]');
    const names = await toolNames(tokens["access_token"]);
    expect(names).toEqual(expect.arrayContaining(["get_quote", "get_option_chain", "get_futures"]));
    expect(names).not.toContain("run_scanner");
  });

  it("can say no, and the host is told so", async () => {
    const back = await goBackBy(await ask(home), "Deny");
    expect([back.get("error"), back.get("code")]).toEqual(["access_denied", null]);
  });

  it("can be another person: who signs out here comes back here", async () => {
    const profile = await browser.context();
    const page = await ask(profile);
    await signIn(page);
    const consent = page.url();
    await Promise.all([page.waitForURL(/\/sign-in/), page.getByRole("button", { name: "Use another account" }).click()]);
    await signIn(page);
    expect(page.url()).toBe(consent);
    await profile.close();
  });

  it("presses twice and approves once", async () => {
    const page = await ask(home);
    const before = host.returned.length;
    await Promise.all([page.waitForURL(/\/callback/), page.getByRole("button", { name: "Approve" }).dblclick()]);
    expect(host.returned).toHaveLength(before + 1);
    expect(host.returned.at(-1)?.get("code")).not.toBeNull();
  });
});

describe("an app that opens links of its own scheme", () => {
  it("is warned of, and Approve reaches it", async () => {
    const app = await registerHost(gateway.url, { client_name: "Editor", redirect_uris: ["cursor://anysphere.cursor/callback"] });
    const page = await home.newPage();
    const broken: string[] = [];
    page.on("console", (message) => {
      if (/content security policy|refused to/i.test(message.text())) broken.push(message.text());
    });
    await page.goto(app.authorizeUrl({ redirect_uri: "cursor://anysphere.cursor/callback" }));
    const text = await page.locator("main").textContent();
    expect(text).toContain("cursor:");
    expect(text).toContain("any app can claim them");
    const [reached] = await Promise.all([
      page.waitForResponse(
        async (response) => (await response.headerValue("location"))?.startsWith("cursor://anysphere.cursor/callback?") ?? false,
      ),
      page.getByRole("button", { name: "Approve" }).click(),
    ]);
    expect(await reached.headerValue("location")).toMatch(/[?&]code=/);
    expect(broken).toEqual([]);
    await app.close();
  });
});

describe("without script", () => {
  it("everything works: a limit to one account for one day", async () => {
    const profile = await browser.context({ javaScriptEnabled: false });
    const page = await ask(profile);
    await signIn(page);
    await page.locator("#accounts-1").check();
    await page.getByLabel("DU7100001").check();
    await page.getByLabel("1 day").check();
    const back = await goBackBy(page, "Approve");
    expect(back.get("code")).not.toBeNull();
    const grant = await latestGrant();
    expect(grant?.allowed_account_ids).toBe('["DU7100001"]');
    // Both times are read from the clock, one a moment before the other.
    expect(Math.abs((grant?.expires_at ?? 0) - (grant?.created_at ?? 0) - 86_400_000)).toBeLessThan(10_000);
    await profile.close();
  });

  it("a choice that is missing is named, and the others stay", async () => {
    const profile = await browser.context({ javaScriptEnabled: false });
    const page = await ask(profile);
    await signIn(page);
    await page.getByLabel("Read and write").check();
    await page.locator("#accounts-1").check();
    await page.getByLabel("90 days").check();
    await page.getByRole("button", { name: "Approve" }).click();
    expect(await page.getByRole("alert").textContent()).toContain("Choose at least one account");
    for (const label of ["Read and write", "Only the accounts chosen here", "90 days"]) {
      expect(await page.getByLabel(label).isChecked(), label).toBe(true);
    }
    await profile.close();
  });
});

describe("by keyboard alone", () => {
  it("a person reaches every control in order, changes the scope and approves", async () => {
    const page = await ask(home);
    const reached: string[] = [];
    const focused = () => page.evaluate<string>("document.activeElement.id || document.activeElement.textContent.trim()");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("Skip to content");
    for (let presses = 0; presses < 30 && reached.at(-1) !== "Approve"; presses += 1) {
      await page.keyboard.press("Tab");
      reached.push(await focused());
      if (reached.at(-1) === "scope-0") await page.keyboard.press("ArrowDown");
    }
    expect(reached).toEqual([
      "IBKR Gateway",
      "Use another account",
      "connection-0",
      "Add another connection",
      "scope-0",
      "accounts-0",
      "toolset-0",
      "toolset-1",
      "toolset-2",
      "duration-0",
      "Approve",
    ]);
    await Promise.all([page.waitForURL(/\/callback/), page.keyboard.press("Enter")]);
    expect((await latestGrant())?.scope).toBe("write");
  });
});

describe("a person without a connection", () => {
  it("adds one on the way, sees its key once, and comes back to approve", async () => {
    const profile = await browser.context({ permissions: ["clipboard-read", "clipboard-write"] });
    const page = await profile.newPage();
    await invitePerson(await home.newPage(), page, gateway.url);
    await page.goto(host.authorizeUrl());
    const consent = page.url();
    expect(await page.locator("main").textContent()).toContain("First, add a connection");
    await page.getByRole("link", { name: "Add a connection" }).click();
    await page.getByLabel("Name").fill(`<b>"Mine"</b> \u202Eevil`);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.waitForURL(/\/created/);
    const key = (await page.locator("#api-key").textContent()) ?? "";
    expect(key).toMatch(/^ibkr_[\w-]{43}$/);
    expect(page.url()).not.toContain(key);
    expect(await page.locator("main").textContent()).toContain(`<b>"Mine"</b> evil`);
    expect(await page.locator("#command").textContent()).toContain(`curl -sS ${gateway.url}/mcp -H "Authorization: Bearer ${key}"`);
    expect(await toolNames(key)).toContain("place_order");
    await page.getByRole("button", { name: "Copy API key" }).click();
    expect(await page.evaluate<string>("navigator.clipboard.readText()")).toBe(key);
    await page.reload();
    expect(await page.locator("main").textContent()).toContain("The key was shown already");
    expect(await page.content()).not.toContain(key);
    await page.getByRole("link", { name: "Continue" }).click();
    expect(page.url()).toBe(consent);
    const back = await goBackBy(page, "Approve");
    expect((await host.exchange(back.get("code") ?? ""))["scope"]).toBe("read");
    await profile.close();
  });
});
