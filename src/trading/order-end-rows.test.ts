import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { type FakeClock, fakeClock } from "../../test/support/fake-clock.ts";
import { openOrderRows, type OrderRows, type RowChanges, type StoredRows } from "../../test/support/order-rows.ts";
import { recordingLog } from "../../test/support/silent-log.ts";
import { GatewayError } from "../lib/errors.ts";
import { Alarm, type ContradictingOrder } from "./alarm.ts";
import { AttemptAges } from "./attempt-ages.ts";
import { parseDraft } from "./order-draft.ts";
import { OrderEnds } from "./order-end-rows.ts";
import { type ExchangeEnd, MAX_ROUNDS } from "./order-ends.ts";
import type { Sending } from "./permit-sending.ts";

const cut = new Error("cut");
const ACCEPTED: ExchangeEnd = { kind: "accepted", orderId: "7", status: "Submitted" };
const CLEAR = { doubt: 0, broker_order_id: null, said: null, placed_broker_at: null };

let rows: OrderRows;
let clock: FakeClock;
let ends: OrderEnds;
let ages: AttemptAges;
let alarms: ContradictingOrder[];
let lines: Record<string, unknown>[];
let running: { readonly requests: Set<string>; readonly attempts: Set<string> };

beforeAll(async () => {
  rows = await openOrderRows();
});

afterAll(() => rows.stop());

beforeEach(async () => {
  await rows.clear();
  clock = fakeClock();
  const recording = recordingLog();
  const { log } = recording;
  ({ lines } = recording);
  alarms = [];
  running = { requests: new Set(), attempts: new Set() };
  ages = new AttemptAges(clock);
  const alarm = new Alarm({ storage: rows.storage, clock, log, onAlarm: (order) => alarms.push(order) });
  ends = new OrderEnds({ storage: rows.storage, clock, log, running, ages, alarm });
});

function sendingOf({ request, attempt }: StoredRows, change: Partial<Sending> = {}): Sending {
  const draft = parseDraft(request.ticket);
  const sendId = attempt.id.replace("att_", "snd_");
  const names = { attemptId: attempt.id, customerOrderId: attempt.customer_order_id, callerId: "key_gone" };
  return { ...names, sendId, request, draft, doubt: false, round: 0, ...change };
}

/** The stored end of an order that was being sent. */
async function ended(end: ExchangeEnd, change: Partial<Sending> = {}, stored: RowChanges = {}) {
  const order = await rows.store(stored);
  const written = await ends.write({ sending: sendingOf(order, change), end, brokerAt: 77 });
  const { request, attempt } = await rows.read(order.request.id);
  const result: unknown = request.result === null ? null : JSON.parse(request.result);
  return { order, written, request, attempt, result, sends: await rows.sends(attempt.id) };
}

