/** States of connections that are hard to come by, and what the console makes of expired sessions, strangers, odd windows and no script. */
import { join } from "node:path";

import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openStorage } from "../../src/storage/open-storage.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { openBrowser, type TestBrowser } from "../support/browser.ts";
import { complaintsOf, expectAccessible, storeConnection } from "../support/console-visit.ts";
import { invitePerson, startGatewayForPeople } from "../support/consent-walk.ts";
import { setUpPerson, signIn } from "../support/person.ts";
import { silentLog } from "../support/silent-log.ts";

let gateway: Awaited<ReturnType<typeof startGatewayForPeople>>;
let storage: Storage;
let browser: TestBrowser;
let page: Page;
let complaints: string[];

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
const LIVE = "con_00000000000000000000000a";
const FAULT = {
  layer: "oauth_consumer",
  code: "connection_not_ready",
  message: "IBKR doesn't know the consumer key.",
  whatToDo: "Wait for IBKR's night.",
  link: "/help/live-setup",
  at: 1_795_000_000_000,
};

describe("a live connection", () => {
  it("allows orders only after the words are typed, and stops them with one press", async () => {
    await storeConnection(storage, { id: LIVE, label: "Retirement" });
    await page.goto(at(`/console/connections/${LIVE}`));
    await page.getByText("Orders off").waitFor();
    await page.getByRole("link", { name: "Allow live trading" }).click();
    await expectAccessible(page);
    await page.getByLabel("to confirm").fill("real money");
    await page.getByRole("button", { name: "Allow orders with real money" }).click();
    expect(await page.locator("#confirm-error").textContent()).toContain("in capitals");
    const row = () =>
      storage.db.selectFrom("connections").select("live_trading_enabled_at").where("id", "=", LIVE).executeTakeFirstOrThrow();
    expect((await row()).live_trading_enabled_at).toBeNull();
    await page.getByLabel("to confirm").fill("REAL MONEY");
    await page.getByRole("button", { name: "Allow orders with real money" }).click();
    await page.getByText("Orders with real money are allowed now.").waitFor();
    await page.getByText("Orders on").waitFor();
    expect((await row()).live_trading_enabled_at).not.toBeNull();
    await page.getByRole("button", { name: "Stop live trading" }).click();
    await page.getByText("Orders off").waitFor();
    expect((await row()).live_trading_enabled_at).toBeNull();
    await page.goto(at(`/console/activity?connection=${LIVE}`));
    await page.locator("#calls tr", { hasText: "Orders with real money stopped" }).waitFor();
    const allowed = page.locator("#calls tr", { hasText: "Orders with real money allowed" });
    // What was refused for its wrong words is no decision.
    expect(await allowed.count()).toBe(1);
    expect(await allowed.textContent()).toMatch(/you.*Retirement/s);
  });

  it("that failed says what for and what to do, one that is frozen why, and two of one user that they are", async () => {
    await storeConnection(storage, {
      id: "con_00000000000000000000000b",
      mode: "paper",
      label: "Failing",
      last_fault: JSON.stringify(FAULT),
    });
    await storeConnection(storage, {
      id: "con_00000000000000000000000c",
      label: "Frozen",
      frozen_at: 1_795_000_000_000,
      frozen_because: "The broker says that this is a live account.",
      ibkr_user_name: "sameuser1",
    });
    await storeConnection(storage, { id: "con_00000000000000000000000d", label: "Twin", ibkr_user_name: "sameuser1" });
    await page.goto(at("/console"));
    const failing = page.getByRole("article", { name: "Failing" });
    expect(await failing.textContent()).toMatch(/Not working.*IBKR doesn't know the consumer key\..*Wait for IBKR's night\./s);
    expect(await failing.getByRole("link", { name: "Open the page that helps" }).getAttribute("href")).toBe("/help/live-setup");
    expect(await page.getByRole("article", { name: "Frozen" }).textContent()).toContain("Stopped for safety");
    expect(await page.getByRole("article", { name: "Twin" }).textContent()).toContain("Frozen: the same IBKR user name");
    await expectAccessible(page);
    await page.goto(at("/console/connections/con_00000000000000000000000c"));
    expect(await page.locator("#state").textContent()).toContain("The broker says that this is a live account.");
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });
});

describe("a person whose session ended", () => {
  it("signs in and comes back to the same page, with what they typed", async () => {
    await page.goto(at(`/console/connections/${LIVE}`));
    await page.getByLabel("Name").fill("Typed before");
    await page.context().clearCookies();
    await page.getByRole("button", { name: "Rename" }).click();
    await page.waitForURL(/\/sign-in/);
    await signIn(page);
    await page.waitForURL(new RegExp(`/console/connections/${LIVE}`));
    expect(await page.getByLabel("Name").inputValue()).toBe("Typed before");
    await page.getByRole("button", { name: "Rename" }).click();
    await page.getByText("The new name is set.").waitFor();
  });
});

