import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { startTradingStack, type Network, type TradingStack } from "../../test/support/trading-stack.ts";
import { Decimal } from "../lib/decimal.ts";
import { GatewayError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { tool as cancelOrder } from "../tools/cancel-order.ts";
import { tool as getOrderStatus } from "../tools/get-order-status.ts";
import { tool as getOrders } from "../tools/get-orders.ts";
import { tool as getQuote } from "../tools/get-quote.ts";
import { tool as placeOrder } from "../tools/place-order.ts";

let stack: TradingStack;
let sentBefore = 0;
/** Every test orders another size, so that none is the double of another's. */
let size = 4;
let market: JsonObject;

beforeAll(async () => {
  stack = await startTradingStack();
});

afterAll(() => stack.close());

beforeEach(() => {
  stack.setNetwork(undefined);
  sentBefore = stack.sent.length;
  size += 1;
  market = { symbol: "AAPL", side: "BUY", quantity: String(size), order_type: "MKT" };
});

/** A limit order so far from the market that IBKR asks about it. */
async function farLimit(): Promise<JsonObject> {
  const quote = await stack.complete(getQuote, { symbol: "AAPL" });
  const price = Decimal.parse(textOf(quote["last"])).times(Decimal.parse("0.8")).round(2);
  return { symbol: "AAPL", side: "BUY", quantity: String(size), order_type: "LMT", limit_price: price.toString() };
}

function textOf(value: JsonObject[string] | undefined): string {
  if (typeof value !== "string") throw new TypeError(`not a text: ${JSON.stringify(value)}`);
  return value;
}

function placed(): number {
  return stack.sent.slice(sentBefore).filter((line) => /^POST \/iserver\/account\/[^/]+\/orders$/.test(line)).length;
}

function isOrderPost(url: string, init: RequestInit | undefined): boolean {
  return init?.method === "POST" && /\/account\/[^/]+\/orders$/.test(new URL(url).pathname);
}

async function failure(work: Promise<unknown>): Promise<GatewayError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof GatewayError)) throw new Error(`no GatewayError but ${String(error)}`);
  return error;
}

/** The simulator takes the order, and its answer is lost. */
const answerLost: Network = async (url, init, pass) => {
  const response = await pass();
  if (!isOrderPost(url, init)) return response;
  await response.arrayBuffer();
  throw new TypeError("fetch failed", { cause: Object.assign(new Error("socket hang up"), { code: "ECONNRESET" }) });
};

/** The order is lost on its way, in a manner that the sender can't tell from a lost answer. */
const requestLost: Network = async (url, init, pass) => {
  if (!isOrderPost(url, init)) return pass();
  throw new TypeError("fetch failed", { cause: Object.assign(new Error("socket hang up"), { code: "ECONNRESET" }) });
};

async function untilSettled(clientOrderId: string): Promise<JsonObject> {
  for (;;) {
    stack.clock.jump(6_000);
    const status = await stack.complete(getOrderStatus, { client_order_id: clientOrderId });
    if (status["status"] !== "unknown" && status["status"] !== "sending") return status;
  }
}

