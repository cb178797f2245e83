/** A whole gateway on PostgreSQL: an order is placed, read back, put on record, and known again after a restart. */
import { Client } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";

import { startGateway, type TestGateway } from "../support/gateway.ts";
import { callTool } from "../support/mcp-call.ts";
import { siteVisitor } from "../support/site-visitor.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";

const ORDER = { symbol: "AAPL", side: "BUY", quantity: 5, order_type: "MKT", account_id: "DU7100001", client_order_id: "on-postgres" };

let server: TestPostgres;
let databaseUrl: string;
let gateway: TestGateway;
let key: string;

beforeAll(async () => {
  server = await startPostgres();
  databaseUrl = await server.createDatabase();
  gateway = await startGateway({ environment: { DATABASE_URL: databaseUrl } });
  ({ key } = gateway);
});

afterAll(async () => {
  await gateway.close();
  await server.stop();
});

/** Asks the database directly. */
async function query(text: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

it("an order is placed, filled, listed under its id, and on record", async () => {
  const placed = await gateway.tool("place_order", ORDER);
  expect(placed.structured, placed.text).toMatchObject({ client_order_id: "on-postgres", order_id: expect.any(String) });
  const orderId = placed.structured["order_id"];
  const status = async () => (await gateway.tool("get_order_status", { client_order_id: "on-postgres" })).structured;
  await expect.poll(async () => (await status())["status"], { timeout: 15_000 }).toBe("Filled");
  expect(await status()).toMatchObject({ order_id: orderId, filled_quantity: "5" });
  const { orders } = (await gateway.tool("get_orders", { account_id: ORDER.account_id })).structured;
  expect(orders).toEqual(expect.arrayContaining([expect.objectContaining({ order_id: orderId, client_order_id: "on-postgres" })]));
  expect(await query("select state from order_requests")).toEqual([{ state: "placed" }]);
  expect(await query("select outcome, code from audit_log where tool = 'place_order'")).toEqual([{ outcome: "ok", code: null }]);
});

it("a question is asked, confirmed once, and cancelled", async () => {
  const { structured: quote } = await gateway.tool("get_quote", { symbol: "AAPL" });
  const limit = (Number(quote["last"]) * 0.8).toFixed(2);
  const asked = await gateway.tool("place_order", { ...ORDER, client_order_id: "asked", order_type: "LMT", limit_price: limit });
  const token = String(asked.structured["confirm_token"]);
  const answers = await Promise.all([1, 2, 3].map(() => gateway.tool("place_order", { confirm_token: token })));
  expect(answers.filter((answer) => !answer.isError)).toHaveLength(1);
  const cancelled = await gateway.tool("cancel_order", { client_order_id: "asked" });
  expect(cancelled.structured["status"], cancelled.text).toMatch(/Cancel/);
});

it("forms and addresses with characters that the database doesn't take are answered as any that name nothing", async () => {
  const ada = siteVisitor(gateway.app.publicUrl);
  const setupPath = gateway.app.setup.kind === "link" ? new URL(gateway.app.setup.url.reveal()).pathname : "";
  await ada.get(setupPath);
  expect((await ada.post(setupPath, { display_name: "Ada\0", login_name: "ada", password: "seventeen blue herons" })).status).toBe(303);
  await ada.get("/account");
  expect((await ada.post("/account/sessions/end", { session: "ses_\0" })).status).toBe(303);
  expect((await ada.post("/account/invitations/remove", { invitation: "\0" })).status).toBe(303);
  expect((await ada.get("/connections/con_%00/created")).status).toBe(404);
});

it("after a restart the same call gives the first answer and sends nothing", async () => {
  const before = await gateway.tool("place_order", ORDER);
  await gateway.close();
  gateway = await startGateway({ environment: { DATABASE_URL: databaseUrl }, dataDir: gateway.dataDir });
  const after = await callTool({ url: gateway.url, key }, "place_order", ORDER);
  expect(after.structured, after.text).toMatchObject({ order_id: before.structured["order_id"] });
  expect(gateway.logged.join("\n")).not.toContain('"endpoint":"/iserver/account/{accountId}/orders"');
  expect(await query("select outcome from audit_log where outcome = 'started'")).toEqual([]);
});
