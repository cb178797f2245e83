import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { openOrderRows, type OrderRows } from "../../test/support/order-rows.ts";
import { DRAFT, type PipelineBench, startPipelineBench } from "../../test/support/pipeline-bench.ts";
import type { Broker } from "../broker/broker.ts";
import type { SubmitOutcome } from "../broker/order.ts";
import { Decimal } from "../lib/decimal.ts";
import { draftDigest } from "./order-draft.ts";
import type { PlaceOutcome } from "./trading.ts";

const ACCEPTED = { kind: "accepted", orderId: "7", status: "Submitted" } as const;
const QUESTION = { kind: "question", question: { replyId: "r1", messages: ["Really?"], messageIds: ["o163"] } } as const;
const TOO_LATE = {
  code: "not_sent",
  message: "The order was not sent: its turn did not come in time.",
  details: { reason: "timeout", client_order_id: "c1" },
};

let rows: OrderRows;
let bench: PipelineBench;

beforeAll(async () => {
  rows = await openOrderRows();
});
afterAll(() => rows.stop());
beforeEach(async () => {
  bench = await startPipelineBench(rows);
});
afterEach(() => bench.finish(bench.close()));

const place = async (change = {}, call = bench.call()) => await bench.finish(bench.place(change, call));
const db = () => rows.storage.db;
const request = async (id = "c1") =>
  await db().selectFrom("order_requests").selectAll().where("client_order_id", "=", id).executeTakeFirst();
const attempt = async () => await db().selectFrom("order_attempts").selectAll().executeTakeFirst();
const orderOf = (quantity: number) => ({ draft: { ...DRAFT, quantity: Decimal.fromInteger(quantity) }, clientOrderId: `q${quantity}` });
const cOIDs = () => bench.script.sent.flatMap((line) => (line.startsWith("order") ? [line.split(" ")[2]?.slice(-2)] : []));
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