describe("an order", () => {
  test("is placed, and a repeat of its client_order_id gets the first answer", async () => {
    const first = await stack.complete(placeOrder, { ...market, client_order_id: "one" });
    expect(first).toMatchObject({ mode: "simulated", account_id: stack.simulator.accountIds[0], client_order_id: "one" });
    const again = await stack.complete(placeOrder, { ...market, client_order_id: "one", quantity: size });
    expect([again["order_id"], again["status"]]).toEqual([first["order_id"], first["status"]]);
    expect(placed()).toBe(1);
    const other = await failure(stack.complete(placeOrder, { ...market, client_order_id: "one", quantity: "600" }));
    expect(other.code).toBe("idempotency_mismatch");
    expect(placed()).toBe(1);
  });

  test("is sent once when twenty equal calls race", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => stack.complete(placeOrder, { ...market, client_order_id: "race" })));
    expect(new Set(answers.map((answer) => answer["order_id"])).size).toBe(1);
    expect(placed()).toBe(1);
  });

  test("gets a client_order_id of ours when it has none, under which it is found", async () => {
    const order = await stack.complete(placeOrder, market);
    const status = await stack.complete(getOrderStatus, { client_order_id: order["client_order_id"] ?? "" });
    expect(status["order_id"]).toBe(order["order_id"]);
    stack.clock.jump(6_000);
    const { orders } = await stack.complete(getOrders, {});
    const names = JSON.stringify(orders);
    expect(names).toContain(`"client_order_id":${JSON.stringify(order["client_order_id"])}`);
  });

  test.each([
    [{ quantity: "0" }, "quantity must be greater than zero"],
    [{ quantity: "-5" }, "quantity must be greater than zero"],
    [{ order_type: "LMT" }, "needs limit_price"],
    [{ limit_price: "200" }, "takes no limit_price"],
    [{ order_type: "STP_LIMIT", limit_price: "200" }, "needs stop_price"],
    [{ order_type: "LMT", limit_price: "200.001" }, "not on the tick"],
    [{ outside_rth: true }, "outside regular hours"],
    [{ order_type: "STP", stop_price: "200", tif: "IOC" }, "can't be IOC"],
  ])("is refused before anything is sent: %j", async (change, words) => {
    const error = await failure(stack.complete(placeOrder, { ...market, ...change }));
    expect([error.code, error.message]).toEqual(["invalid_arguments", expect.stringContaining(words)]);
    expect(placed()).toBe(0);
  });

  test("names the nearest prices when its own is between ticks", async () => {
    const error = await failure(stack.complete(placeOrder, { ...market, order_type: "LMT", limit_price: "200.013" }));
    expect(error.whatToDo).toContain("200.01, 200.02");
  });

  test("in anything but a stock is refused in words", async () => {
    for (const symbol of ["AAPL 2027-01-15 200 C", "EUR.USD", "SPX"]) {
      expect((await failure(stack.complete(placeOrder, { ...market, symbol }))).code).toBe("not_supported");
    }
    expect(placed()).toBe(0);
  });

  test("needs an account when there are several and none was chosen", async () => {
    const error = await failure(stack.complete(placeOrder, market, { caller: { pinnedAccountId: undefined } }));
    expect([error.code, error.details]).toEqual(["account_required", { candidates: stack.simulator.accountIds }]);
    const foreign = await failure(stack.complete(placeOrder, { ...market, account_id: "All" }));
    expect(foreign.code).toBe("unknown_account");
  });

  test("that IBKR rejects says why, also when it is repeated, and is not sent again", async () => {
    const tooLarge = { ...market, quantity: "90000", client_order_id: "poor" };
    let error = await failure(stack.complete(placeOrder, tooLarge));
    expect(error.code).toBe("broker_rejected");
    const posts = placed();
    error = await failure(stack.complete(placeOrder, tooLarge));
    expect(error.code).toBe("broker_rejected");
    expect(placed()).toBe(posts);
  });
});

async function confirmAll(answer: JsonObject): Promise<JsonObject> {
  let current = answer;
  while (current["status"] === "confirmation_required") {
    current = await stack.complete(placeOrder, { confirm_token: current["confirm_token"] ?? "" });
  }
  return current;
}

