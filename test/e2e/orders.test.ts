/** Every outcome of an order, on the built program and its simulator: placed, repeated, asked, confirmed, refused, cancelled. */
import { Client } from "@modelcontextprotocol/client";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { startBuiltGateway } from "../support/built-gateway.ts";
import type { BuiltGateway } from "../support/built-gateway.ts";
import { callTool, curl, readToolAnswer } from "../support/mcp-call.ts";
import type { ToolAnswer } from "../support/mcp-call.ts";
import { connectCurl, connectSdk1, connectSdk2 } from "../support/mcp-clients.ts";

const ACCOUNT = "DU7100001";

let gateway: BuiltGateway;
let target: { url: string; key: string };
beforeAll(async () => {
  gateway = await startBuiltGateway();
  target = { url: gateway.url, key: gateway.key ?? "" };
});
afterAll(async () => {
  await gateway.stop();
});

const tool = (name: string, args: Record<string, unknown> = {}): Promise<ToolAnswer> =>
  callTool(target, name, { account_id: ACCOUNT, ...args });
const buy = (args: Record<string, unknown>): Promise<ToolAnswer> =>
  tool("place_order", { symbol: "AAPL", side: "buy", quantity: 5, ...args });

/** A price at `factor` of the market, on the tick. */
async function priceAt(factor: number): Promise<string> {
  const quote = await callTool(target, "get_quote", { symbol: "AAPL" });
  return (Number(quote.structured["last"]) * factor).toFixed(2);
}

/** The order's state once it is one of `states`. */
async function statusOnce(clientOrderId: string, states: readonly string[]): Promise<ToolAnswer> {
  const look = () => tool("get_order_status", { client_order_id: clientOrderId });
  await expect
    .poll(async () => states.includes(String((await look()).structured["status"])), { timeout: 30_000, interval: 200 })
    .toBe(true);
  return await look();
}

async function ordersWithRef(clientOrderId: string): Promise<unknown[]> {
  const orders = (await tool("get_orders")).structured["orders"] as { client_order_id?: string }[];
  return orders.filter((order) => order.client_order_id === clientOrderId);
}

describe.each([
  ["curl", connectCurl],
  ["SDK 1.x", connectSdk1],
  ["SDK 2.x", connectSdk2],
])("through %s", (name, connect) => {
  it("a market order is placed, fills, and shows in the portfolio; the same call again gives the first answer", async () => {
    const client = await connect(target);
    const id = `market-${name.replaceAll(/\W/g, "")}`;
    const args = { account_id: ACCOUNT, symbol: "KO", side: "BUY", quantity: "3", order_type: "MKT", client_order_id: id };
    const first = await client.call("place_order", args);
    expect(first, first.text).toMatchObject({
      isError: false,
      structured: { client_order_id: id, mode: "simulated", account_id: ACCOUNT, order_id: expect.any(String) },
    });
    const again = await client.call("place_order", args);
    expect(again.structured["order_id"]).toBe(first.structured["order_id"]);
    expect((await statusOnce(id, ["Filled"])).structured).toMatchObject({ filled_quantity: "3", order_id: first.structured["order_id"] });
    expect(await ordersWithRef(id)).toHaveLength(1);
    await client.close();
  });
});

