/** Bad input of every kind, on one whole gateway: each gives a clear error, every call is on record, and the server lives on. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { DatabaseSync } from "node:sqlite";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemRandom } from "../../src/lib/random.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { readToolAnswer, type ToolAnswer } from "../support/mcp-call.ts";

const ACCOUNT = "DU7100001";

interface HttpAnswer {
  readonly status: number;
  readonly body: unknown;
}

interface AuditRow {
  readonly request_id: string;
  readonly tool: string;
  readonly outcome: string;
  readonly code: string | null;
  readonly arguments: string;
}

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

/** Sends a body as it is; the `Host` header can't be set by `fetch`. */
async function post(body: string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
  const sent = request(`${gateway.url}/mcp`, {
    method: "POST",
    headers: { Authorization: `Bearer ${gateway.key}`, "Content-Type": "application/json", ...headers },
  });
  sent.end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return { status: response.statusCode ?? 0, body: text === "" ? undefined : JSON.parse(text) };
}

function callOf(name: string, args: unknown, id: unknown = 1): Record<string, unknown> {
  return { jsonrpc: "2.0", id, method: "tools/call", params: { name, arguments: args } };
}

function order(args: Record<string, unknown> = {}): Record<string, unknown> {
  return { symbol: "AAPL", side: "BUY", quantity: 1, order_type: "MKT", account_id: ACCOUNT, ...args };
}

/** The audit as it is on disk, once what is queued is written; without this function's own rows. */
async function auditRows(): Promise<readonly AuditRow[]> {
  const mark = `mark/${systemRandom.bytes(8).toString("hex")}`;
  await post(JSON.stringify({ jsonrpc: "2.0", id: 1, method: mark }));
  const database = new DatabaseSync(`${gateway.dataDir}/gateway.sqlite`, { readOnly: true });
  try {
    const found = database.prepare("select count(*) as found from audit_log where tool = ?");
    await expect.poll(() => found.get(mark)?.["found"], { timeout: 5_000 }).toBe(1);
    const rows = database.prepare("select request_id, tool, outcome, code, arguments from audit_log order by sequence").all();
    // The columns asked for are those of the interface, all of type text.
    return (rows as unknown as AuditRow[]).filter((row) => !row.tool.startsWith("mark/"));
  } finally {
    database.close();
  }
}

/** The rows that this work added. */
async function rowsOf(work: () => Promise<unknown>): Promise<readonly AuditRow[]> {
  const before = (await auditRows()).length;
  await work();
  return (await auditRows()).slice(before);
}

/** How many orders went to IBKR so far. */
function orderCount(): number {
  return gateway.logged.filter((line) => line.includes('"endpoint":"/iserver/account/{accountId}/orders"')).length;
}

async function isAlive(): Promise<boolean> {
  const answer = await gateway.tool("get_quote", { symbol: "AAPL" });
  return !answer.isError && answer.structured["last"] !== undefined;
}

describe("a request that is no call", () => {
  it.each([
    ["broken JSON", '{"jsonrpc":', 400, "not valid JSON", "parse_error"],
    ["an empty body", "", 400, "not valid JSON", "parse_error"],
    ["a body over the limit", `"${"x".repeat(1_100_000)}"`, 413, "larger than", "too_large"],
  ])("%s is refused and put on record", async (_name, body, ...[status, words, code]) => {
    let answer: HttpAnswer | undefined;
    const rows = await rowsOf(async () => {
      answer = await post(body);
    });
    expect(answer).toMatchObject({ status, body: { id: null, error: { message: expect.stringContaining(words) } } });
    expect(rows).toMatchObject([{ tool: "invalid", outcome: "error", code }]);
  });

  it.each([
    [{ "Content-Type": "text/plain" }, 415, "Content-Type: application/json"],
    [{ Authorization: "Bearer ibkr_unknown" }, 401, "unknown"],
    [{ Authorization: "" }, 401, "No access token"],
    [{ Host: "evil.example" }, 403, "Host"],
    [{ Origin: "https://evil.example" }, 403, "Origin"],
  ])("with the header %j is refused in words", async (headers: Record<string, string>, status, words) => {
    const answer = await post(JSON.stringify(callOf("place_order", order())), headers);
    expect(answer).toMatchObject({ status, body: { error: { message: expect.stringContaining(words) } } });
  });

  it.each([
    ["an unknown method", { jsonrpc: "2.0", id: 1, method: "tools/destroy" }],
    ["no message at all", 42],
    ["an empty batch", []],
    ["a null id", callOf("get_accounts", {}, null)],
    ["an id that is no whole number", callOf("place_order", order(), 1.5)],
    ["parameters of a wrong type", { jsonrpc: "2.0", id: 1, method: "tools/call", params: [] }],
    ["a name of a wrong type", { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: 5 } }],
    ["a call without an id", { jsonrpc: "2.0", method: "tools/call", params: { name: "place_order", arguments: order() } }],
  ])("of %s places nothing and is one row", async (_name, message) => {
    const before = orderCount();
    let answer: HttpAnswer | undefined;
    const rows = await rowsOf(async () => {
      answer = await post(JSON.stringify(message));
    });
    expect(answer?.status).toBeLessThan(500);
    expect(rows).toHaveLength(1);
    expect(orderCount()).toBe(before);
  });
});