describe("a question", () => {
  test("is shown with a token that is good once, for two minutes, and IBKR is told no", async () => {
    bench.script.answers.push(QUESTION);
    const asked = await place();
    expect(asked).toEqual({
      kind: "confirmation_required",
      clientOrderId: "c1",
      draft: DRAFT,
      messages: [{ id: "o163", text: "Really?" }],
      token: expect.stringMatching(/^[\w-]{32}$/),
      expiresAt: expect.any(Number),
      round: 1,
      maxRounds: 3,
    });
    expect(bench.script.sent[1]).toBe("no DU1234567 r1");
    expect(await request()).toMatchObject({ state: "asked" });
    expect(await attempt()).toMatchObject({ state: "no", ended_by: "asked", said: "Really?", doubt: 0 });
    const [row] = await db().selectFrom("order_confirmations").selectAll().execute();
    expect(row).toMatchObject({ caller_id: "key_bench", round: 1, consumed_at: null, user_id: bench.caller.userId });
    expect(row?.expires_at).toBe((row?.created_at ?? 0) + 120_000);
    expect(asked).toMatchObject({ expiresAt: row?.expires_at });
  });

  test("is stored before it is answered, all its messages, at most 2,000 characters", async () => {
    const long = "x".repeat(1_500);
    bench.script.answers.push({ kind: "question", question: { replyId: "r1", messages: [long, long], messageIds: ["o1", "o2"] } });
    let stored: string | null | undefined;
    const { broker } = bench.script;
    const call = {
      ...bench.call(),
      broker: {
        ...broker,
        declineQuestion: async (...args: Parameters<Broker["declineQuestion"]>) => {
          stored = (await attempt())?.said;
          return await broker.declineQuestion(...args);
        },
      },
    };
    await place({}, call);
    expect(stored).toBe(`${long} ${long}`.slice(0, 2_000));
  });

  test("that IBKR does not take back leaves the order unknown", async () => {
    bench.script.answers.push(QUESTION);
    bench.script.decline = { kind: "unknown", error: new Error("cut") };
    await expect(place()).rejects.toMatchObject({ code: "outcome_unknown", details: { client_order_id: "c1" } });
    expect(await request()).toMatchObject({ state: "unknown" });
    expect(bench.lines).toContainEqual(expect.objectContaining({ msg: "the outcome of an order is unknown", err: expect.anything() }));
  });

  test("is shown three times; after three confirmations a new one ends the order", async () => {
    const asks = (text: string) => ({ kind: "question", question: { replyId: text, messages: [text], messageIds: [text] } }) as const;
    bench.script.answers.push(asks("a"));
    let end = await place();
    const texts: string[][] = [];
    for (const next of ["b", "c", "d"]) {
      if (end.kind !== "confirmation_required") throw new Error(end.kind);
      texts.push(end.messages.map(({ text }) => text));
      const { token, round } = end;
      expect(round).toBe(texts.length);
      const confirming = { token, draft: undefined, accountId: undefined, clientOrderId: undefined };
      // IBKR asks what was confirmed again, and then something new.
      bench.script.answers.push(...["a", "b", "c", "d"].slice(0, texts.length + 1).map(asks));
      if (next === "d") {
        await expect(bench.finish(bench.trading.confirmOrder(confirming, bench.call()))).rejects.toMatchObject({
          code: "confirmation_limit",
          message: "IBKR asked again after 3 confirmations. Nothing was placed.",
        });
      } else end = await bench.finish(bench.trading.confirmOrder(confirming, bench.call()));
    }
    expect(texts).toEqual([["a"], ["b"], ["c"]]);
    expect(await request()).toMatchObject({ state: "declined", result: '{"reason":"too_many_questions"}' });
    expect(bench.script.sent.filter((line) => line.startsWith("yes"))).toHaveLength(6);
  });

  test("is not answered with yes by a caller who was revoked since the order left", async () => {
    bench.script.answers.push(QUESTION);
    const asked = await place();
    if (asked.kind !== "confirmation_required") throw new Error(asked.kind);
    bench.script.answers.push(async () => {
      await db().updateTable("api_keys").set({ revoked_at: 1 }).execute();
      return QUESTION;
    });
    const confirming = { token: asked.token, draft: undefined, accountId: undefined, clientOrderId: undefined };
    await expect(bench.finish(bench.trading.confirmOrder(confirming, bench.call()))).rejects.toMatchObject({
      code: "not_sent",
      details: { reason: "caller_revoked", client_order_id: "c1" },
    });
    expect(bench.script.sent.filter((line) => line.startsWith("yes"))).toEqual([]);
    expect(bench.script.sent.filter((line) => line.startsWith("no"))).toHaveLength(2);
    expect(await request()).toMatchObject({ state: "not_placed", result: '{"reason":"caller_revoked"}' });
  });

  test("is not answered with yes by a key that expired, nor by a permission that is two seconds old", async () => {
    const confirm = async (token: string, broker = bench.script.broker) => {
      const confirming = { token, draft: undefined, accountId: undefined, clientOrderId: undefined };
      return await bench.finish(bench.trading.confirmOrder(confirming, { ...bench.call(), broker }));
    };
    const asked = async (): Promise<string> => {
      bench.script.answers.push(QUESTION);
      const outcome = await place();
      if (outcome.kind !== "confirmation_required") throw new Error(outcome.kind);
      return outcome.token;
    };
    const expire = async (at: number | null) => await db().updateTable("api_keys").set({ expires_at: at }).execute();
    const token = await asked();
    bench.script.answers.push(async () => {
      await expire(bench.clock.now());
      return QUESTION;
    });
    await expect(confirm(token)).rejects.toMatchObject({ code: "not_sent", details: { reason: "caller_revoked" } });
    await expire(null);
    const slow: Broker = {
      ...bench.script.broker,
      confirmQuestion: async (_account, _reply, { leave }) => {
        await leave?.allow();
        await bench.clock.wait(2_050);
        try {
          leave?.check();
        } catch (error) {
          return { kind: "not_sent", error: error as Error };
        }
        throw new Error("it left");
      },
    };
    const second = await asked();
    bench.script.answers.push(QUESTION);
    await expect(confirm(second, slow)).rejects.toMatchObject({ code: "not_sent" });
    expect(bench.script.sent.filter((line) => line.startsWith("yes"))).toEqual([]);
    expect(await request()).toMatchObject({ state: "not_placed" });
  });

  test("that could not be stored says what IBKR asked, and that nothing was placed", async () => {
    bench.script.answers.push({ kind: "question", question: { replyId: "r1", messages: ["Really?", "Sure?"], messageIds: ["o163"] } });
    const { broker } = bench.script;
    const call = {
      ...bench.call(),
      broker: {
        ...broker,
        declineQuestion: async (...args: Parameters<Broker["declineQuestion"]>) => {
          await rows.setWorking(false);
          return await broker.declineQuestion(...args);
        },
      },
    };
    try {
      await expect(place({}, call)).rejects.toMatchObject({
        code: "storage_unavailable",
        message: "IBKR asked a question, which the gateway's database could not store: Really? Sure?",
        whatToDo: 'Nothing was placed. Send the order again later with client_order_id "c1" to be asked again.',
        retryAfterSeconds: 10,
        details: { client_order_id: "c1" },
      });
    } finally {
      await rows.setWorking(true);
    }
    await bench.clock.advance(1_000);
    expect(await request()).toMatchObject({ state: "asked" });
  });
});

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
    const other = await rows.store({ request: { owner_process: "prc_alive" }, attempt: { owner_process: "prc_alive" } });
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
    const other = await rows.store({ request: { owner_process: "prc_alive" }, attempt: { owner_process: "prc_alive" } });
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
    expect(await rows.read(other.request.id)).toMatchObject({ request: { state: "unknown" }, attempt: { state: "unknown" } });
  });

  test("that another process takes at the last moment is waited for again", async () => {
    const takes: Broker["submitOrder"] = async (ticket, options) => {
      if (bench.script.asked.length === 0) {
        bench.script.asked.push("taken");
        const { attempt: other } = await rows.store({ request: { owner_process: "prc_alive" }, attempt: { owner_process: "prc_alive" } });
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
    expect(cOIDs()).toEqual(["-1"]);
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
    await rows.store({
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
      await rows.setWorking(false);
      return ACCEPTED;
    });
    try {
      expect(await place()).toMatchObject({ kind: "placed", orderId: "7", isRepeat: false });
    } finally {
      await rows.setWorking(true);
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
    expect(cOIDs()).toEqual(["-1"]);
    const sends = await rows.sends((await attempt())?.id ?? "");
    expect(sends.map((send) => send.ended_by)).toEqual(["never_left", "placed"]);
    expect(bench.lines).toContainEqual(expect.objectContaining({ msg: "could not store the permission of an order" }));
  });
});
