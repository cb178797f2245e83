import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { isRecord } from "../../lib/json.ts";
import { systemRandom } from "../../lib/random.ts";
import type { FaultSpec } from "../index.ts";
import { generateCredentials } from "../session/consumer.ts";
import type { SimulatorCredentials } from "../session/consumer.ts";
import { startSimulatorForTest } from "../test-client.ts";
import type { TestClient, TestReply } from "../test-client.ts";

const AAPL = 265598;
const ACCOUNT = "DU7100001";
const ORDERS = `/iserver/account/${ACCOUNT}/orders`;
const MINUTE = 60_000;

let credentials: SimulatorCredentials;
let client: TestClient;

beforeAll(async () => {
  credentials = await generateCredentials(systemRandom);
});

beforeEach(async () => {
  client = await startSimulatorForTest({ credentials, control: true });
  await client.login();
});

afterEach(() => client.close());

const fault = (spec: FaultSpec): number => client.simulator.faults.add(spec);

const place = (cOID: string): Promise<TestReply> =>
  client.call("POST", ORDERS, { body: { orders: [{ conid: AAPL, orderType: "MKT", side: "BUY", quantity: 1, tif: "DAY", cOID }] } });

const answer = (id: unknown, confirmed: boolean): Promise<TestReply> =>
  client.call("POST", `/iserver/reply/${String(id)}`, { body: { confirmed } });

/** The demo's own orders are in every list. */
const isOwn = (ref: unknown): boolean => !String(ref).startsWith("demo-");

/** The `cOID`s of all orders that were taken since the demo's own. */
const taken = (): readonly string[] =>
  client.simulator.takenOrders().flatMap(({ customerOrderId = "" }) => (isOwn(customerOrderId) ? [customerOrderId] : []));

function firstRow({ json }: TestReply): Readonly<Record<string, unknown>> {
  const row: unknown = Array.isArray(json) ? json[0] : json;
  return isRecord(row) ? row : {};
}

/** Reads live orders, which IBKR does once in five seconds. */
async function listed(query: Readonly<Record<string, string>> = {}): Promise<unknown> {
  client.clock.advance(6000);
  const { json } = await client.call("GET", "/iserver/account/orders", { query });
  return isRecord(json) ? { refs: refsOf(json["orders"]), snapshot: json["snapshot"] } : json;
}

async function executed(): Promise<readonly unknown[]> {
  client.clock.advance(6000);
  const { json } = await client.call("GET", "/iserver/account/trades", { query: { days: 1 } });
  return refsOf(json);
}

function refsOf(rows: unknown): readonly unknown[] {
  return Array.isArray(rows)
    ? rows.flatMap((row: unknown) => (isRecord(row) && isOwn(row["order_ref"]) ? (row["order_ref"] ?? []) : []))
    : [];
}

describe("a list of orders", () => {
  beforeEach(async () => {
    await listed();
    await place("first");
  });

  test.each([
    ["stale", { refs: ["first"], snapshot: true }],
    ["partial", { refs: ["first"], snapshot: true }],
    ["empty", { refs: [], snapshot: true }],
    ["cold", { refs: [], snapshot: false }],
  ])("can be %s", async (reason, shown) => {
    client.clock.advance(1);
    fault({ kind: "list", path: "/iserver/account/orders", reason, count: 1 });
    await place("second");
    expect(await listed()).toEqual(shown);
    expect(await listed()).toEqual({ refs: ["second", "first"], snapshot: true });
    expect(taken()).toEqual(["first", "second"]);
  });

  test("can lag for a time, or for as long as the fault lasts", async () => {
    fault({ kind: "list", reason: "lagging", ms: 5 * MINUTE });
    expect(await listed()).toEqual({ refs: [], snapshot: true });
    client.clock.advance(5 * MINUTE);
    expect(await listed()).toEqual({ refs: ["first"], snapshot: true });
  });

  test("can stay filtered until it is read with force=true", async () => {
    fault({ kind: "list", reason: "filtered" });
    expect(await listed()).toEqual({ refs: [], snapshot: true });
    await listed({ force: "true" });
    expect(await listed()).toEqual({ refs: ["first"], snapshot: true });
  });

  test("of executions can be empty", async () => {
    await executed();
    expect(await executed()).toEqual(["first"]);
    fault({ kind: "list", path: "/iserver/account/trades", reason: "empty" });
    expect(await executed()).toEqual([]);
    expect(await listed()).toMatchObject({ refs: ["first"] });
  });
});

