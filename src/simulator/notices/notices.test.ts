import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { isRecord } from "../../lib/json.ts";
import { startSimulatorForTest } from "../test-client.ts";
import type { TestClient } from "../test-client.ts";

const ACCOUNT = "DU7100001";

let client: TestClient;

beforeEach(async () => {
  client = await startSimulatorForTest({ seed: "notices" });
  await client.login();
});

afterEach(() => client.close());

const alertBody = (value: string, more: Readonly<Record<string, unknown>> = {}) => ({
  alertName: "AAPL Price",
  alertMessage: "look",
  alertRepeatable: 0,
  outsideRth: 1,
  tif: "GTC",
  conditions: [{ type: 1, conidex: "265598@SMART", operator: ">=", triggerMethod: "0", value, logicBind: "n" }],
  ...more,
});
const idIn = (json: unknown): number => Number(isRecord(json) ? json["order_id"] : Number.NaN);
const call = async (method: string, path: string, body?: unknown) => {
  client.clock.advance(1_000);
  return client.call(method, path, body === undefined ? {} : { body });
};

describe("alerts", () => {
  test("are made, listed, told, changed, switched and removed", async () => {
    const { json } = await call("POST", `/iserver/account/${ACCOUNT}/alert`, alertBody("9999"));
    expect(json).toEqual({
      request_id: null,
      order_id: expect.any(Number),
      success: true,
      text: "Submitted",
      order_status: null,
      warning_message: null,
    });
    const id = idIn(json);
    expect((await call("GET", `/iserver/account/${ACCOUNT}/alerts`)).json).toEqual([
      {
        order_id: id,
        account: ACCOUNT,
        alert_name: "AAPL Price",
        alert_active: 1,
        order_time: expect.stringMatching(/^20261123-\d\d:\d\d:\d\d$/),
        alert_triggered: false,
        alert_repeatable: 0,
      },
    ]);
    expect((await client.call("GET", `/iserver/account/alert/${id}`, { query: { type: "Q" } })).json).toMatchObject({
      order_id: id,
      alert_message: "look",
      condition_size: 1,
      conditions: [{ condition_type: 1, contract_description_1: "AAPL", condition_operator: ">=", condition_value: "9999" }],
    });
    expect((await call("POST", `/iserver/account/${ACCOUNT}/alert`, alertBody("8888", { orderId: id }))).json).toMatchObject({
      order_id: id,
    });
    expect((await call("POST", `/iserver/account/${ACCOUNT}/alert/activate`, { alertId: id, alertActive: 0 })).json).toMatchObject({
      success: true,
      text: "Request was submitted",
      failure_list: null,
    });
    expect((await call("GET", `/iserver/account/${ACCOUNT}/alerts`)).json).toMatchObject([{ alert_active: 0 }]);
    expect((await call("DELETE", `/iserver/account/${ACCOUNT}/alert/${id}`)).json).toMatchObject({ order_id: id, success: true });
    expect((await call("GET", `/iserver/account/${ACCOUNT}/alerts`)).json).toEqual([]);
  });

  test("are triggered by the market", async () => {
    await call("POST", `/iserver/account/${ACCOUNT}/alert`, alertBody("1"));
    client.clock.advance(60_000);
    expect((await call("GET", `/iserver/account/${ACCOUNT}/alerts`)).json).toMatchObject([{ alert_triggered: true }]);
  });

  test("refuse what IBKR refuses, in its words", async () => {
    const path = `/iserver/account/${ACCOUNT}/alert`;
    expect(await call("POST", path, {})).toMatchObject({ status: 400, json: { error: "Bad Request: body can't be empty" } });
    const bad = alertBody("1", { conditions: [{ type: "abc", logicBind: "n" }] });
    expect(await call("POST", path, bad)).toMatchObject({ status: 500, json: { error: "Condition #1:can't recognize fix [abc]" } });
    const id = idIn((await call("POST", path, alertBody("9999"))).json);
    const renamed = await call("POST", path, alertBody("9999", { orderId: id, alertName: "Other" }));
    expect(renamed).toMatchObject({ status: 500, json: { error: "Alert name cannot be modified" } });
    expect((await call("GET", `/iserver/account/alert/${id}`)).status).toBe(400);
    const unknown = await client.call("GET", "/iserver/account/alert/5", { query: { type: "Q" } });
    expect(unknown).toMatchObject({ status: 200, json: { error: expect.stringContaining("not found.") } });
    expect((await call("DELETE", `${path}/5`)).status).toBe(503);
    expect((await call("POST", `${path}/activate`, { alertId: 5, alertActive: 1 })).status).toBe(503);
    expect((await call("POST", "/iserver/account/DU1/alert", alertBody("1"))).status).toBe(400);
  });

  test("have an assistant whose order id changes with each read", async () => {
    const first = await call("GET", "/iserver/account/mta");
    const second = await call("GET", "/iserver/account/mta");
    expect(idIn(first.json)).not.toBe(idIn(second.json));
    expect(first.json).toMatchObject({ tool_id: isRecord(second.json) ? second.json["tool_id"] : "" });
  });

  test("are refused with 403 where the simulator plays a paper user over OAuth", async () => {
    const paper = await startSimulatorForTest({ paperOAuth: true });
    await paper.login();
    expect((await paper.call("POST", `/iserver/account/${ACCOUNT}/alert`, { body: alertBody("1") })).status).toBe(403);
    await paper.close();
  });
});

