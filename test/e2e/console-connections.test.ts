/** Connections in the console, by a person with a real browser. */
import { join } from "node:path";

import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openStorage } from "../../src/storage/open-storage.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { openBrowser, type TestBrowser } from "../support/browser.ts";
import { complaintsOf, expectAccessible, storeConnection } from "../support/console-visit.ts";
import { startGatewayForPeople } from "../support/consent-walk.ts";
import { callTool, curl } from "../support/mcp-call.ts";
import { setUpPerson } from "../support/person.ts";
import { silentLog } from "../support/silent-log.ts";

let gateway: Awaited<ReturnType<typeof startGatewayForPeople>>;
let storage: Storage;
let browser: TestBrowser;
let page: Page;
let complaints: string[];
/** The connection that the first test makes. */
let made: { readonly path: string; readonly key: string };

beforeAll(async () => {
  gateway = await startGatewayForPeople();
  storage = await openStorage({ file: join(gateway.dataDir, "gateway.sqlite"), log: silentLog });
  browser = await openBrowser();
  page = await browser.page();
  complaints = complaintsOf(page);
  await setUpPerson(page, gateway.setupUrl);
});
afterAll(async () => {
  await browser.close();
  await storage.close();
  await gateway.close();
});

const at = (path: string): string => gateway.url + path;
const press = (name: string): Promise<void> => page.getByRole("main").getByRole("button", { name, exact: true }).first().click();
const main = async (): Promise<string> => (await page.locator("main").textContent()) ?? "";

describe("a new person", () => {
  it("adds a simulated connection, sees it tested, and uses its key with curl", async () => {
    await page.getByRole("link", { name: "Add a connection" }).click();
    await page.getByLabel("Name").fill("My simulator");
    await press("Continue");
    await page.getByText("Tested: it works").waitFor();
    const key = (await page.locator("#api-key").textContent())?.trim() ?? "";
    expect(key).toMatch(/^ibkr_[\w-]{43}$/);
    expect(await page.locator("#command").textContent()).toContain(`Bearer ${key}`);
    const listed = await curl(gateway.url, key, { jsonrpc: "2.0", id: 1, method: "tools/list" });
    expect(listed).toMatchObject({ status: 200, body: { result: { tools: expect.arrayContaining([]) } } });
    await expectAccessible(page);
    await page.getByRole("link", { name: "To the connection" }).click();
    await page.locator("#state").getByText("Ready").waitFor();
    expect(await page.locator("#mcp-url").textContent()).toBe(`${gateway.url}/mcp`);
    await expectAccessible(page);
    made = { path: new URL(page.url()).pathname, key };
    expect(complaints).toEqual([]);
  });

  it("sees in the list what it is, how it is, and what it reaches", async () => {
    await page.goto(at("/console"));
    const card = page.getByRole("article", { name: "My simulator" });
    await card.getByText("Ready").waitFor();
    expect(await card.textContent()).toMatch(/Simulated.*DU\d+/s);
    expect(await card.locator("details").getAttribute("open")).toBeNull();
    await card.getByText("Health by layer").click();
    expect(await card.getByRole("listitem").filter({ hasText: "Brokerage session" }).textContent()).toContain("works");
    await expectAccessible(page);
  });

  it("opens no session by looking", async () => {
    await storeConnection(storage, {
      id: "con_000000000000000000000009",
      kind: "simulator",
      mode: "simulated",
      label: "Never used",
      settings: '{"baseUrl":"embedded"}',
    });
    await page.goto(at("/console"));
    expect(await page.getByRole("article", { name: "Never used" }).textContent()).toContain("Not checked yet");
    await page.goto(at("/console/connections/con_000000000000000000000009"));
    await page.reload();
    expect(await page.locator("#state").textContent()).toContain("Not checked yet");
    await press("Test");
    await page.locator("#state").getByText("Tested: it works").waitFor();
  });
});

describe("the owner of a connection", () => {
  it("gives it another name, and is told which name won't do", async () => {
    await page.goto(at(made.path));
    await page.getByLabel("Name").fill("\u200B");
    await press("Rename");
    expect(await page.locator("#label-error").textContent()).toContain("1 to 60 characters");
    expect(await page.getByLabel("Name").getAttribute("aria-invalid")).toBe("true");
    await page.getByLabel("Name").fill(`<img src=x onerror=alert(1)>\u202Etxt`);
    await press("Rename");
    await page.getByText("The new name is set.").waitFor();
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toContain("<img src=x onerror=alert(1)> txt");
    expect(await page.locator("main img").count()).toBe(0);
    await page.getByLabel("Name").fill("My simulator");
    await press("Rename");
    await page.getByText("The new name is set.").waitFor();
  });

  it("pauses it: calls are refused until it is resumed", async () => {
    await press("Pause");
    await page.getByText("Paused. Nothing is sent").waitFor();
    const refused = await callTool({ url: gateway.url, key: made.key }, "get_accounts");
    expect(refused).toMatchObject({ isError: true, error: { code: "connection_paused" } });
    await expectAccessible(page);
    await press("Resume");
    await page.getByText("Resumed.").waitFor();
    expect((await callTool({ url: gateway.url, key: made.key }, "get_accounts")).isError).toBe(false);
    await page.locator("#state").getByText("Ready").waitFor();
  });

  it("keeps its session open, or lets it open on demand", async () => {
    await press("Keep it open");
    await page.getByText("kept open from now on").waitFor();
    await press("Open on demand only");
    await page.getByText("opens on demand from now on").waitFor();
  });

  it("reads what taking over the session does before it is done", async () => {
    await page.goto(at(`${made.path}/take-over`));
    expect(await main()).toContain("Trader Workstation");
    await expectAccessible(page);
    await press("Take over the session");
    await page.getByText("The session is here now.").waitFor();
  });

  it("deletes it by its name, and is told what stops working", async () => {
    await page.goto(at(`${made.path}/delete`));
    expect(await main()).toContain("1 API key");
    await page.getByLabel("Type its name to confirm").fill("another");
    await press("Delete it");
    expect(await page.locator("#confirm-error").textContent()).toContain("not its name");
    await expectAccessible(page);
    await page.getByLabel("Type its name to confirm").fill("My simulator");
    await press("Delete it");
    await page.getByText("The connection is deleted.").waitFor();
    expect(await page.getByRole("article", { name: "My simulator" }).count()).toBe(0);
    expect((await curl(gateway.url, made.key, { jsonrpc: "2.0", id: 1, method: "tools/list" })).status).toBe(401);
    expect((await page.goto(at(made.path)))?.status()).toBe(404);
  });

  it("finds on record what they decided about it, by its name, after it is deleted too", async () => {
    await page.goto(at(`/console/activity?connection=${made.path.split("/").at(-1) ?? ""}`));
    const rows = page.locator("#calls tr");
    for (const decision of [
      "Connection added",
      "API key made",
      "Connection renamed",
      "Connection paused",
      "Connection resumed",
      "Session kept open from then on",
      "Session opens on demand from then on",
      "Session taken over from another login",
      "Connection deleted",
    ])
      await rows.filter({ hasText: decision }).first().waitFor();
    const deleted = rows.filter({ hasText: "Connection deleted" });
    expect(await deleted.textContent()).toMatch(/you.*from (::1|127\.0\.0\.1).*My simulator.*deleted since/s);
    expect(await rows.filter({ hasText: "Connection renamed" }).last().textContent()).toContain("My simulator → <img src=x");
    await expectAccessible(page);
    await deleted.getByRole("link").click();
    expect(await main()).toMatch(/A decision.*you.*My simulator.*"api_keys": 1/s);
    await expectAccessible(page);
  });
});
