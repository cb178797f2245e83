import { describe, expect, test } from "vitest";

import { DRAFT, pipelineBench } from "../../test/support/pipeline-bench.ts";
import { QUESTION } from "../../test/support/scripted-broker.ts";
import type { Broker } from "../broker/broker.ts";

const bench = pipelineBench();

const place = async (change = {}, call = bench.call()) => await bench.finish(bench.place(change, call));
const db = () => bench.rows.storage.db;
const request = async () => (await bench.requests())[0];
const attempt = async () => (await bench.attempts())[0];

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
          await bench.rows.setWorking(false);
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
      await bench.rows.setWorking(true);
    }
    await bench.clock.advance(1_000);
    expect(await request()).toMatchObject({ state: "asked" });
  });
});