describe("a question of IBKR's", () => {
  test("is declined there, shown to the caller, and answered after its token comes back", async () => {
    const order = await farLimit();
    const asked = await stack.complete(placeOrder, { ...order, client_order_id: "far" });
    expect(asked).toMatchObject({ status: "confirmation_required", round: 1, questions: [{ message_id: "o163" }] });
    expect(stack.sent.slice(sentBefore).filter((line) => line.startsWith("POST /iserver/reply/"))).toHaveLength(1);
    stack.clock.jump(6_000);
    const before = await stack.complete(getOrders, { status: "open" });
    expect(JSON.stringify(before)).not.toContain('"far"');
    const done = await stack.complete(placeOrder, { confirm_token: asked["confirm_token"] ?? "" });
    expect(done).toMatchObject({ client_order_id: "far", status: expect.stringMatching(/Submitted/) });
    const used = await failure(stack.complete(placeOrder, { confirm_token: asked["confirm_token"] ?? "" }));
    expect([used.code, used.message]).toEqual(["confirmation_expired", expect.stringContaining("used")]);
    expect(placed()).toBe(2);
  });

  test("may be confirmed with the same arguments beside the token, and with no others", async () => {
    const order = await farLimit();
    const asked = await stack.complete(placeOrder, { ...order, client_order_id: "same" });
    const token = asked["confirm_token"] ?? "";
    for (const change of [{ quantity: "600" }, { client_order_id: "other" }, { account_id: stack.simulator.accountIds[1] ?? "" }]) {
      const error = await failure(stack.complete(placeOrder, { ...order, client_order_id: "same", ...change, confirm_token: token }));
      expect(error.code).toBe("confirmation_mismatch");
    }
    const done = await stack.complete(placeOrder, { ...order, client_order_id: "same", confirm_token: token });
    expect(done["order_id"]).toBeDefined();
  });

  test("can't be confirmed by another caller, by a made-up token, or after two minutes", async () => {
    const asked = await stack.complete(placeOrder, await farLimit());
    const confirm = { confirm_token: asked["confirm_token"] ?? "" };
    expect((await failure(stack.complete(placeOrder, confirm, { caller: { id: "key_other" } }))).code).toBe("confirmation_mismatch");
    expect((await failure(stack.complete(placeOrder, { confirm_token: "guess" }))).code).toBe("confirmation_mismatch");
    stack.clock.jump(121_000);
    const late = await failure(stack.complete(placeOrder, confirm));
    expect([late.code, late.message]).toEqual(["confirmation_expired", expect.stringContaining("expired")]);
    expect(placed()).toBe(1);
  });

  test("is confirmed by one of many racing calls only", async () => {
    const asked = await stack.complete(placeOrder, await farLimit());
    const confirm = { confirm_token: asked["confirm_token"] ?? "" };
    const ends = await Promise.allSettled(Array.from({ length: 10 }, () => stack.complete(placeOrder, confirm)));
    expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(placed()).toBe(2);
  });

  test("is asked anew when the order is repeated without its token, which is then void", async () => {
    const order = { ...(await farLimit()), client_order_id: "anew" };
    const first = await stack.complete(placeOrder, order);
    const second = await stack.complete(placeOrder, order);
    expect(second["confirm_token"]).not.toBe(first["confirm_token"]);
    expect((await failure(stack.complete(placeOrder, { confirm_token: first["confirm_token"] ?? "" }))).code).toBe("confirmation_expired");
    expect(await stack.complete(placeOrder, { confirm_token: second["confirm_token"] ?? "" })).toHaveProperty("order_id");
  });

  test("leads to another round when IBKR asks something new, three at most", async () => {
    let asked = 0;
    stack.setNetwork(async (url, init, pass) => {
      const response = await pass();
      if (!isOrderPost(url, init)) return response;
      asked += 1;
      const text = await response.text();
      return new Response(text.replaceAll(/Percentage constraint of 3%/g, `Percentage constraint of ${2 + asked}%`), response);
    });
    let answer = await stack.complete(placeOrder, await farLimit());
    for (const round of [1, 2, 3]) {
      expect(answer).toMatchObject({ status: "confirmation_required", round, max_rounds: 3 });
      if (round < 3) answer = await stack.complete(placeOrder, { confirm_token: answer["confirm_token"] ?? "" });
    }
    const error = await failure(stack.complete(placeOrder, { confirm_token: answer["confirm_token"] ?? "" }));
    expect(error.code).toBe("confirmation_limit");
  });

  test("is put to the person by a form when the client can show one", async () => {
    const order = { ...(await farLimit()), client_order_id: "form" };
    const asked = await stack.run(placeOrder, order, { canElicitForm: true });
    if (asked.kind !== "input_required") throw new Error("not asked");
    expect(JSON.stringify(asked.inputRequests)).toContain("Percentage constraint");
    const answer = (content: JsonObject, requestState = asked.requestState) =>
      stack.complete(placeOrder, order, { canElicitForm: true, inputResponse: { requestState, inputResponses: { confirm: content } } });
    expect((await failure(answer({ action: "accept", content: { confirm: true } }, "tampered"))).code).toBe("confirmation_mismatch");
    expect(await answer({ action: "accept", content: { confirm: true } })).toMatchObject({
      client_order_id: "form",
      order_id: expect.any(String),
    });
    expect((await failure(answer({ action: "accept", content: { confirm: true } }))).code).toBe("confirmation_expired");
  });

  test.each([{ action: "decline" }, { action: "cancel" }, { action: "accept", content: { confirm: false } }])(
    "that is answered %j leaves nothing placed",
    async (content) => {
      const order = { ...(await farLimit()), client_order_id: `no ${size}` };
      const asked = await stack.run(placeOrder, order, { canElicitForm: true });
      if (asked.kind !== "input_required") throw new Error("not asked");
      const inputResponse = { requestState: asked.requestState, inputResponses: { confirm: content } };
      expect(await stack.complete(placeOrder, order, { canElicitForm: true, inputResponse })).toMatchObject({ status: "declined" });
      expect(placed()).toBe(1);
      expect(await stack.complete(getOrderStatus, { client_order_id: `no ${size}` })).toMatchObject({ status: "declined" });
    },
  );

  test("whose declining can't be told leaves the outcome unknown and gives no token", async () => {
    stack.setNetwork(async (url, _init, pass) => {
      const response = await pass();
      if (!url.includes("/iserver/reply/")) return response;
      await response.arrayBuffer();
      throw new TypeError("fetch failed", { cause: Object.assign(new Error("socket hang up"), { code: "ECONNRESET" }) });
    });
    const error = await failure(stack.complete(placeOrder, { ...(await farLimit()), client_order_id: "open" }));
    expect([error.code, error.details?.["client_order_id"]]).toEqual(["outcome_unknown", "open"]);
  });
});