describe("somebody else", () => {
  it("begins with an empty list, and finds nothing under other people's addresses", async () => {
    const other = await (await browser.context()).newPage();
    await invitePerson(page, other, gateway.url);
    await other.goto(at("/console"));
    await other.getByText("No connections yet").waitFor();
    await expectAccessible(other);
    for (const below of ["", "/delete", "/live-trading", "/take-over", "/created", "/events"])
      expect((await other.goto(at(`/console/connections/${LIVE}${below}`)))?.status(), below).toBe(404);
    await other.goto(at("/console"));
    const token = await other.locator("[name=form_token]").first().getAttribute("value");
    for (const below of ["test", "rename", "pause", "resume", "keep-warm", "take-over", "live-trading", "rotate", "delete"]) {
      const form = { form_token: token ?? "", label: "x", confirm: "Retirement", trading: "on" };
      const answer = await other.request.post(at(`/console/connections/${LIVE}/${below}`), { form, headers: { Origin: gateway.url } });
      expect(answer.status(), below).toBe(404);
    }
    await other.context().close();
  });

  it("can't have forms sent for the owner", async () => {
    await page.goto(at("/console"));
    const token = (await page.locator("[name=form_token]").first().getAttribute("value")) ?? "";
    const post = (form: Record<string, string>, Origin: string) =>
      page.request.post(at(`/console/connections/${LIVE}/pause`), { form, headers: { Origin }, maxRedirects: 0 });
    expect((await post({ form_token: token }, "https://evil.example")).status()).toBe(403);
    const old = await post({ form_token: "x" }, gateway.url);
    expect([old.status(), old.headers()["location"]]).toEqual([303, `/console/connections/${LIVE}?said=old_form`]);
    const row = await storage.db.selectFrom("connections").select("paused_at").where("id", "=", LIVE).executeTakeFirstOrThrow();
    expect(row.paused_at).toBeNull();
  });
});

describe("pages that are kept current", () => {
  it.each(["/console/connections/events", `/console/connections/${LIVE}/events`])("at %s are a few of one person's", async (path) => {
    const { cookies } = await page.context().storageState();
    const headers = { Cookie: cookies.map(({ name, value }) => `${name}=${value}`).join("; ") };
    await page.goto("about:blank");
    const open = new AbortController();
    const answers = await Promise.all(Array.from({ length: 12 }, () => fetch(at(path), { headers, signal: open.signal })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]));
    // A page that was left may hold its place for a moment.
    const given = answers.filter(({ status }) => status === 200).length;
    expect([6, 7, 8]).toContain(given);
    expect((await fetch(at(path), { method: "HEAD", headers })).status).toBe(200);
    expect((await fetch(at(path), { redirect: "manual" })).status).toBe(401);
    open.abort();
    const again = async () => (await fetch(at(path), { headers, signal: AbortSignal.timeout(2_000) })).status;
    await expect.poll(again, { timeout: 10_000 }).toBe(200);
  });
});

describe("another way of using it", () => {
  it("works without script: a test shows its result by loading the page again", async () => {
    const context = await browser.context({ javaScriptEnabled: false, storageState: await page.context().storageState() });
    const plain = await context.newPage();
    await plain.goto(at("/console/connections/new"));
    await plain.getByLabel("Name").fill("Without script");
    await plain.getByRole("button", { name: "Continue" }).click();
    await plain.getByRole("link", { name: "To the connection" }).click();
    await plain.getByRole("button", { name: "Test", exact: true }).click();
    await plain.getByText("Tested: it works").waitFor();
    await plain.getByRole("button", { name: "Pause", exact: true }).click();
    await plain.getByText("Paused. Nothing is sent").waitFor();
    await context.close();
  });

  it("works by keyboard alone", async () => {
    await page.goto(at("/console"));
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent.trim()")).toBe("Skip to content");
    await page.keyboard.press("Enter");
    const seen: string[] = [];
    for (let presses = 0; presses < 200 && seen.at(-1) !== "Resume Without script"; presses += 1) {
      await page.keyboard.press("Tab");
      seen.push(await page.evaluate<string>("document.activeElement.textContent.trim().replace(/\\s+/g, ' ')"));
      const outline = await page.evaluate<string>("getComputedStyle(document.activeElement).outlineStyle");
      expect(outline, seen.at(-1) ?? "").not.toBe("none");
    }
    await page.keyboard.press("Enter");
    await page.getByText("Resumed.").waitFor();
  });

  it.each([320, 390])("fits a window of %i pixels", async (width) => {
    await page.setViewportSize({ width, height: 800 });
    for (const path of ["/console", `/console/connections/${LIVE}`, `/console/connections/${LIVE}/delete`, "/console/connections/new"]) {
      await page.goto(at(path));
      await expectAccessible(page);
    }
  });
});
