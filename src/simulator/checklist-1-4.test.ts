import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { isRecord } from "../lib/json.ts";
import { startSimulatorForTest } from "./test-client.ts";
import type { TestClient, TestReply } from "./test-client.ts";

// The checklist of the reference (section J), items 1 to 4. Proved elsewhere, of 2: sparse positions in trading/portfolio.test.ts,
// snapshots in market/market-data-endpoints.test.ts; of 3: 411 and 403 in simulator-front-door.test.ts. Item 6 is in
// simulator-signature.test.ts and session/live-session-token.test.ts, 8 in http/pacing.test.ts, 11 in trading/exchange.test.ts and
// trading/order-types.test.ts, 12 in trading/user-kinds.test.ts.

const AAPL = 265598;
const DU1 = "DU7100001";

let client: TestClient;

beforeAll(async () => {
  client = await startSimulatorForTest({ pacing: { requestsPerSecond: 1000, endpoints: false } });
});

afterAll(() => client.close());

const get = (path: string, query: Readonly<Record<string, string | number>> = {}): Promise<TestReply> =>
  client.call("GET", path, { query });
const init = (): Promise<TestReply> => client.call("POST", "/iserver/auth/ssodh/init", { body: { compete: true } });

function rowsOf({ json }: TestReply, key?: string): readonly unknown[] {
  const rows: unknown = key !== undefined && isRecord(json) ? json[key] : json;
  return Array.isArray(rows) ? rows : [];
}

async function fresh(): Promise<void> {
  await init();
  client.clock.advance(2000);
}

describe("1 and 2: what a session remembers", () => {
  beforeAll(() => client.login());

  test.each([["init"], ["logout"]])("is all forgotten by %s", async (end) => {
    await get("/portfolio/accounts");
    await client.call("POST", "/iserver/questions/suppress", { body: { messageIds: ["o10152"] } });
    for (const path of ["/iserver/account/orders", "/iserver/account/trades"]) await get(path);
    await get("/iserver/marketdata/snapshot", { conids: AAPL, fields: "31" });
    expect(rowsOf(await get("/iserver/account/orders"), "orders")).not.toEqual([]);
    expect(rowsOf(await get("/iserver/marketdata/snapshot", { conids: AAPL, fields: "31" }))).toEqual([
      expect.objectContaining({ "31": expect.any(String) }),
    ]);
    if (end === "logout") {
      await client.call("POST", "/logout");
      await client.signIn();
    }
    await fresh();
    expect(await get(`/portfolio/${DU1}/summary`)).toMatchObject({ status: 401 });
    expect(await get("/iserver/account/orders")).toMatchObject({ status: 500 });
    await get("/iserver/accounts");
    expect((await get("/iserver/account/orders")).json).toEqual({ orders: [], snapshot: false });
    expect((await get("/iserver/account/trades")).json).toEqual([]);
    const [row] = rowsOf(await get("/iserver/marketdata/snapshot", { conids: AAPL, fields: "31" }));
    expect(row).not.toHaveProperty("31");
    const stop = { conid: AAPL, orderType: "STP", side: "SELL", quantity: 1, tif: "GTC", price: 100 };
    const asked = await client.call("POST", `/iserver/account/${DU1}/orders`, { body: { orders: [stop] } });
    expect(asked.json).toEqual([expect.objectContaining({ messageIds: ["o10152"] })]);
  });
});

describe("3: an endpoint that is called too early", () => {
  test("says what is missing", async () => {
    await client.login();
    await fresh();
    for (const path of ["/iserver/account/orders", "/iserver/account/trades", "/iserver/account/order/status/1"])
      expect(await get(path)).toMatchObject({ status: 500, json: { error: "Please query /accounts first" } });
    await client.call("POST", "/logout");
    await client.signIn();
    expect(await get("/iserver/accounts")).toMatchObject({ status: 400, json: { error: "Bad Request: no bridge", statusCode: 400 } });
    await get("/portfolio/accounts");
    expect(await get("/portfolio/DU9999999/summary")).toMatchObject({ status: 401 });
    await client.login();
  });
});

describe("4: an id", () => {
  test("is text or a number as each endpoint has it", async () => {
    await client.login();
    const [found] = rowsOf(await get("/iserver/secdef/search", { symbol: "AAPL" }));
    expect(found).toMatchObject({ conid: String(AAPL) });
    const order = { conid: AAPL, orderType: "MKT", side: "BUY", quantity: 1, tif: "DAY" };
    const [placed] = rowsOf(await client.call("POST", `/iserver/account/${DU1}/orders`, { body: { orders: [order] } }));
    expect(placed).toMatchObject({ order_id: expect.any(String) });
    await get("/iserver/account/orders");
    const live = rowsOf(await get("/iserver/account/orders"), "orders");
    expect(live[0]).toMatchObject({ orderId: expect.any(Number), conid: AAPL, conidex: String(AAPL), price: expect.any(String) });
    const orderId = isRecord(live[0]) ? Number(live[0]["orderId"]) : 0;
    expect((await get(`/iserver/account/order/status/${orderId}`)).json).toMatchObject({
      order_id: orderId,
      conid: AAPL,
      size: expect.any(String),
    });
  });
});