describe("a call with bad arguments", () => {
  it.each([
    ["place_orders", {}, undefined, "not found"],
    ["place_order", order({ quantity: "NaN" }), "invalid_arguments", "plain decimal number"],
    ["place_order", order({ quantity: -5 }), "invalid_arguments", "greater than zero"],
    ["place_order", order({ quantity: 0 }), "invalid_arguments", "greater than zero"],
    ["place_order", order({ quantity: "1e3" }), "invalid_arguments", "plain decimal number"],
    ["place_order", order({ quantity: "9".repeat(40) }), "invalid_arguments", "too large"],
    ["place_order", order({ quantity: { n: 1 } }), "invalid_arguments", "plain decimal number"],
    ["place_order", order({ side: "HOLD" }), "invalid_arguments", "must be one of BUY, SELL"],
    ["place_order", order({ order_type: "LMT" }), "invalid_arguments", "needs limit_price"],
    ["place_order", order({ order_type: "LMT", limit_price: "100.001" }), "invalid_arguments", "not on the tick"],
    ["place_order", order({ order_type: "LMT", limit_price: "-1" }), "invalid_arguments", "greater than zero"],
    ["place_order", order({ qty: 5 }), "invalid_arguments", "quantity"],
    ["place_order", order({ account_id: "U0000000" }), "unknown_account", "U0000000"],
    ["place_order", order({ account_id: "All" }), "unknown_account", "All"],
    ["place_order", order({ symbol: undefined, conid: 999_999_999 }), "contract_not_found", "999999999"],
    ["place_order", order({ conid: 265598, symbol: "BRK B" }), "invalid_arguments", "differs"],
    ["place_order", order({ confirm_token: "made-up" }), "confirmation_mismatch", "unknown"],
    ["place_order", "[1,2]", "invalid_arguments", "must be an object"],
    ["get_quote", { conid: -1 }, "invalid_arguments", "contract id"],
    ["get_history", { symbol: "AAPL", period: "99y" }, "invalid_arguments", "period"],
    ["cancel_order", { order_id: "-1" }, "invalid_arguments", "digits"],
    ["cancel_order", { order_id: "0" }, "invalid_arguments", "digits"],
  ])("%s %j says what is wrong, places nothing and is one row", async (name, args, code, words) => {
    const before = orderCount();
    let answer: HttpAnswer | undefined;
    const rows = await rowsOf(async () => {
      answer = await post(JSON.stringify(callOf(name, args)));
    });
    if (code === undefined) expect(answer?.body).toMatchObject({ error: { message: expect.stringContaining(words) } });
    else {
      const { error } = readToolAnswer(answer?.body);
      expect(error).toMatchObject({ code, what_to_do: expect.any(String) });
      expect(JSON.stringify(error)).toContain(words);
    }
    expect(rows).toMatchObject([{ outcome: "error", code: code ?? "unknown_tool" }]);
    expect(orderCount()).toBe(before);
  });
});

describe("an order in JSON that readers change", () => {
  it.each([
    ["D12.a", '"quantity":4.9999999999999999', "4.9999999999999999"],
    ["D12.b", '"quantity":5.00000000000000000001', "5.00000000000000000001"],
    ["D12.c", '"quantity":"1","quantity":"77"', "appears twice"],
    ["D12: an escaped name", '"quantity":"1","quant\\u0069ty":"77"', "appears twice"],
    ["D12: a price", '"quantity":1,"limit_price":230.00000000000000000001', "230.00000000000000000001"],
    ["D12: a contract", '"quantity":1,"conid":265598.0000000000000001', "265598.0000000000000001"],
  ])("%s %s is neither previewed nor placed", async (_case, members, words) => {
    const before = orderCount();
    for (const name of ["preview_order", "place_order"]) {
      const text = JSON.stringify(callOf(name, order({ quantity: undefined }))).replace('"symbol":', `${members},"symbol":`);
      const { error } = readToolAnswer((await post(text)).body);
      expect(error).toMatchObject({ code: "invalid_arguments", message: expect.stringContaining(words) });
    }
    expect(orderCount()).toBe(before);
  });
});

describe("a confirm token", () => {
  const ask = async (): Promise<string> => {
    const { structured } = await gateway.tool("get_quote", { symbol: "MSFT" });
    const price = (Number(structured["last"]) * 0.8).toFixed(2);
    const asked = await gateway.tool("place_order", order({ symbol: "MSFT", order_type: "LMT", limit_price: price }));
    expect(asked.structured["status"], asked.text).toBe("confirmation_required");
    return String(asked.structured["confirm_token"]);
  };

  it("works once", async () => {
    const token = await ask();
    const first = await gateway.tool("place_order", { confirm_token: token });
    expect(first.structured["order_id"], first.text).toEqual(expect.any(String));
    const second = await gateway.tool("place_order", { confirm_token: token });
    expect(second.error).toMatchObject({ code: "confirmation_expired", message: expect.stringContaining("used") });
    expect(JSON.stringify(await auditRows())).not.toContain(token);
  });
});

