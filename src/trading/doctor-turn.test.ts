import type { Selectable } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { DOCTOR_DRAFT, doctorTurn } from "../../test/support/doctor-desk.ts";
import { openOrderRows, type OrderRows } from "../../test/support/order-rows.ts";
import type { Mode } from "../broker/account.ts";
import type { Database } from "../storage/database.ts";
import { sha256Hex } from "../lib/secret.ts";
import { DoctorRefusal } from "./doctor-refusal.ts";
import { draftFields } from "./order-draft.ts";

let rows: OrderRows;

beforeAll(async () => {
  rows = await openOrderRows();
});
afterAll(() => rows.stop());
beforeEach(async () => {
  await rows.clear();
  await change({ mode: "paper", paused_at: null, live_trading_enabled_at: null });
});

const change = (values: { readonly mode?: string; readonly paused_at?: number | null; readonly live_trading_enabled_at?: number | null }) =>
  rows.storage.db.updateTable("connections").set(values).execute();
const all = async <T extends "order_requests" | "order_attempts" | "order_sends">(table: T) =>
  (await rows.storage.db
    .selectFrom(table as "order_sends")
    .selectAll()
    .execute()) as unknown as Selectable<Database[T]>[];
/** What a promise is rejected with. */
const reasonOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("taking the account's turn", () => {
  test("stores a request and an attempt that are being sent, under an id that is never sent", async () => {
    const { turn, clock } = doctorTurn(rows);
    await turn.take(7_000);
    const { userId, connectionId } = rows.owner;
    const owned = { user_id: userId, connection_id: connectionId, account_id: "DU1", owner_process: "prc_0000000000000001" };
    const [request, attempt] = [(await all("order_requests"))[0], (await all("order_attempts"))[0]];
    expect(request).toEqual({
      ...owned,
      id: expect.stringMatching(/^ord_[0-9a-f]{24}$/),
      caller_id: "gwdoc-1",
      name_space: "doctor",
      client_order_id: "gwdoc-1",
      is_named: 1,
      arguments_hash: sha256Hex("gwdoc-1"),
      ticket: JSON.stringify(draftFields(DOCTOR_DRAFT)),
      reason: "ibkr-gateway doctor",
      state: "sending",
      result: null,
      created_at: clock.now(),
      updated_at: clock.now(),
    });
    expect(attempt).toEqual({
      ...owned,
      id: expect.stringMatching(/^att_[0-9a-f]{24}$/),
      request_id: request?.id,
      customer_order_id: "gwdoc-1",
      generation: 1,
      round: 0,
      state: "sending",
      doubt: 0,
      ended_by: null,
      broker_order_id: null,
      said: null,
      looks: 0,
      looked_at: null,
      first_sent_at: clock.now(),
      first_sent_broker_at: 7_000,
      sent_at: clock.now(),
      sent_broker_at: 7_000,
      placed_broker_at: null,
      updated_at: clock.now(),
    });
  });

  test("stores no time of IBKR's where it sends none", async () => {
    await doctorTurn(rows).turn.take(undefined);
    expect(await all("order_attempts")).toMatchObject([{ first_sent_broker_at: null, sent_broker_at: null }]);
  });

  test.each(["received", "sending", "unknown", "unresolved"])("is refused while another account's order is %s", async (state) => {
    await rows.store({ request: { state }, attempt: { state: "unknown" } });
    expect(await reasonOf(doctorTurn(rows).turn.take(1))).toEqual(
      new DoctorRefusal(
        "An order of this connection is on its way or has an unknown outcome. Nothing was sent. Resolve it in the console first.",
      ),
    );
    expect(await all("order_requests")).toHaveLength(1);
  });

  test("is refused while an attempt of the account is being sent, whatever its request says", async () => {
    await rows.store({ request: { state: "placed", account_id: "DU1" }, attempt: { account_id: "DU1" } });
    await expect(doctorTurn(rows).turn.take(1)).rejects.toThrow("is on its way");
  });

  test.each(["asked", "placed", "refused", "declined", "not_placed"])("is not kept back by an order that is %s", async (state) => {
    await rows.store({ request: { state }, attempt: { state: "no" } });
    await doctorTurn(rows).turn.take(1);
    expect(await all("order_requests")).toHaveLength(2);
  });

  test.each<readonly [string, Mode]>([
    ["paper", "live"],
    ["live", "paper"],
    ["live", "live"],
  ])("is refused where the connection is made for %s and proven %s, also with trading enabled", async (mode, provenMode) => {
    const { turn } = doctorTurn(rows, { provenMode });
    await change({ mode, live_trading_enabled_at: 1 });
    await expect(turn.take(1)).rejects.toThrow("runs on paper and simulated connections only");
    await change({ live_trading_enabled_at: null });
    await expect(turn.take(1)).rejects.toThrow("which reaches real money");
    expect(await all("order_requests")).toEqual([]);
  });

  test("is refused on a paused connection", async () => {
    await change({ paused_at: 1 });
    expect(await reasonOf(doctorTurn(rows).turn.take(1))).toMatchObject({ code: "connection_paused" });
  });
});

