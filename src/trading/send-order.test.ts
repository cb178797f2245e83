import { describe, expect, test } from "vitest";

import { DRAFT, pipelineBench } from "../../test/support/pipeline-bench.ts";
import { ACCEPTED } from "../../test/support/scripted-broker.ts";
import type { Broker } from "../broker/broker.ts";
import type { SubmitOutcome } from "../broker/order.ts";
import { Decimal } from "../lib/decimal.ts";
import { draftDigest } from "./order-draft.ts";
import type { PlaceOutcome } from "./trading.ts";

const TOO_LATE = {
  code: "not_sent",
  message: "The order was not sent: its turn did not come in time.",
  details: { reason: "timeout", client_order_id: "c1" },
};

const bench = pipelineBench();

const place = async (change = {}, call = bench.call()) => await bench.finish(bench.place(change, call));
const db = () => bench.rows.storage.db;
const request = async (id = "c1") =>
  await db().selectFrom("order_requests").selectAll().where("client_order_id", "=", id).executeTakeFirst();
const attempt = async () => (await bench.attempts())[0];
const orderOf = (quantity: number) => ({ draft: { ...DRAFT, quantity: Decimal.fromInteger(quantity) }, clientOrderId: `q${quantity}` });
/** IBKR with another way to take orders. */
const through = (submitOrder: Broker["submitOrder"]) => ({ ...bench.call(), broker: { ...bench.script.broker, submitOrder } });

/** Sends an order whose response waits; returns what lets it go. */
async function hold(change: object = orderOf(1)): Promise<() => Promise<PlaceOutcome>> {
  const held = Promise.withResolvers<SubmitOutcome>();
  bench.script.answers.push(() => held.promise);
  const work = bench.place(change);
  await bench.clock.advance(100);
  return async () => {
    held.resolve(ACCEPTED);
    return await bench.finish(work);
  };
}

describe("a turn", () => {
  test("comes when the order before it has ended", async () => {
    const release = await hold();
    const second = bench.place();
    await bench.clock.advance(1_000);
    expect(bench.script.sent).toHaveLength(1);
    expect(await request()).toMatchObject({ state: "received" });
    bench.script.answers.push(ACCEPTED);
    await release();
    expect(await bench.finish(second)).toMatchObject({ kind: "placed" });
  });

  test("is waited for while another process has it, for 25 seconds", async () => {
    const other = await bench.rows.store({ request: { owner_process: "prc_alive" }, attempt: { owner_process: "prc_alive" } });
    const before = bench.clock.now();
    await expect(place()).rejects.toMatchObject(TOO_LATE);
    expect(bench.clock.now() - before).toBeGreaterThan(25_000);
    expect(bench.clock.now() - before).toBeLessThan(25_500);
    expect(await request()).toMatchObject({ state: "not_placed", result: '{"reason":"timeout"}' });
    const waiting = bench.place();
    await bench.clock.advance(5_000);
    await db().updateTable("order_attempts").set({ state: "placed" }).where("id", "=", other.attempt.id).execute();
    bench.script.answers.push(ACCEPTED);
    expect(await bench.finish(waiting)).toMatchObject({ kind: "placed" });
  });

  test("of a process that died meanwhile is free, and its order unknown", async () => {
    const other = await bench.rows.store({ request: { owner_process: "prc_alive" }, attempt: { owner_process: "prc_alive" } });
    const waiting = bench.place();
    await bench.clock.advance(1_000);
    for (const table of ["order_requests", "order_attempts"] as const)
      await db()
        .updateTable(table)
        .set({ owner_process: "prc_dead" })
        .where("account_id", "=", DRAFT.accountId)
        .where("state", "=", "sending")
        .execute();
    bench.script.answers.push(ACCEPTED);
    expect(await bench.finish(waiting)).toMatchObject({ kind: "placed" });
    expect(await bench.rows.read(other.request.id)).toMatchObject({ request: { state: "unknown" }, attempt: { state: "unknown" } });
  });

  test("that another process takes at the last moment is waited for again", async () => {
    const takes: Broker["submitOrder"] = async (ticket, options) => {
      if (bench.script.asked.length === 0) {
        bench.script.asked.push("taken");
        const { attempt: other } = await bench.rows.store({
          request: { owner_process: "prc_alive" },
          attempt: { owner_process: "prc_alive" },
        });
        void bench.clock
          .wait(1_000)
          .then(() => db().updateTable("order_attempts").set({ state: "placed" }).where("id", "=", other.id).execute());
      }
      return await bench.script.broker.submitOrder(ticket, options);
    };
    bench.script.answers.push(ACCEPTED);
    const before = bench.clock.now();
    expect(await place({}, through(takes))).toMatchObject({ kind: "placed" });
    expect(bench.clock.now() - before).toBeGreaterThanOrEqual(1_000);
    expect(bench.cOIDs()).toEqual(["-1"]);
  });

  test("of an account delays no other account", async () => {
    const release = await hold();
    bench.script.answers.push(ACCEPTED);
    expect(await place({ draft: { ...DRAFT, accountId: "DU9" } })).toMatchObject({ kind: "placed" });
    await release();
  });

  test("is not waited for by more than fifty orders", async () => {
    const release = await hold();
    const waiting = Array.from({ length: 49 }, (_, index) => bench.place(orderOf(100 + index)));
    await bench.clock.advance(0);
    bench.script.answers.push(...waiting.map(() => ACCEPTED));
    await expect(place()).rejects.toMatchObject({
      code: "not_sent",
      message: "The order was not sent: Too many orders of this account are waiting to be sent.",
      details: { reason: "rate_limited", client_order_id: "c1" },
    });
    expect(await request()).toMatchObject({ state: "not_placed", result: '{"reason":"rate_limited"}' });
    await release();
    await bench.finish(Promise.all(waiting));
    bench.script.answers.push(ACCEPTED);
    expect(await place()).toMatchObject({ kind: "placed" });
  });
});

