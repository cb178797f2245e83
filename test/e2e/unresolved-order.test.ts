/** An order whose answer is lost, from its tool call to its owner's decision, and the alarm when that proves wrong. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";

import { z } from "zod";

import { openBrowser, type TestBrowser } from "../support/browser.ts";
import { startGatewayForPeople } from "../support/consent-walk.ts";
import { type FastClock, fastClock } from "../support/fast-clock.ts";
import { answerLost } from "../support/order-bench.ts";
import { setUpPerson } from "../support/person.ts";
import type { Network } from "../support/trading-stack.ts";

let clock: FastClock;
let gateway: Awaited<ReturnType<typeof startGatewayForPeople>>;
let browser: TestBrowser;
let page: Page;
let network: Network | undefined;

beforeAll(async () => {
  clock = fastClock(10);
  const faulty: typeof fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const pass = async () => (url.endsWith("/tickle") ? await withoutSocket(await fetch(input, init)) : await fetch(input, init));
    return network === undefined ? await pass() : await network(url, init, pass);
  };
  gateway = await startGatewayForPeople({ deps: { clock, fetch: faulty } });
  browser = await openBrowser();
  page = await browser.page();
  await setUpPerson(page, gateway.setupUrl);
});
afterAll(async () => {
  await browser.close();
  await gateway.close();
});

/** A session id that opens no WebSocket: the stream would show the order. */
async function withoutSocket(tickle: Response): Promise<Response> {
  return Response.json({ ...z.looseObject({}).parse(await tickle.json()), session: "none" }, { status: tickle.status });
}

/** The simulator takes the order, its answer is lost, and no list shows the order. */
const hidden: Network = async (url, init, pass) => {
  if (!/\/iserver\/account\/(?:orders\?|trades|order\/status)/.test(url)) return await answerLost(url, init, pass);
  return Response.json(url.includes("trades") ? [] : { orders: [], snapshot: true });
};
const at = (path: string): string => gateway.url + path;
const main = async (): Promise<string> => (await page.locator("main").textContent()) ?? "";

it("is put to its owner, who calls it absent; when IBKR lists it later, orders stop until the owner resumes them", async () => {
  const { structured } = await gateway.tool("get_accounts");
  const { accounts } = z.looseObject({ accounts: z.array(z.looseObject({ account_id: z.string() })) }).parse(structured);
  const account_id = accounts[0]?.account_id ?? "";
  const order = { account_id, symbol: "KO", side: "BUY", quantity: 3, order_type: "MKT", client_order_id: "lost" };
  network = hidden;
  expect((await gateway.tool("place_order", order)).error).toMatchObject({ code: "outcome_unknown" });
  clock.jump(310_000);
  const state = async () => (await gateway.tool("get_order_status", { account_id, client_order_id: "lost" })).structured;
  await expect.poll(async () => (await state())["status"], { timeout: 20_000, interval: 500 }).toBe("outcome_unresolved");
  const { link } = await state();
  await page.goto(at("/console/errors"));
  await page.getByRole("row", { name: /outcome_unresolved.*order\.unresolved/ }).waitFor();
  await page.goto(at("/console/activity"));
  await page.locator("#calls tr", { hasText: "Order of unknown outcome" }).waitFor();
  await page.goto(at("/console"));
  expect(await main()).toContain("1 order needs your decision");
  expect(link).toMatch(/\/console\/orders\/ord_\w+$/);
  await page.goto(at(new URL(String(link), gateway.url).pathname));
  expect(await main()).toContain("Available at");
  clock.jump(30 * 60_000);
  await page.reload();
  await page.getByRole("region", { name: "Order not found" }).getByLabel("Where you looked").fill("TWS");
  await page.getByRole("button", { name: "It is not there" }).click();
  await page.getByText("Your decision is saved.").waitFor();

  network = undefined;
  await expect.poll(async () => (await gateway.tool("get_orders", { account_id })).isError, { timeout: 20_000 }).toBe(false);
  await page.goto(at("/console"));
  expect(await main()).toMatch(/Orders stopped.*known as not_placed/s);
  const refused = await gateway.tool("place_order", { ...order, client_order_id: "next", quantity: 4 });
  expect(refused.error).toMatchObject({ code: "orders_stopped" });
  const status = await gateway.tool("get_connection_status");
  expect(JSON.stringify(status)).toContain("resume orders");
  await page.goto(at("/console/activity"));
  await page.locator("#calls tr", { hasText: "Orders stopped" }).waitFor();
  await page.goto(at("/console"));
  await page.getByRole("link", { name: "Resume orders…" }).click();
  await page.getByRole("button", { name: "Resume orders" }).click();
  await page.getByText("Orders are resumed.").waitFor();
  const next = await gateway.tool("place_order", { ...order, client_order_id: "after", quantity: 4 });
  expect(next.isError).toBe(false);
});
