/** Every page of the site, with something on it: for screenshots, and for what must hold of all pages. */
import { join } from "node:path";

import type { BrowserContext } from "playwright-core";
import { z } from "zod";

import { loadHelp } from "../../src/help/load-help.ts";
import { openStorage } from "../../src/storage/open-storage.ts";
import { openBrowser, type TestBrowser } from "./browser.ts";
import { type BuiltGateway, startBuiltGateway } from "./built-gateway.ts";
import { registerHost, type TestHost } from "./consent-walk.ts";
import { callTool } from "./mcp-call.ts";
import { setUpPerson } from "./person.ts";
import { silentLog } from "./silent-log.ts";
import { storeOrder } from "./stored-order.ts";

/** One page: who looks at it, and where it is. */
export interface TourStop {
  /** Also the name of its screenshot. */
  readonly name: string;
  readonly url: string;
  readonly as: "visitor" | "person";
}

/** The built gateway, whose first person has a simulated connection with orders, calls, keys and a connected app. */
export interface SiteTour {
  readonly gateway: BuiltGateway;
  readonly browser: TestBrowser;
  readonly stops: readonly TourStop[];
  /** A new browser profile, signed in for a person's pages. */
  profile(as: TourStop["as"], options?: Parameters<TestBrowser["context"]>[0]): Promise<BrowserContext>;
  close(): Promise<void>;
}

/** Starts the gateway and makes what the pages show; with `hasOpenOrders`, also orders that need their owner. */
export async function startTour({ hasOpenOrders = false } = {}): Promise<SiteTour> {
  const built = await startBuiltGateway();
  // The address that people and hosts use; cookies belong to it.
  const gateway = { ...built, url: built.url.replace("127.0.0.1", "localhost") };
  const browser = await openBrowser();
  const host = await registerHost(gateway.url, { client_name: "Research notebook" });
  const home = await browser.context();
  const page = await home.newPage();
  await setUpPerson(page, /http\S+\/setup\/[\w-]+/.exec(gateway.output())?.[0] ?? "");
  await makeCalls(gateway);
  await approve(home, host);
  const state = await home.storageState();
  const known = await ids(gateway);
  const orders = hasOpenOrders ? await storeOpenOrders(gateway, known) : {};
  const stops = tourStops(gateway.url, { ...known, orders }, host);
  return {
    gateway,
    browser,
    stops,
    profile: (as, options = {}) => browser.context(as === "person" ? { ...options, storageState: state } : options),
    close: async () => {
      await browser.close();
      await host.close();
      await gateway.stop();
    },
  };
}

async function makeCalls({ url, key = "" }: BuiltGateway): Promise<void> {
  const tool = (name: string, args?: Record<string, unknown>) => callTool({ url, key }, name, args);
  const { structured } = await tool("get_accounts");
  const { accounts } = z.looseObject({ accounts: z.array(z.looseObject({ account_id: z.string() })) }).parse(structured);
  const account_id = accounts[0]?.account_id ?? "";
  await tool("get_portfolio", { account_id });
  await tool("get_quote", { symbols: ["AAPL", "MSFT", "SPY"] });
  await tool("get_history", { symbol: "AAPL", period: "1m", bar: "1d" });
  await tool("place_order", {
    account_id,
    symbol: "KO",
    side: "BUY",
    quantity: 5,
    order_type: "MKT",
    client_order_id: "tour-1",
  });
  await tool("place_order", {
    account_id,
    symbol: "AAPL",
    side: "BUY",
    quantity: 10,
    order_type: "LMT",
    limit_price: "150",
    tif: "GTC",
    client_order_id: "tour-2",
  });
  await tool("get_quote", { symbol: "NOSUCHTHING" });
  await tool("get_orders", { account_id });
}

/** Lets the host in, and uses what it got once. */
async function approve(home: BrowserContext, host: TestHost): Promise<void> {
  const page = await home.newPage();
  await page.goto(host.authorizeUrl({ scope: "read" }));
  await Promise.all([page.waitForURL(/\/callback/), page.getByRole("button", { name: "Approve" }).click()]);
  await host.exchange(host.returned.at(-1)?.get("code") ?? "");
}

interface TourIds {
  readonly connectionId: string;
  readonly requestId: string;
}

/** Paths of the pages about orders that need their owner, by name. */
async function storeOpenOrders(gateway: BuiltGateway, { connectionId }: TourIds): Promise<Readonly<Record<string, string>>> {
  const storage = await openStorage({ file: join(gateway.dataDir, "gateway.sqlite"), log: silentLog });
  try {
    const { id: callerId } = await storage.db.selectFrom("api_keys").select("id").executeTakeFirstOrThrow();
    const now = Date.now();
    const order = { connectionId, callerId, said: "Order request timed out." };
    const unresolved = await storeOrder(storage, { ...order, sentAt: now - 420_000 });
    const looking = await storeOrder(storage, { ...order, state: "unknown", sentAt: now - 60_000, quantity: "7" });
    const stop = { orders_stopped_at: now, orders_stopped_because: "IBKR accepted an order that was known as refused." };
    await storage.db.updateTable("connections").set(stop).where("id", "=", connectionId).execute();
    return {
      orders: "/console/orders",
      order: `/console/orders/${unresolved}`,
      "order-looking": `/console/orders/${looking}`,
      "resume-orders": `/console/connections/${connectionId}/resume-orders`,
    };
  } finally {
    await storage.close();
  }
}

async function ids(gateway: BuiltGateway): Promise<TourIds> {
  const storage = await openStorage({ file: join(gateway.dataDir, "gateway.sqlite"), log: silentLog });
  try {
    const connection = await storage.db.selectFrom("connections").select("id").executeTakeFirstOrThrow();
    const call = await storage.db.selectFrom("audit_log").select("request_id").where("tool", "=", "place_order").executeTakeFirstOrThrow();
    return { connectionId: connection.id, requestId: call.request_id };
  } finally {
    await storage.close();
  }
}

function tourStops(
  origin: string,
  { connectionId, requestId, orders }: TourIds & { readonly orders: Readonly<Record<string, string>> },
  host: TestHost,
): readonly TourStop[] {
  const connection = `/console/connections/${connectionId}`;
  const visitor: Readonly<Record<string, string>> = {
    home: "/",
    help: "/help",
    ...Object.fromEntries(loadHelp().map(({ slug }) => [`help-${slug}`, `/help/${slug}`])),
    "sign-in": "/sign-in",
    "not-found": "/nothing-here",
  };
  const person: Readonly<Record<string, string>> = {
    connections: "/console",
    connection,
    portfolio: `${connection}/portfolio`,
    // Apple's stock.
    security: `${connection}/securities/265598`,
    "security-search": `${connection}/securities?q=apple`,
    "new-connection": "/console/connections/new",
    "delete-connection": `${connection}/delete`,
    keys: "/console/keys",
    apps: "/console/apps",
    activity: "/console/activity",
    "activity-call": `/console/activity/${requestId}`,
    errors: "/console/errors",
    settings: "/account",
    "delete-account": "/account/delete",
    system: "/console/system",
    ...orders,
  };
  const stops = (as: TourStop["as"], paths: Readonly<Record<string, string>>): TourStop[] =>
    Object.entries(paths).map(([name, path]) => ({ name, url: origin + path, as }));
  return [...stops("visitor", visitor), ...stops("person", person), { name: "consent", url: host.authorizeUrl(), as: "person" }];
}