describe("a caller that hangs up", () => {
  test("before its turn is told that nothing was sent, and nothing is", async () => {
    const release = await hold();
    const gone = new AbortController();
    const work = bench.place({}, bench.call({ signal: gone.signal }));
    await bench.clock.advance(100);
    gone.abort(new Error("hung up"));
    await expect(bench.finish(work)).rejects.toMatchObject(TOO_LATE);
    expect(await request()).toMatchObject({ state: "not_placed", result: '{"reason":"timeout"}' });
    await release();
    await bench.clock.advance(1_000);
    expect(bench.script.sent).toHaveLength(1);
    expect(await request()).toMatchObject({ state: "not_placed" });
  });

  test("while its order leaves is told that it is pending, and the order goes on", async () => {
    const held = Promise.withResolvers<SubmitOutcome>();
    bench.script.answers.push(() => held.promise);
    const gone = new AbortController();
    const work = bench.place({}, bench.call({ signal: gone.signal }));
    await bench.clock.advance(100);
    gone.abort(new Error("hung up"));
    expect(await bench.finish(work)).toEqual({ kind: "pending", clientOrderId: "c1", draft: DRAFT });
    held.resolve(ACCEPTED);
    await bench.clock.advance(100);
    expect(await request()).toMatchObject({ state: "placed" });
  });

  test("before its order is permitted keeps it back, although the connection stands", async () => {
    const gone = new AbortController();
    const slow: Broker["submitOrder"] = async (ticket, options) => {
      gone.abort(new Error("hung up"));
      await bench.clock.wait(100);
      return await bench.script.broker.submitOrder(ticket, options);
    };
    const call = { ...through(slow), call: { signal: gone.signal, caller: "key_bench" } };
    await expect(place({}, call)).rejects.toMatchObject(TOO_LATE);
    await bench.clock.advance(1_000);
    expect([bench.script.sent, await attempt()]).toEqual([[], undefined]);
    expect(await request()).toMatchObject({ state: "not_placed" });
  });
});

describe("an order in its turn is kept back", () => {
  test.each([
    ["a revoked key", "api_keys", { revoked_at: 1 }, "caller_revoked"],
    ["a paused connection", "connections", { paused_at: 1 }, "connection_paused"],
    ["stopped orders", "connections", { orders_stopped_at: 1 }, "orders_stopped"],
  ] as const)("by %s", async (_name, table, values, reason) => {
    const release = await hold();
    const refused = expect(bench.place()).rejects.toMatchObject({ code: "not_sent", details: { reason, client_order_id: "c1" } });
    await bench.clock.advance(100);
    await db().updateTable(table).set(values).execute();
    await release();
    await refused;
    expect(bench.script.sent).toHaveLength(1);
    expect(await request()).toMatchObject({ state: "not_placed", result: JSON.stringify({ reason }) });
  });

  test("by an equal order that became unknown meanwhile, which says so itself", async () => {
    const release = await hold();
    const refused = expect(bench.place()).rejects.toMatchObject({
      code: "possible_duplicate",
      details: { client_order_id: "equal", status: "unknown" },
      whatToDo: 'Call get_order_status with client_order_id "equal" until its outcome is known.',
    });
    await bench.clock.advance(100);
    await bench.rows.store({
      request: { account_id: "DU9", state: "unknown", arguments_hash: draftDigest(DRAFT), client_order_id: "equal" },
      attempt: { state: "unknown" },
    });
    await db().updateTable("order_requests").set({ account_id: DRAFT.accountId }).execute();
    await release();
    await refused;
    expect(bench.script.sent).toHaveLength(1);
    expect(await request()).toMatchObject({ state: "not_placed", result: '{"reason":"possible_duplicate"}' });
  });

  test("by a permission that is more than two seconds old by the first byte", async () => {
    const slow: Broker["submitOrder"] = async (_ticket, { leave }) => {
      await leave?.allow();
      await bench.clock.wait(2_050);
      try {
        leave?.check();
      } catch (error) {
        return { kind: "not_sent", error: error as Error };
      }
      throw new Error("it left");
    };
    await expect(place({}, through(slow))).rejects.toMatchObject({ code: "not_sent" });
    expect(await attempt()).toMatchObject({ state: "no", ended_by: "never_left" });
    expect(await request()).toMatchObject({ state: "not_placed" });
  });
});

