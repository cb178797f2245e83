import { expect, test } from "vitest";

import { DRAFT, pipelineBench } from "../../test/support/pipeline-bench.ts";
import type { Broker } from "../broker/broker.ts";
import type { OrderPreview } from "../broker/order.ts";
import { Decimal } from "../lib/decimal.ts";

const bench = pipelineBench();

const PREVIEW = { warnings: ["IBKR's own."] } as unknown as OrderPreview;
const TOO_LATE = { code: "timeout", message: "IBKR did not answer the preview in time." };

/** A preview by an IBKR that answers what-ifs like this. */
const begin = async (previewOrder: Broker["previewOrder"], draft = DRAFT, signal = new AbortController().signal) => {
  const broker: Broker = { ...bench.script.broker, previewOrder };
  return await bench.trading.previewOrder(draft, { ...bench.call({ signal }), broker });
};
const preview = async (...args: Parameters<typeof begin>) => await bench.finish(begin(...args));
const answers = () => Promise.resolve(PREVIEW);

test("asks what an order would do under an id of its own", async () => {
  let asked: unknown;
  await preview((ticket) => {
    asked = ticket;
    return answers();
  });
  const { symbol: _symbol, currency: _currency, ...order } = DRAFT;
  expect(asked).toEqual({ ...order, customerOrderId: expect.stringMatching(/^wi[0-9a-f]{20}$/) });
});

test("adds what the rules suggest about the quantity to IBKR's warnings", async () => {
  expect(await preview(answers)).toEqual({ warnings: ["IBKR's own."] });
  const fraction = { ...DRAFT, quantity: Decimal.parse("1.5") };
  expect(await preview(answers, fraction)).toEqual({
    warnings: ["IBKR's own.", "IBKR lists no fractions for AAPL. IBKR may refuse a quantity of 1.5."],
  });
});

test("of an impossible order asks nothing", async () => {
  const nothing: Broker["previewOrder"] = () => Promise.reject(new Error("asked"));
  await expect(preview(nothing, { ...DRAFT, quantity: Decimal.fromInteger(0) })).rejects.toMatchObject({ code: "invalid_arguments" });
  const rules = await bench.script.broker.tradingRules(1, bench.call().call);
  Object.assign(bench.script.broker, { tradingRules: () => Promise.resolve({ ...rules, orderTypes: ["MKT"] }) });
  await expect(preview(nothing)).rejects.toMatchObject({ code: "invalid_arguments", message: "IBKR takes no LMT orders for AAPL." });
});

test("waits while an order of the account is being sent", async () => {
  const held = Promise.withResolvers<{ kind: "accepted"; orderId: string; status: "Submitted" }>();
  bench.script.answers.push(() => held.promise);
  const order = bench.place();
  await bench.clock.advance(100);
  let asked = 0;
  const count = () => {
    asked += 1;
    return answers();
  };
  const waiting = begin(count);
  await preview(count, { ...DRAFT, accountId: "DU9" });
  expect(asked).toBe(1);
  held.resolve({ kind: "accepted", orderId: "7", status: "Submitted" });
  await bench.finish(order);
  expect(await waiting).toEqual(PREVIEW);
});

test("ends when its caller hangs up, in its turn or before", async () => {
  const gone = new AbortController();
  const held = Promise.withResolvers<OrderPreview>();
  const ends = begin(() => held.promise, DRAFT, gone.signal);
  await bench.clock.advance(100);
  gone.abort(new Error("hung up"));
  await expect(ends).rejects.toMatchObject(TOO_LATE);
  held.resolve(PREVIEW);
  const cut = new Error("cut");
  const failing = new AbortController();
  const fails = preview(
    () => {
      failing.abort(new Error("hung up"));
      return Promise.reject(cut);
    },
    { ...DRAFT, accountId: "DU9" },
    failing.signal,
  );
  await expect(fails).rejects.toMatchObject(TOO_LATE);
});

test("fails as IBKR fails", async () => {
  await expect(preview(() => Promise.reject(new Error("cut")))).rejects.toThrow("cut");
});