describe("many at once", () => {
  it("a batch of orders is a row for each, completed by its own outcome", async () => {
    const batch = [
      callOf("place_order", order({ client_order_id: "batch-1" }), 1),
      callOf("place_order", order({ client_order_id: "batch-2", quantity: -1 }), 2),
      callOf("place_order", order({ client_order_id: "batch-3", account_id: "U0000000" }), 3),
      callOf("place_order", order({ client_order_id: "batch-1" }), 4),
    ];
    let answer: HttpAnswer | undefined;
    const rows = await rowsOf(async () => {
      answer = await post(JSON.stringify(batch));
    });
    // The answers of a batch are an array of JSON-RPC messages.
    const answers = answer?.body as { readonly id: number }[];
    const byId = new Map(answers.map((one): [number, ToolAnswer] => [one.id, readToolAnswer(one)]));
    expect(new Set(byId.keys())).toEqual(new Set([1, 2, 3, 4]));
    expect(byId.get(1)?.structured["order_id"]).toEqual(byId.get(4)?.structured["order_id"]);
    expect(byId.get(2)?.error).toMatchObject({ code: "invalid_arguments" });
    expect(byId.get(3)?.error).toMatchObject({ code: "unknown_account" });
    const placed = rows.filter((row) => row.tool === "place_order");
    expect(placed).toHaveLength(4);
    expect(new Set(placed.map((row) => row.request_id)).size).toBe(4);
    const outcomes = placed.map((row) => `${JSON.parse(row.arguments)["client_order_id"]} ${row.outcome} ${row.code ?? ""}`.trim());
    expect(outcomes.toSorted()).toEqual(["batch-1 ok", "batch-1 ok", "batch-2 error invalid_arguments", "batch-3 error unknown_account"]);
  });

  it("a thousand requests at once are all answered and all on record", async () => {
    const rows = await rowsOf(async () => {
      const calls = Array.from({ length: 1_000 }, (_, index) =>
        post(
          JSON.stringify(
            index % 2 === 0 ? callOf("get_quote", { symbol: "AAPL" }, index) : callOf("place_order", order({ quantity: "NaN" }), index),
          ),
        ),
      );
      const answers = await Promise.all(calls);
      expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
      expect(answers.filter(({ body }) => readToolAnswer(body).isError)).toHaveLength(500);
    });
    expect(rows.filter((row) => row.tool === "get_quote" && row.outcome === "ok")).toHaveLength(500);
    expect(rows.filter((row) => row.tool === "place_order" && row.code === "invalid_arguments")).toHaveLength(500);
  });

  it("a hundred equal orders at once are one order", async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => gateway.tool("place_order", order({ quantity: 3, client_order_id: "hundred" }))),
    );
    const ids = new Set(answers.flatMap(({ structured }) => structured["order_id"] ?? []));
    expect(ids.size).toBe(1);
    const codes = new Set(answers.flatMap(({ error }) => error["code"] ?? []));
    expect([...codes].filter((code) => code !== "rate_limited")).toEqual([]);
    const { structured } = await gateway.tool("get_orders", { account_id: ACCOUNT });
    expect(JSON.stringify(structured).match(/"client_order_id":"hundred"/g)).toHaveLength(1);
  });
});

describe("a client that hangs up", () => {
  const hangUp = async (message: unknown): Promise<void> => {
    const body = JSON.stringify(message);
    const sent = request(`${gateway.url}/mcp`, {
      method: "POST",
      headers: { Authorization: `Bearer ${gateway.key}`, "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) },
    });
    sent.on("error", () => undefined);
    await new Promise<void>((resolve) => sent.end(body, () => resolve()));
    sent.destroy();
  };

  it("leaves its order to be placed and on record, and its read cancelled or done", async () => {
    await hangUp(callOf("place_order", order({ quantity: 2, client_order_id: "hung-up" })));
    await hangUp(callOf("get_portfolio", { account_id: ACCOUNT }));
    const placed = async (): Promise<unknown> =>
      (await gateway.tool("get_order_status", { client_order_id: "hung-up" })).structured["order_id"];
    await expect.poll(placed, { timeout: 15_000 }).toEqual(expect.any(String));
    const rows = await auditRows();
    expect(rows.filter((row) => row.arguments.includes("hung-up") && row.tool === "place_order")).toMatchObject([{ outcome: "ok" }]);
  });
});

it("afterwards the gateway answers, nothing is left open in the audit, and neither key nor account stands in the log", async () => {
  expect(await isAlive()).toBe(true);
  const rows = await auditRows();
  expect(rows.filter((row) => row.outcome === "started")).toEqual([]);
  const log = gateway.logged.join("\n");
  expect(log).not.toMatch(/an audit entry is lost|failed unexpectedly/);
  expect(log).not.toContain(gateway.key);
  expect(log).not.toMatch(/\bDU\d{7}\b/);
});
