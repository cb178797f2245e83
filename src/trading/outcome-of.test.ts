import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { openOrderRows, type OrderRows } from "../../test/support/order-rows.ts";
import type { Broker, CallOptions } from "../broker/broker.ts";
import type { Order } from "../broker/order.ts";
import type { Caller } from "../connections/caller.ts";
import { GatewayError } from "../lib/errors.ts";
import type { OrderAttemptRow } from "../storage/order-attempts.ts";
import type { OrderRequestRow } from "../storage/order-requests.ts";
import { parseDraft } from "./order-draft.ts";
import { outcomeOf, parseResult } from "./outcome-of.ts";
import type { PlaceOutcome } from "./trading.ts";

const call: CallOptions = { signal: new AbortController().signal, caller: "key_1" };

let rows: OrderRows;
/** What IBKR says of the order now; an error is thrown. */
let now: Order["status"] | undefined | Error;
let asked: unknown[];

beforeAll(async () => {
  rows = await openOrderRows();
});

afterAll(() => rows.stop());

beforeEach(() => {
  now = undefined;
  asked = [];
});

/** The outcome of a stored request, for its caller. */
async function outcome(request: Partial<OrderRequestRow>, attempt: Partial<OrderAttemptRow> = { state: "no" }): Promise<PlaceOutcome> {
  await rows.clear();
  const stored = await rows.store({ request: { client_order_id: "c1", ...request }, attempt });
  const broker: Pick<Broker, "order"> = {
    order: (...args) => {
      asked.push(args);
      if (now instanceof Error) return Promise.reject(now);
      // Only the state is read.
      return Promise.resolve(now === undefined ? undefined : ({ status: now } as Order));
    },
  };
  // An outcome is no matter of who asks, and needs one read of the broker's at most.
  const asking = { caller: {} as Caller, broker: broker as Broker, call };
  return await outcomeOf({ storage: rows.storage }, { row: stored.request, draft: parseDraft(stored.request.ticket) }, asking);
}

const thrown = async (request: Partial<OrderRequestRow>, attempt?: Partial<OrderAttemptRow>): Promise<unknown> =>
  await outcome(request, attempt).catch((error: unknown) => error);

describe("the outcome of a request that", () => {
  test.each(["received", "sending"])("is %s is pending", async (state) => {
    expect(await outcome({ state })).toMatchObject({ kind: "pending", clientOrderId: "c1", draft: { symbol: "AAPL" } });
  });

  test("was refused is IBKR's words", async () => {
    const result = JSON.stringify({ reason: "closed" });
    expect(await thrown({ state: "refused", result })).toMatchObject({
      code: "broker_rejected",
      message: expect.stringMatching(/: closed$/),
      details: { client_order_id: "c1" },
    });
    expect(await thrown({ state: "refused" })).toMatchObject({ message: expect.stringMatching(/: no reason given$/) });
  });

  test("was declined is that, or the limit of questions", async () => {
    expect(await outcome({ state: "declined" })).toMatchObject({ kind: "declined", clientOrderId: "c1", draft: { symbol: "AAPL" } });
    const result = JSON.stringify({ reason: "too_many_questions" });
    expect(await thrown({ state: "declined", result })).toMatchObject({ code: "confirmation_limit", details: { client_order_id: "c1" } });
  });

  test("is unknown carries IBKR's words and order id where there are any", async () => {
    expect(await thrown({ state: "unknown" }, { state: "unknown", said: "hm", broker_order_id: "9" })).toMatchObject({
      code: "outcome_unknown",
      message: expect.stringMatching(/IBKR says: hm$/),
      details: { account_id: "DU1234567", client_order_id: "c1", order_id: "9" },
    });
    const plain = await thrown({ state: "unknown" }, { state: "unknown" });
    expect(plain).toMatchObject({ code: "outcome_unknown", details: { account_id: "DU1234567", client_order_id: "c1" } });
    expect(plain).toMatchObject({ message: expect.not.stringContaining("IBKR says") });
  });

  test("is unknown is that without an attempt, too", async () => {
    await rows.clear();
    const stored = await rows.store({ request: { state: "unknown" } });
    await rows.storage.db.deleteFrom("order_sends").execute();
    await rows.storage.db.deleteFrom("order_attempts").execute();
    const asking = { caller: {} as Caller, broker: {} as Broker, call };
    const work = outcomeOf({ storage: rows.storage }, { row: stored.request, draft: parseDraft(stored.request.ticket) }, asking);
    await expect(work).rejects.toMatchObject({ code: "outcome_unknown" });
  });

  test("is unresolved leads to its page", async () => {
    expect(await thrown({ state: "unresolved" })).toMatchObject({
      code: "outcome_unresolved",
      link: expect.stringMatching(/^\/console\/orders\/ord_/),
    });
  });

  test.each([
    ["not_placed", "process_ended", "timeout", "the gateway was restarted before its turn came."],
    ["not_placed", "timeout", "timeout", "its turn did not come in time."],
    ["not_placed", "person", "timeout", "the owner found that it is not at IBKR."],
    ["not_placed", "upstream_unavailable", "upstream_unavailable", "it never reached IBKR."],
    ["not_placed", undefined, "upstream_unavailable", "it never reached IBKR."],
    ["asked", undefined, "upstream_unavailable", "it never reached IBKR."],
  ])("is %s because of %s was not sent", async (state, reason, code, words) => {
    const result = reason === undefined ? null : JSON.stringify({ reason });
    expect(await thrown({ state, result })).toMatchObject({
      code: "not_sent",
      message: `The order was not sent: ${words}`,
      whatToDo: expect.stringMatching(/^Nothing was placed\. Send it again with the same client_order_id "c1"\.\s*$/),
      details: { reason: code, client_order_id: "c1" },
    });
  });
});

describe("the outcome of a placed order", () => {
  const placed = { state: "placed", updated_at: 5_000, result: JSON.stringify({ order_id: "7", status: "Submitted" }) };
  const is = { kind: "placed", clientOrderId: "c1", draft: { symbol: "AAPL" }, orderId: "7", isRepeat: true, placedAt: 5_000 };

  test("has its state now", async () => {
    now = "Filled";
    expect(await outcome(placed)).toMatchObject({ ...is, status: "Filled" });
    expect(asked).toEqual([["DU1234567", "7", call]]);
  });

  test.each([undefined, new GatewayError("upstream_unavailable", "down", { whatToDo: "" })])(
    "has its last known state where IBKR has none to give: %s",
    async (answer) => {
      now = answer;
      expect(await outcome(placed)).toMatchObject({ ...is, status: "Submitted" });
    },
  );

  test("is unknown in its state where none was stored", async () => {
    expect(await outcome({ ...placed, result: null })).toMatchObject({ ...is, orderId: "", status: "Unknown" });
  });

  test("hides no fault of the gateway's own", async () => {
    now = new TypeError("a fault");
    expect(await thrown(placed)).toBe(now);
  });
});

test("a stored outcome is read back, and nothing else is", () => {
  expect(parseResult(null)).toEqual({});
  expect(parseResult('{"order_id":"7","status":"Filled","reason":"x"}')).toEqual({ order_id: "7", status: "Filled", reason: "x" });
  for (const json of ['{"order_id":7}', '{"status":"Gone"}', '{"reason":1}']) expect(() => parseResult(json)).toThrow();
});
