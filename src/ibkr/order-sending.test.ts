import { beforeEach, describe, expect, it } from "vitest";

import type { ScriptedIbkr } from "../../test/support/scripted-ibkr.ts";
import { MINE, OTHER, scriptedOrders } from "../../test/support/scripted-orders.ts";
import type { OrderTicket } from "../broker/order.ts";
import { Decimal } from "../lib/decimal.ts";
import type { Orders } from "./orders.ts";

const call = { signal: new AbortController().signal, caller: "test" };
const TICKET: OrderTicket = {
  accountId: MINE,
  conid: 1,
  side: "BUY",
  quantity: Decimal.parse("10"),
  orderType: "LMT",
  limitPrice: Decimal.parse("5.10"),
  stopPrice: undefined,
  timeInForce: "DAY",
  outsideRth: false,
  customerOrderId: "gw1",
};
const ORDER = { acctId: MINE, conid: 1, orderType: "LMT", side: "BUY", quantity: 10, tif: "DAY", outsideRTH: false, price: 5.1 };
const PLACE = `/iserver/account/${MINE}/orders`;
const WHAT_IF = `${PLACE}/whatif`;
const REPLY = "/iserver/reply/q";
const CANCEL = `/iserver/account/${MINE}/order/7`;
const NOTE = { msg: "Request was submitted", order_id: 7 };

let ibkr: ScriptedIbkr;
let orders: Orders;

beforeEach(() => {
  ({ ibkr, orders } = scriptedOrders({ hasStream: false, accounts: [MINE, OTHER] }));
  ibkr.answers.set("/iserver/account/orders", () => ({ orders: [{ orderId: 7, account: MINE, conid: 1 }], snapshot: true }));
});

/** Bodies of the requests to a path, in order. */
function bodiesTo(path: string): unknown[] {
  return ibkr.sent.flatMap((request, index) => (request.endsWith(` ${path}`) ? [JSON.parse(ibkr.contents[index] ?? "") as unknown] : []));
}

function countOf(request: string): number {
  return ibkr.sent.filter((sent) => sent === request).length;
}

describe("a preview", () => {
  const preview = async (answer: () => unknown) => {
    ibkr.answers.set(WHAT_IF, answer);
    return await ibkr.settle(orders.preview(TICKET, call));
  };
  const answered = (status: number, body: unknown) => () => Response.json(body, { status });

  it("asks what the order would do, without its id", async () => {
    const amount = { amount: "51 USD", commission: "1 USD", total: "52 USD" };
    expect(await preview(() => ({ amount }))).toMatchObject({ amountCurrency: "USD", commission: "1 USD", error: undefined });
    expect(bodiesTo(WHAT_IF)).toEqual([{ orders: [ORDER] }]);
  });

  it.each([200, 400, 404, 500])("shows why IBKR would refuse the order at %i", async (status) => {
    expect(await preview(answered(status, { error: "No permission." }))).toMatchObject({ error: "No permission." });
    expect(bodiesTo(WHAT_IF)).toHaveLength(1);
  });

  it.each<readonly [string, () => unknown, string]>([
    ["a limit", answered(429, { error: "Too many requests" }), "rate_limited"],
    ["a lost login", answered(401, { error: "not authenticated" }), "session_lost"],
    ["a lost session", answered(400, { error: "Bad Request: no bridge" }), "session_lost"],
    ["a lost session at 200", answered(200, { error: "Please query /accounts first" }), "session_lost"],
    ["a broken service", answered(503, { error: "Service Unavailable" }), "upstream_unavailable"],
    ["a broken service without words", answered(500, {}), "upstream_unavailable"],
    ["a refusal without words", answered(400, {}), "broker_rejected"],
    ["a redirect without words", answered(301, {}), "broker_error"],
  ])("fails by %s, which says nothing of the order", async (_name, answer, code) => {
    await expect(preview(answer)).rejects.toMatchObject({ code });
  });

  it("that can't be read is a failure", async () => {
    const failure = { code: "broker_error", message: "IBKR's answer about the preview cannot be read." };
    await expect(preview(() => new Response("Oops"))).rejects.toMatchObject(failure);
  });

  it("of an account or a contract that isn't there is not asked for", async () => {
    const asked = orders.preview({ ...TICKET, accountId: "DU0000000" }, call);
    await expect(ibkr.settle(asked)).rejects.toMatchObject({ code: "unknown_account" });
    await expect(ibkr.settle(orders.preview({ ...TICKET, conid: 2 }, call))).rejects.toMatchObject({ code: "contract_not_found" });
    expect(ibkr.sent.filter((request) => request.includes("whatif"))).toEqual([]);
  });
});

