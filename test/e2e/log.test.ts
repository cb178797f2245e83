/** What the gateway writes down of itself: no account number in the log, no secret in the audit, wherever they came from. */
import { DatabaseSync } from "node:sqlite";

import { expect, it } from "vitest";

import { startGateway } from "../support/gateway.ts";

const ACCOUNT = "DU7100001";

it("masks account numbers that IBKR's own words bring into the log", async () => {
  const edge: typeof fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : input.toString();
    const isOrder = init?.method === "POST" && url.endsWith(`/iserver/account/${ACCOUNT}/orders`);
    return isOrder ? Response.json({ error: `java.lang.Exception: nothing known of ${ACCOUNT}` }) : fetch(input, init);
  };
  const gateway = await startGateway({ deps: { fetch: edge } });
  const answer = await gateway.tool("place_order", { symbol: "AAPL", side: "BUY", quantity: 1, order_type: "MKT", account_id: ACCOUNT });
  expect(answer.error).toMatchObject({ code: "outcome_unknown", account_id: ACCOUNT });
  await gateway.close();
  const log = gateway.logged.join("\n");
  expect(log).toContain("nothing known of DU…01");
  expect(log).not.toContain(ACCOUNT);
});

it("keeps keys and tokens out of the audit, whatever argument they were pasted into", async () => {
  const gateway = await startGateway();
  await gateway.tool("search_security", { query: gateway.key });
  await gateway.tool("search_security", { query: "apple", [gateway.key]: "x" });
  await gateway.tool("get_quote", { symbols: ["AAPL", `Bearer ${gateway.key}`] });
  await gateway.close();
  const database = new DatabaseSync(`${gateway.dataDir}/gateway.sqlite`, { readOnly: true });
  const rows = database.prepare("select arguments from audit_log").all();
  database.close();
  expect(rows).toHaveLength(3);
  expect(JSON.stringify(rows)).not.toContain(gateway.key);
  expect(JSON.stringify(rows)).toContain("[secret]");
});
