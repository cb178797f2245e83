import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { callOptions as call, errorResponse, type Fault, simulatedLink, type SimulatedLink } from "../../test/support/simulated-link.ts";
import type { OrderTicket } from "../broker/order.ts";
import { Decimal } from "../lib/decimal.ts";

const AAPL = 265598;
let world: SimulatedLink;
let first = "";

beforeAll(async () => {
  world = await simulatedLink({ pacing: { endpoints: false } });
  [first = ""] = world.simulator.accountIds;
  await world.link.accounts(call());
});

afterEach(() => world.fault(undefined));
afterAll(() => world.close());

/** Meets the first `times` requests to a path with a fault; the rest pass. */
function onPath(path: RegExp, fail: () => Promise<Response>, times = 1): Fault {
  let left = times;
  return (request) => {
    if (!path.test(request.path) || left === 0) return undefined;
    left -= 1;
    return fail();
  };
}

/** What `fetch` throws when the connection breaks. */
function reset(): Promise<Response> {
  return Promise.reject(
    new TypeError("fetch failed", { cause: Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", syscall: "read" }) }),
  );
}

/** What `fetch` throws when nobody listens. */
function refused(): Promise<Response> {
  return Promise.reject(
    new TypeError("fetch failed", {
      cause: Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED", syscall: "connect" }),
    }),
  );
}

const answers = (status: number, error: string) => () => Promise.resolve(errorResponse(status, error));

describe("a read", () => {
  it.each([
    ["a 401, by a new login", answers(401, "not authenticated"), /live_session_token/],
    ["a lost brokerage session (400 no bridge)", answers(400, "Bad Request: no bridge"), /auth\/status/],
    ["accounts that were not asked for first (500)", answers(500, "Please query /accounts first"), /iserver\/accounts/],
    ["accounts that were not asked for first (400)", answers(400, "Bad Request: Please query /accounts first"), /iserver\/accounts/],
    ["a connection that breaks", reset, undefined],
    ["a service that is cold (503)", answers(503, "Service Unavailable"), undefined],
    ["a gateway page in HTML (502)", () => Promise.resolve(new Response("<html>Bad gateway</html>", { status: 502 })), undefined],
    ["a 429 that someone else caused", answers(429, "Too Many Requests"), undefined],
  ])("survives %s", async (_name, fail, repaired) => {
    const before = world.sent.length;
    world.fault(onPath(/^\/portfolio\/.*\/ledger$/, fail));
    await expect(world.link.cashLedger(first, call())).resolves.toMatchObject({ accountId: first });
    const sent = world.sent.slice(before);
    expect(sent.filter((request) => request.path.endsWith("/ledger"))).toHaveLength(2);
    if (repaired !== undefined) expect(sent.some((request) => repaired.test(request.path))).toBe(true);
  });

  it.each([
    ["session_lost", answers(401, "not authenticated")],
    ["session_lost", answers(400, "Bad Request: no bridge")],
    ["upstream_unavailable", reset],
    ["upstream_unavailable", answers(503, "Service Unavailable")],
    ["broker_rejected", answers(400, "Bad Request: accountId is not valid")],
    ["broker_error", answers(200, "failed to process request")],
  ])("fails as %s when the fault stays, after one repeat at most", async (code, fail) => {
    const before = world.sent.length;
    world.fault(onPath(/\/ledger$/, fail, 99));
    await expect(world.link.cashLedger(first, call())).rejects.toMatchObject({ code });
    expect(world.sent.slice(before).filter((request) => request.path.endsWith("/ledger")).length).toBeLessThanOrEqual(2);
  });

  it("gives up on an answer that does not come", async () => {
    world.fault((request, pass) => (request.path.endsWith("/ledger") ? new Promise(() => undefined) : pass()));
    // The fault never answers nor looks at the signal: the time limit alone must end the wait.
    const signal = AbortSignal.timeout(500);
    await expect(world.link.cashLedger(first, { signal, caller: "test" })).rejects.toThrow(/timeout/i);
  });

  it("refuses an answer of absurd size", async () => {
    world.fault(onPath(/\/ledger$/, () => Promise.resolve(new Response("x".repeat(9 * 1024 * 1024)))));
    await expect(world.link.cashLedger(first, call())).rejects.toMatchObject({ code: "upstream_unavailable" });
  });

  it("says so when an answer has an unknown form", async () => {
    world.fault(onPath(/\/ledger$/, () => Promise.resolve(new Response("<html>hello</html>"))));
    await expect(world.link.cashLedger(first, call())).rejects.toMatchObject({ code: "broker_error" });
  });

  it("follows no redirect", async () => {
    world.fault(onPath(/\/ledger$/, () => Promise.resolve(Response.redirect("http://127.0.0.1:1/", 307))));
    await expect(world.link.cashLedger(first, call())).rejects.toMatchObject({ code: "broker_error" });
  });

  it("shared by two goes on for the one who stays", async () => {
    const hangUp = new AbortController();
    world.fault(async (_request, pass) => {
      await world.clock.wait(1000);
      return await pass();
    });
    const leaves = world.link.cashLedger(first, { signal: hangUp.signal, caller: "a" });
    const stays = world.link.cashLedger(first, call("b"));
    hangUp.abort(new Error("hung up"));
    await expect(leaves).rejects.toThrow("hung up");
    await expect(stays).resolves.toMatchObject({ accountId: first });
  });
});

describe("an order", () => {
  let count = 0;
  const ticket = (over: Partial<OrderTicket> = {}): OrderTicket => {
    count += 1;
    return {
      accountId: first,
      conid: AAPL,
      side: "BUY",
      quantity: Decimal.one,
      orderType: "MKT",
      limitPrice: undefined,
      stopPrice: undefined,
      timeInForce: "DAY",
      outsideRth: false,
      customerOrderId: `recovery-${count}`,
      ...over,
    };
  };
  const PLACE = /^\/iserver\/account\/[^/]+\/orders$/;
  const REPLY = /^\/iserver\/reply\//;
  /** A limit so far from the market that IBKR asks about it, and not so far that it refuses it. */
  const far = async () => {
    const [quote] = await world.link.quotes([AAPL], call());
    return ticket({ orderType: "LMT", limitPrice: quote?.last?.times(Decimal.parse("0.8")).round(2) });
  };

  const posts = [
    ["unknown", "401", answers(401, "not authenticated")],
    ["unknown", "a broken connection", reset],
    ["unknown", "503", answers(503, "Service Unavailable")],
    ["unknown", "500", answers(500, "internal error")],
    ["unknown", "an empty answer", () => Promise.resolve(new Response(""))],
    ["unknown", "HTML", () => Promise.resolve(new Response("<html></html>"))],
    ["unknown", "a redirect", () => Promise.resolve(Response.redirect("http://127.0.0.1:1/", 307))],
    ["unknown", "a duplicate order id", answers(400, "Order couldn't be submitted: Local order ID=x is already registered.")],
    ["unknown", "an exception in a 200", () => Promise.resolve(Response.json({ error: "java.lang.Exception: x" }))],
    [
      "unknown",
      "an order prompt",
      () => Promise.resolve(Response.json({ orderId: 1, reqId: "1", text: "?", options: ["Yes"], prompt: true })),
    ],
    ["not_sent", "nobody who listens", refused],
    ["rejected", "a refusal in a 200", () => Promise.resolve(Response.json({ error: "No trading permissions." }))],
    ["rejected", "a 400", answers(400, "Unknown order type")],
    ["rejected", "a failed row", () => Promise.resolve(Response.json([{ order_id: "-1", order_status: "Failed", text: "no" }]))],
    ["unknown", "no brokerage session", answers(400, "Bad Request: no bridge")],
    ["unknown", "accounts not asked for first", answers(500, "Please query /accounts first")],
    ["unknown", "a 429", answers(429, "Too Many Requests")],
    ["unknown", "a firewall's page", () => Promise.resolve(new Response("<html></html>", { status: 403 }))],
    ["accepted", "a 202", () => Promise.resolve(Response.json([{ order_id: "7", order_status: "Submitted" }], { status: 202 }))],
    ["unknown", "a 204", () => Promise.resolve(new Response(null, { status: 204 }))],
  ] as const;

  it.each(posts)("is %s, and sent once, when it meets %s", async (kind, _name, fail) => {
    const before = world.sent.length;
    world.fault(onPath(PLACE, fail, 99));
    expect(await world.link.submitOrder(ticket(), call())).toMatchObject({ kind });
    expect(world.sent.slice(before).filter((request) => PLACE.test(request.path))).toHaveLength(1);
  });

  it.each(posts)("answer is %s, and sent once, when it meets %s", async (kind, _name, fail) => {
    const asked = await world.link.submitOrder(await far(), call());
    if (asked.kind !== "question") throw new Error("a price so far away must be a question");
    const before = world.sent.length;
    world.fault(onPath(REPLY, fail, 99));
    expect(await world.link.confirmQuestion(first, asked.question.replyId, call())).toMatchObject({ kind });
    expect(world.sent.slice(before).filter((request) => REPLY.test(request.path))).toHaveLength(1);
  });

  it.each([
    ["texts of another form", ["a", { b: 1 }], ["a", '{"b":1}']],
    ["no text", [], []],
  ])("that is asked about in %s is asked about all the same, so that the question can be declined", async (_name, message, messages) => {
    world.fault(onPath(PLACE, () => Promise.resolve(Response.json([{ id: "q", message, messageIds: ["o1"] }]))));
    expect(await world.link.submitOrder(ticket(), call())).toMatchObject({ kind: "question", question: { replyId: "q", messages } });
  });

  it("C5: prompted for in IBKR's other form is unknown, with the prompt's text and order id", async () => {
    const prompt = { orderId: 123_456_789, messageId: "p12", options: ["Cancel", "Submit"], prompt: true, text: "It may be canceled." };
    world.fault(onPath(PLACE, () => Promise.resolve(Response.json(prompt))));
    const outcome = await world.link.submitOrder(ticket(), call());
    expect(outcome).toMatchObject({ kind: "unknown", said: "It may be canceled.", orderId: "123456789" });
  });

  it("is not sent at a price whose unit can't be told", async () => {
    const vod = (await world.link.stocks("VOD", call())).find((stock) => stock.currency === "GBP");
    const other = world.connect();
    world.fault((request, pass) => (request.path === "/trsrv/secdef" ? Promise.resolve(Response.json({ secdef: [] })) : pass()));
    const limit = ticket({ conid: vod?.conid ?? 0, orderType: "LMT", limitPrice: Decimal.parse("0.75"), side: "SELL" });
    expect(await other.submitOrder(limit, call())).toMatchObject({ kind: "not_sent", error: { code: "contract_not_found" } });
    await expect(other.previewOrder(limit, call())).rejects.toMatchObject({ code: "contract_not_found" });
  });

  it("cancellation that meets a 429 is unknown with IBKR's words, not an order that no longer works", async () => {
    world.fault(onPath(/\/order\/\d+$/, answers(429, "Too Many Requests")));
    expect(await world.link.cancelOrder(first, "1", call())).toMatchObject({ kind: "unknown", said: "Too Many Requests" });
  });

  it("answer to a question that is gone is unknown", async () => {
    world.fault(onPath(REPLY, answers(400, "reply id not found: 'x'")));
    expect(await world.link.confirmQuestion(first, "x", call())).toMatchObject({ kind: "unknown" });
  });

  it("is waited for although its caller hung up after it was sent", async () => {
    const hangUp = new AbortController();
    world.fault((request, pass) => {
      if (!PLACE.test(request.path)) return undefined;
      hangUp.abort(new Error("hung up"));
      return pass();
    });
    expect(await world.link.submitOrder(ticket(), { signal: hangUp.signal, caller: "test" })).toMatchObject({ kind: "accepted" });
  });

  it("is not sent when its caller hung up before", async () => {
    const before = world.requests(PLACE).length;
    expect(await world.link.submitOrder(ticket(), { signal: AbortSignal.abort(new Error("gone")), caller: "test" })).toMatchObject({
      kind: "not_sent",
    });
    expect(world.requests(PLACE)).toHaveLength(before);
  });

  it("works again after a lost session, which the next call repairs", async () => {
    world.fault(onPath(PLACE, answers(400, "Bad Request: no bridge")));
    expect(await world.link.submitOrder(ticket(), call())).toMatchObject({ kind: "unknown", said: "Bad Request: no bridge" });
    expect(await world.link.submitOrder(ticket(), call())).toMatchObject({ kind: "accepted" });
  });

  it("declined is only declined when IBKR says so", async () => {
    const asked = await world.link.submitOrder(await far(), call());
    if (asked.kind !== "question") throw new Error("a price so far away must be a question");
    world.fault(onPath(REPLY, answers(503, "Service Unavailable")));
    expect(await world.link.declineQuestion(first, asked.question.replyId, call())).toMatchObject({ kind: "unknown" });
    expect(await world.link.declineQuestion(first, asked.question.replyId, call())).toMatchObject({ kind: "declined" });
  });

  it("is cancelled in a session that had to be opened anew", async () => {
    const placed = await world.link.submitOrder(ticket({ orderType: "STP", stopPrice: Decimal.parse("900") }), call());
    const accepted = placed.kind === "question" ? await world.link.confirmQuestion(first, placed.question.replyId, call()) : placed;
    if (accepted.kind !== "accepted") throw new Error(`not accepted: ${JSON.stringify(accepted)}`);
    world.fault(onPath(/\/order\/\d+$/, answers(401, "not authenticated")));
    expect(await world.link.cancelOrder(first, accepted.orderId, call())).toMatchObject({ kind: "requested" });
  });

  it("cancellation whose answer is lost is unknown", async () => {
    world.fault(onPath(/\/order\/\d+$/, reset));
    expect(await world.link.cancelOrder(first, "1", call())).toMatchObject({ kind: "unknown" });
    expect(await world.link.cancelOrder(first, "1", call())).toMatchObject({ kind: "not_found" });
  });
});
