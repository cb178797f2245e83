/** A connection's portfolio and its securities in a real browser, against a whole gateway and a simulator that is steered. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { amountText, fractionDigits, priceText, quantityText } from "../../src/console/portfolio/number-text.ts";
import { Decimal } from "../../src/lib/decimal.ts";
import { createSimulator, type Simulator } from "../../src/simulator/index.ts";
import { writeCredentials } from "../../src/simulator/cli/credentials-dir.ts";
import { openBrowser, type TestBrowser } from "../support/browser.ts";
import { temporaryFolder } from "../support/built-gateway.ts";
import { complaintsOf, expectAccessible, invite, signUp } from "../support/console-visit.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { signIn } from "../support/person.ts";

const AAPL = 265_598;

let simulator: Simulator;
let gateway: TestGateway;
let browser: TestBrowser;
let page: Page;
let complaints: string[];
/** The connection's page. */
let connection: string;
const at = (path = ""): string => `${gateway.app.publicUrl}${connection}${path}`;
const row = (symbol: string) => page.locator(".positions tbody tr", { has: page.getByRole("link", { name: symbol, exact: true }) }).first();
const cell = async (symbol: string, name: string) => (await row(symbol).locator(`.cell-${name}`).textContent())?.trim();
const symbols = () => page.locator('.positions tbody th[scope="row"] a').allTextContents();