describe("the stored end of a sending", () => {
  const refused = new GatewayError("rate_limited", "wait", { whatToDo: "" });
  test.each<readonly [string, ExchangeEnd, string, string, string, object, unknown]>([
    [
      "accepted",
      ACCEPTED,
      "placed",
      "placed",
      "placed",
      { broker_order_id: "7", placed_broker_at: 77 },
      { order_id: "7", status: "Submitted" },
    ],
    ["rejected", { kind: "rejected", reason: "closed" }, "refused", "no", "refused", {}, { reason: "closed" }],
    ["asked", { kind: "asked", messages: [] }, "asked", "no", "asked", {}, null],
    ["withdrawn", { kind: "withdrawn", error: cut }, "not_placed", "no", "asked", {}, { reason: "upstream_unavailable" }],
    ["not sent", { kind: "not_sent", error: refused }, "not_placed", "no", "never_left", {}, { reason: "rate_limited" }],
  ])("that was %s is definite", async (...row) => {
    const [, end, request, attempt, endedBy, change, result] = row;
    const after = await ended(end);
    expect(after).toMatchObject({
      written: "written",
      request: { state: request, updated_at: clock.now() },
      attempt: { ...CLEAR, state: attempt, ended_by: endedBy, ...change },
      sends: [{ ended_by: endedBy, ended_at: clock.now() }],
    });
    expect(after.result).toEqual(result);
    expect(alarms).toEqual([]);
  });

  test.each<readonly [object, object]>([
    [{}, {}],
    [{ said: "hm" }, { said: "hm" }],
    [{ orderId: "9" }, { broker_order_id: "9" }],
  ])("that is unknown leaves doubt, and keeps what IBKR said: %j", async (told, change) => {
    const after = await ended({ kind: "unknown", error: cut, ...told }, {}, { attempt: { ended_by: "refused" } });
    expect(after).toMatchObject({
      written: "written",
      request: { state: "unknown", result: null },
      attempt: { ...CLEAR, state: "unknown", doubt: 1, ended_by: null, ...change },
      sends: [{ ended_by: "unknown", ended_at: clock.now() }],
    });
  });

  test("that was refused after a sending without a definite end leaves doubt", async () => {
    const after = await ended({ kind: "rejected", reason: "closed" }, { doubt: true });
    expect(after).toMatchObject({ request: { state: "unknown" }, attempt: { state: "unknown", doubt: 1, ended_by: null } });
  });

  test("that was asked in its last round closes the request", async () => {
    const after = await ended({ kind: "asked", messages: [] }, { round: MAX_ROUNDS });
    expect([after.request.state, after.result]).toEqual(["declined", { reason: "too_many_questions" }]);
  });

  test("without IBKR's time has none", async () => {
    const order = await rows.store();
    await ends.write({ sending: sendingOf(order), end: ACCEPTED });
    expect((await rows.read(order.request.id)).attempt.placed_broker_at).toBeNull();
  });

  test("starts the age of a placed order, and of no other", async () => {
    const placed = await ended(ACCEPTED);
    const unknown = await ended({ kind: "unknown", error: cut });
    await clock.advance(500);
    expect([ages.sincePlaced(placed.attempt), ages.sincePlaced(unknown.attempt)]).toEqual([500, 0]);
  });
});

describe("the token of a question", () => {
  const tokenOf = (order: StoredRows) => ({
    token_hash: `hash ${order.request.id}`,
    request_id: order.request.id,
    user_id: order.request.user_id,
    caller_id: "key_gone",
    questions: "[]",
    round: 1,
    expires_at: 9,
    consumed_at: null,
    created_at: 1,
  });
  const stored = async () => (await rows.storage.db.selectFrom("order_confirmations").select("request_id").execute()).length;

  test.each<readonly [string, ExchangeEnd, Partial<Sending>, number]>([
    ["is stored where the order is asked about", { kind: "asked", messages: [] }, {}, 1],
    ["is not stored where the round was the last", { kind: "asked", messages: [] }, { round: MAX_ROUNDS }, 0],
    ["is not stored where an earlier sending is in doubt", { kind: "asked", messages: [] }, { doubt: true }, 0],
    ["is not stored where the order was placed", ACCEPTED, {}, 0],
  ])("%s", async (_name, end, change, count) => {
    const order = await rows.store();
    await ends.write({ sending: sendingOf(order, change), end, confirmation: tokenOf(order) });
    expect(await stored()).toBe(count);
  });
});

