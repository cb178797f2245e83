import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { startSimulatorForTest } from "../test-client.ts";
import type { TestClient } from "../test-client.ts";

const AAPL = 265598;
const DU1 = "DU7100001";

let client: TestClient;

beforeEach(async () => {
  client = await startSimulatorForTest();
  await client.login();
});

afterEach(() => client.close());

describe("a market order", () => {
  test("is accepted and fills at the next look", async () => {
    const ticket = { conid: AAPL, orderType: "MKT", side: "BUY", quantity: 5, tif: "DAY", cOID: "my-1" };
    const placed = await client.call("POST", `/iserver/account/${DU1}/orders`, { body: { orders: [ticket] } });
    expect(placed.json).toEqual([{ order_id: expect.any(String), order_status: "Submitted", encrypt_message: "1" }]);
  });
});
