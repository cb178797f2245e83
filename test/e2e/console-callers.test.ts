/** The console's pages about keys, apps, calls and errors, in a real browser against a whole gateway and the simulator. */
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openBrowser, type TestBrowser } from "../support/browser.ts";
import { registerHost, startGatewayForPeople, type TestHost } from "../support/consent-walk.ts";
import { callTool, curl } from "../support/mcp-call.ts";
import { setUpPerson } from "../support/person.ts";

let gateway: Awaited<ReturnType<typeof startGatewayForPeople>>;
let browser: TestBrowser;
let context: BrowserContext;
let page: Page;
let host: TestHost;
/** What the browser's console said of broken policies and scripts. */
const broken: string[] = [];

const HOSTILE = '<img src=x onerror=alert(1)>"=cmd()';

function watch(watched: Page): Page {
  watched.on("console", (message) => {
    if (/content security policy|refused to/i.test(message.text())) broken.push(message.text());
  });
  watched.on("pageerror", (error) => broken.push(error.message));
  return watched;
}

beforeAll(async () => {
  gateway = await startGatewayForPeople();
  browser = await openBrowser();
  context = await browser.context();
  page = watch(await context.newPage());
  await setUpPerson(page, gateway.setupUrl);
  host = await registerHost(gateway.url, { client_name: HOSTILE });
  // Opens the connection, so that its accounts are known.
  await gateway.tool("get_accounts");
});
afterAll(async () => {
  await browser.close();
  await host.close();
  await gateway.close();
});

/** Makes a key by the form and answers it. */
async function makeKey(by: Page, label: string, choose: (form: Page) => Promise<void> = async () => undefined): Promise<string> {
  await by.goto(`${gateway.url}/console/keys/new`);
  await by.getByLabel("Label").fill(label);
  await choose(by);
  await by.getByRole("button", { name: "Make the key" }).click();
  await by.waitForURL(/\/console\/keys\/key_\w+\/created$/);
  return (await by.locator("#api-key").textContent()) ?? "";
}

/** Lets the host in by the consent page and answers its access token. */
async function letIn(): Promise<string> {
  await page.goto(host.authorizeUrl({ scope: "write", resource: `${gateway.url}/mcp` }));
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByText("Back at the host").waitFor();
  const code = host.returned.at(-1)?.get("code") ?? "";
  return String((await host.exchange(code))["access_token"]);
}

