import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { type FakeClock, fakeClock } from "../../test/support/fake-clock.ts";
import { FREED_REPORT } from "../../test/support/freed-report.ts";
import { keyOf, letIn } from "../../test/support/let-in.ts";
import { openOrderRows, type OrderRows, type RowChanges, type StoredRows } from "../../test/support/order-rows.ts";
import { scriptedBroker } from "../../test/support/scripted-broker.ts";
import { recordingLog } from "../../test/support/silent-log.ts";
import { singleProcess } from "../../test/support/single-process.ts";
import type { Caller } from "../connections/caller.ts";
import { systemRandom as random } from "../lib/random.ts";
import type { OrderConfirmationRow } from "../storage/order-confirmations.ts";
import { Alarm } from "./alarm.ts";
import { AttemptAges } from "./attempt-ages.ts";
import { parseDraft } from "./order-draft.ts";
import { OrderEnds } from "./order-end-rows.ts";
import type { RequestState } from "./order-states.ts";
import { type PermitDeps, permitSending, planSending, RequestMoved, type SendingPlan, TurnTaken, type Wish } from "./permit-sending.ts";

const HOUR = 3_600_000;
const OWN = "prc_own";
/** IBKR's time at an earlier sending. */
const SENT_AT = 1_000_000;
const NEVER_LEFT = { state: "no", ended_by: "never_left" };
const ASKED = { state: "no", ended_by: "asked" };

let rows: OrderRows;
let clock: FakeClock;
let caller: Caller;
let deps: PermitDeps;
let lines: Record<string, unknown>[];
let brokerTime: number | undefined;

beforeAll(async () => {
  rows = await openOrderRows();
});
afterAll(() => rows.stop());
beforeEach(async () => {
  await rows.clear();
  await rows.storage.db
    .updateTable("connections")
    .set({ duplicate_refusals_proven_at: null, doctor_report: null, paused_at: null })
    .execute();
  clock = fakeClock();
  brokerTime = undefined;
  const recording = recordingLog();
  const { log } = recording;
  ({ lines } = recording);
  const { storage } = rows;
  caller = keyOf(rows.owner, "key_permit");
  await letIn(storage, caller, 1);
  const running = { requests: new Set<string>(), attempts: new Set<string>() };
  const ages = new AttemptAges(clock);
  const alarm = new Alarm({ storage, clock, log });
  const ends = new OrderEnds({ storage, clock, log, running, ages, alarm });
  deps = { storage, processes: singleProcess(OWN), clock, random, log, running, ages, ends };
});

const prove = async (values: { duplicate_refusals_proven_at?: number | null; doctor_report?: string | null }) =>
  await rows.storage.db.updateTable("connections").set(values).execute();
const db = () => rows.storage.db;

/** An order that was not sent, with an earlier attempt. */
async function store({ request = {}, attempt = {} }: RowChanges = {}): Promise<StoredRows> {
  return await rows.store({ request: { state: "not_placed", ...request }, attempt: { ...NEVER_LEFT, doubt: 0, ...attempt } });
}
/** One that only arrived. */
async function storeReceived(request: RowChanges["request"] = {}): Promise<StoredRows> {
  const stored = await store({ request: { state: "received", ...request } });
  await db().deleteFrom("order_sends").where("attempt_id", "=", stored.attempt.id).execute();
  await db().deleteFrom("order_attempts").where("id", "=", stored.attempt.id).execute();
  return stored;
}
const wishOf = ({ request }: StoredRows, change: Partial<Wish> = {}): Wish => ({
  request,
  draft: parseDraft(request.ticket),
  from: [request.state as RequestState],
  ...change,
});
const call = () => {
  const script = scriptedBroker();
  script.time = brokerTime;
  return { caller, broker: script.broker, call: { signal: new AbortController().signal, caller: caller.id } };
};
const permit = async (wish: Wish, plan?: SendingPlan) =>
  await permitSending(deps, { wish, plan: plan ?? (await planSending(deps, wish)), call: call() });
const attempts = async (requestId: string) =>
  await db().selectFrom("order_attempts").selectAll().where("request_id", "=", requestId).orderBy("generation").execute();