describe("a sending", () => {
  test("is stored with what allowed it, and its end", async () => {
    const { turn, clock } = doctorTurn(rows);
    await turn.take(1);
    await clock.advance(5_000);
    const at = clock.now();
    const { value: id, ...allowed } = await turn.permit("gwdoc-1-2", 8_000);
    expect(allowed).toEqual({ at: clock.monotonic() });
    const [attempt] = await all("order_attempts");
    const send = {
      id,
      attempt_id: attempt?.id,
      user_id: rows.owner.userId,
      connection_id: rows.owner.connectionId,
      caller_id: "gwdoc-1",
      source: "doctor",
      permission: '{"customer_order_id":"gwdoc-1-2","mode":"paper"}',
      process_id: "prc_0000000000000001",
      sent_at: at,
      broker_at: 8_000,
    };
    expect(id).toMatch(/^snd_[0-9a-f]{24}$/);
    expect(await all("order_sends")).toEqual([{ ...send, ended_at: null, ended_by: null }]);
    await clock.advance(300);
    await turn.ended(id, "refused");
    expect(await all("order_sends")).toEqual([{ ...send, ended_at: clock.now(), ended_by: "refused" }]);
  });

  test("stores no time of IBKR's where it sends none", async () => {
    const { turn } = doctorTurn(rows);
    await turn.take(1);
    await turn.permit("gwdoc-1-1", undefined);
    expect(await all("order_sends")).toMatchObject([{ broker_at: null }]);
  });

  test.each(["unknown", "placed", "no"])("is refused once the turn has ended as %s", async (state) => {
    const { turn } = doctorTurn(rows);
    await turn.take(1);
    await rows.storage.db.updateTable("order_attempts").set({ state }).execute();
    expect(await reasonOf(turn.permit("gwdoc-1-1", 1))).toEqual(
      new DoctorRefusal("Another process has ended the turn of this run. Start it again."),
    );
    expect(await all("order_sends")).toEqual([]);
  });

  test("is refused where the turn was never taken", async () => {
    await expect(doctorTurn(rows).turn.permit("gwdoc-1-1", 1)).rejects.toThrow("has ended the turn");
  });

  test.each([
    [{ paused_at: 1 }, "is paused by its owner"],
    [{ mode: "live" }, "reaches real money"],
  ])("and a yes to a question are refused once the connection has %j", async (values, message) => {
    const { turn, clock } = doctorTurn(rows);
    await turn.take(1);
    expect(await turn.permitYes()).toEqual({ value: undefined, at: clock.monotonic() });
    await change(values);
    await expect(turn.permit("gwdoc-1-1", 1)).rejects.toThrow(message);
    await expect(turn.permitYes()).rejects.toThrow(message);
    expect(await all("order_sends")).toEqual([]);
  });
});

describe("giving the turn back", () => {
  test.each([
    [{ orderId: "77", isClean: true }, "placed", { ended_by: "placed", broker_order_id: "77" }, '{"order_id":"77","status":"Cancelled"}'],
    [{ orderId: undefined, isClean: true }, "no", { ended_by: "never_left", broker_order_id: null }, '{"reason":"doctor"}'],
    [{ orderId: "77", isClean: false }, "unknown", { ended_by: null, broker_order_id: null, doubt: 1 }, null],
    [{ orderId: undefined, isClean: false }, "unknown", { ended_by: null, broker_order_id: null, doubt: 1 }, null],
  ])("with %j leaves an attempt that is %s", async (end, state, values, result) => {
    const { turn, clock } = doctorTurn(rows);
    await turn.take(1);
    await clock.advance(9_000);
    await turn.giveBack(end);
    const at = clock.now();
    expect(await all("order_attempts")).toMatchObject([{ doubt: 0, ...values, state, updated_at: at }]);
    expect(await all("order_requests")).toMatchObject([{ state: state === "no" ? "not_placed" : state, result, updated_at: at }]);
  });

  test("changes nothing that another process has ended", async () => {
    const { turn } = doctorTurn(rows);
    await turn.take(1);
    await rows.storage.db.updateTable("order_attempts").set({ state: "unknown" }).execute();
    await rows.storage.db.updateTable("order_requests").set({ state: "unresolved" }).execute();
    await turn.giveBack({ orderId: "77", isClean: true });
    expect([await all("order_requests"), await all("order_attempts")]).toMatchObject([[{ state: "unresolved" }], [{ state: "unknown" }]]);
  });

  test("lets the next run take it", async () => {
    const { turn } = doctorTurn(rows);
    await turn.take(1);
    await expect(doctorTurn(rows, { run: "gwdoc-2" }).turn.take(1)).rejects.toThrow("is on its way");
    await turn.giveBack({ orderId: undefined, isClean: true });
    await doctorTurn(rows, { run: "gwdoc-2" }).turn.take(1);
    expect(await all("order_requests")).toHaveLength(2);
  });
});
