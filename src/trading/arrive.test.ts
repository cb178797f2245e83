import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { fakeClock } from "../../test/support/fake-clock.ts";
import { openOrderRows, type OrderRows } from "../../test/support/order-rows.ts";
import { DRAFT } from "../../test/support/pipeline-bench.ts";
import { recordingLog } from "../../test/support/silent-log.ts";
import { singleProcess } from "../../test/support/single-process.ts";
import { systemRandom as random } from "../lib/random.ts";
import { arrive, type ArriveDeps, type ArrivingCall } from "./arrive.ts";
import { AttemptAges } from "./attempt-ages.ts";
import { Burial } from "./burial.ts";
import { draftDigest } from "./order-draft.ts";

let rows: OrderRows;
let deps: ArriveDeps;
let lines: Record<string, unknown>[];

beforeAll(async () => {
  rows = await openOrderRows();
});
afterAll(() => rows.stop());
beforeEach(async () => {
  await rows.clear();
  const clock = fakeClock();
  const recording = recordingLog();
  const { log } = recording;
  ({ lines } = recording);
  const running = { requests: new Set<string>(), attempts: new Set<string>() };
  const common = { storage: rows.storage, processes: singleProcess("prc_own"), clock, log, running };
  deps = { ...common, random, ages: new AttemptAges(clock), burial: new Burial(common) };
});

function arriving(clientOrderId: string | undefined): ArrivingCall {
  const key = { ...rows.owner, accountId: DRAFT.accountId, nameSpace: "key_1", clientOrderId: clientOrderId ?? "auto-1" };
  const call = { caller: { id: "key_1" } } as ArrivingCall["call"];
  return { key, request: { draft: DRAFT, clientOrderId, reason: undefined }, call };
}

const equal = async (state: string) =>
  await rows.store({
    request: { state, arguments_hash: draftDigest(DRAFT), client_order_id: "equal" },
    attempt: { state: state === "placed" ? "placed" : "unknown" },
  });

describe("a call that arrives", () => {
  test("first is at work from then on", async () => {
    const { row, isFirst } = await arrive(deps, arriving("c1"));
    expect([isFirst, row.state, row.is_named]).toEqual([true, "received", 1]);
    expect(deps.running.requests).toEqual(new Set([row.id]));
    expect((await arrive(deps, arriving("c2"))).isFirst).toBe(true);
    expect((await rows.storage.db.selectFrom("order_requests").select("state").execute()).map(({ state }) => state)).toEqual([
      "received",
      "received",
    ]);
  });

  test("again joins the first, and is at work on nothing", async () => {
    const { row } = await arrive(deps, arriving("c1"));
    const again = await arrive(deps, arriving("c1"));
    expect([again.isFirst, again.row.id]).toEqual([false, row.id]);
    expect(deps.running.requests).toEqual(new Set([row.id]));
  });

  test.each([
    [undefined, "received", "For a second order, send a client_order_id of its own."],
    [undefined, "placed", "For a second order, send a client_order_id of its own."],
    ["c1", "unknown", "until its outcome is known."],
  ])("as %s is refused when an equal order is %s, and is at work on nothing", async (clientOrderId, state, words) => {
    await equal(state);
    // Of another living process.
    await rows.storage.db.updateTable("order_requests").set({ owner_process: "prc_own" }).execute();
    const { id } = await rows.storage.db.selectFrom("order_requests").select("id").executeTakeFirstOrThrow();
    deps.running.requests.add(id);
    await expect(arrive(deps, arriving(clientOrderId))).rejects.toMatchObject({
      code: "possible_duplicate",
      details: { client_order_id: "equal", status: state },
      whatToDo: expect.stringContaining(words),
    });
    expect([deps.running.requests, lines]).toEqual([new Set([id]), []]);
  });

  test.each(["received", "placed"])("with a name goes on although an equal order is %s", async (state) => {
    const { request } = await equal(state);
    deps.running.requests.add(request.id);
    expect((await arrive(deps, arriving("c1"))).isFirst).toBe(true);
  });

  test("buries what dead processes left first: then an equal order of theirs is of unknown outcome", async () => {
    await rows.store({ request: { arguments_hash: draftDigest(DRAFT), client_order_id: "equal" } });
    await expect(arrive(deps, arriving("c1"))).rejects.toMatchObject({ code: "possible_duplicate", details: { status: "unknown" } });
  });

  test("while the database fails is at work on nothing", async () => {
    const cut = new Error("locked");
    const failing = { ...deps, storage: { ...rows.storage, transaction: () => Promise.reject(cut) } };
    await expect(arrive(failing, arriving("c1"))).rejects.toMatchObject({
      code: "storage_unavailable",
      details: { client_order_id: "c1" },
      cause: cut,
    });
    expect(deps.running.requests.size).toBe(0);
    expect(lines).toEqual([expect.objectContaining({ msg: "could not store an order that arrived", err: expect.anything() })]);
  });
});
