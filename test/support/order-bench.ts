import { Decimal } from "../../src/lib/decimal.ts";
import { GatewayError } from "../../src/lib/errors.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { tool as getOrderStatus } from "../../src/tools/get-order-status.ts";
import { tool as getQuote } from "../../src/tools/get-quote.ts";
import type { ENGINES } from "./storages.ts";
import { type Network, type StackWorld, startTradingStack, type TradingStack } from "./trading-stack.ts";

/** A trading stack with what tests of orders do again and again. */
export interface OrderBench {
  readonly stack: TradingStack;
  /** Begins a test: a whole network, counters at zero, and another order size, so that no order is the double of another's. */
  begin(): void;
  /** A market order of this test's size. */
  market(): JsonObject & { readonly quantity: string };
  /** A limit order of this test's size, so far from the market that IBKR asks about it. */
  farLimit(): Promise<JsonObject & { readonly quantity: string }>;
  /** How many requests matching this went to the simulator in this test. */
  sent(pattern: RegExp): number;
  /** How many orders were sent in this test. */
  placed(): number;
  /** Asks for an order's status, minutes passing, until its outcome is known. */
  untilSettled(clientOrderId: string): Promise<JsonObject>;
  /** The stored state of a request. */
  stateOf(clientOrderId: string): Promise<string | undefined>;
}

/** Starts one on a database of this engine. */
export async function startOrderBench(engine: (typeof ENGINES)[number], world: StackWorld = {}): Promise<OrderBench> {
  const stack = await startTradingStack(engine, undefined, world);
  let sentBefore = 0;
  let size = 4;
  const basis = () => ({ symbol: "AAPL", side: "BUY", quantity: String(size) });
  const sent = (pattern: RegExp): number => stack.sent.slice(sentBefore).filter((line) => pattern.test(line)).length;
  return {
    stack,
    begin: () => {
      stack.setNetwork(undefined);
      sentBefore = stack.sent.length;
      size += 1;
    },
    market: () => ({ ...basis(), order_type: "MKT" }),
    farLimit: async () => {
      const { last } = await stack.complete(getQuote, { symbol: "AAPL" });
      if (typeof last !== "string") throw new TypeError(`not a price: ${JSON.stringify(last)}`);
      const price = Decimal.parse(last).times(Decimal.parse("0.8")).round(2);
      return { ...basis(), order_type: "LMT", limit_price: price.toString() };
    },
    sent,
    placed: () => sent(/^POST \/iserver\/account\/[^/]+\/orders$/),
    untilSettled: async (clientOrderId) => {
      for (;;) {
        stack.clock.jump(12_000);
        const status = await stack.complete(getOrderStatus, { client_order_id: clientOrderId });
        if (status["status"] !== "outcome_unknown" && status["status"] !== "pending") return status;
      }
    },
    stateOf: async (clientOrderId) => {
      const rows = stack.storage.db.selectFrom("order_requests").select("state").where("client_order_id", "=", clientOrderId);
      return (await rows.executeTakeFirst())?.state;
    },
  };
}

/** True for the request that places an order. */
export function isOrderPost(url: string, init: RequestInit | undefined): boolean {
  return init?.method === "POST" && /\/account\/[^/]+\/orders$/.test(new URL(url).pathname);
}

/** What a request fails with when nobody listens: it has certainly not been sent. */
export function refusedConnection(): TypeError {
  return new TypeError("fetch failed", { cause: Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }) });
}

/** What a request fails with when its connection is cut. */
export function cutConnection(): TypeError {
  return new TypeError("fetch failed", { cause: Object.assign(new Error("socket hang up"), { code: "ECONNRESET" }) });
}

/** The simulator takes the order, and its answer is lost. */
export const answerLost: Network = async (url, init, pass) => {
  const response = await pass();
  if (!isOrderPost(url, init)) return response;
  await response.arrayBuffer();
  throw cutConnection();
};

/** The order is lost on its way, in a manner that the sender can't tell from a lost answer. */
export const requestLost: Network = async (url, init, pass) => {
  if (!isOrderPost(url, init)) return pass();
  await takeBody(init);
  throw cutConnection();
};

/** Reads a request's body as a connection that stands would: only then may an order leave. */
export async function takeBody(init: RequestInit | undefined): Promise<string> {
  return await new Response(init?.body ?? null).text();
}

/** The `GatewayError` that this work must end with. */
export async function failure(work: Promise<unknown>): Promise<GatewayError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof GatewayError)) throw new Error(`no GatewayError but ${String(error)}`);
  return error;
}