describe("working orders", () => {
  it("a limit order below the market rests until it is cancelled, and cancelling again says so in words", async () => {
    const placed = await buy({ order_type: "LMT", limit_price: await priceAt(0.98), tif: "gtc", client_order_id: "rests" });
    expect(placed, placed.text).toMatchObject({ isError: false, structured: { order_id: expect.any(String) } });
    expect((await tool("get_orders", { status: "working" })).text).toContain(String(placed.structured["order_id"]));
    const cancelled = await tool("cancel_order", { client_order_id: "rests" });
    expect(cancelled, cancelled.text).toMatchObject({ isError: false });
    await statusOnce("rests", ["Cancelled"]);
    expect((await tool("cancel_order", { client_order_id: "rests" })).text).toMatch(/cancel/i);
  });

  it("an immediate-or-cancel order away from the market ends cancelled", async () => {
    await buy({ order_type: "LMT", limit_price: await priceAt(0.98), tif: "IOC", client_order_id: "ioc" });
    await statusOnce("ioc", ["Cancelled"]);
  });

  it("a stop-limit order is confirmed, rests as PreSubmitted, and is cancelled by its id", async () => {
    const asked = await buy({
      order_type: "STP_LIMIT",
      stop_price: await priceAt(1.02),
      limit_price: await priceAt(1.025),
      client_order_id: "stop",
    });
    const placed =
      asked.structured["confirm_token"] === undefined
        ? asked
        : await tool("place_order", { confirm_token: asked.structured["confirm_token"] });
    expect(placed, placed.text).toMatchObject({ isError: false, structured: { client_order_id: "stop" } });
    const resting = await statusOnce("stop", ["PreSubmitted"]);
    expect(resting.structured).toMatchObject({ order_type: "STP_LIMIT", stop_price: expect.any(String), limit_price: expect.any(String) });
    expect((await tool("cancel_order", { order_id: resting.structured["order_id"] })).isError).toBe(false);
  });
});

describe("IBKR's questions", () => {
  const ask = async (id: string, extra: Record<string, unknown> = {}): Promise<ToolAnswer> =>
    buy({ order_type: "LMT", limit_price: await priceAt(0.9), client_order_id: id, ...extra });

  it("are shown and not answered: nothing is placed until the token is sent, which works once", async () => {
    const asked = await ask("asked");
    expect(asked.structured).toMatchObject({
      status: "confirmation_required",
      questions: [{ message_id: "o163" }],
      confirm_token: expect.any(String),
    });
    expect(asked.text).toContain("price exceeds the Percentage constraint of 3%");
    expect(asked.text).toContain(String(asked.structured["confirm_token"]));
    expect(await ordersWithRef("asked")).toEqual([]);
    const token = asked.structured["confirm_token"];
    const [one, two] = await Promise.all([tool("place_order", { confirm_token: token }), tool("place_order", { confirm_token: token })]);
    const placed = [one, two].filter((answer) => !answer.isError);
    expect(new Set(placed.map((answer) => answer.structured["order_id"])).size).toBe(1);
    expect(await ordersWithRef("asked")).toHaveLength(1);
    expect((await tool("place_order", { confirm_token: token })).error).toMatchObject({ code: "confirmation_expired" });
  });

  it("a token is bound to its order and its key", async () => {
    const asked = await ask("bound");
    const token = asked.structured["confirm_token"];
    const other = await tool("place_order", {
      confirm_token: token,
      symbol: "AAPL",
      side: "buy",
      quantity: 50,
      order_type: "LMT",
      limit_price: "1",
    });
    expect(other.error).toMatchObject({ code: "confirmation_mismatch" });
    const forged = await tool("place_order", { confirm_token: "x".repeat(32) });
    expect(forged).toMatchObject({ isError: true, error: { code: expect.stringMatching(/^confirmation_/) } });
  });

  it("a price over half away from the market is refused, not asked about", async () => {
    const refused = await buy({ order_type: "LMT", limit_price: await priceAt(0.3) });
    expect(refused.error).toMatchObject({
      code: "broker_rejected",
      message: expect.stringContaining("closer to the current market price"),
    });
  });

  it("go to the person by a form when the client can show one", async () => {
    const asked: string[] = [];
    let answer: "accept" | "decline" = "decline";
    const client = new Client(
      { name: "form-client", version: "1.0.0" },
      { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode: { pin: "2026-07-28" } } },
    );
    client.setRequestHandler("elicitation/create", (request) => {
      asked.push(request.params.message);
      return { action: answer, ...(answer === "accept" ? { content: { confirm: true } } : {}) };
    });
    await client.connect(
      new StreamableHTTPClientTransport(new URL(`${target.url}/mcp`), {
        requestInit: { headers: { Authorization: `Bearer ${target.key}` } },
      }),
    );
    const order = async (id: string) => {
      const args = {
        account_id: ACCOUNT,
        symbol: "AAPL",
        side: "buy",
        quantity: 1,
        order_type: "LMT",
        limit_price: await priceAt(0.9),
        client_order_id: id,
      };
      return readToolAnswer({ result: await client.callTool({ name: "place_order", arguments: args }) });
    };
    const declined = await order("form-declined");
    expect(declined.text).toMatch(/declined|not placed|nothing/i);
    expect(await ordersWithRef("form-declined")).toEqual([]);
    answer = "accept";
    const accepted = await order("form-accepted");
    expect(accepted, accepted.text).toMatchObject({
      isError: false,
      structured: { client_order_id: "form-accepted", order_id: expect.any(String) },
    });
    expect(asked.join("\n")).toContain("price exceeds the Percentage constraint of 3%");
    await client.close();
  });
});