describe("an API key", () => {
  it("is made with its limits, shown once with a command that works, and its call appears while the list is open", async () => {
    const list = watch(await context.newPage());
    await list.goto(`${gateway.url}/console/activity`);
    const key = await makeKey(page, "backup script", async (form) => {
      await form.getByLabel("Only the accounts chosen here").check();
      await form.locator("#account-0").check();
      await form.getByLabel("In 30 days").check();
    });
    expect(key).toMatch(/^ibkr_[\w-]{43}$/);
    expect(await page.locator("#command").textContent()).toContain(key);
    expect(await page.locator("#command").textContent()).toContain(`${gateway.url}/mcp`);
    await page.reload();
    expect(await page.locator("main").textContent()).toContain("The key was shown already");
    expect(await page.locator("main").textContent()).not.toContain(key);

    await list.locator("#calls").getByText("API key made").waitFor();
    const answer = await curl(gateway.url, key, {
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "get_accounts", arguments: {} },
    });
    expect(answer.status).toBe(200);
    const row = list.locator("#calls tr", { hasText: "get_accounts" }).filter({ hasText: "backup script" });
    await row.waitFor();
    expect(await row.textContent()).toContain("backup script");
    expect(await row.textContent()).toContain("OK");
    await row.getByRole("link").first().click();
    await list.waitForURL(/\/console\/activity\/req_\w+$/);
    const call = await list.locator("main").textContent();
    for (const text of ["get_accounts", "backup script", "curl/", "127.0.0.1", "Took", "Calls to the broker", "Arguments"]) {
      expect(call, text).toContain(text);
    }
    await list.close();

    await page.goto(`${gateway.url}/console/keys`);
    const inList = page.getByRole("row", { name: /backup script/ });
    expect(await inList.textContent()).toContain(`${key.slice(0, 11)}…`);
    expect(await inList.textContent()).toMatch(/from (?:127\.0\.0\.1|::1)/);
    expect(await inList.textContent()).toContain("read");
  });

  it("is refused at once after it was revoked, by a page that asks first, without script", async () => {
    const key = await makeKey(page, "to be revoked");
    expect((await curl(gateway.url, key, { jsonrpc: "2.0", id: 1, method: "tools/list" })).status).toBe(200);
    const plain = await browser.context({ javaScriptEnabled: false, storageState: await context.storageState() });
    const tab = await plain.newPage();
    await tab.goto(`${gateway.url}/console/keys`);
    await tab.getByRole("link", { name: /Revoke ?: to be revoked/ }).click();
    await tab.getByRole("button", { name: "Revoke the key" }).click();
    await tab.waitForURL(/said=revoked/);
    expect(await tab.locator("main").textContent()).toContain("1 key that works no more");
    expect((await curl(gateway.url, key, { jsonrpc: "2.0", id: 2, method: "tools/list" })).status).toBe(401);
    await plain.close();
  });

  it("is one when its form is sent twice, and the form keeps what was typed when something is wrong", async () => {
    await page.goto(`${gateway.url}/console/keys/new`);
    await page.getByLabel("Label").fill("sent twice");
    const fields = await page.evaluate<[string, string][]>(`[...new FormData(document.querySelector("main form"))]`);
    const send = () =>
      page.request.post(`${gateway.url}/console/keys/new`, {
        headers: { Origin: gateway.url },
        form: Object.fromEntries(fields),
        maxRedirects: 0,
      });
    const answers = await Promise.all([send(), send()]);
    expect(answers.map((answer) => answer.status())).toEqual([303, 303]);
    const sent = answers.map((answer) => answer.headers()["location"]);
    expect(new Set(sent).size).toBe(1);
    await page.goto(`${gateway.url}/console/keys`);
    expect(await page.getByRole("row", { name: /sent twice/ }).count()).toBe(1);

    await page.goto(`${gateway.url}/console/keys/new`);
    await page.getByLabel("Label").fill("kept");
    await page.getByLabel("On a date").check();
    await page.getByLabel("Date of expiry").fill("2001-01-01");
    await page.getByRole("button", { name: "Make the key" }).click();
    await page.getByRole("alert").waitFor();
    expect(await page.getByLabel("Label").inputValue()).toBe("kept");
    expect(await page.locator("#expires_on").getAttribute("aria-invalid")).toBe("true");
    expect(await page.locator("#expires_on-error").textContent()).toContain("Enter a date from today on");
  });
});

describe("a connected app", () => {
  it("is listed as far as it is known, works, and is cut off at once when it is revoked", async () => {
    const token = await letIn();
    const asHost = { url: gateway.url, key: token };
    expect((await callTool(asHost, "get_accounts")).isError).toBe(false);
    await page.goto(`${gateway.url}/console/apps`);
    const row = page.getByRole("row", { name: /onerror/ });
    const text = (await row.textContent()) ?? "";
    expect(text).toContain(HOSTILE);
    expect(text).toContain("not verified");
    expect(text).toContain("127.0.0.1");
    expect(await page.locator("main").textContent()).toContain("Simulated");
    await row.getByRole("link", { name: /Revoke/ }).click();
    await page.getByRole("button", { name: "Revoke the app" }).click();
    await page.waitForURL(/said=revoked/);
    expect(await page.locator("main").textContent()).toContain("No app is connected");
    expect(await page.locator("#mcp-url").textContent()).toBe(`${gateway.url}/mcp`);
    expect((await curl(gateway.url, token, { jsonrpc: "2.0", id: 1, method: "tools/list" })).status).toBe(401);
    await page.goto(`${gateway.url}/console/activity?tool=oauth.revoked`);
    expect(await page.locator("#calls").textContent()).toContain("App cut off");
  });

  it("goes with all others when all are revoked", async () => {
    const [first, second] = [await letIn(), await letIn()];
    await page.goto(`${gateway.url}/console/apps`);
    await page.getByRole("link", { name: "Revoke all apps" }).click();
    await page.getByRole("button", { name: "Revoke 2 apps" }).click();
    await page.waitForURL(/said=all-2/);
    for (const token of [first, second]) {
      expect((await curl(gateway.url, token, { jsonrpc: "2.0", id: 1, method: "tools/list" })).status).toBe(401);
    }
  });
});