describe("a lost answer", () => {
  test("gives outcome_unknown, is never sent again, and is settled by looking", async () => {
    stack.setNetwork(answerLost);
    const error = await failure(stack.complete(placeOrder, { ...market, client_order_id: "lost" }));
    expect([error.code, error.whatToDo]).toEqual(["outcome_unknown", expect.stringContaining("Do NOT send it again")]);
    stack.setNetwork(undefined);
    expect(await untilSettled("lost")).toMatchObject({ status: expect.stringMatching(/Submitted|Filled/), order_id: expect.any(String) });
    expect(await stack.complete(placeOrder, { ...market, client_order_id: "lost" })).toHaveProperty("order_id");
    expect(placed()).toBe(1);
  });

  test("is settled in the background too", async () => {
    stack.setNetwork(answerLost);
    await failure(stack.complete(placeOrder, { ...market, client_order_id: "quiet" }));
    stack.setNetwork(undefined);
    await expect.poll(() => stateOf("quiet"), { timeout: 10_000 }).toBe("accepted");
    expect(placed()).toBe(1);
  });

  test("keeps an identical order back while it is open", async () => {
    stack.setNetwork(requestLost);
    await failure(stack.complete(placeOrder, { ...market, client_order_id: "first" }));
    const twin = await failure(stack.complete(placeOrder, { ...market, client_order_id: "second" }));
    expect([twin.code, twin.details]).toEqual(["outcome_unknown", { client_order_id: "first" }]);
    stack.setNetwork(undefined);
    expect(await stack.complete(placeOrder, { ...market, quantity: "1", client_order_id: "third" })).toHaveProperty("order_id");
  });

  test("of an order that never arrived is proven after minutes and several looks, and the id is free again", async () => {
    stack.setNetwork(requestLost);
    await failure(stack.complete(placeOrder, { ...market, client_order_id: "gone" }));
    stack.setNetwork(undefined);
    stack.clock.jump(60_000);
    expect(await stack.complete(getOrderStatus, { client_order_id: "gone" })).toMatchObject({ status: "unknown" });
    expect(await untilSettled("gone")).toMatchObject({ status: "not_sent" });
    expect(await stack.complete(placeOrder, { ...market, client_order_id: "gone" })).toHaveProperty("order_id");
  });
});

