/** The record of calls in the console: filters, exports, other people's, and every page of it by keyboard, phone and screen reader. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openBrowser, type TestBrowser } from "../support/browser.ts";
import { invitePerson, startGatewayForPeople } from "../support/consent-walk.ts";
import { complaintsOf, expectAccessible } from "../support/console-visit.ts";
import { setUpPerson } from "../support/person.ts";

let gateway: Awaited<ReturnType<typeof startGatewayForPeople>>;
let browser: TestBrowser;
let page: Page;
let complaints: string[];
const url = (path: string) => `${gateway.app.publicUrl}${path}`;
const rowCount = () => page.locator("#calls tr").count();

beforeAll(async () => {
  gateway = await startGatewayForPeople();
  browser = await openBrowser();
  page = await browser.page();
  complaints = complaintsOf(page);
  await setUpPerson(page, gateway.setupUrl);
  await gateway.tool("get_accounts");
  await gateway.tool("get_quote", { symbol: "AAPL" });
  await gateway.tool("get_quote", { symbol: "NO_SUCH" });
  await gateway.tool("get_quote", { symbol: "NO_SUCH" });
  // Calls are written within a fraction of a second.
  await page.goto(url("/console/activity"));
  await page.locator("#calls tr").nth(3).waitFor();
});
afterAll(async () => {
  await browser.close();
  await gateway.close();
});

describe("the list of calls", () => {
  it("is filtered by what is chosen, in an address that can be opened again", async () => {
    await page.goto(url("/console/activity"));
    await page.getByText("Filter", { exact: true }).click();
    await page.getByLabel("Call or decision").selectOption("get_quote");
    await page.getByLabel("Outcome").selectOption("error");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await page.waitForURL(/tool=get_quote/);
    expect(await rowCount()).toBe(2);
    expect(await page.locator("#calls").textContent()).toContain("contract_not_found");
    const other = await page.context().newPage();
    await other.goto(page.url());
    expect(await other.locator("#calls tr").count()).toBe(2);
    expect(await other.getByLabel("Outcome").inputValue()).toBe("error");
    await other.close();
    await page.goto(url("/console/activity?from=2001-01-01&until=2001-01-02"));
    expect(await page.locator("main").textContent()).toContain("No call fits");
    const wrong = await page.goto(url("/console/activity?from=yesterday"));
    expect(wrong?.status()).toBe(422);
    expect(await page.locator("#from-error").textContent()).toContain("Enter a day and a time.");
  });

  it("grows while it is open only by what fits its filter", async () => {
    await page.goto(url("/console/activity?outcome=error&tool=get_quote"));
    const before = await rowCount();
    await gateway.tool("get_quote", { symbol: "MSFT" });
    await gateway.tool("get_quote", { symbol: "STILL_NONE" });
    await page.locator("#calls tr", { hasText: "STILL_NONE" }).waitFor();
    expect(await rowCount()).toBe(before + 1);
  });

  it("is taken along as a table and as JSON lines that can be parsed", async () => {
    const csv = await page.request.get(url("/console/activity/export.csv?tool=get_quote"));
    expect(csv.headers()["content-disposition"]).toMatch(/attachment; filename="ibkr-gateway-activity-\d{4}-\d{2}-\d{2}\.csv"/);
    const [heading, ...lines] = (await csv.text()).trimEnd().split("\r\n");
    expect(heading).toMatch(/^time,request_id,tool,outcome,/);
    expect(lines.length).toBeGreaterThanOrEqual(3);
    expect(lines.every((line) => line.includes(",get_quote,"))).toBe(true);
    const jsonLines = await page.request.get(url("/console/activity/export.jsonl?outcome=error"));
    const calls = (await jsonLines.text())
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(calls.at(-1)).toMatchObject({
      tool: "get_quote",
      outcome: "error",
      code: "contract_not_found",
      arguments: { symbol: "NO_SUCH" },
    });
  });

  it("is for its owner alone: another person sees nothing of it, nor the system", async () => {
    await page.goto(url("/console/activity"));
    const call = await page.locator("#calls a").first().getAttribute("href");
    const keys = await page.goto(url("/console/keys")).then(() => page.locator('a[href*="/revoke"]').first().getAttribute("href"));
    const stranger = await (await browser.context()).newPage();
    await invitePerson(page, stranger, gateway.app.publicUrl);
    for (const path of [call, keys, "/console/system", "/console/apps/gra_x/revoke", "/console/keys/new?connection=con_x"]) {
      expect((await stranger.goto(url(path ?? "")))?.status(), path ?? "").toBe(404);
    }
    await stranger.goto(url("/console/activity"));
    expect(await stranger.locator("main").textContent()).toContain("Nothing was called yet");
    expect(await (await stranger.request.get(url("/console/activity/export.jsonl"))).text()).toBe("");
    await stranger.goto(url("/console/errors"));
    expect(await stranger.locator("main").textContent()).toContain("No errors");
    await stranger.goto(url("/console/keys"));
    expect(await stranger.locator("main").textContent()).toContain("First, add a connection");
    await stranger.context().close();
    expect((await page.goto(url("/console/system")))?.status()).toBe(200);
    expect(await page.locator("main").textContent()).toContain("2 people have an account.");
  });

  it("keeps a few pages of one person current, and says so to the next", async () => {
    const { cookies } = await page.context().storageState();
    const headers = { Cookie: cookies.map(({ name, value }) => `${name}=${value}`).join("; ") };
    await page.goto("about:blank");
    const open = new AbortController();
    const ask = () => fetch(url("/console/activity/events"), { headers, signal: open.signal });
    // The page that was left may hold its place for a moment.
    const streams: Response[] = [];
    await expect
      .poll(async () => {
        const answer = await ask();
        if (answer.status === 200) streams.push(answer);
        return answer.status;
      })
      .toBe(429);
    expect([3, 4]).toContain(streams.length);
    expect((await fetch(url("/console/activity/events"), { method: "HEAD", headers })).status).toBe(200);
    open.abort();
    await expect
      .poll(async () => (await fetch(url("/console/activity/events"), { headers, signal: AbortSignal.timeout(500) })).status)
      .toBe(200);
  });

  it("asks who is signed out to sign in, and then shows what was asked for", async () => {
    const visitor = await browser.page();
    await visitor.goto(url("/console/activity?tool=get_quote"));
    expect(visitor.url()).toContain(`/sign-in?return_to=${encodeURIComponent("/console/activity?tool=get_quote")}`);
    expect((await visitor.request.get(url("/console/activity/events"))).status()).toBe(401);
    await visitor.context().close();
  });
});

describe("the errors of late", () => {
  it("stand together with their count, what they mean, and a way to the calls", async () => {
    await page.goto(url("/console/errors"));
    const row = page.getByRole("row", { name: /contract_not_found/ });
    expect(await row.textContent()).toContain("No contract fits. Search with search_security.");
    await row.getByRole("link").first().click();
    await page.waitForURL(/\/console\/activity\?.*code=contract_not_found/);
    expect(await rowCount()).toBeGreaterThanOrEqual(2);
  });
});

describe("every page about callers", () => {
  it.each([
    "/console/keys",
    "/console/keys/new",
    "/console/apps",
    "/console/activity",
    "/console/activity?outcome=error&from=wrong",
    "/console/activity?tool=nothing",
    "/console/errors",
    "/console/system",
    "/account",
  ])("%s has no serious fault for assistive technology, and fits a phone", async (path) => {
    await page.goto(url(path));
    await expectAccessible(page);
    await page.setViewportSize({ width: 320, height: 640 });
    expect(await page.evaluate<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth")).toBe(0);
    await page.setViewportSize({ width: 1_280, height: 800 });
    // The browser's console tells of answers with 4xx, too; those were asked for.
    expect(complaints.filter((text) => !/status of 4\d\d/.test(text))).toEqual([]);
  });

  it("can be used by keyboard alone: a key is made and revoked", async () => {
    await page.goto(url("/console/keys"));
    const press = async (name: string | RegExp, role: "link" | "button") => {
      await page.getByRole(role, { name }).focus();
      await page.keyboard.press("Enter");
    };
    await press(/^New API key/, "link");
    await page.waitForURL(/\/console\/keys\/new/);
    await page.getByLabel("Label").focus();
    await page.keyboard.type("typed by hand");
    await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowDown");
    expect(await page.getByLabel("Read and write").isChecked()).toBe(true);
    await press("Make the key", "button");
    await page.waitForURL(/\/created$/);
    await expectAccessible(page);
    await press("I have copied it", "link");
    await page.waitForURL(/\/console\/keys$/);
    await press(/Revoke ?: typed by hand/, "link");
    await page.waitForURL(/\/revoke$/);
    await expectAccessible(page);
    await press("Revoke the key", "button");
    await page.waitForURL(/said=revoked/);
  });
});