describe("orders that never leave", () => {
  it.each([
    [{ order_type: "LMT" }, "invalid_arguments", /limit_price/],
    [{ order_type: "LMT", limit_price: "235.123" }, "invalid_arguments", /tick/],
    [{ order_type: "MKT", limit_price: "1" }, "invalid_arguments", /limit_price/],
    [{ order_type: "MKT", quantity: -5 }, "invalid_arguments", /quantity/],
    [{ order_type: "MKT", quantity: "NaN" }, "invalid_arguments", /quantity/],
    [{ order_type: "MKT", quantity: 0 }, "invalid_arguments", /quantity/],
    [{ order_type: "MKT", quantity: "1e3" }, "invalid_arguments", /quantity/],
    [{ order_type: "MKT", symbol: "SPX" }, "not_supported", /./],
    [{ order_type: "MKT", symbol: "EUR.USD" }, "not_supported", /./],
    [{ order_type: "TRAIL" }, "invalid_arguments", /order_type/],
    [{ order_type: "MKT", account_id: "All" }, "unknown_account", /./],
    [{ order_type: "MKT", account_id: "U1" }, "unknown_account", /./],
    [{ order_type: "MKT", quantity: "10000000" }, "broker_rejected", /funds/i],
  ])("%j is %s", async (args, code, words) => {
    const answer = await buy(args);
    expect(answer, answer.text).toMatchObject({ isError: true, error: { code, what_to_do: expect.any(String) } });
    expect(answer.text).toMatch(words);
  });

  it("the same client order id for another order is a mismatch, whether the first is under way or done", async () => {
    const [first, second] = await Promise.all([
      buy({ order_type: "MKT", quantity: 1, client_order_id: "race" }),
      buy({ order_type: "MKT", quantity: 2, client_order_id: "race" }),
    ]);
    expect([first, second].filter((answer) => answer.isError).map((answer) => answer.error["code"])).toEqual(["idempotency_mismatch"]);
    expect(await ordersWithRef("race")).toHaveLength(1);
  });

  it("twenty identical calls at once place one order", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => buy({ order_type: "MKT", quantity: 1, client_order_id: "twenty" })));
    const ids = answers.flatMap((answer) => (answer.structured["order_id"] === undefined ? [] : [answer.structured["order_id"]]));
    expect(new Set(ids).size).toBe(1);
    expect(await ordersWithRef("twenty")).toHaveLength(1);
  });
});

it("a preview places nothing and says what the order costs", async () => {
  const preview = await tool("preview_order", { symbol: "AAPL", side: "buy", quantity: 5, order_type: "MKT" });
  expect(preview, preview.text).toMatchObject({
    isError: false,
    structured: { amount: expect.any(String), commission: expect.any(String) },
  });
});

it("every call is in the audit log with source, scope and connection, and no token", async () => {
  await curl(target.url, target.key, { jsonrpc: "2.0", id: 1, method: "tools/list" });
  await gateway.stop();
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(`${gateway.dataDir}/gateway.sqlite`, { readOnly: true });
  const rows = database.prepare("select * from audit_log order by sequence").all();
  const placed = rows.filter((row) => row["tool"] === "place_order");
  expect(placed.length).toBeGreaterThan(20);
  expect(
    rows.filter((row) => row["source"] !== "apikey" || row["scope"] !== "write" || !String(row["connection_id"]).startsWith("con_")),
  ).toEqual([]);
  expect(rows.filter((row) => row["outcome"] === "started")).toEqual([]);
  expect(JSON.stringify(rows)).not.toContain(target.key);
  expect(rows.at(-1)).toMatchObject({ tool: "tools/list", outcome: "ok" });
  database.close();
});
