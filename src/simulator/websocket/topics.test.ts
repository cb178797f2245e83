import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { isRecord } from "../../lib/json.ts";
import { startSimulatorForTest } from "../test-client.ts";
import type { TestClient } from "../test-client.ts";
import { greetedTestSocket, passWithSocket } from "./test-socket.ts";
import type { TestFrame, TestSocket } from "./test-socket.ts";

const MINUTE_MS = 60_000;
const AAPL = 265598;
const ACCOUNT = "DU7100001";

let client: TestClient;
let socket: TestSocket;

beforeEach(async () => {
  client = await startSimulatorForTest({ seed: "topics" });
  await client.login();
  socket = await greetedTestSocket(client);
});

afterEach(() => client.close());

const pass = (ms: number): Promise<void> => passWithSocket(client, socket, ms);

/** Passes time with the signs of life that keep socket and session open. */
async function keepOpen(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += MINUTE_MS) {
    socket.send("tic");
    await pass(MINUTE_MS);
    await client.call("POST", "/tickle");
  }
}

const framesOf = (topic: string): readonly TestFrame[] => socket.frames.filter((frame) => frame["topic"] === topic);
const rowsOf = (frame: TestFrame, name = "args"): readonly TestFrame[] => {
  const rows = frame[name];
  return Array.isArray(rows) ? rows.filter((row) => isRecord(row)) : [];
};

async function place(quantity: number, more: Readonly<Record<string, unknown>> = {}): Promise<number> {
  await client.call("POST", "/iserver/questions/suppress", {
    body: { messageIds: ["o163", "o354", "o382", "o383", "o403", "o451", "o10151", "o10153"] },
  });
  const order = { acctId: ACCOUNT, conid: AAPL, orderType: "MKT", side: "BUY", tif: "DAY", quantity, ...more };
  const { json } = await client.call("POST", `/iserver/account/${ACCOUNT}/orders`, { body: { orders: [order] } });
  const [row] = Array.isArray(json) ? json.filter((each) => isRecord(each)) : [];
  return Number(row?.["order_id"]);
}