describe("the cOID of a sending", () => {
  test("is the first of its generation for an order that only arrived, without a look at its rows", async () => {
    const stored = await storeReceived();
    await db().deleteFrom("order_requests").where("id", "=", stored.request.id).execute();
    expect(await planSending(deps, wishOf(stored))).toEqual({
      attemptId: expect.stringMatching(/^att_/),
      generation: 1,
      customerOrderId: `gw${stored.request.id.slice(4)}-1`,
      known: undefined,
    });
  });

  test("is kept, in whatever form, where nothing has left", async () => {
    const stored = await store({ attempt: { customer_order_id: "of an earlier version" } });
    expect(await planSending(deps, wishOf(stored))).toEqual({
      attemptId: stored.attempt.id,
      generation: 1,
      customerOrderId: "of an earlier version",
      known: stored.attempt,
    });
  });

  test.each([
    [{ duplicate_refusals_proven_at: null }, 2],
    [{ duplicate_refusals_proven_at: 1 }, 2],
    [{ doctor_report: FREED_REPORT }, 2],
    [{ duplicate_refusals_proven_at: 1, doctor_report: FREED_REPORT }, 1],
  ])("after a question is kept where it is proven free: %j", async (proven, generation) => {
    await prove(proven);
    const stored = await store({ request: { state: "asked" }, attempt: ASKED });
    const plan = await planSending(deps, wishOf(stored));
    expect([plan.generation, plan.known?.id]).toEqual([generation, generation === 1 ? stored.attempt.id : undefined]);
    expect(plan.attemptId === stored.attempt.id).toBe(generation === 1);
    expect((await permit(wishOf(stored), plan)).value.customerOrderId).toBe(plan.customerOrderId);
  });

  test("is not chosen where the request is elsewhere, or gone", async () => {
    const stored = await store();
    await expect(planSending(deps, wishOf(stored, { from: ["asked"] }))).rejects.toThrow(RequestMoved);
    await expect(planSending(deps, wishOf({ ...stored, request: { ...stored.request, id: "ord_gone" } }))).rejects.toThrow(RequestMoved);
  });
});

describe("a permission", () => {
  test("of a first sending writes attempt, request and sending, and starts the order's age", async () => {
    const stored = await storeReceived();
    brokerTime = SENT_AT;
    const wish = wishOf(stored);
    const { value, at } = await permit(wish);
    expect(at).toBe(clock.monotonic());
    const [attempt, ...others] = await attempts(stored.request.id);
    expect(others).toEqual([]);
    expect(value).toEqual({
      sendId: expect.stringMatching(/^snd_/),
      request: { ...stored.request, state: "received" },
      draft: wish.draft,
      attemptId: attempt?.id,
      customerOrderId: `gw${stored.request.id.slice(4)}-1`,
      doubt: false,
      round: 0,
      callerId: "key_permit",
    });
    expect(attempt).toMatchObject({ state: "sending", doubt: 0, generation: 1, owner_process: OWN, sent_broker_at: SENT_AT, round: 0 });
    expect((await rows.read(stored.request.id)).request).toMatchObject({ state: "sending", owner_process: OWN });
    expect([...deps.running.attempts]).toEqual([attempt?.id]);
    await clock.advance(7);
    expect(attempt === undefined ? undefined : deps.ages.atMostSinceFirst(attempt)).toBe(7);
  });

  test("of a later sending of a cOID takes the row again, and its age goes on", async () => {
    const stored = await store({ attempt: { said: "the owner's words", ended_by: "person", first_sent_broker_at: null } });
    const { value } = await permit(wishOf(stored));
    expect(value).toMatchObject({ doubt: false, attemptId: stored.attempt.id });
    const [attempt] = await attempts(stored.request.id);
    expect(attempt).toMatchObject({ state: "sending", said: null, ended_by: null, first_sent_at: stored.attempt.first_sent_at });
    expect(attempt?.sent_at).toBe(clock.now());
    expect(deps.ages.atMostSinceFirst(stored.attempt)).toBeUndefined();
    expect(deps.ages.atLeast(stored.attempt)).toBe(0);
  });

  test.each([
    [1, true],
    [0, false],
  ])("of a cOID that may be at IBKR keeps its doubt (%i) and IBKR's words", async (doubt, isDoubtful) => {
    await prove({ duplicate_refusals_proven_at: 1 });
    brokerTime = SENT_AT;
    deps.ages.heard(rows.owner.connectionId, SENT_AT);
    const stored = await store({
      request: { state: "unknown" },
      attempt: { state: "unknown", doubt, said: "Hm.", first_sent_broker_at: SENT_AT },
    });
    expect((await permit(wishOf(stored))).value.doubt).toBe(isDoubtful);
    expect(await attempts(stored.request.id)).toMatchObject([{ state: "sending", said: "Hm." }]);
  });

  test("of a new cOID has no doubt of the last one's", async () => {
    const stored = await store({ request: { state: "asked" }, attempt: { ...ASKED, doubt: 1 } });
    expect((await permit(wishOf(stored))).value).toMatchObject({ doubt: false, customerOrderId: expect.stringMatching(/-2$/) });
  });

  test("waits while an order of the account is on its way, from any process, and for no other account's", async () => {
    const stored = await storeReceived();
    await rows.store({ request: { account_id: "DU9" }, attempt: { account_id: "DU9" } });
    const plan = await planSending(deps, wishOf(stored));
    const other = await rows.store();
    await expect(permit(wishOf(stored), plan)).rejects.toThrow(TurnTaken);
    expect([deps.running.attempts.size, lines]).toEqual([0, []]);
    await db().updateTable("order_attempts").set({ state: "placed" }).where("id", "=", other.attempt.id).execute();
    expect((await permit(wishOf(stored), plan)).value.attemptId).toBe(plan.attemptId);
  });

  test("is refused with its caller or connection", async () => {
    const stored = await storeReceived();
    await db().updateTable("connections").set({ paused_at: 1 }).execute();
    await expect(permit(wishOf(stored))).rejects.toMatchObject({ code: "connection_paused" });
    expect([await attempts(stored.request.id), deps.running.attempts.size, lines]).toEqual([[], 0, []]);
  });
});

