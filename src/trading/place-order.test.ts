import { describe, expect, test } from "vitest";

import { DRAFT, OWN_PROCESS, pipelineBench } from "../../test/support/pipeline-bench.ts";
import { listedOrder } from "../../test/support/listed-orders.ts";
import { ACCEPTED, QUESTION } from "../../test/support/scripted-broker.ts";
import type { SubmitOutcome } from "../broker/order.ts";
import { Decimal } from "../lib/decimal.ts";
import { draftDigest } from "./order-draft.ts";

const UNKNOWN: SubmitOutcome = { kind: "unknown", error: new Error("cut") };
const ELEVEN = { draft: { ...DRAFT, quantity: Decimal.fromInteger(11) } };
const HOUR = 3_600_000;

const bench = pipelineBench();

const place = async (change = {}, call = bench.call()) => await bench.finish(bench.place(change, call));
const prove = async (at: number | null) =>
  await bench.rows.storage.db.updateTable("connections").set({ duplicate_refusals_proven_at: at }).execute();

describe("an order", () => {
  test("is sent once and stored with who allowed it, by what, and how it ended", async () => {
    bench.script.answers.push(ACCEPTED);
    bench.script.time = 77;
    expect(await place({ reason: "rebalancing" })).toEqual({
      kind: "placed",
      orderId: "7",
      status: "Submitted",
      isRepeat: false,
      placedAt: undefined,
      clientOrderId: "c1",
      draft: DRAFT,
    });
    expect(bench.script.sent).toEqual([expect.stringMatching(/^order DU1234567 gw[0-9a-f]{20}-1 BUY 10$/)]);
    expect(bench.lines).toEqual([]);
    const { userId: user_id, connectionId: connection_id } = bench.caller;
    const [request] = await bench.requests();
    expect(request).toMatchObject({
      id: expect.stringMatching(/^ord_[0-9a-f]+$/),
      user_id,
      connection_id,
      account_id: "DU1234567",
      caller_id: "key_bench",
      name_space: "key_bench",
      client_order_id: "c1",
      is_named: 1,
      reason: "rebalancing",
      state: "placed",
      result: '{"order_id":"7","status":"Submitted"}',
      owner_process: OWN_PROCESS,
    });
    expect(JSON.parse(request?.ticket ?? "")).toMatchObject({ symbol: "AAPL", quantity: "10", limit_price: "230" });
    const [attempt] = await bench.attempts();
    expect(attempt).toMatchObject({
      id: expect.stringMatching(/^att_[0-9a-f]+$/),
      request_id: request?.id,
      user_id,
      connection_id,
      account_id: "DU1234567",
      customer_order_id: bench.script.sent[0]?.split(" ")[2],
      generation: 1,
      round: 0,
      state: "placed",
      doubt: 0,
      ended_by: "placed",
      broker_order_id: "7",
      owner_process: OWN_PROCESS,
      first_sent_broker_at: 77,
      sent_broker_at: 77,
      placed_broker_at: 77,
      looks: 0,
      said: null,
    });
    expect(attempt?.sent_at).toBe(attempt?.first_sent_at);
    const sends = await bench.rows.storage.db.selectFrom("order_sends").selectAll().execute();
    expect(sends).toEqual([
      {
        id: expect.stringMatching(/^snd_[0-9a-f]+$/),
        attempt_id: attempt?.id,
        user_id,
        connection_id,
        caller_id: "key_bench",
        source: "apikey",
        permission: '{"scope":"write","accounts":"all","mode":"simulated","live_trading_enabled_at":null}',
        process_id: OWN_PROCESS,
        sent_at: attempt?.sent_at,
        broker_at: 77,
        ended_at: expect.any(Number),
        ended_by: "placed",
      },
    ]);
  });

  test("without an id gets one, and no reason and no time of IBKR's where there is none", async () => {
    bench.script.answers.push(ACCEPTED);
    expect(await place({ clientOrderId: undefined })).toMatchObject({ clientOrderId: expect.stringMatching(/^auto-[0-9a-f]{16}$/) });
    expect(await bench.requests()).toMatchObject([{ is_named: 0, reason: null }]);
    expect(await bench.attempts()).toMatchObject([{ sent_broker_at: null, first_sent_broker_at: null, placed_broker_at: null }]);
  });

  test("of an impossible shape is refused before anything is asked or stored", async () => {
    const draft = { ...DRAFT, quantity: Decimal.fromInteger(0) };
    await expect(place({ draft })).rejects.toMatchObject({ code: "invalid_arguments" });
    expect(await bench.requests()).toEqual([]);
  });

  test("that IBKR's rules exclude is refused before it is stored", async () => {
    const { broker } = bench.script;
    const rules = await broker.tradingRules(1, bench.call().call);
    const strict = { ...broker, tradingRules: () => Promise.resolve({ ...rules, orderTypes: ["MKT"] as const }) };
    await expect(place({}, { ...bench.call(), broker: strict })).rejects.toMatchObject({
      code: "invalid_arguments",
      message: "IBKR takes no LMT orders for AAPL.",
    });
    expect(await bench.requests()).toEqual([]);
  });

  test("on a connection that is switched off is refused before IBKR is asked", async () => {
    await bench.rows.storage.db.updateTable("connections").set({ paused_at: 1 }).execute();
    const deaf = { ...bench.script.broker, tradingRules: () => Promise.reject(new Error("asked")) };
    await expect(place({}, { ...bench.call(), broker: deaf })).rejects.toMatchObject({ code: "connection_paused" });
    expect(await bench.requests()).toEqual([]);
  });
});