/** Steers the simulator. */
async function control(path: string, body: unknown, method = "POST"): Promise<void> {
  const { url = "", token = "" } = simulator.control ?? {};
  const response = await fetch(`${url}/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "user-agent": "test" },
    ...(method === "DELETE" ? {} : { body: JSON.stringify(body) }),
  });
  expect(response.status, await response.text()).toBe(200);
}

beforeAll(async () => {
  simulator = await createSimulator({ control: true, seed: "console-portfolio" });
  const folder = temporaryFolder();
  writeCredentials(folder, simulator);
  gateway = await startGateway({ environment: { SIMULATOR_URL: simulator.url, SIMULATOR_CREDENTIALS_DIR: folder } });
  browser = await openBrowser();
  page = await browser.page();
  complaints = complaintsOf(page);
  await signUp(page, gateway);
  await page
    .getByRole("link", { name: /^Portfolio/ })
    .first()
    .click();
  await page.locator("#positions .positions").waitFor();
  connection = new URL(page.url()).pathname.replace("/portfolio", "");
});
afterEach(async () => {
  await control("faults", {}, "DELETE");
});
afterAll(async () => {
  await browser.close();
  await gateway.close();
  await simulator.close();
});

describe("a portfolio", () => {
  it("shows what get_portfolio tells, and says that it is simulated", async () => {
    await page.goto(at("/portfolio"));
    const [accountId] = simulator.accountIds;
    const { structured } = await gateway.tool("get_portfolio", { account_id: accountId });
    // The tool's own output schema.
    const { stocks, cash } = structured as unknown as Record<"stocks" | "cash", Record<string, string>[]>;
    expect(stocks.length).toBeGreaterThan(3);
    for (const { symbol = "", quantity = "", average_price = "", currency = "" } of stocks) {
      expect(await cell(symbol, "quantity"), symbol).toBe(quantityText(Decimal.parse(quantity)));
      expect(await cell(symbol, "average"), symbol).toBe(priceText(Decimal.parse(average_price)));
      expect(await cell(symbol, "currency"), symbol).toBe(currency);
      const [price = "", value = ""] = [await cell(symbol, "price"), await cell(symbol, "value")];
      const product = Decimal.parse(price.replaceAll(",", "")).times(Decimal.parse(quantity));
      expect(value, symbol).toBe(amountText(product, currency));
    }
    const settled = await page.locator("#cash tbody tr").evaluateAll((rows) => rows.map((cells) => cells.children[2]?.textContent));
    for (const { currency = "", settled_cash = "0" } of cash) {
      expect(fractionDigits(currency)).toBeLessThanOrEqual(2);
      expect(settled).toContain(amountText(Decimal.parse(settled_cash), currency));
    }
    expect(await page.locator("h1").textContent()).toContain("Simulated");
    expect(await page.locator("#figures").textContent()).toContain("invented money on an invented market");
    expect(await page.locator("#cash").textContent()).toContain("Total (base)");
    const shares = await page.locator("#allocation .shares:not(.bars) .share-figure").allTextContents();
    expect(shares.reduce((sum, text) => sum.plus(Decimal.parse(text.replace("%", ""))), Decimal.zero).toString()).toBe("100");
  });

  it("is sorted by any column, by keyboard, and stays so in its address", async () => {
    await page.goto(at("/portfolio"));
    await page.locator("#sort-symbol").focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/sort=symbol/);
    const stocks = (await symbols()).slice(0, 5);
    expect(stocks).toEqual(stocks.toSorted());
    expect(await page.locator(".positions th").first().getAttribute("aria-sort")).toBe("ascending");
    await page.locator("#sort-symbol").click();
    await page.waitForURL(/sort=-symbol/);
    expect((await symbols())[0]).not.toBe(stocks[0]);
    await page.locator("#sort-share").click();
    await page.waitForURL(/sort=-share/);
    await page.getByRole("link", { name: "1Y", exact: true }).click();
    await page.waitForURL(/sort=-share&period=1Y/);
    expect(await page.getByRole("link", { name: "1Y", exact: true }).getAttribute("aria-current")).toBe("true");
  });

  it("follows the market while it is open, without losing its place", async () => {
    await page.goto(at("/portfolio"));
    await page.locator("#sort-pnl").focus();
    const before = await cell("AAPL", "price");
    await control("price", { conid: AAPL, percent: 10 });
    await expect.poll(() => cell("AAPL", "price"), { timeout: 30_000 }).not.toBe(before);
    const [old = "", now = ""] = [before, await cell("AAPL", "price")].map((text) => text?.replaceAll(",", ""));
    expect(Decimal.parse(now).greaterThan(Decimal.parse(old).times(Decimal.parse("1.05")))).toBe(true);
    expect(await page.evaluate("document.activeElement.id")).toBe("sort-pnl");
  });

  it("shows orders and fills as they come", async () => {
    await page.goto(at("/portfolio"));
    const [accountId] = simulator.accountIds;
    const order = { account_id: accountId, symbol: "KO", side: "BUY", quantity: 7, order_type: "MKT", client_order_id: "portfolio-1" };
    expect((await gateway.tool("place_order", order)).isError).toBe(false);
    await page.locator("#orders tr", { hasText: "7 / 7" }).waitFor({ timeout: 30_000 });
    await page.locator("#fills tr", { hasText: "KO" }).first().waitFor({ timeout: 30_000 });
  });

  it("hides nothing else when one part fails, and says what is wrong", async () => {
    await control("faults", { kind: "unavailable", path: "/portfolio/**" });
    await page.goto(at("/portfolio?period=1M"));
    // Parts come or fail one by one: the notice shows with the first fault, and orders can be later still.
    const fault = page.locator("#faults .notice", { hasText: "Positions" });
    await fault.waitFor({ timeout: 30_000 });
    await page.locator("#orders tbody tr").first().waitFor({ timeout: 30_000 });
    expect(await fault.isVisible()).toBe(true);
    await expectAccessible(page);
  });

  it("comes at once while the broker is slow, and fills by itself", async () => {
    await control("faults", { kind: "latency", ms: 4_500, path: "/iserver/marketdata/history" });
    const started = performance.now();
    await page.goto(at("/securities/272093?range=5D"));
    expect(performance.now() - started).toBeLessThan(8_000);
    expect(await page.locator("#quote").textContent()).toContain("Bid");
    expect(await page.locator(".chart").count()).toBe(0);
    await page.locator(".chart canvas").waitFor({ timeout: 30_000 });
  });

  it("is there without script, by address alone", async () => {
    const plain = await browser.context({ javaScriptEnabled: false, storageState: await page.context().storageState() });
    const tab = await plain.newPage();
    await tab.goto(at("/portfolio"));
    await tab.locator("#sort-quantity").click();
    await tab.waitForURL(/sort=-quantity/);
    expect(await tab.locator(".positions tbody tr").count()).toBeGreaterThan(5);
    expect(await tab.locator(".chart svg path").first().isVisible()).toBe(true);
    await tab.getByLabel("Account", { exact: true }).selectOption(simulator.accountIds[1] ?? "");
    await tab.getByRole("button", { name: "Show" }).click();
    await tab.waitForURL(/account=/);
    expect(await tab.locator("#figures").textContent()).toContain(simulator.accountIds[1]);
    await tab.getByLabel("Find a security").fill("microsoft");
    await tab.getByRole("button", { name: "Search" }).click();
    await tab.getByRole("link", { name: "MSFT", exact: true }).first().click();
    await tab.waitForURL(/securities\/\d+$/);
    expect(await tab.locator("#quote").textContent()).toContain("Bid");
    expect(await tab.locator(".chart svg .candles").first().isVisible()).toBe(true);
    await plain.close();
  });
});

describe("a security", () => {
  it("shows its quote live, its candles, and what of it is held", async () => {
    await page.goto(at("/portfolio"));
    await row("AAPL").getByRole("link").click();
    await page.waitForURL(/securities\/265598/);
    expect(await page.locator("h1").textContent()).toContain("AAPL");
    expect(await page.locator(".page-head .lead").textContent()).toContain("Stock · NASDAQ · USD");
    expect(await page.locator("#quote").textContent()).toMatch(/Live.*Market open/s);
    expect(await page.locator(".chart canvas").count()).toBe(1);
    expect(await page.locator(".chart").getAttribute("aria-label")).toMatch(/opened at [\d.,]+, closed at [\d.,]+ USD, lowest/);
    expect(await page.locator(".u-legend").textContent()).toMatch(/Close\s*:?\s*[\d.,]+/);
    expect(await page.locator("#position").textContent()).toContain("Unrealized P&L");
    const before = await page.locator(".quote-last").textContent();
    await control("price", { conid: AAPL, percent: -8 });
    await expect.poll(() => page.locator(".quote-last").textContent(), { timeout: 30_000 }).not.toBe(before);
    await control("halt", { conid: AAPL });
    await page.locator("#quote").getByText("Trading is halted").waitFor({ timeout: 30_000 });
    await control("resume", { conid: AAPL });
  });

  it("offers ranges of its chart in its address", async () => {
    for (const range of ["1D", "5D", "1M", "1Y", "5Y"]) {
      await page.goto(at(`/securities/${AAPL}?range=${range}`));
      expect(await page.getByRole("link", { name: range, exact: true }).getAttribute("aria-current"), range).toBe("true");
      expect(await page.locator(".chart canvas").count(), range).toBe(1);
    }
  });

  it("is found by its name, and one that isn't is said in words", async () => {
    await page.goto(at("/portfolio"));
    await page.getByLabel("Find a security").fill("apple");
    await page.keyboard.press("Enter");
    await page.waitForURL(/securities\?q=apple/);
    expect(await page.getByRole("link", { name: "AAPL", exact: true }).count()).toBeGreaterThan(0);
    await expectAccessible(page);
    await page.goto(at("/securities?q=nosuchthing"));
    expect(await page.locator("main").textContent()).toContain("Nothing found");
    expect((await page.goto(at("/securities/999999999")))?.status()).toBe(404);
    expect(await page.locator("main").textContent()).toContain("knows no security with the number 999999999");
    expect((await page.goto(at("/securities/x1")))?.status()).toBe(404);
  });
});

describe("the pages", () => {
  it.each(["/portfolio", `/securities/${AAPL}`, "/securities?q=a"])("%s have no serious barrier, and fit a phone", async (path) => {
    await page.goto(at(path));
    await expectAccessible(page);
    await page.setViewportSize({ width: 360, height: 740 });
    await expectAccessible(page);
    await page.setViewportSize({ width: 1_280, height: 800 });
  });

  it("break no policy", () => {
    expect(complaints).toEqual([]);
  });

  it("are nobody else's, and lead back after signing in again", async () => {
    const stranger = await browser.page();
    await invite(page, stranger, "Grace");
    for (const path of ["/portfolio", "/portfolio/events", `/securities/${AAPL}`, `/securities/${AAPL}/events`, "/securities?q=a"]) {
      expect((await stranger.goto(at(path)))?.status(), path).toBe(404);
    }
    await stranger.context().clearCookies();
    expect((await stranger.request.get(at("/portfolio/events"))).status()).toBe(401);
    await stranger.goto(at("/portfolio?sort=symbol"));
    expect(stranger.url()).toContain(encodeURIComponent("/portfolio?sort=symbol"));
    await signIn(stranger, { loginName: "grace", password: "seventeen blue herons" });
    await stranger.waitForURL(/portfolio\?sort=symbol/);
    await stranger.context().close();
    expect((await page.goto(at("/portfolio?account=U999")))?.status()).toBe(404);
  });

  it("say that a paused connection asks nothing, and lead to it", async () => {
    await page.goto(at("/portfolio"));
    const other = await page.context().newPage();
    await other.goto(at());
    await other.getByRole("button", { name: /^Pause/ }).click();
    await page.getByText("Nothing is asked of the broker").waitFor({ timeout: 30_000 });
    await expectAccessible(page);
    await page.getByRole("link", { name: "Open the connection" }).click();
    await page.waitForURL((url) => url.pathname === connection);
    await page.getByRole("button", { name: /^Resume/ }).click();
    await page.goto(at("/portfolio"));
    await page.locator("#positions .positions").waitFor();
    await other.close();
  });
});