describe("an order", () => {
  it("is sent once, with its id", async () => {
    ibkr.answers.set(PLACE, () => [{ order_id: "7", order_status: "Submitted" }]);
    expect(await ibkr.settle(orders.submit(TICKET, call))).toEqual({ kind: "accepted", orderId: "7", status: "Submitted" });
    expect(bodiesTo(PLACE)).toEqual([{ orders: [{ ...ORDER, cOID: "gw1" }] }]);
  });

  it.each<readonly [string, () => unknown]>([
    ["lost", () => new Error("socket hang up")],
    ["that the session is lost", () => Response.json({ error: "not authenticated" }, { status: 401 })],
    ["that IBKR is busy", () => Response.json({ error: "Service Unavailable" }, { status: 503 })],
    ["a limit", () => Response.json({ error: "Too many requests" }, { status: 429 })],
  ])("is never sent again when its answer is %s", async (_name, answer) => {
    ibkr.answers.set(PLACE, answer);
    expect(await ibkr.settle(orders.submit(TICKET, call))).toMatchObject({ kind: "unknown" });
    await ibkr.clock.advance(60_000);
    expect(bodiesTo(PLACE)).toHaveLength(1);
  });

  it.each([
    ["account", { accountId: "DU0000000" }, "unknown_account"],
    ["contract", { conid: 2 }, "contract_not_found"],
  ])("of an %s that isn't there is not sent", async (_name, change, code) => {
    expect(await ibkr.settle(orders.submit({ ...TICKET, ...change }, call))).toMatchObject({ kind: "not_sent", error: { code } });
    expect(ibkr.sent.filter((request) => request.endsWith("/orders"))).toEqual([]);
  });

  it("waits until what was sent before of its account is answered", async () => {
    const asked = Promise.withResolvers<unknown>();
    ibkr.answers.set(REPLY, () => asked.promise);
    ibkr.answers.set(CANCEL, () => NOTE);
    const yes = orders.confirm(MINE, "q", call);
    const cancellation = orders.cancel(MINE, "7", call);
    const other = orders.cancel(OTHER, "7", call);
    await ibkr.settle(other);
    expect([countOf(`POST ${REPLY}`), countOf(`DELETE ${CANCEL}`)]).toEqual([1, 0]);
    asked.resolve([{ order_id: "7", order_status: "Submitted" }]);
    expect(await ibkr.settle(Promise.all([yes, cancellation]))).toMatchObject([{ kind: "accepted" }, { kind: "requested" }]);
  });
});

describe("a question", () => {
  it("is answered with yes", async () => {
    ibkr.answers.set(REPLY, () => [{ order_id: "7", order_status: "Submitted" }]);
    expect(await ibkr.settle(orders.confirm(MINE, "q", call))).toEqual({ kind: "accepted", orderId: "7", status: "Submitted" });
    expect(bodiesTo(REPLY)).toEqual([{ confirmed: true }]);
  });

  it("is answered with no", async () => {
    ibkr.answers.set(REPLY, () => ({ error: "Order not confirmed " }));
    expect(await ibkr.settle(orders.decline(MINE, "q", call))).toEqual({ kind: "declined" });
    expect(bodiesTo(REPLY)).toEqual([{ confirmed: false }]);
  });
});

describe("a caller who has hung up", () => {
  const gone = new Error("gone");

  it.each<readonly [string, unknown, Error]>([
    ["an error", gone, gone],
    ["a word", "gone", gone],
  ])("with %s as the reason has nothing sent, and no list is given up for it", async (_name, reason, error) => {
    const list = await ibkr.settle(orders.list(MINE, call));
    const left = { ...call, signal: AbortSignal.abort(reason) };
    const before = ibkr.sent.length;
    expect(await ibkr.settle(orders.submit(TICKET, left))).toEqual({ kind: "not_sent", error });
    expect(await ibkr.settle(orders.confirm(MINE, "q", left))).toEqual({ kind: "not_sent", error });
    expect(await ibkr.settle(orders.decline(MINE, "q", left))).toEqual({ kind: "unknown", error });
    await expect(ibkr.settle(orders.cancel(MINE, "7", left))).rejects.toEqual(error);
    expect(await ibkr.settle(orders.list(MINE, call))).toEqual(list);
    expect(ibkr.sent).toHaveLength(before);
  });
});

describe("a cancellation", () => {
  const lostLogin = () => Response.json({ error: "not authenticated" }, { status: 401 });
  const lostSession = () => Response.json({ error: "Bad Request: no bridge" }, { status: 400 });
  const note = () => NOTE;

  it.each<readonly [string, readonly (() => unknown)[], string, number]>([
    ["taken", [note], "requested", 1],
    ["unheard for want of a login", [lostLogin, note], "requested", 2],
    ["unheard for want of a session", [lostSession, note], "requested", 2],
    ["unheard twice", [lostLogin, lostSession, note], "unknown", 2],
    ["refused", [() => Response.json({ error: "OrderID 7 doesn't exist" }, { status: 400 }), note], "not_found", 1],
    ["not served", [() => Response.json({ error: "Service Unavailable" }, { status: 503 }), note], "unknown", 1],
    ["answered by a broken line", [() => new Error("socket hang up"), note], "unknown", 1],
  ])("that is %s", async (_name, answers, kind, times) => {
    const left = [...answers];
    ibkr.answers.set(CANCEL, () => left.shift()?.());
    expect(await ibkr.settle(orders.cancel(MINE, "7", call))).toMatchObject({ kind });
    expect(countOf(`DELETE ${CANCEL}`)).toBe(times);
  });

  it("of an account that isn't there is not sent", async () => {
    await expect(ibkr.settle(orders.cancel("DU0000000", "7", call))).rejects.toMatchObject({ code: "unknown_account" });
    expect(ibkr.sent.filter((request) => request.startsWith("DELETE"))).toEqual([]);
  });

  it("that can't reach IBKR is a failure, not a doubt", async () => {
    const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    ibkr.answers.set(CANCEL, () => refused);
    await expect(ibkr.settle(orders.cancel(MINE, "7", call))).rejects.toMatchObject({ code: "upstream_unavailable" });
    expect(countOf(`DELETE ${CANCEL}`)).toBe(1);
  });
});