describe("an attempt that something else has settled", () => {
  test.each(["no", "unknown", "placed"])("as %s keeps that end against anything but an acceptance", async (state) => {
    for (const end of [
      { kind: "rejected", reason: "x" },
      { kind: "unknown", error: cut },
    ] as const) {
      const after = await ended(end, {}, { request: { state: "not_placed" }, attempt: { state, ended_by: "person" } });
      expect(after).toMatchObject({ written: "moved", request: { state: "not_placed" }, attempt: { state, ended_by: "person" } });
      expect(after.sends).toMatchObject([{ ended_by: end.kind === "rejected" ? "refused" : "unknown" }]);
    }
  });

  test.each(["unknown", "unresolved"])("as %s becomes placed by an acceptance, without an alarm", async (state) => {
    const after = await ended(ACCEPTED, {}, { request: { state }, attempt: { state: "unknown" } });
    expect(after).toMatchObject({ written: "written", request: { state: "placed" }, attempt: { state: "placed" } });
    expect(alarms).toEqual([]);
  });

  test("as placed raises no alarm by another acceptance", async () => {
    expect(await ended(ACCEPTED, {}, { request: { state: "placed" }, attempt: { state: "placed" } })).toMatchObject({ written: "moved" });
    expect(alarms).toEqual([]);
  });

  test.each(["refused", "declined", "asked", "not_placed"])("as %s stops orders when IBKR accepts it", async (state) => {
    const after = await ended(ACCEPTED, {}, { request: { state }, attempt: { state: "no" } });
    expect(after).toMatchObject({ written: "written", request: { state: "placed" }, attempt: { state: "placed" } });
    const { request, attempt } = after.order;
    const names = { userId: request.user_id, connectionId: request.connection_id, accountId: request.account_id };
    const because = `IBKR accepted an order that was known as ${state}.`;
    expect(alarms).toEqual([{ ...names, requestId: request.id, customerOrderId: attempt.customer_order_id, because }]);
    const stopped = await rows.storage.db.selectFrom("connections").select("orders_stopped_because").executeTakeFirst();
    expect(stopped?.orders_stopped_because).toBe(because);
  });

  test("as a no stops orders also where its request is open again", async () => {
    await ended(ACCEPTED, {}, { request: { state: "unknown" }, attempt: { state: "no" } });
    expect(alarms).toMatchObject([{ because: "IBKR accepted an order that was known as unknown." }]);
  });

  test.each(["refused", "declined", "asked", "not_placed"])("stops orders also where only its request is %s", async (state) => {
    await ended(ACCEPTED, {}, { request: { state } });
    expect(alarms).toMatchObject([{ because: `IBKR accepted an order that was known as ${state}.` }]);
  });

  test("leaves the request of a no as it is", async () => {
    const after = await ended({ kind: "rejected", reason: "x" }, {}, { request: { state: "unknown" } });
    expect(after).toMatchObject({ request: { state: "unknown" }, attempt: { state: "no" } });
  });
});

describe("a database that fails", () => {
  test("is tried each second until every end is stored, in order", async () => {
    const [first, second] = [await rows.store(), await rows.store({ request: { account_id: "DU2" } })];
    await rows.setWorking(false);
    expect(await ends.write({ sending: sendingOf(first), end: ACCEPTED })).toBe("kept");
    expect(await ends.write({ sending: sendingOf(second), end: { kind: "unknown", error: cut } })).toBe("kept");
    expect([ends.has(first.request.id), ends.has(second.request.id), ends.has("other")]).toEqual([true, true, false]);
    expect([running.requests, running.attempts]).toEqual([
      new Set([first.request.id, second.request.id]),
      new Set([first.attempt.id, second.attempt.id]),
    ]);
    expect(clock.pending).toBe(1);
    await clock.advance(1_000);
    expect(lines).toContainEqual(
      expect.objectContaining({ attempt: first.attempt.id, msg: "could not store how an order ended: trying again" }),
    );
    expect(lines).toContainEqual(expect.objectContaining({ attempt: first.attempt.id, msg: "still could not store how an order ended" }));
    expect((await rows.read(first.request.id)).request.state).toBe("sending");
    await rows.setWorking(true);
    await clock.advance(999);
    expect(ends.has(first.request.id)).toBe(true);
    await clock.advance(1);
    await clock.advance(0);
    expect([(await rows.read(first.request.id)).request.state, (await rows.read(second.request.id)).request.state]).toEqual([
      "placed",
      "unknown",
    ]);
    expect([ends.has(first.request.id), running.requests.size, running.attempts.size, clock.pending]).toEqual([false, 0, 0, 0]);
  });

  test("gets a new series of tries after it worked again", async () => {
    const order = await rows.store();
    const again = { sending: sendingOf(order), end: ACCEPTED };
    ends.keep(again);
    await ends.flush();
    expect(clock.pending).toBe(0);
    ends.keep(again);
    expect(clock.pending).toBe(1);
    await ends.close();
  });

  test("gets one more try at the end, and none where nothing is left", async () => {
    const order = await rows.store();
    await rows.setWorking(false);
    await ends.write({ sending: sendingOf(order), end: ACCEPTED });
    await ends.close();
    expect([clock.pending, ends.has(order.request.id)]).toEqual([0, true]);
    await rows.setWorking(true);
    await ends.close();
    expect((await rows.read(order.request.id)).request.state).toBe("placed");
    await ends.close();
  });

  test("is written once by flushes of the same moment", async () => {
    const order = await rows.store();
    ends.keep({ sending: sendingOf(order), end: ACCEPTED });
    await Promise.all([ends.flush(), ends.flush(), ends.flush()]);
    expect([await rows.sends(order.attempt.id), alarms]).toEqual([[{ ended_by: "placed", ended_at: clock.now() }], []]);
  });
});
