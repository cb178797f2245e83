/** The gateway is killed around an order's POST. The order must not be lost, and must not be sent twice. */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";

import { startBuiltGateway, startProgram, temporaryFolder } from "../support/built-gateway.ts";
import type { BuiltGateway, RunningProgram } from "../support/built-gateway.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import type { Fate, FaultProxy } from "../support/fault-proxy.ts";
import { callTool } from "../support/mcp-call.ts";

const ACCOUNT = "DU7100001";
const isOrderPost = (method: string, path: string): boolean => method === "POST" && /\/iserver\/account\/[^/]+\/orders$/.test(path);

let simulator: RunningProgram;
let simulatorUrl: string;
const credentialsDir = temporaryFolder();
let proxy: FaultProxy;
let gateway: BuiltGateway | undefined;

beforeAll(async () => {
  simulator = startProgram("dist/simulator/cli.js", ["--port", "0", "--credentials-dir", credentialsDir]);
  [, simulatorUrl = ""] = await simulator.printed(/(http:\/\/127\.0\.0\.1:\d+)/);
});
afterEach(async () => {
  await gateway?.stop("SIGKILL");
  await proxy.close();
});
afterAll(async () => {
  await simulator.stop();
});

const environment = (): Record<string, string> => ({ SIMULATOR_URL: proxy.url, SIMULATOR_CREDENTIALS_DIR: credentialsDir });

/** Starts a gateway, sends an order whose POST meets `fate`, and kills the gateway while it is held. Answers the key. */
async function killAround(fate: Fate, clientOrderId: string, dataDir: string): Promise<string> {
  proxy = await startFaultProxy(simulatorUrl);
  gateway = await startBuiltGateway(environment(), dataDir);
  const target = { url: gateway.url, key: gateway.key ?? "" };
  await callTool(target, "get_quote", { symbol: "AAPL" });
  proxy.decide((method, path) => (isOrderPost(method, path) ? fate : "pass"));
  const lost = callTool(target, "place_order", order(clientOrderId)).catch((error: unknown) => error);
  await proxy.held();
  await gateway.stop("SIGKILL");
  expect(await lost).toBeInstanceOf(Error);
  return target.key;
}

const order = (clientOrderId: string): Record<string, unknown> => ({
  account_id: ACCOUNT,
  symbol: "KO",
  side: "BUY",
  quantity: 2,
  order_type: "MKT",
  client_order_id: clientOrderId,
});

const postsSeen = (): number => proxy.seen.filter((line) => isOrderPost(...(line.split(" ") as [string, string]))).length;

it("killed after IBKR took the order: the next start finds it, and repeating the call sends nothing", async () => {
  const dataDir = temporaryFolder();
  const key = await killAround("hold_answer", "killed-after", dataDir);
  proxy.decide(() => "pass");
  gateway = await startBuiltGateway(environment(), dataDir);
  const target = { url: gateway.url, key };
  const found = await callTool(target, "get_order_status", { account_id: ACCOUNT, client_order_id: "killed-after" });
  expect(found, found.text).toMatchObject({
    isError: false,
    structured: { client_order_id: "killed-after", order_id: expect.any(String) },
  });
  const repeated = await callTool(target, "place_order", order("killed-after"));
  expect(repeated, repeated.text).toMatchObject({ isError: false, structured: { order_id: found.structured["order_id"] } });
  expect(postsSeen()).toBe(1);
});

it("killed before the POST reached IBKR: the order is unknown from the first moment, and a repeat sends it under the same cOID (D8.a)", async () => {
  const dataDir = temporaryFolder();
  const key = await killAround("hold_request", "killed-before", dataDir);
  // The held request must never be passed on: its sender is gone, as after a cable was pulled.
  await proxy.close();
  proxy = await startFaultProxy(simulatorUrl);
  gateway = await startBuiltGateway(environment(), dataDir);
  const target = { url: gateway.url, key };
  // The equal order under another id could be the double of the first.
  const twin = await callTool(target, "place_order", order("killed-before-twin"));
  expect(twin.error).toMatchObject({ code: "possible_duplicate", client_order_id: "killed-before" });
  const known = await callTool(target, "get_order_status", { account_id: ACCOUNT, client_order_id: "killed-before" });
  expect(known.structured["status"], known.text).toBe("outcome_unknown");
  expect(known.text).toMatch(/do not send it again/i);
  expect(postsSeen()).toBe(0);
  // The simulator is known to refuse a cOID twice, so that the repeat can't make a second order.
  const repeated = await callTool(target, "place_order", order("killed-before"));
  expect(repeated, repeated.text).toMatchObject({ isError: false, structured: { order_id: expect.any(String) } });
  expect(postsSeen()).toBe(1);
  const orders = (await callTool(target, "get_orders", { account_id: ACCOUNT })).structured["orders"] as { client_order_id?: string }[];
  expect(orders.filter((row) => row.client_order_id?.startsWith("killed-before"))).toHaveLength(1);
});

it("an answer cut off on the way is settled by looking the order up, never by sending it again", async () => {
  proxy = await startFaultProxy(simulatorUrl);
  gateway = await startBuiltGateway(environment());
  const target = { url: gateway.url, key: gateway.key ?? "" };
  await callTool(target, "get_quote", { symbol: "KO" });
  proxy.decide((method, path) => (isOrderPost(method, path) ? "cut_answer" : "pass"));
  const answer = await callTool(target, "place_order", order("cut-off"));
  if (answer.isError) expect(answer.error).toMatchObject({ code: "outcome_unknown" });
  const found = await callTool(target, "get_order_status", { account_id: ACCOUNT, client_order_id: "cut-off" });
  expect(found, found.text).toMatchObject({ isError: false, structured: { order_id: expect.any(String) } });
  expect(postsSeen()).toBe(1);
});

it("an order cut off before IBKR read it is unknown, and a repeat makes one order", async () => {
  proxy = await startFaultProxy(simulatorUrl);
  gateway = await startBuiltGateway(environment());
  const target = { url: gateway.url, key: gateway.key ?? "" };
  await callTool(target, "get_quote", { symbol: "KO" });
  proxy.decide((method, path) => (isOrderPost(method, path) ? "cut_request" : "pass"));
  expect((await callTool(target, "place_order", order("cut-early"))).error).toMatchObject({ code: "outcome_unknown" });
  proxy.decide(() => "pass");
  expect((await callTool(target, "place_order", order("cut-early"))).structured).toMatchObject({ order_id: expect.any(String) });
  const orders = (await callTool(target, "get_orders", { account_id: ACCOUNT })).structured["orders"] as { client_order_id?: string }[];
  expect(orders.filter((row) => row.client_order_id === "cut-early")).toHaveLength(1);
});