describe("an order", () => {
  test("can be held up for half an hour and taken after its session has ended", async () => {
    fault({ kind: "late", path: ORDERS, ms: 30 * MINUTE, count: 1 });
    const held = place("held");
    await client.call("POST", "/iserver/auth/status");
    client.clock.advance(29 * MINUTE);
    expect(taken()).toEqual([]);
    client.clock.advance(MINUTE);
    expect(await held).toMatchObject({ status: 200 });
    expect(taken()).toEqual(["held"]);
  });

  test("can be held up and lost", async () => {
    fault({ kind: "late", path: ORDERS, ms: MINUTE, reason: "lost", count: 1 });
    const held = expect(place("lost")).rejects.toThrow("fetch failed");
    await client.call("POST", "/iserver/auth/status");
    client.clock.advance(MINUTE);
    await held;
    expect(taken()).toEqual([]);
  });

  test("can come twice on its way, and the copy is refused", async () => {
    fault({ kind: "doubled", path: ORDERS, ms: MINUTE, count: 2 });
    await place("doubled");
    client.clock.advance(MINUTE);
    await client.call("POST", "/iserver/auth/status");
    expect(taken()).toEqual(["doubled"]);
    fault({ kind: "coid_memory", ms: 0 });
    await place("again");
    client.clock.advance(MINUTE);
    await client.call("POST", "/iserver/auth/status");
    expect(taken()).toEqual(["doubled", "again", "again"]);
  });

  test("can be taken twice under one cOID, or again once IBKR has forgotten it", async () => {
    await place("twice");
    client.clock.advance(1);
    expect(await place("twice")).toMatchObject({ status: 400, text: expect.stringContaining("already registered") });
    const id = fault({ kind: "coid_memory", ms: MINUTE });
    expect(await place("twice")).toMatchObject({ status: 400 });
    client.clock.advance(MINUTE);
    expect(await place("twice")).toMatchObject({ status: 200 });
    client.simulator.faults.remove(id);
    fault({ kind: "coid_memory", ms: 0 });
    await place("twice");
    expect(taken()).toEqual(["twice", "twice", "twice"]);
  });

  test.each([
    ["question", { kind: "order_question", count: 1 }],
    ["refusal", { kind: "order_refused", count: 1 }],
  ] as const)("has its cOID registered by a %s where that was asked for, and not otherwise", async (reason, spec) => {
    fault(spec);
    await place("free");
    expect(await place("free")).toMatchObject({ status: 200, text: expect.stringContaining("order_id") });
    fault({ kind: "registers", reason });
    fault(spec);
    await place("registered");
    expect(await place("registered")).toMatchObject({ status: 400, text: expect.stringContaining("already registered") });
    expect(taken()).toEqual(["free"]);
  });

  test("can be asked about with two messages, and placed by its answer though the question registered its cOID", async () => {
    fault({ kind: "registers", reason: "question" });
    fault({ kind: "order_question", reason: "two_messages", count: 1 });
    const { id, message } = firstRow(await place("asked"));
    expect(message).toHaveLength(2);
    expect(await answer(id, true)).toMatchObject({ text: expect.stringContaining("order_id") });
    expect(taken()).toEqual(["asked"]);
  });

  test("goes live late unless its question is answered, counted from its sending", async () => {
    fault({ kind: "goes_live", ms: 10 * MINUTE, count: 2 });
    fault({ kind: "order_question", count: 2 });
    fault({ kind: "late", path: ORDERS, ms: 4 * MINUTE, count: 1 });
    const asked = place("unanswered");
    await client.call("POST", "/iserver/auth/status");
    client.clock.advance(4 * MINUTE);
    await asked;
    const { id } = firstRow(await place("declined"));
    expect(await answer(id, false)).toMatchObject({ text: expect.stringContaining("Order not confirmed") });
    client.clock.advance(6 * MINUTE - 1);
    await listed();
    expect(taken()).toEqual(["unanswered"]);
  });

  test("goes live in spite of a no", async () => {
    fault({ kind: "goes_live", ms: MINUTE, reason: "declined", count: 1 });
    fault({ kind: "order_question", count: 1 });
    const { id } = firstRow(await place("declined"));
    expect(await answer(id, false)).toMatchObject({ text: expect.stringContaining("Order not confirmed") });
    client.clock.advance(MINUTE);
    await listed();
    expect(taken()).toEqual(["declined"]);
  });

  test("can get an advanced reject, after which nothing is placed, or is late", async () => {
    fault({ kind: "advanced_reject", count: 2 });
    expect(firstRow(await place("prompted"))).toMatchObject({ prompt: true, messageId: "p12" });
    fault({ kind: "goes_live", ms: MINUTE, count: 1 });
    await place("late");
    client.clock.advance(MINUTE);
    await client.call("GET", "/iserver/account/orders");
    expect(taken()).toEqual(["late"]);
  });
});

