/** Orders of unknown outcome in the console: what their owner sees, decides and can't decide. */
import { join } from "node:path";

import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openStorage } from "../../src/storage/open-storage.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { openBrowser, type TestBrowser } from "../support/browser.ts";
import { complaintsOf, expectAccessible, storeConnection } from "../support/console-visit.ts";
import { invitePerson, startGatewayForPeople } from "../support/consent-walk.ts";
import { type FastClock, fastClock } from "../support/fast-clock.ts";
import { PERSON, setUpPerson, signIn } from "../support/person.ts";
import { silentLog } from "../support/silent-log.ts";
import { storeOrder } from "../support/stored-order.ts";

let clock: FastClock;
let gateway: Awaited<ReturnType<typeof startGatewayForPeople>>;
let storage: Storage;
let browser: TestBrowser;
let page: Page;
let complaints: string[];

const PAPER = "con_00000000000000000000000a";
const LIVE = "con_00000000000000000000000b";

beforeAll(async () => {
  clock = fastClock(1, Date.UTC(2026, 10, 30, 20, 0, 30));
  gateway = await startGatewayForPeople({ deps: { clock } });
  storage = await openStorage({ file: join(gateway.dataDir, "gateway.sqlite"), log: silentLog });
  browser = await openBrowser();
  page = await browser.page();
  complaints = complaintsOf(page);
  await setUpPerson(page, gateway.setupUrl);
  await storeConnection(storage, { id: PAPER, mode: "paper", label: "Practice" });
  await storeConnection(storage, { id: LIVE, label: "Retirement" });
});
afterAll(async () => {
  await browser.close();
  await storage.close();
  await gateway.close();
});

const at = (path: string): string => gateway.url + path;
const orderAt = (id: string): string => at(`/console/orders/${id}`);
const main = async (): Promise<string> => (await page.locator("main").textContent()) ?? "";
const press = (name: string): Promise<void> => page.getByRole("main").getByRole("button", { name, exact: true }).click();
const stateOf = async (id: string) =>
  (await storage.db.selectFrom("order_requests").select("state").where("id", "=", id).executeTakeFirstOrThrow()).state;
/** A card of the order's page by its heading. */
const part = (name: string) => page.getByRole("region", { name });
const keyOf = async (connectionId: string): Promise<string> => {
  const { user_id } = await storage.db.selectFrom("connections").select("user_id").where("id", "=", connectionId).executeTakeFirstOrThrow();
  const id = `key_${connectionId.slice(-3)}${await storage.db
    .selectFrom("api_keys")
    .select("id")
    .execute()
    .then((rows) => rows.length)}`;
  const unused = { limits: null, pinned_account_id: null, last_used_at: null, last_used_address: null, last_used_client: null };
  const owned = { user_id, connection_id: connectionId, scope: "write", created_at: clock.now(), allowed_account_ids: null };
  await storage.db
    .insertInto("api_keys")
    .values({ ...owned, ...unused, id, key_hash: id, prefix: "ibkr_", label: "Night script", expires_at: null, revoked_at: null })
    .execute();
  return id;
};
/** Posts a form of an order as its page would, by a browser that is signed in. */
const post = async (by: Page, path: string, form: Readonly<Record<string, string>>, headers = { Origin: gateway.url }) => {
  await by.goto(at("/console"));
  const token = (await by.locator("[name=form_token]").first().getAttribute("value")) ?? "";
  return await by.request.post(at(path), { form: { form_token: token, ...form }, headers, maxRedirects: 0 });
};

describe("an owner without such orders", () => {
  it("sees an empty list", async () => {
    await page.goto(at("/console/orders"));
    expect(await main()).toContain("No orders of unknown outcome");
    await expectAccessible(page);
  });
});

