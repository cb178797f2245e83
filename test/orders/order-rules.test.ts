import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { failure } from "../support/order-bench.ts";
import { startTradingStack, type TradingStack } from "../support/trading-stack.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { tool as getQuote } from "../../src/tools/get-quote.ts";
import { tool as placeOrder } from "../../src/tools/place-order.ts";
import { tool as previewOrder } from "../../src/tools/preview-order.ts";

let stack: TradingStack;
let sentBefore = 0;

beforeAll(async () => {
  stack = await startTradingStack();
});

afterAll(() => stack.close());

beforeEach(() => {
  stack.setNetwork(undefined);
  sentBefore = stack.sent.length;
});

function placed(): number {
  return stack.sent.slice(sentBefore).filter((line) => /^POST \/iserver\/account\/[^/]+\/orders$/.test(line)).length;
}

/** IBKR's rules for SPY as recorded, with changes; undefined leaves a key out. */
function answerRules(change: Readonly<Record<string, unknown>>): void {
  const recorded = {
    algoEligible: true,
    error: null,
    orderTypes: ["limit", "midprice", "market", "stop", "stop_limit"],
    fraqTypes: [],
    fraqInt: 0,
    defaultSize: 100,
    sizeIncrement: 40,
    increment: 0.01,
    incrementDigits: 2,
  };
  stack.setNetwork(async (url, _init, pass) =>
    url.endsWith("/iserver/contract/rules") ? Response.json({ ...recorded, ...change }) : pass(),
  );
}

async function limitOf(symbol: string): Promise<string> {
  const { last } = await stack.complete(getQuote, { symbol });
  return Number(last).toFixed(2);
}

const market = (symbol: string, quantity: string, side = "BUY"): JsonObject => ({ symbol, side, quantity, order_type: "MKT" });

describe("an order that IBKR's rules only advise on goes to IBKR", () => {
  test.each([
    ["C1.a", market("SPY", "1")],
    ["C1.b", market("AAPL", "5")],
    ["C1.c", market("KO", "25", "SELL")],
    ["C1.d", market("KO", "0.5")],
  ])("%s: %j", async (_case, order) => {
    expect(await stack.complete(placeOrder, order)).toHaveProperty("order_id");
    expect(placed()).toBe(1);
  });

  test("C1.e: a limit outside regular hours without the list of order types for it", async () => {
    const order = { symbol: "IBM", side: "BUY", quantity: "3", order_type: "LMT", limit_price: await limitOf("IBM"), outside_rth: true };
    expect(await stack.complete(placeOrder, order)).toMatchObject({ client_order_id: expect.any(String) });
    expect(placed()).toBe(1);
  });

  test.each([
    ["no fractions", { fraqTypes: undefined, fraqInt: undefined }, market("QQQ", "1.5")],
    ["no order types", { orderTypes: undefined }, market("QQQ", "2")],
    ["empty order types", { orderTypes: [] }, market("QQQ", "3")],
    ["only unknown order types", { orderTypes: ["moon"] }, market("QQQ", "4")],
    ["no ticks", { increment: undefined }, market("QQQ", "5")],
    ["no step", { sizeIncrement: undefined, defaultSize: undefined }, market("QQQ", "6")],
  ])("where they list %s", async (_name, rules, order) => {
    answerRules(rules);
    // A pool that has read the contract's rules before would not ask for them again.
    stack.clock.jump(86_400_000);
    expect(await stack.complete(placeOrder, order)).toHaveProperty("order_id");
    expect(placed()).toBe(1);
  });

  test("and shows the advice as a warning of its preview", async () => {
    const warnings = async (order: JsonObject) => JSON.stringify((await stack.complete(previewOrder, order))["warnings"]);
    expect(await warnings(market("SPY", "1"))).toContain("IBKR lists SPY in steps of 40. IBKR may take 1 as an odd lot or refuse it.");
    expect(await warnings(market("KO", "0.5"))).toContain("IBKR lists no fractions for KO");
    expect(await warnings(market("AAPL", "100"))).not.toContain("IBKR lists");
    expect(placed()).toBe(0);
  });
});

test("a quantity that breaks a true lot is refused by IBKR, in its words", async () => {
  const preview = await stack.complete(previewOrder, market("7203", "150"));
  expect(preview).toMatchObject({ status: "would_be_refused", error: expect.stringContaining("minimum variation of 100") });
  const error = await failure(stack.complete(placeOrder, market("7203", "150")));
  expect([error.code, error.message]).toEqual(["broker_rejected", expect.stringContaining("The size, 150, does not conform")]);
  expect(await stack.complete(placeOrder, market("7203", "100"))).toHaveProperty("order_id");
});

test("an order type that IBKR's list lacks is refused before anything is sent", async () => {
  answerRules({ orderTypes: ["limit"] });
  stack.clock.jump(86_400_000);
  const error = await failure(stack.complete(placeOrder, market("QQQ", "9")));
  expect([error.code, placed()]).toEqual(["invalid_arguments", 0]);
});