describe("a crash", () => {
  test("between the POST and its answer is settled after a restart", async () => {
    const taken = Promise.withResolvers<void>();
    stack.setNetwork(async (url, init, pass) => {
      const response = await pass();
      if (!isOrderPost(url, init)) return response;
      taken.resolve();
      return new Promise<never>(() => undefined);
    });
    void stack.complete(placeOrder, { ...market, client_order_id: "killed" }).catch(() => undefined);
    await taken.promise;
    stack.crash();
    stack.setNetwork(undefined);
    await stack.trading().reconcile();
    expect(await untilSettled("killed")).toMatchObject({ status: expect.stringMatching(/Submitted|Filled/) });
    expect(placed()).toBe(1);
  });

  test("between the row and the POST is proven absent after a restart, and the order may be sent", async () => {
    const reached = Promise.withResolvers<void>();
    stack.setNetwork((url, init, pass) => {
      if (!isOrderPost(url, init)) return pass();
      reached.resolve();
      return new Promise<never>(() => undefined);
    });
    void stack.complete(placeOrder, { ...market, client_order_id: "early" }).catch(() => undefined);
    await reached.promise;
    stack.crash();
    stack.setNetwork(undefined);
    await stack.trading().reconcile();
    expect(await untilSettled("early")).toMatchObject({ status: "not_sent" });
    expect(await stack.complete(placeOrder, { ...market, client_order_id: "early" })).toHaveProperty("order_id");
  });
});

describe("a caller that hangs up", () => {
  test("leaves its order to run to its end", async () => {
    const gone = new AbortController();
    stack.setNetwork(async (url, init, pass) => {
      if (isOrderPost(url, init)) gone.abort(new Error("hung up"));
      return pass();
    });
    const answer = await stack.complete(placeOrder, { ...market, client_order_id: "away" }, { signal: gone.signal });
    expect(["pending", "Submitted", "Filled"]).toContain(answer["status"]);
    await expect.poll(() => stateOf("away"), { timeout: 10_000 }).toBe("accepted");
    expect(placed()).toBe(1);
  });
});

describe("a cancellation", () => {
  test("cancels by either id, and a second one says that it is done", async () => {
    const order = await confirmAll(await stack.complete(placeOrder, { ...(await farLimit()), client_order_id: "mine" }));
    expect(await stack.complete(cancelOrder, { client_order_id: "mine" })).toMatchObject({
      status: "Cancelled",
      order_id: order["order_id"],
    });
    expect(await stack.complete(cancelOrder, { order_id: order["order_id"] ?? "" })).toMatchObject({ status: "Cancelled" });
  });

  test("of a filled, an unknown or an unplaced order is an error that says so", async () => {
    const filled = await stack.complete(placeOrder, market);
    await expect
      .poll(async () => (await stack.complete(getOrderStatus, { order_id: filled["order_id"] ?? "" }))["status"], { timeout: 10_000 })
      .toBe("Filled");
    expect((await failure(stack.complete(cancelOrder, { order_id: filled["order_id"] ?? "" }))).code).toBe("order_not_working");
    expect((await failure(stack.complete(cancelOrder, { order_id: "42" }))).code).toBe("order_not_found");
    await stack.complete(placeOrder, { ...(await farLimit()), client_order_id: "asked" });
    expect((await failure(stack.complete(cancelOrder, { client_order_id: "asked" }))).code).toBe("order_not_working");
  });
});

async function stateOf(clientOrderId: string): Promise<string | undefined> {
  const row = await stack.storage.db
    .selectFrom("order_requests")
    .select("state")
    .where("client_order_id", "=", clientOrderId)
    .executeTakeFirst();
  return row?.state;
}