describe("a reply", () => {
  test.each([
    ["unauthorized", 401, "not authenticated"],
    ["request_timeout", 408, "Request Timeout"],
    ["too_many_requests", 429, "Too Many Requests"],
    ["server_error", 500, "Internal Server Error"],
    ["unavailable", 503, "Service Unavailable"],
    ["no_bridge", 400, "no bridge"],
    ["html", 200, "<html>"],
  ] as const)("can be %s, before or after the order was taken", async (kind, status, text) => {
    fault({ kind, path: ORDERS, count: 1 });
    expect(await place("never-taken")).toMatchObject({ status, text: expect.stringContaining(text) });
    expect(taken()).toEqual([]);
    fault({ kind, path: ORDERS, count: 1, after: true });
    expect(await place("taken")).toMatchObject({ status, text: expect.stringContaining(text) });
    expect(taken()).toEqual(["taken"]);
  });

  test("can be half of its JSON, before or after the order was taken", async () => {
    fault({ kind: "half_json", path: ORDERS, count: 1 });
    await expect(place("never-taken")).rejects.toThrow(SyntaxError);
    expect(taken()).toEqual([]);
    fault({ kind: "half_json", path: ORDERS, count: 1, after: true });
    await expect(place("taken")).rejects.toThrow(SyntaxError);
    expect(taken()).toEqual(["taken"]);
  });

  test("can be HTML of any status", async () => {
    fault({ kind: "html", path: ORDERS, status: 502, count: 1 });
    expect(await place("never-taken")).toMatchObject({ status: 502 });
  });

  test.each([0, 1, 20])("can be cut after %i bytes", async (bytes) => {
    fault({ kind: "cut", path: ORDERS, bytes, count: 1 });
    await expect(place("taken")).rejects.toThrow(/terminated|fetch failed/);
    expect(taken()).toEqual(["taken"]);
  });
});

describe("the control endpoint", () => {
  const control = async (method: string, path: string, body?: unknown): Promise<{ status: number; json: unknown }> => {
    const { url = "", token = "" } = client.simulator.control ?? {};
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(url + path, { method, headers: { "user-agent": "test", authorization: `Bearer ${token}` }, ...init });
    return { status: response.status, json: await response.json() };
  };

  test("lists the orders that were taken, also those that the lists hide", async () => {
    fault({ kind: "list", reason: "empty" });
    await place("taken");
    expect(await control("GET", "/orders")).toMatchObject({
      status: 200,
      json: { orders: expect.arrayContaining([expect.objectContaining({ order_ref: "taken", account_id: ACCOUNT, quantity: "1" })]) },
    });
  });

  test.each([
    [{ kind: "list" }],
    [{ kind: "list", reason: "lagging" }],
    [{ kind: "list", reason: "invisible" }],
    [{ kind: "late" }],
    [{ kind: "late", ms: -1 }],
    [{ kind: "registers" }],
    [{ kind: "coid_memory" }],
    [{ kind: "cut" }],
    [{ kind: "unavailable", bytes: 1 }],
    [{ kind: "unavailable", status: 500 }],
    [{ kind: "drop_after", after: true }],
  ])("refuses %j", async (body) => {
    expect(await control("POST", "/faults", body)).toMatchObject({ status: 400 });
  });

  test.each([
    [{ kind: "list", reason: "lagging", ms: 0 }],
    [{ kind: "late", ms: 1000, reason: "lost" }],
    [{ kind: "cut", bytes: 0 }],
    [{ kind: "html", status: 403, after: true }],
    [{ kind: "order_question", reason: "two_messages" }],
  ])("takes %j", async (body) => {
    expect(await control("POST", "/faults", body)).toMatchObject({ status: 200, json: body });
  });
});