describe("a permission is refused where the request has moved", () => {
  test("to another state, or is gone", async () => {
    const stored = await storeReceived();
    const plan = await planSending(deps, wishOf(stored));
    await db().updateTable("order_requests").set({ state: "not_placed" }).execute();
    await expect(permit(wishOf(stored), plan)).rejects.toThrow(RequestMoved);
    await db().deleteFrom("order_requests").execute();
    await expect(permit(wishOf(stored), plan)).rejects.toThrow(RequestMoved);
    expect([deps.running.attempts.size, lines]).toEqual([0, []]);
  });

  test("since another call has sent it under the same generation", async () => {
    const stored = await store();
    const plan = await planSending(deps, wishOf(stored));
    await expect(permit(wishOf(stored), { ...plan, known: undefined, attemptId: "att_new" })).rejects.toThrow(RequestMoved);
    const known = { ...stored.attempt, id: "att_other" };
    await expect(permit(wishOf(stored), { ...plan, known })).rejects.toThrow(RequestMoved);
    expect(await attempts(stored.request.id)).toMatchObject([NEVER_LEFT]);
  });

  test("since it was refused: the next cOID is another", async () => {
    const stored = await store();
    const plan = await planSending(deps, wishOf(stored));
    await db().updateTable("order_attempts").set({ ended_by: "refused" }).execute();
    await expect(permit(wishOf(stored), plan)).rejects.toThrow(RequestMoved);
  });

  test("since the attempt that was known is of another generation", async () => {
    const stored = await store({ request: { state: "asked" }, attempt: ASKED });
    const plan = await planSending(deps, wishOf(stored));
    await expect(permit(wishOf(stored), { ...plan, known: stored.attempt })).rejects.toThrow(RequestMoved);
  });

  test.each([
    [true, false],
    [false, true],
  ])("since the proof that a question frees its cOID changed: %s, then %s", async (before, now) => {
    const proof = (isProven: boolean) => ({ duplicate_refusals_proven_at: isProven ? 1 : null, doctor_report: FREED_REPORT });
    await prove(proof(before));
    const stored = await store({ request: { state: "asked" }, attempt: ASKED });
    const plan = await planSending(deps, wishOf(stored));
    await prove(proof(now));
    await expect(permit(wishOf(stored), plan)).rejects.toThrow(RequestMoved);
  });
});

describe("a cOID of unknown outcome", () => {
  const unknown = async (first_sent_broker_at: number | null) =>
    await store({ request: { state: "unknown", client_order_id: "c1" }, attempt: { state: "unknown", doubt: 1, first_sent_broker_at } });

  test.each([
    [1, SENT_AT, 20 * HOUR - 1, true],
    [1, SENT_AT, 20 * HOUR, false],
    [1, null, 0, false],
    [null, SENT_AT, 0, false],
    [null, null, 0, false],
  ])("proven refused at %s, first sent at %s, and %i ms old: may leave again is %s", async (provenAt, sentAt, age, isAllowed) => {
    await prove({ duplicate_refusals_proven_at: provenAt });
    deps.ages.heard(rows.owner.connectionId, SENT_AT + age);
    const stored = await unknown(sentAt);
    const work = permit(wishOf(stored));
    if (isAllowed) expect((await work).value.attemptId).toBe(stored.attempt.id);
    else {
      await expect(work).rejects.toMatchObject({
        code: "outcome_unknown",
        details: { account_id: stored.request.account_id, client_order_id: "c1" },
      });
      expect(await attempts(stored.request.id)).toMatchObject([{ state: "unknown" }]);
    }
  });
});

