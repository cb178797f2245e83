/** Every page of consent and of new connections: for people who read by screen reader, in the dark, or on a small phone. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openBrowser, type TestBrowser } from "../support/browser.ts";
import { registerHost, startGatewayForPeople, type TestHost } from "../support/consent-walk.ts";
import { setUpPerson } from "../support/person.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let gateway: Awaited<ReturnType<typeof startGatewayForPeople>>;
let browser: TestBrowser;
let host: TestHost;
let page: Page;
/** What the browser's console said of broken policies. */
const broken: string[] = [];

beforeAll(async () => {
  gateway = await startGatewayForPeople();
  browser = await openBrowser();
  host = await registerHost(gateway.url, { client_name: `${"A very long name of an app ".repeat(4)}<script>alert(1)</script>` });
  page = await browser.page();
  page.on("console", (message) => {
    if (/content security policy|refused to/i.test(message.text())) broken.push(message.text());
  });
  page.on("pageerror", (error) => broken.push(error.message));
  await setUpPerson(page, gateway.setupUrl);
});
afterAll(async () => {
  await browser.close();
  await host.close();
  await gateway.close();
});

const newConnection = () => `${gateway.url}/console/connections/new`;

/** Each page and state, and how one gets there. */
const PAGES: Readonly<Record<string, () => Promise<unknown>>> = {
  "the consent page": () => page.goto(host.authorizeUrl({ scope: "write" })),
  "the consent page with mistakes": async () => {
    await page.goto(host.authorizeUrl());
    await page.locator("#accounts-1").check();
    await page.getByRole("button", { name: "Approve" }).click();
    await page.getByRole("alert").waitFor();
  },
  "a request of an unknown app": async () => {
    const answer = await page.goto(
      `${gateway.url}/authorize?response_type=code&client_id=gone&redirect_uri=https%3A%2F%2Fhost.example%2Fcb`,
    );
    expect(answer?.status()).toBe(400);
    expect(await page.locator("main").textContent()).toContain("claude mcp remove NAME");
  },
  "an authorization that is over": () => page.goto(`${gateway.url}/consent/nothing`),
  "the form of a connection": () => page.goto(newConnection()),
  "the form of a connection with mistakes": async () => {
    await page.goto(newConnection());
    await page.getByLabel("Name").fill(" ");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("alert").waitFor();
  },
  "a new connection with its key": async () => {
    await page.goto(newConnection());
    await page.getByLabel("Name").fill("Averylongnamewithoutanyspaceinit".repeat(2).slice(0, 60));
    await page.getByRole("button", { name: "Continue" }).click();
    await page.waitForURL(/\/created/);
  },
  "a key that was shown": () => page.reload(),
  "nothing at all": () => page.goto(`${gateway.url}/no/such/page`),
};

describe.each(Object.entries(PAGES))("%s", (_name, open) => {
  it("has no serious fault for assistive technology, in light and dark, and fits 320 pixels", async () => {
    await page.setViewportSize({ width: 1_000, height: 800 });
    await open();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.evaluate(AXE);
      // axe-core's own call in the page that it was put into.
      const { violations, passes } = await page.evaluate<AxeResults>("axe.run()");
      expect(passes.length).toBeGreaterThan(10);
      const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      expect(serious.map(({ id, nodes }) => `${colorScheme} ${id}: ${nodes.map(({ html }) => html).join(" | ")}`)).toEqual([]);
    }
    await page.setViewportSize({ width: 320, height: 640 });
    const tooWide = await page.evaluate<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    expect(tooWide).toBe(0);
    expect(await page.locator("h1").count()).toBe(1);
    expect(await page.locator("footer").textContent()).toContain("Not affiliated with Interactive Brokers");
    expect(broken).toEqual([]);
  });
});
