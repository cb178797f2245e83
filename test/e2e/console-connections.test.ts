import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openBrowser, type TestBrowser } from "../support/browser.ts";
import { complaintsOf, expectAccessible, signUp } from "../support/console-visit.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { callTool } from "../support/mcp-call.ts";

let browser: TestBrowser;
let gateway: TestGateway;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  gateway = await startGateway();
  browser = await openBrowser();
  page = await browser.page();
  complaints = complaintsOf(page);
  await signUp(page, gateway);
});
afterAll(async () => {
  await browser.close();
  await gateway.close();
});

const at = (path: string): string => gateway.app.publicUrl + path;

describe("a new person", () => {
  it("adds a simulated connection, sees it tested, and uses its key", async () => {
    await page.getByRole("link", { name: "Add a connection" }).click();
    await page.getByLabel("Name").fill("My simulator");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByText("Tested: it works").waitFor();
    const key = (await page.locator("#api-key").textContent())?.trim() ?? "";
    expect(key).toMatch(/^ibkr_[\w-]{43}$/);
    await expectAccessible(page);
    expect((await callTool({ url: gateway.url, key }, "get_accounts")).isError).not.toBe(true);
    await page.getByRole("link", { name: "To the connection" }).click();
    await page.getByText("Ready").first().waitFor();
    await expectAccessible(page);
    await page.goto(at("/console"));
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });
});