describe("watchlists", () => {
  test("are saved, listed, read sparsely at first, overwritten and deleted", async () => {
    const body = { id: "1234", name: "Tech", rows: [{ C: 265598 }, { H: "" }] };
    expect((await call("POST", "/iserver/watchlist", body)).json).toMatchObject({
      id: "1234",
      name: "Tech",
      readOnly: false,
      instruments: [],
    });
    const lists = await client.call("GET", "/iserver/watchlists", { query: { SC: "USER_WATCHLIST" } });
    expect(lists.json).toMatchObject({ data: { user_lists: [{ name: "Tech", id: "1234", type: "watchlist" }] }, action: "content" });
    const read = () => client.call("GET", "/iserver/watchlist", { query: { id: 1234 } });
    expect((await read()).json).toMatchObject({ instruments: [{ C: "265598", conid: 265598, name: "APPLE INC" }, { H: "" }] });
    expect((await read()).json).toMatchObject({ instruments: [{ ST: "STK", fullName: "AAPL", assetClass: "STK", ticker: "AAPL" }, {}] });
    await call("POST", "/iserver/watchlist", { ...body, name: "Other" });
    expect((await read()).json).toMatchObject({ name: "Other" });
    const gone = await client.call("DELETE", "/iserver/watchlist", { query: { id: 1234 } });
    expect(gone.json).toEqual({ data: { deleted: "1234" }, action: "context", MID: "2" });
    expect((await client.call("DELETE", "/iserver/watchlist", { query: { id: 1234 } })).status).toBe(200);
    expect((await read()).status).toBe(503);
  });

  test("want digits and a name", async () => {
    expect((await call("POST", "/iserver/watchlist", {})).status).toBe(400);
    expect((await call("POST", "/iserver/watchlist", { id: "abc", name: "x" })).status).toBe(503);
    expect((await call("POST", "/iserver/watchlist", { id: "1" })).status).toBe(503);
  });
});

describe("notices", () => {
  test("are counted, listed and read", async () => {
    expect((await call("GET", "/fyi/unreadnumber")).json).toEqual({ BN: 3 });
    expect((await call("GET", "/fyi/unreadnumber")).status).toBe(200);
    const { json } = await call("GET", "/fyi/notifications");
    const [first] = Array.isArray(json) ? json.filter((row) => isRecord(row)) : [];
    expect(first).toMatchObject({ R: 0, D: expect.stringMatching(/^\d+\.0$/), MS: expect.stringMatching(/^FYI/), HT: 0, FC: "PF" });
    expect((await call("PUT", `/fyi/notifications/${String(first?.["ID"])}`)).json).toEqual({ V: 1, T: 5, P: { R: 1, ID: first?.["ID"] } });
    expect((await call("GET", "/fyi/unreadnumber")).json).toEqual({ BN: 2 });
    const more = await client.call("GET", "/fyi/notifications/more", { query: { id: String(first?.["ID"]) } });
    expect(more.json).toHaveLength(2);
  });

  test("can be switched by kind, with a disclaimer, and sent elsewhere", async () => {
    expect((await call("POST", "/fyi/settings/BA", { enabled: false })).json).toEqual({ V: 1, T: 10 });
    expect((await call("GET", "/fyi/settings")).json).toContainEqual({
      FC: "BA",
      H: 0,
      A: 0,
      FD: expect.any(String),
      FN: "Borrow Availability",
    });
    expect((await call("POST", "/fyi/settings/ZZ", { enabled: false })).status).toBe(400);
    expect((await call("GET", "/fyi/disclaimer/BA")).json).toEqual({ FC: "BA", DT: expect.any(String) });
    expect((await call("PUT", "/fyi/disclaimer/BA")).json).toEqual({ V: 1, T: 10 });
    const device = { devicename: "iPhone", deviceId: "apn1", uiName: "Phone", enabled: true };
    expect((await call("POST", "/fyi/deliveryoptions/device", device)).json).toEqual({ V: 1, T: 10 });
    await client.call("PUT", "/fyi/deliveryoptions/email", { query: { enabled: false } });
    expect((await call("GET", "/fyi/deliveryoptions")).json).toEqual({ E: [{ NM: "iPhone", I: "apn1", UI: "Phone", A: 1 }], M: 0 });
    expect(await call("DELETE", "/fyi/deliveryoptions/apn1")).toMatchObject({ status: 200, text: "" });
    expect(await call("DELETE", "/fyi/deliveryoptions/apn1")).toMatchObject({ status: 404, text: expect.stringContaining("<html>") });
    await call("GET", "/fyi/settings");
    expect((await client.call("GET", "/fyi/settings")).status).toBe(429);
  });
});