describe("orders of unknown outcome", () => {
  it("are listed, those that need a decision first, and named on the connection", async () => {
    const sentAt = clock.now() - 60_000;
    const looking = await storeOrder(storage, { connectionId: PAPER, state: "unknown", sentAt, quantity: "7" });
    await storeOrder(storage, { connectionId: LIVE, sentAt: sentAt - 400_000 });
    await page.goto(at("/console/orders"));
    const rows = await page.getByRole("row").allTextContents();
    expect(rows.slice(1)).toEqual([
      expect.stringMatching(/BUY 10 AAPL LMT limit 230 USD DAY.*Needs your decision.*DU1234567.*Retirement.*Live/),
      expect.stringMatching(/BUY 7 AAPL.*Gateway is looking.*Practice.*Paper/),
    ]);
    await expectAccessible(page);
    await page.goto(at("/console"));
    expect(await page.getByRole("article", { name: "Retirement" }).textContent()).toContain("1 order needs your decision");
    expect(await page.getByRole("article", { name: "Practice" }).textContent()).toContain("The gateway is looking for 1 order");
    await page.goto(at(`/console/connections/${LIVE}`));
    expect(await page.locator("#state").textContent()).toContain("1 order needs your decision");
    await expectAccessible(page);
    await page.goto(orderAt(looking));
    expect(await main()).toMatch(/The gateway is looking for this order.*If IBKR's lists do not show it for 5 minutes, you decide here\./s);
    expect(await page.getByRole("button", { name: /It is/ }).count()).toBe(0);
    await expectAccessible(page);
  });

  it("show everything known: the order, its money, who sent it and when, IBKR's words, and where to look", async () => {
    const callerId = await keyOf(LIVE);
    const said = "Order received\u202e, try <b>again</b>";
    const id = await storeOrder(storage, {
      connectionId: LIVE,
      callerId,
      clientOrderId: "my-1",
      said,
      sentAt: Date.UTC(2026, 10, 30, 19, 50),
    });
    await page.goto(orderAt(id));
    const text = await part("The order").textContent();
    for (const fact of ["BUY 10 AAPL LMT limit 230 USD DAY", "Real money", "DU1234567", "Retirement", "Night script (API key)", "my-1"])
      expect(text).toContain(fact);
    expect(text).toContain("2026-11-30 19:50:00.000 UTC");
    expect(text).toMatch(/6 times, order not listed, last read \d+ minutes ago/);
    expect(text).toContain("Order received , try <b>again</b>");
    expect(text).toMatch(/gw0{18}\d\d?-1/);
    expect(await part("Where to look").textContent()).toMatch(/TWS, IBKR Mobile or Client Portal.*orders and the trades of 2026-11-30/s);
    expect(await page.getByRole("button", { name: "It is there" }).isEnabled()).toBe(true);
    await expectAccessible(page);
  });

  it("can't be called absent within 30 minutes, by a form of another origin neither, and warn of the second order", async () => {
    const id = await storeOrder(storage, { connectionId: PAPER, sentAt: clock.now() - 400_000 });
    await page.goto(orderAt(id));
    const absent = part("Order not found");
    expect(await absent.getByRole("button", { name: "It is not there" }).isDisabled()).toBe(true);
    expect(await absent.textContent()).toMatch(/Available at 2026-11-30 20:3\d UTC/);
    expect(await absent.textContent()).toContain("You would then buy 10 AAPL too many, worth 2,300.00 USD at the limit price.");
    const refused = await post(page, `/console/orders/${id}`, { verdict: "not_there", words: "TWS" });
    expect([refused.status(), await refused.text()]).toEqual([422, expect.stringContaining("the order can still go live")]);
    const there = { verdict: "there", order_id: "12345", words: "TWS" };
    const foreign = await post(page, `/console/orders/${id}`, there, { Origin: "https://evil.test" });
    expect(foreign.status()).toBe(403);
    const tokenless = await post(page, `/console/orders/${id}`, { ...there, form_token: "x" });
    expect([tokenless.status(), tokenless.headers()["location"]]).toEqual([303, expect.stringContaining("said=old_form")]);
    expect(await stateOf(id)).toBe("unresolved");
  });

  it("need IBKR's order id in digits or a cancellation, and where their owner looked", async () => {
    const id = await storeOrder(storage, { connectionId: PAPER, sentAt: clock.now() - 400_000 });
    for (const fields of [{ order_id: "12a", words: "TWS" }, { words: "TWS" }, { order_id: "1".repeat(21), words: "TWS" }]) {
      const answer = await post(page, `/console/orders/${id}`, { verdict: "there", ...fields });
      expect([answer.status(), await answer.text()]).toEqual([422, expect.stringContaining("Enter the order ID in digits")]);
    }
    for (const words of ["", " \u200b ", "x".repeat(201)]) {
      const answer = await post(page, `/console/orders/${id}`, { verdict: "there", order_id: "12", words });
      expect([answer.status(), await answer.text()]).toEqual([422, expect.stringContaining("Enter where you looked")]);
    }
    expect(await stateOf(id)).toBe("unresolved");
    await page.goto(orderAt(id));
    await part("Order found").getByLabel("IBKR's order ID").fill("1234567890");
    await part("Order found").getByLabel("Where you looked").fill("TWS, trades of today");
    await press("It is there");
    await page.getByText("Your decision is saved.").waitFor();
    expect(await main()).toMatch(/You found the order at IBKR\..*TWS, trades of today.*1234567890/s);
    expect(await stateOf(id)).toBe("placed");
    await expectAccessible(page);
    expect((await post(page, `/console/orders/${id}`, { verdict: "there", order_id: "9", words: "x" })).status()).toBe(303);
    expect(await storage.db.selectFrom("order_attempts").select("broker_order_id").where("request_id", "=", id).execute()).toEqual([
      { broker_order_id: "1234567890" },
    ]);
  });

  it("can be called cancelled; the decision is in the activity with the words", async () => {
    const id = await storeOrder(storage, { connectionId: PAPER, sentAt: clock.now() - 400_000, quantity: "3" });
    await page.goto(orderAt(id));
    await page.getByLabel("I cancelled it").check();
    await part("Order found").getByLabel("Where you looked").fill("IBKR Mobile");
    await press("It is there");
    await page.getByText("Placed, then cancelled by you at IBKR.").waitFor();
    await page.goto(at(`/console/activity?connection=${PAPER}`));
    const row = page.locator("#calls tr", { hasText: "Order decided: cancelled at IBKR" });
    expect(await row.textContent()).toMatch(/BUY 3 AAPL.*IBKR Mobile.*you.*Practice/s);
    await row.getByRole("link").click();
    expect(await main()).toMatch(new RegExp(`"order_request": "${id}".*"looked": "IBKR Mobile"`, "s"));
  });
});

describe("another user", () => {
  it("finds no order of others, can't decide one, and learns nothing from a revocation's address", async () => {
    const id = await storeOrder(storage, { connectionId: PAPER, sentAt: clock.now() - 400_000 });
    const other = await (await browser.context()).newPage();
    await invitePerson(page, other, gateway.url);
    for (const path of [id, "ord_nothing", "..%2f", "x".repeat(300)]) expect((await other.goto(orderAt(path)))?.status(), path).toBe(404);
    await other.goto(at("/account"));
    const token = (await other.locator("[name=form_token]").first().getAttribute("value")) ?? "";
    const form = { form_token: token, verdict: "there", order_id: "1", words: "x" };
    expect((await other.request.post(orderAt(id), { form, headers: { Origin: gateway.url } })).status()).toBe(404);
    const resume = at(`/console/connections/${LIVE}/resume-orders`);
    expect((await other.request.post(resume, { form, headers: { Origin: gateway.url } })).status()).toBe(404);
    await other.goto(at(`/console/keys?said=revoked&left=${id}`));
    expect(await other.locator("main").textContent()).not.toContain("AAPL");
    await other.goto(at("/console/orders"));
    expect(await other.locator("main").textContent()).toContain("No orders of unknown outcome");
    expect(await stateOf(id)).toBe("unresolved");
    await other.context().close();
  });
});

describe("a revocation that came too late for an order", () => {
  const left = () => page.locator(".notice", { hasText: "sent before this change" });

  it.each(["sending", "unknown"] as const)("names the one that is %s, with the way to it", async (state) => {
    const callerId = await keyOf(PAPER);
    // Only one order of an account is being sent at a time.
    const id = await storeOrder(storage, {
      connectionId: PAPER,
      callerId,
      state,
      quantity: "21",
      accountId: `DU${state}`,
      sentAt: clock.now(),
    });
    await page.goto(at(`/console/keys/${callerId}/revoke`));
    await press("Revoke the key");
    await page.getByText("The key is revoked.").waitFor();
    expect(await left().textContent()).toContain("1 order was sent before this change: BUY 21 AAPL");
    await expectAccessible(page);
    await left().getByRole("link").click();
    await page.waitForURL(orderAt(id));
  });

  it("is named where apps are revoked, one or all of a connection", async () => {
    const { user_id } = await storage.db.selectFrom("connections").select("user_id").where("id", "=", PAPER).executeTakeFirstOrThrow();
    const unused = { limits: null, pinned_account_id: null, last_used_at: null, last_used_address: null, last_used_client: null };
    const app = {
      client_id: "cli",
      client_name: "Notebook",
      client_host: null,
      client_identity: "built_in",
      redirect_uri: "http://localhost/",
    };
    const allowed = { scope: "write", allowed_account_ids: null, expires_at: null, revoked_at: null, revoked_because: null };
    const paths = { grant_one: "/console/apps/grant_one/revoke", grant_two: "/console/apps/revoke" };
    for (const [id, path] of Object.entries(paths)) {
      const times = { created_at: clock.now(), issued_at: clock.now() };
      await storage.db
        .insertInto("app_grants")
        .values({ ...app, ...allowed, ...unused, ...times, id, user_id, connection_id: PAPER })
        .execute();
      const order = await storeOrder(storage, { connectionId: PAPER, callerId: id, state: "unknown", sentAt: clock.now() });
      const answer = await post(page, path, { connection: PAPER });
      expect(answer.headers()["location"]).toMatch(new RegExp(`^/console/apps\\?said=(?:revoked|all-1)&left=${order}$`));
      await page.goto(at(answer.headers()["location"] ?? ""));
      expect(await left().textContent()).toContain("BUY 10 AAPL");
    }
  });

  it("names none of other keys", async () => {
    const callerId = await keyOf(PAPER);
    await page.goto(at(`/console/keys/${callerId}/revoke`));
    await press("Revoke the key");
    await page.getByText("The key is revoked.").waitFor();
    expect(await left().count()).toBe(0);
  });

  it("is named by a pause and by the end of live trading", async () => {
    await page.goto(at(`/console/connections/${LIVE}`));
    await press("Pause");
    await page.getByText("Paused. Nothing is sent").waitFor();
    expect(await left().textContent()).toMatch(/orders were sent before this change: .*BUY 10 AAPL/s);
    await press("Resume");
    await page.getByText("Resumed.").waitFor();
    expect(await left().count()).toBe(0);
    const off = await post(page, `/console/connections/${LIVE}/live-trading`, { trading: "off" });
    expect(off.headers()["location"]).toMatch(/said=live_off&left=ord_/);
  });
});

describe("orders that the gateway stopped", () => {
  it("are shown with the reason, and resumed after a confirmation", async () => {
    const because = "IBKR accepted an order that was known as refused.";
    const stop = { orders_stopped_at: clock.now(), orders_stopped_because: because };
    await storage.db.updateTable("connections").set(stop).where("id", "=", PAPER).execute();
    await page.goto(at("/console"));
    expect(await page.getByRole("article", { name: "Practice" }).textContent()).toMatch(/Orders stopped.*known as refused\./s);
    await page.goto(at(`/console/connections/${PAPER}`));
    await page.getByRole("link", { name: "Resume orders…" }).click();
    expect(await main()).toMatch(/known as refused\..*Check all orders and trades/s);
    expect(await main()).not.toContain("real money");
    await expectAccessible(page);
    await press("Resume orders");
    await page.getByText("Orders are resumed.").waitFor();
    expect(await page.locator("#state").textContent()).not.toContain("Orders stopped");
    await page.goto(at(`/console/activity?connection=${PAPER}`));
    expect(await page.locator("#calls tr", { hasText: "Orders resumed" }).textContent()).toMatch(/you.*Practice/s);
    // Nothing is left to resume.
    await page.goto(at(`/console/connections/${PAPER}/resume-orders`));
    expect(new URL(page.url()).pathname).toBe(`/console/connections/${PAPER}`);
    expect(complaints).toEqual([]);
  });
});

describe("with real money", () => {
  it("a decision without a fresh sign-in is refused, and saved after one with what was typed; half an hour later also absence", async () => {
    const first = await storeOrder(storage, { connectionId: LIVE, sentAt: clock.now() - 400_000 });
    const second = await storeOrder(storage, { connectionId: LIVE, sentAt: clock.now() - 400_000 });
    const third = await storeOrder(storage, { connectionId: PAPER, sentAt: clock.now() - 400_000 });
    for (const id of [first, second, third]) await page.goto(orderAt(id));
    clock.jump(31 * 60_000);
    await page.goto(orderAt(first));
    expect(await main()).toContain("A decision needs a sign-in within the last 15 minutes.");
    await part("Order found").getByLabel("IBKR's order ID").fill("777");
    await part("Order found").getByLabel("Where you looked").fill("Client Portal");
    await press("It is there");
    await page.waitForURL(/\/sign-in\?again=1/);
    expect(await stateOf(first)).toBe("unresolved");
    const refused = await post(page, `/console/orders/${second}`, { verdict: "not_there", words: "TWS" });
    expect([refused.status(), refused.headers()["location"]]).toEqual([303, expect.stringContaining("/sign-in?again=1")]);
    expect(await stateOf(second)).toBe("unresolved");
    const stop = { orders_stopped_at: clock.now(), orders_stopped_because: "Two orders." };
    await storage.db.updateTable("connections").set(stop).where("id", "=", LIVE).execute();
    const resume = await post(page, `/console/connections/${LIVE}/resume-orders`, {});
    expect(resume.headers()["location"]).toContain("/sign-in?again=1");
    // Without real money the old sign-in is enough.
    await page.goto(orderAt(third));
    await part("Order not found").getByLabel("Where you looked").fill("TWS, orders and trades");
    await press("It is not there");
    await page.getByText("Not placed. You did not find the order at IBKR.").waitFor();
    expect(await stateOf(third)).toBe("not_placed");
    await page.goto(orderAt(first));
    await part("Order found").getByLabel("IBKR's order ID").fill("777");
    await part("Order found").getByLabel("Where you looked").fill("Client Portal");
    await press("It is there");
    await signIn(page, PERSON);
    await page.waitForURL(new RegExp(`/console/orders/${first}`));
    expect(await part("Order found").getByLabel("IBKR's order ID").inputValue()).toBe("777");
    expect(await part("Order found").getByLabel("Where you looked").inputValue()).toBe("Client Portal");
    expect(await part("Order not found").getByLabel("Where you looked").inputValue()).toBe("");
    expect(await part("Order not found").textContent()).toContain("A wrong answer can cost real money");
    await expectAccessible(page);
    await press("It is there");
    await page.getByText("Your decision is saved.").waitFor();
    await page.goto(at(`/console/connections/${LIVE}/resume-orders`));
    expect(await main()).toContain("These orders use real money");
    await press("Resume orders");
    await page.getByText("Orders are resumed.").waitFor();
    expect(complaints).toEqual([]);
  });

  it("works without script too", async () => {
    const id = await storeOrder(storage, { connectionId: LIVE, sentAt: clock.now() - 400_000 });
    const plain = await browser.context({ javaScriptEnabled: false, storageState: await page.context().storageState() });
    const quiet = await plain.newPage();
    await quiet.goto(orderAt(id));
    await quiet.getByLabel("IBKR's order ID").fill("4711");
    await quiet.getByLabel("Where you looked").first().fill("TWS");
    await quiet.getByRole("button", { name: "It is there" }).click();
    await quiet.getByText("Your decision is saved.").waitFor();
    expect(await stateOf(id)).toBe("placed");
    await plain.close();
  });
});
