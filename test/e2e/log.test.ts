/** What the gateway writes down of itself: no account number in the log, no secret in the audit, wherever they came from. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { expect, it } from "vitest";

import { startGateway } from "../support/gateway.ts";
import { takeBody } from "../support/order-bench.ts";

const ACCOUNT = "DU7100001";

it("masks account numbers that IBKR's own words bring into the log", async () => {
  const edge: typeof fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : input.toString();
    const isOrder = init?.method === "POST" && url.endsWith(`/iserver/account/${ACCOUNT}/orders`);
    if (!isOrder) return await fetch(input, init);
    await takeBody(init);
    return Response.json({ error: `java.lang.Exception: nothing known of ${ACCOUNT}` });
  };
  const gateway = await startGateway({ deps: { fetch: edge } });
  const answer = await gateway.tool("place_order", { symbol: "AAPL", side: "BUY", quantity: 1, order_type: "MKT", account_id: ACCOUNT });
  expect(answer.error).toMatchObject({ code: "outcome_unknown", account_id: ACCOUNT });
  await gateway.close();
  const log = gateway.logged.join("\n");
  expect(log).toContain("nothing known of DU…01");
  expect(log).not.toContain(ACCOUNT);
});

/** Every file of a data folder, as one text. */
function stored(dataDir: string): string {
  return readdirSync(dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
    .join("\n");
}

const TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl";
const PEM = "-----BEGIN PRIVATE KEY-----\ncGVtIG9mIGEgdGVzdA==\n-----END PRIVATE KEY-----";
const ORDER = { symbol: "AAPL", side: "BUY", quantity: 1, order_type: "MKT", account_id: ACCOUNT };

it("R.a, R.b, R.c: no secret that a call carries is in the data folder or the log, wherever it was pasted", async () => {
  const gateway = await startGateway();
  const { key } = gateway;
  const tool: typeof gateway.tool = (...call) => gateway.tool(...call);
  const secrets = [key, TOKEN, PEM, `Bearer ${"b4".repeat(20)}`];
  const long = (at: number) => `${"word ".repeat(600).slice(0, at - 1)} ${key} ${"more ".repeat(100)}`;
  const texts = [...secrets, ...[240, 250, 2_010, 2_040].map(long), `see ${TOKEN}`, "password=hunter2"];
  for (const text of texts) {
    await tool("search_security", { query: text });
    await tool("get_quote", { symbols: ["AAPL", text] });
    await tool("get_quote", { symbol: "AAPL", [text]: "x", note: text });
    await tool("get_quote", { symbol: { [text]: { deep: [[[text]]] } } });
    await tool("place_order", { ...ORDER, reason: text });
    await tool("place_order", { symbol: "AAPL", confirm_token: text });
    await tool(text).catch(() => undefined);
  }
  await tool("get_quote", { symbol: "AAPL", note: { login: { password: "hunter2" } } });
  await tool("get_quote", { symbols: [{ login: { passphrase: "hunter2" } }], symbol: { a: { b: { c: { d: { api_key: "hunter2" } } } } } });
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json", "User-Agent": `agent ${key}` };
  for (const method of [key, `tools/${TOKEN}`])
    await fetch(`${gateway.url}/mcp`, { method: "POST", headers, body: JSON.stringify({ jsonrpc: "2.0", id: 1, method }) });
  await gateway.close();
  const places = { data: stored(gateway.dataDir), log: gateway.logged.join("\n") };
  expect(places.data).toContain("[secret]");
  for (const [place, text] of Object.entries(places))
    for (const part of [key.slice(20, 30), TOKEN.slice(-12), TOKEN.slice(21, 35), "cGVtIG9m", "b4b4b4b4", "hunter2"])
      expect([place, part, text.includes(part)]).toEqual([place, part, false]);
});

it("R.d: symbols, ids, contract ids and reasons are readable in the audit", async () => {
  const gateway = await startGateway();
  const order = { ...ORDER, client_order_id: "rebalance-2026-11-24-0001", reason: "Earnings beat; 10 % of the plan (token position)" };
  await gateway.tool("place_order", order);
  await gateway.tool("get_quote", { symbols: ["BRK B", "EUR.USD"] });
  await gateway.tool("get_quote", { conid: 265598 });
  await gateway.close();
  const database = new DatabaseSync(`${gateway.dataDir}/gateway.sqlite`, { readOnly: true });
  const rows = database.prepare("select arguments from audit_log order by sequence").all();
  database.close();
  expect(rows.map((row) => JSON.parse(String(row["arguments"])))).toEqual([order, { symbols: ["BRK B", "EUR.USD"] }, { conid: 265598 }]);
});