describe("a sending whose end", () => {
  test("could not be stored is told as it is, and stored later", async () => {
    bench.script.answers.push(async () => {
      await bench.rows.setWorking(false);
      return ACCEPTED;
    });
    try {
      expect(await place()).toMatchObject({ kind: "placed", orderId: "7", isRepeat: false });
    } finally {
      await bench.rows.setWorking(true);
    }
    expect(await request()).toMatchObject({ state: "sending" });
    await bench.clock.advance(1_000);
    expect(await request()).toMatchObject({ state: "placed" });
  });

  test("was settled by somebody else meanwhile is what is stored", async () => {
    bench.script.answers.push(async () => {
      await db().updateTable("order_attempts").set({ state: "placed" }).execute();
      await db().updateTable("order_requests").set({ state: "placed", result: '{"order_id":"8"}' }).execute();
      return { kind: "unknown", error: new Error("cut") };
    });
    expect(await place()).toMatchObject({ kind: "placed", orderId: "8", isRepeat: true });
  });

  test("is unknown is looked for from then on", async () => {
    bench.script.answers.push({ kind: "unknown", error: new Error("cut") });
    await expect(place()).rejects.toMatchObject({ code: "outcome_unknown" });
    expect(bench.script.asked).toEqual([]);
    await bench.clock.advance(15_000);
    expect(bench.script.asked).toContain("look DU1234567 2");
  });

  test("is known goes to IBKR in its caller's name, and is not looked for", async () => {
    let name: string | undefined;
    bench.script.answers.push(ACCEPTED);
    await place(
      {},
      through(async (ticket, options) => {
        name = options.caller;
        return await bench.script.broker.submitOrder(ticket, options);
      }),
    );
    expect([name, bench.clock.pending]).toEqual(["key_bench", 0]);
  });

  test("is a refusal keeps IBKR's words", async () => {
    bench.script.answers.push({ kind: "rejected", reason: "Not enough buying power." });
    await expect(place()).rejects.toMatchObject({
      code: "broker_rejected",
      message: "IBKR rejected the order: Not enough buying power.",
      details: { client_order_id: "c1" },
    });
    expect(await request()).toMatchObject({ state: "refused", result: '{"reason":"Not enough buying power."}' });
  });

  test("is a response although nothing was permitted counts as not sent", async () => {
    const strange: Broker["submitOrder"] = () => Promise.resolve(ACCEPTED);
    await expect(place({}, through(strange))).rejects.toMatchObject({
      code: "not_sent",
      message: "The order was not sent: IBKR answered an order that was not sent",
    });
    expect(await request()).toMatchObject({ state: "not_placed" });
  });
});

describe("a permission whose commit", () => {
  test("is not heard of is ended as never used, and the order then leaves once, under the same cOID", async () => {
    let commits = 0;
    bench.setAfterCommit(() => {
      commits += 1;
      // The first is the arrival.
      if (commits === 2) throw new Error("connection lost");
    });
    bench.script.answers.push(ACCEPTED);
    const before = bench.clock.now();
    expect(await place()).toMatchObject({ kind: "placed", orderId: "7" });
    expect(bench.clock.now() - before).toBeGreaterThanOrEqual(1_000);
    expect(bench.cOIDs()).toEqual(["-1"]);
    const sends = await bench.rows.sends((await attempt())?.id ?? "");
    expect(sends.map((send) => send.ended_by)).toEqual(["never_left", "placed"]);
    expect(bench.lines).toContainEqual(expect.objectContaining({ msg: "could not store the permission of an order" }));
  });
});