describe("an equal order", () => {
  test.each([
    ["unknown", 1, true],
    ["unknown", 0, true],
    ["placed", 1, false],
    ["placed", 0, true],
    ["received", 0, false],
  ])("that is %s keeps back one that is named (%i): %s", async (state, is_named, isKeptBack) => {
    const same = { arguments_hash: "same" };
    await rows.store({
      request: { ...same, state, client_order_id: "equal" },
      attempt: { state: state === "placed" ? "placed" : "unknown" },
    });
    const stored = await storeReceived({ ...same, is_named });
    const work = permit(wishOf(stored));
    if (!isKeptBack) expect((await work).value.request.id).toBe(stored.request.id);
    else
      await expect(work).rejects.toMatchObject({
        code: "possible_duplicate",
        details: { client_order_id: "equal", status: state },
        whatToDo: 'Call get_order_status with client_order_id "equal" until its outcome is known.',
      });
  });
});

describe("a token", () => {
  const tokenOf = async ({ request }: StoredRows, change: Partial<OrderConfirmationRow> = {}): Promise<OrderConfirmationRow> => {
    const row = {
      token_hash: "hash",
      request_id: request.id,
      user_id: request.user_id,
      caller_id: caller.id,
      questions: "[]",
      round: 2,
      expires_at: clock.now() + 1,
      consumed_at: null,
      created_at: 1,
      ...change,
    };
    await db().insertInto("order_confirmations").values(row).execute();
    return row;
  };
  const consumed = async () => (await db().selectFrom("order_confirmations").select("consumed_at").executeTakeFirst())?.consumed_at;
  const asked = async () => await store({ request: { state: "asked" }, attempt: ASKED });

  test("is used up, and tells the round", async () => {
    const stored = await asked();
    const confirmation = await tokenOf(stored);
    expect((await permit(wishOf(stored, { confirmation }))).value.round).toBe(2);
    expect(await consumed()).toBe(clock.now());
    expect((await attempts(stored.request.id)).at(-1)).toMatchObject({ generation: 2, round: 2 });
  });

  test.each([
    [{ caller_id: "key_other" }, "This confirm_token was used or replaced."],
    [{ consumed_at: 5 }, "This confirm_token was used or replaced."],
    [{ expires_at: 1 }, "This confirm_token has expired."],
  ])("that is no longer good keeps the order back: %j", async (change, message) => {
    const stored = await asked();
    const confirmation = await tokenOf(stored, change);
    await expect(permit(wishOf(stored, { confirmation }))).rejects.toMatchObject({ code: "confirmation_expired", message });
    expect(await attempts(stored.request.id)).toHaveLength(1);
  });

  test("is void once the order is sent without it", async () => {
    const stored = await asked();
    await tokenOf(stored);
    await permit(wishOf(stored));
    expect(await consumed()).toBe(clock.now());
  });
});

describe("a database that fails", () => {
  const failing = (error: Error): PermitDeps => ({
    ...deps,
    storage: {
      ...rows.storage,
      transaction: async () => {
        throw error;
      },
    },
  });

  test("keeps the order back, and its end is written in case the commit was stored", async () => {
    const stored = await storeReceived({ client_order_id: "c1" });
    const plan = await planSending(deps, wishOf(stored));
    const cut = new Error("connection lost");
    const work = permitSending(failing(cut), { wish: wishOf(stored), plan, call: call() });
    await expect(work).rejects.toMatchObject({ code: "storage_unavailable", details: { client_order_id: "c1" }, cause: cut });
    expect(lines).toEqual([
      expect.objectContaining({ msg: "could not store the permission of an order", request: stored.request.id, err: expect.anything() }),
    ]);
    expect(deps.ends.has(stored.request.id)).toBe(true);
    await deps.ends.close();
    expect(deps.running.attempts.size).toBe(0);
  });

  test("leaves the doubt of an earlier sending", async () => {
    await prove({ duplicate_refusals_proven_at: 1 });
    const stored = await store({ request: { state: "unknown" }, attempt: { state: "unknown", doubt: 1 } });
    const plan = await planSending(deps, wishOf(stored));
    await expect(permitSending(failing(new Error("cut")), { wish: wishOf(stored), plan, call: call() })).rejects.toThrow();
    await db().updateTable("order_attempts").set({ state: "sending" }).execute();
    await db().updateTable("order_requests").set({ state: "sending" }).execute();
    await deps.ends.close();
    expect(await rows.read(stored.request.id)).toMatchObject({ request: { state: "unknown" }, attempt: { state: "unknown", doubt: 1 } });
  });

  test("of a process that can't prove that it lives counts the same", async () => {
    const stored = await storeReceived();
    const processes = { ...deps.processes, hold: () => Promise.reject(new Error("no socket")) };
    const work = permitSending(
      { ...deps, processes },
      { wish: wishOf(stored), plan: await planSending(deps, wishOf(stored)), call: call() },
    );
    await expect(work).rejects.toMatchObject({ code: "storage_unavailable" });
    expect(await attempts(stored.request.id)).toEqual([]);
    await deps.ends.close();
  });
});
