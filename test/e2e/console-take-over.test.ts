/** Another login that holds the session: what a person is told, and that only a person takes it back. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";

import { createSimulator, type Simulator } from "../../src/simulator/index.ts";
import { writeCredentials } from "../../src/simulator/cli/credentials-dir.ts";
import { openBrowser, type TestBrowser } from "../support/browser.ts";
import { temporaryFolder } from "../support/built-gateway.ts";
import { complaintsOf, expectAccessible, signUp } from "../support/console-visit.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";

let simulator: Simulator;
let gateway: TestGateway;
let browser: TestBrowser;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  simulator = await createSimulator({ control: true });
  const folder = temporaryFolder();
  writeCredentials(folder, simulator);
  gateway = await startGateway({ environment: { SIMULATOR_URL: simulator.url, SIMULATOR_CREDENTIALS_DIR: folder } });
  browser = await openBrowser();
  page = await browser.page();
  complaints = complaintsOf(page);
  await signUp(page, gateway);
});
afterAll(async () => {
  await browser.close();
  await gateway.close();
  await simulator.close();
});

const stateSchema = z.object({ sessions: z.array(z.object({ brokerage: z.string(), competing: z.boolean() })) });

async function control(method: string, path: string, body?: object): Promise<unknown> {
  const { url = "", token = "" } = simulator.control ?? {};
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", "user-agent": "test" };
  const response = await fetch(`${url}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  expect(response.status).toBe(200);
  return await response.json();
}

/** Whether the other login still holds the session, as the broker knows it. */
async function isTaken(): Promise<boolean> {
  return stateSchema.parse(await control("GET", "")).sessions.some(({ competing }) => competing);
}

describe("a session that another login has taken", () => {
  it("is theirs, whatever a host calls: the card says who has it and what to do", async () => {
    expect(await gateway.tool("get_accounts")).toMatchObject({ isError: false });
    await control("POST", "/session", { event: "other_login" });
    for (const tool of ["get_accounts", "get_portfolio", "get_quote", "get_connection_status"])
      await gateway.tool(tool, tool === "get_quote" ? { symbol: "AAPL" } : {});
    expect(await gateway.tool("get_accounts")).toMatchObject({ isError: true, error: { code: "session_competing" } });
    await page.goto(`${gateway.app.publicUrl}/console`);
    const card = page.getByRole("article").first();
    await card.getByText("In use elsewhere").waitFor();
    expect(await card.textContent()).toMatch(
      /Another login of the same IBKR user.*Another login \(TWS, IBKR Mobile, Client Portal or another program\)/s,
    );
    await expectAccessible(page);
    expect(await isTaken()).toBe(true);
  });

  it("is not taken by a person's test either", async () => {
    await page
      .getByRole("link", { name: /^Manage/ })
      .first()
      .click();
    await page.getByRole("main").getByRole("button", { name: "Test", exact: true }).click();
    await page.locator("#state").getByText("Tested: it doesn't work").waitFor();
    expect(await isTaken()).toBe(true);
  });

  it("is taken back by a person who has read what that does, and then serves hosts again", async () => {
    await page.goto(`${gateway.app.publicUrl}/console`);
    await page
      .getByRole("article")
      .first()
      .getByRole("link", { name: /^Take over the session/ })
      .click();
    expect(await page.getByRole("main").textContent()).toMatch(/Another login has it now.*The other login loses it at once/s);
    await expectAccessible(page);
    await page.getByRole("button", { name: "Take over the session" }).click();
    await page.getByText("The session is here now.").waitFor();
    await page.locator("#state").getByText("Ready").waitFor();
    expect(await isTaken()).toBe(false);
    expect(await gateway.tool("get_accounts")).toMatchObject({ isError: false });
    await page.goto(`${gateway.app.publicUrl}/console/activity`);
    await page.locator("#calls tr", { hasText: "Session taken over from another login" }).waitFor();
    expect(complaints).toEqual([]);
  });

  it("stays theirs where they take it back from everybody: the person is told so", async () => {
    await control("POST", "/session", { event: "other_login", yields: false });
    await gateway.tool("get_accounts");
    await page.goto(`${gateway.app.publicUrl}/console`);
    await page.getByRole("article").first().getByText("In use elsewhere").waitFor();
    await page
      .getByRole("article")
      .first()
      .getByRole("link", { name: /^Take over the session/ })
      .click();
    await page.getByRole("button", { name: "Take over the session" }).click();
    expect(await page.getByRole("main").getByRole("alert").textContent()).toContain("holds the brokerage session");
    expect(await isTaken()).toBe(true);
  });
});