describe("smd", () => {
  test("sends the fields once, then only those that changed, about twice a second", async () => {
    socket.send(`smd+${AAPL}+{"fields":["31","84","86","7295","87","55"]}`);
    await pass(500);
    const first = await socket.next(`smd+${AAPL}`);
    expect(first).toMatchObject({ server_id: "q8", conidEx: String(AAPL), conid: AAPL, "6119": "q8", "6509": "RpB", "55": "AAPL" });
    expect(first).toMatchObject({ "31": expect.stringMatching(/^\d+\.\d\d$/), "84": expect.any(String), "87": expect.any(String) });
    await pass(5_000);
    const updates = framesOf(`smd+${AAPL}`).slice(1);
    expect(updates.length).toBeGreaterThan(2);
    expect(updates.length).toBeLessThanOrEqual(10);
    for (const update of updates) {
      expect(update).toMatchObject({ server_id: "q8", conid: AAPL, _updated: expect.any(Number) });
      expect(update).not.toHaveProperty("55");
      expect(update).not.toHaveProperty("7295");
      expect(update).not.toHaveProperty("6509");
    }
    const merged = Object.assign({}, first, ...updates);
    const { json } = await client.call("GET", "/iserver/marketdata/snapshot", { query: { conids: AAPL, fields: "31,84,86" } });
    expect(json).toMatchObject([{ "31": merged["31"], "84": merged["84"], "86": merged["86"] }]);
  });

  test("ends after ten minutes without a word, and can be had again", async () => {
    socket.send(`smd+${AAPL}+{"fields":["31"]}`);
    await keepOpen(9 * MINUTE_MS);
    const before = framesOf(`smd+${AAPL}`).length;
    expect(before).toBeGreaterThan(100);
    await keepOpen(MINUTE_MS);
    const ended = framesOf(`smd+${AAPL}`).length;
    await keepOpen(MINUTE_MS);
    expect(framesOf(`smd+${AAPL}`)).toHaveLength(ended);
    socket.send(`smd+${AAPL}+{"fields":["31"]}`);
    await pass(500);
    expect(framesOf(`smd+${AAPL}`).at(-1)).toMatchObject({ "31": expect.any(String), "6509": "RpB" });
  });

  test("ends with umd, which isn't acknowledged", async () => {
    socket.send(`smd+${AAPL}@SMART+{"fields":["31"]}`);
    await pass(500);
    expect(await socket.next(`smd+${AAPL}@SMART`)).toMatchObject({ conidEx: `${AAPL}@SMART`, conid: AAPL });
    socket.send(`umd+${AAPL}@SMART+{}`);
    await socket.settled();
    const before = socket.frames.length;
    await pass(5_000);
    expect(socket.frames.length).toBe(before);
  });

  test("keeps to the hundred market data lines of the user", async () => {
    const { json } = await client.call("GET", "/trsrv/all-conids", { query: { exchange: "NASDAQ" } });
    const nyse = await client.call("GET", "/trsrv/all-conids", { query: { exchange: "NYSE" } });
    const others = [json, nyse.json].flatMap((list) => (Array.isArray(list) ? list.filter((row) => isRecord(row)) : []));
    expect(others.length).toBeLessThan(100);
    for (const { conid } of others) socket.send(`smd+${String(conid)}+{"fields":["31"]}`);
    await pass(500);
    const answered = new Set(socket.frames.filter((frame) => String(frame["topic"]).startsWith("smd+")).map((frame) => frame["conid"]));
    expect(answered.size).toBe(others.length);
  });

  test("shows what the user holds, and refuses a strange conid", async () => {
    socket.send(`smd+${AAPL}+{"fields":["73","74","75","76","78","80","7292","7639","7920","7921"]}`);
    await pass(500);
    const frame = await socket.next(`smd+${AAPL}`);
    expect(frame).toMatchObject({ "76": "100", "76_raw": 100, "7639": expect.stringMatching(/^\d+\.\d\d%$/) });
    expect(frame["7921"]).toMatch(/^\d+\.?\d*$/);
    socket.send('smd+abc+{"fields":["31"]}');
    expect(await socket.next((each) => "error" in each)).toMatchObject({ code: 1 });
    socket.send('smd+1+{"fields":["31"]}');
    await pass(2_000);
    expect(framesOf("smd+1")).toEqual([{ conidEx: "1", conid: 1, topic: "smd+1" }]);
  });
});

describe("smh", () => {
  test("sends a chart, then its growing bar, and ends by server id", async () => {
    socket.send(
      `smh+${AAPL}+{"exchange":"SMART","period":"2h","bar":"5min","outsideRth":false,"source":"trades","format":"%o/%c/%h/%l/%v"}`,
    );
    await pass(500);
    const chart = await socket.next(`smh+${AAPL}`);
    expect(chart).toMatchObject({ symbol: "AAPL", timePeriod: "2h", barLength: 300, serverId: expect.any(String) });
    expect(rowsOf(chart, "data")).toHaveLength(24);
    await pass(MINUTE_MS);
    const update = await socket.next(`smh+${AAPL}`);
    expect(update["serverId"]).toBe(chart["serverId"]);
    expect(rowsOf(update, "data").length).toBeLessThanOrEqual(2);
    expect(rowsOf(update, "data")[0]).toEqual({
      o: expect.anything(),
      c: expect.anything(),
      h: expect.anything(),
      l: expect.anything(),
      v: expect.anything(),
      t: expect.any(Number),
    });
    socket.send(`umh+${String(chart["serverId"])}`);
    expect(await socket.next((frame) => "message" in frame)).toEqual({ message: `Unsubscribed ${String(chart["serverId"])}` });
    const before = framesOf(`smh+${AAPL}`).length;
    await pass(10_000);
    expect(framesOf(`smh+${AAPL}`)).toHaveLength(before);
  });

  test("is had five times at most, and refuses what the endpoint refuses", async () => {
    for (let count = 0; count < 5; count += 1) socket.send(`smh+${AAPL}+{"period":"1h","bar":"1min"}`);
    await pass(500);
    expect(new Set(framesOf(`smh+${AAPL}`).map((frame) => frame["serverId"])).size).toBe(5);
    socket.send(`smh+${AAPL}+{"period":"1h","bar":"1min"}`);
    expect(await socket.next((frame) => "error" in frame)).toMatchObject({ error: expect.stringContaining("Too many history charts") });
    socket.send(`smh+${AAPL}+{"period":"1x"}`);
    expect(await socket.next((frame) => "error" in frame)).toMatchObject({ error: expect.stringContaining("period"), code: 1 });
  });
});