describe("a repeat", () => {
  test("of a placed order is the order, with its state now, and sends nothing", async () => {
    bench.script.answers.push(ACCEPTED);
    await place();
    bench.script.orders.set("7", listedOrder({ status: "Filled" }));
    const [row] = await bench.requests();
    const before = bench.clock.now();
    expect(await place()).toEqual({
      kind: "placed",
      orderId: "7",
      status: "Filled",
      isRepeat: true,
      placedAt: row?.updated_at,
      clientOrderId: "c1",
      draft: DRAFT,
    });
    expect([bench.script.sent.length, bench.clock.now()]).toEqual([1, before]);
  });

  test("of a placed order needs no permission", async () => {
    bench.script.answers.push(ACCEPTED);
    await place();
    await bench.rows.storage.db.updateTable("connections").set({ paused_at: 1 }).execute();
    expect(await place()).toMatchObject({ kind: "placed", isRepeat: true });
  });

  test("of an order that a dead process received sends it without a wait", async () => {
    await bench.rows.store({
      request: { state: "received", client_order_id: "c1", name_space: "key_bench", arguments_hash: draftDigest(DRAFT) },
      attempt: { state: "no", ended_by: "never_left" },
    });
    bench.script.answers.push(ACCEPTED);
    const before = bench.clock.now();
    expect(await place()).toMatchObject({ kind: "placed", isRepeat: false });
    expect(bench.clock.now() - before).toBeLessThan(200);
  });

  test("of one that was not sent, made twice at once, sends it once", async () => {
    await bench.rows.store({
      request: { state: "not_placed", client_order_id: "c1", name_space: "key_bench", arguments_hash: draftDigest(DRAFT) },
      attempt: { state: "no", ended_by: "never_left" },
    });
    bench.script.answers.push(ACCEPTED);
    const both = await bench.finish(Promise.all([bench.place(), bench.place()]));
    expect(both.map((end) => end.kind === "placed" && end.isRepeat)).toEqual([false, true]);
    expect([bench.script.sent.length, bench.lines]).toEqual([1, []]);
  });

  test.each([
    ["unknown", "outcome_unknown"],
    ["unresolved", "outcome_unresolved"],
  ])("of one that is %s looks for it, and says so also where its caller was revoked", async (state, code) => {
    await prove(1);
    bench.script.time = 1_000;
    await bench.rows.store({
      request: { state, client_order_id: "c1", name_space: "key_bench", arguments_hash: draftDigest(DRAFT) },
      attempt: { state: "unknown", doubt: 1, first_sent_broker_at: 1_000 },
    });
    await bench.rows.storage.db.updateTable("api_keys").set({ revoked_at: 1 }).execute();
    await expect(place()).rejects.toMatchObject({ code, details: { account_id: "DU1234567", client_order_id: "c1" } });
    expect([bench.script.asked, bench.script.sent]).toEqual([["look DU1234567 2"], []]);
    expect(await bench.requests()).toMatchObject([{ state }]);
  });

  test("with other arguments is refused", async () => {
    bench.script.answers.push(ACCEPTED);
    await place();
    await expect(place(ELEVEN)).rejects.toMatchObject({ code: "idempotency_mismatch", details: { client_order_id: "c1" } });
  });

  test("that arrives with the first is its outcome", async () => {
    bench.script.answers.push(ACCEPTED);
    const both = await bench.finish(Promise.all([bench.place(), bench.place(), bench.place()]));
    expect(both.map((end) => end.kind === "placed" && end.isRepeat)).toEqual([false, true, true]);
    expect(bench.script.sent).toHaveLength(1);
  });

  test("of an order that is being sent waits ten seconds, then is pending", async () => {
    const held = Promise.withResolvers<SubmitOutcome>();
    bench.script.answers.push(() => held.promise);
    const first = bench.place();
    await bench.clock.advance(100);
    const before = bench.clock.now();
    expect(await place()).toEqual({ kind: "pending", clientOrderId: "c1", draft: DRAFT });
    expect(bench.clock.now() - before).toBeGreaterThanOrEqual(9_800);
    expect(bench.clock.now() - before).toBeLessThanOrEqual(10_200);
    held.resolve(ACCEPTED);
    await bench.finish(first);
    expect(bench.script.sent).toHaveLength(1);
  });

  test("whose caller hangs up while it waits ends with that, and the order goes on", async () => {
    const held = Promise.withResolvers<SubmitOutcome>();
    bench.script.answers.push(() => held.promise);
    const first = bench.place();
    await bench.clock.advance(100);
    const gone = new AbortController();
    const repeat = bench.place({}, bench.call({ signal: gone.signal }));
    await bench.clock.advance(300);
    gone.abort(new Error("hung up"));
    await expect(repeat).rejects.toThrow("hung up");
    held.resolve(ACCEPTED);
    expect(await bench.finish(first)).toMatchObject({ kind: "placed" });
  });

  test("of a refused order is refused in the same words", async () => {
    bench.script.answers.push({ kind: "rejected", reason: "No." });
    const words = { code: "broker_rejected", message: "IBKR rejected the order: No." };
    await expect(place()).rejects.toMatchObject(words);
    await expect(place()).rejects.toMatchObject(words);
    expect(bench.script.sent).toHaveLength(1);
    expect(await bench.attempts()).toMatchObject([{ state: "no", ended_by: "refused", doubt: 0, broker_order_id: null }]);
  });

  test("of one that was not sent sends it, under the same cOID", async () => {
    const { broker } = bench.script;
    const unreachable = { ...broker, submitOrder: () => Promise.resolve({ kind: "not_sent", error: new Error("refused") } as const) };
    await expect(place({}, { ...bench.call(), broker: unreachable })).rejects.toMatchObject({
      code: "not_sent",
      message: "The order was not sent: refused",
      details: { reason: "upstream_unavailable", client_order_id: "c1" },
    });
    expect(await bench.requests()).toMatchObject([{ state: "not_placed", result: '{"reason":"upstream_unavailable"}' }]);
    expect(await bench.attempts()).toEqual([]);
    bench.script.answers.push(ACCEPTED);
    expect(await place()).toMatchObject({ kind: "placed", isRepeat: false });
    expect(bench.cOIDs()).toEqual(["-1"]);
  });

  test("of one whose permission was given in vain sends it under the same cOID", async () => {
    const { broker } = bench.script;
    const cut: typeof broker.submitOrder = async (_ticket, { leave }) => {
      await leave?.allow();
      return { kind: "not_sent", error: new Error("cut before the first byte") };
    };
    await expect(place({}, { ...bench.call(), broker: { ...broker, submitOrder: cut } })).rejects.toMatchObject({ code: "not_sent" });
    expect(await bench.attempts()).toMatchObject([{ state: "no", ended_by: "never_left", generation: 1 }]);
    bench.script.answers.push(ACCEPTED);
    await bench.clock.advance(1_000);
    expect(await place()).toMatchObject({ kind: "placed" });
    expect(bench.cOIDs()).toEqual(["-1"]);
    const [attempt] = await bench.attempts();
    expect(attempt).toMatchObject({ state: "placed", ended_by: "placed" });
    expect(attempt?.sent_at).toBeGreaterThan(attempt?.first_sent_at ?? 0);
    expect(await bench.rows.sends(attempt?.id ?? "")).toMatchObject([{ ended_by: "never_left" }, { ended_by: "placed" }]);
  });

  test("of one that was asked about sends it under the next cOID", async () => {
    bench.script.answers.push(QUESTION, ACCEPTED);
    expect(await place()).toMatchObject({ kind: "confirmation_required" });
    expect(await place()).toMatchObject({ kind: "placed" });
    expect(bench.cOIDs()).toEqual(["-1", "-2"]);
  });

  test("of one of unknown outcome looks and sends nothing", async () => {
    bench.script.answers.push({ ...UNKNOWN, said: "Hm.", orderId: "99" });
    const unknown = {
      code: "outcome_unknown",
      message: "IBKR gave no definite answer: the order may or may not have been placed. IBKR says: Hm.",
      details: { account_id: "DU1234567", client_order_id: "c1", order_id: "99" },
    };
    await expect(place()).rejects.toMatchObject(unknown);
    expect(bench.script.asked).toEqual([]);
    await expect(place()).rejects.toMatchObject(unknown);
    expect(bench.script.asked).toContain("look DU1234567 2");
    expect(bench.cOIDs()).toEqual(["-1"]);
    expect(await bench.attempts()).toMatchObject([{ state: "unknown", doubt: 1, ended_by: null, broker_order_id: "99", said: "Hm." }]);
  });

  test("of one of unknown outcome is what a look finds", async () => {
    bench.script.answers.push(UNKNOWN);
    await expect(place()).rejects.toMatchObject({ code: "outcome_unknown" });
    const [attempt] = await bench.attempts();
    bench.script.sightings = { orders: [listedOrder({ customerOrderId: attempt?.customer_order_id })] };
    expect(await place()).toMatchObject({ kind: "placed", orderId: "7", isRepeat: true });
  });

  describe("of one of unknown outcome where IBKR is proven to refuse a cOID twice", () => {
    /** Another process sent it at this time of IBKR's. */
    const SENT_AT = 1_000_000;
    const sentByAnother = async (first_sent_broker_at: number | null) =>
      await bench.rows.store({
        request: { state: "unknown", client_order_id: "c1", name_space: "key_bench", arguments_hash: draftDigest(DRAFT) },
        attempt: { state: "unknown", doubt: 1, first_sent_broker_at, sent_broker_at: first_sent_broker_at },
      });

    test.each(["unknown", "unresolved"])("is sent again under its cOID where it is %s", async (state) => {
      await prove(1);
      const { attempt } = await sentByAnother(SENT_AT);
      await bench.rows.storage.db.updateTable("order_requests").set({ state }).execute();
      bench.script.time = SENT_AT + 20 * HOUR - 1;
      bench.script.answers.push(ACCEPTED);
      expect(await place()).toMatchObject({ kind: "placed", orderId: "7", isRepeat: false });
      expect(bench.script.sent).toEqual([`order DU1234567 ${attempt.customer_order_id} BUY 10`]);
      expect(await bench.attempts()).toMatchObject([{ state: "placed", doubt: 0, generation: 1, owner_process: OWN_PROCESS }]);
    });

    test.each([
      [1, SENT_AT, SENT_AT + 20 * HOUR],
      [1, null, SENT_AT],
      [1, SENT_AT, undefined],
      [null, SENT_AT, SENT_AT],
    ])("is not sent where that was proven at %s, it was first sent at %s, and IBKR's time is %s", async (proven, sentAt, now) => {
      await prove(proven);
      await sentByAnother(sentAt);
      bench.script.time = now;
      await expect(place()).rejects.toMatchObject({ code: expect.stringMatching(/^outcome_un/) });
      expect(bench.script.sent).toEqual([]);
    });

    test("is sent by this process too", async () => {
      bench.script.answers.push(UNKNOWN, ACCEPTED);
      await prove(1);
      await expect(place()).rejects.toMatchObject({ code: "outcome_unknown" });
      expect(await place()).toMatchObject({ kind: "placed" });
      expect(bench.cOIDs()).toEqual(["-1", "-1"]);
    });
  });

  test("of one of unknown outcome that IBKR refuses stays unknown: the no is about the second", async () => {
    bench.script.answers.push(UNKNOWN, { kind: "rejected", reason: "No." });
    await prove(1);
    await expect(place()).rejects.toMatchObject({ code: "outcome_unknown" });
    await expect(place()).rejects.toMatchObject({
      code: "outcome_unknown",
      details: { account_id: "DU1234567", client_order_id: "c1" },
    });
    expect(await bench.attempts()).toMatchObject([{ state: "unknown", doubt: 1 }]);
    expect((await bench.rows.sends((await bench.attempts())[0]?.id ?? "")).map((send) => send.ended_by)).toEqual(["unknown", "refused"]);
  });
});