describe("sor and str", () => {
  test("send whole rows first, then what changes of an order, by its id", async () => {
    const resting = await place(5, { orderType: "LMT", price: 150, cOID: "rest-1" });
    await pass(2_000);
    socket.send("sor+{}");
    socket.send('str+{"realtimeUpdatesOnly":false,"days":1}');
    await pass(500);
    const first = rowsOf(await socket.next("sor"));
    expect(first.find((row) => row["orderId"] === resting)).toMatchObject({ status: "Submitted", ticker: "AAPL", order_ref: "rest-1" });
    const before = rowsOf(await socket.next("str"));
    expect(before.length).toBeGreaterThan(0);
    await pass(1_000);
    expect(framesOf("sor")).toHaveLength(1);
    await client.call("DELETE", `/iserver/account/${ACCOUNT}/order/${resting}`);
    const bought = await place(3);
    await pass(2_000);
    const later = framesOf("sor")
      .slice(1)
      .flatMap((frame) => rowsOf(frame));
    const cancelled = later.filter((row) => row["orderId"] === resting);
    expect(cancelled.at(-1)).toMatchObject({ orderId: resting, status: "Cancelled" });
    expect(cancelled[0]).not.toHaveProperty("ticker");
    const whole = later.filter((row) => row["orderId"] === bought);
    expect(whole[0]).toMatchObject({ ticker: "AAPL", totalSize: "3.0" });
    expect(whole.at(-1)).toMatchObject({ status: "Filled" });
    const fills = framesOf("str")
      .slice(1)
      .flatMap((frame) => rowsOf(frame));
    expect(fills).toMatchObject([
      { order_id: bought, size: "3.0", side: "B", symbol: "AAPL", trade_time_r: expect.any(Number) },
      { execution_id: fills[0]?.["execution_id"], commission: "1.0", net_amount: expect.anything(), size: "3.0" },
    ]);
    expect(fills[0]).not.toHaveProperty("commission");
    expect(Object.keys(fills[1] ?? {})).not.toEqual(expect.arrayContaining(["trade_time_r"]));
    await pass(2_000);
    expect(framesOf("str").slice(1)).toHaveLength(2);
  });

  test("an order list that was filtered over REST mutes sor until it is forced", async () => {
    socket.send("sor+{}");
    await pass(500);
    await socket.next("sor");
    await client.call("GET", "/iserver/account/orders", { query: { filters: "submitted" } });
    const bought = await place(2);
    await pass(5_000);
    expect(framesOf("sor")).toHaveLength(1);
    await client.call("GET", "/iserver/account/orders", { query: { force: true } });
    await pass(500);
    expect(rowsOf(await socket.next("sor"))).toMatchObject([{ orderId: bought, status: "Filled" }]);
  });

  test("filter orders by state, and send only new trades when asked", async () => {
    await place(5, { orderType: "LMT", price: 150 });
    socket.send('sor+{"filters":["Filled"]}');
    socket.send('str+{"realtimeUpdatesOnly":true}');
    await pass(500);
    const states = new Set(rowsOf(await socket.next("sor")).map((row) => row["status"]));
    expect([...states].filter((state) => state !== "Filled")).toEqual([]);
    expect(await socket.next("str")).toEqual({ topic: "str", args: [] });
    await place(1);
    await pass(2_000);
    expect(rowsOf(await socket.next("str"))).toHaveLength(1);
    socket.send("uor+{}");
    socket.send("utr");
    await socket.settled();
    const before = socket.frames.length;
    await place(1);
    await pass(2_000);
    expect(socket.frames.slice(before).filter((frame) => !("hb" in frame))).toEqual([]);
    socket.send('str+{"days":"x"}');
    expect(await socket.next((frame) => "error" in frame)).toMatchObject({ code: 1 });
  });
});

describe("figures of accounts", () => {
  test("spl tells every account's profit and loss, and again when it changes", async () => {
    socket.send("spl+{}");
    await pass(500);
    const first = await socket.next("spl");
    expect(first["args"]).toMatchObject({
      [`${ACCOUNT}.Core`]: { rowType: 1, dpl: expect.anything(), nl: expect.anything(), upl: expect.anything(), uel: expect.anything() },
      "DU7100002.Core": { mv: expect.anything() },
    });
    await pass(5_000);
    expect(framesOf("spl").length).toBeGreaterThan(2);
    socket.send("upl+{}");
    await socket.settled();
    const before = framesOf("spl").length;
    await pass(3_000);
    expect(framesOf("spl")).toHaveLength(before);
  });

  test("ssd tells the wanted keys and fields, and acknowledges its end", async () => {
    socket.send(`ssd+${ACCOUNT}+{"keys":["AccruedCash-S","NetLiquidation"],"fields":["currency","monetaryValue"]}`);
    await pass(500);
    expect(rowsOf(await socket.next(`ssd+${ACCOUNT}`), "result")).toEqual([
      { key: "AccruedCash-S", timestamp: expect.any(Number), monetaryValue: "0.0", currency: "USD" },
      { key: "NetLiquidation", timestamp: expect.any(Number), monetaryValue: expect.any(String), currency: "USD" },
    ]);
    await pass(20_000);
    expect(rowsOf(await socket.next(`ssd+${ACCOUNT}`), "result").map((row) => row["key"])).toEqual(["NetLiquidation"]);
    socket.send(`usd+${ACCOUNT}+{}`);
    expect(await socket.next(`usd+${ACCOUNT}`)).toEqual({ result: "unsubscribed from summary", topic: `usd+${ACCOUNT}` });
  });

  test("sld tells the ledger every ten seconds, and acknowledges its end", async () => {
    socket.send(`sld+${ACCOUNT}+{"keys":["LedgerListUSD"],"fields":["cashBalance","exchangeRate"]}`);
    await pass(500);
    const [row] = rowsOf(await socket.next(`sld+${ACCOUNT}`), "result");
    expect(row).toEqual({
      key: "LedgerListUSD",
      acctCode: ACCOUNT,
      cashbalance: expect.anything(),
      exchangeRate: 1,
      secondKey: "USD",
      timestamp: expect.any(Number),
    });
    await pass(20_000);
    expect(framesOf(`sld+${ACCOUNT}`)).toHaveLength(3);
    socket.send(`uld+${ACCOUNT}+{}`);
    expect(await socket.next(`uld+${ACCOUNT}`)).toEqual({ result: "unsubscribed from ledger", topic: `uld+${ACCOUNT}` });
    socket.send("ssd+DU1+{}");
    expect(await socket.next((frame) => "error" in frame)).toMatchObject({ error: expect.stringContaining("accountId"), code: 1 });
  });

  test("sbd tells the book around the market", async () => {
    socket.send(`sbd+${ACCOUNT}+${AAPL}+NASDAQ`);
    await pass(500);
    const rows = rowsOf(await socket.next(`sbd+${ACCOUNT}`), "data");
    expect(rows).toHaveLength(10);
    expect(rows[0]).toEqual({ row: 0, focus: 0, price: expect.any(String), bid: "", ask: expect.stringMatching(/^\d+$/) });
    expect(rows.filter((row) => String(row["price"]).includes(" @ ")).length).toBeLessThanOrEqual(1);
    await pass(5_000);
    expect(framesOf(`sbd+${ACCOUNT}`).length).toBeGreaterThan(1);
    socket.send(`ubd+${ACCOUNT}`);
    await socket.settled();
    const before = framesOf(`sbd+${ACCOUNT}`).length;
    await pass(5_000);
    expect(framesOf(`sbd+${ACCOUNT}`)).toHaveLength(before);
  });
});
