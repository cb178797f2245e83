import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { type FakeClock, fakeClock } from "../../test/support/fake-clock.ts";
import { openOrderRows, type OrderRows, type RowChanges } from "../../test/support/order-rows.ts";
import { recordingLog } from "../../test/support/silent-log.ts";
import { singleProcess } from "../../test/support/single-process.ts";
import { Burial } from "./burial.ts";

const OWN = "prc_own";

let rows: OrderRows;
let clock: FakeClock;
let burial: Burial;
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
  ({ lines } = recording);
  running = { requests: new Set(), attempts: new Set() };
  const processes = { ...singleProcess(OWN), isAlive: (id: string) => Promise.resolve(id === OWN || id === "prc_alive") };
  burial = new Burial({ storage: rows.storage, processes, clock, log: recording.log, running });
});

async function buried(changes: RowChanges) {
  const stored = await rows.store(changes);
  await burial.run();
  return { stored, ...(await rows.read(stored.request.id)), sends: await rows.sends(stored.attempt.id) };
}

describe("an order of a process that ended", () => {
  test("was never sent where it was only received", async () => {
    const after = await buried({ request: { state: "received" }, attempt: { state: "no", ended_by: "never_left" } });
    expect(after.request).toMatchObject({ state: "not_placed", updated_at: clock.now() });
    expect(JSON.parse(after.request.result ?? "")).toEqual({ reason: "process_ended" });
    expect([after.attempt, after.sends]).toEqual([after.stored.attempt, [{ ended_by: null, ended_at: null }]]);
    expect(lines).toEqual([
      expect.objectContaining({
        request: after.request.id,
        state: "received",
        owner: "prc_dead",
        msg: "closed an order of a process that ended",
      }),
    ]);
  });

  test("may be at IBKR where it was being sent", async () => {
    const after = await buried({});
    expect(after).toMatchObject({
      request: { state: "unknown", result: null, updated_at: clock.now() },
      attempt: { state: "unknown", doubt: 1, updated_at: clock.now() },
      sends: [{ ended_by: "unknown", ended_at: clock.now() }],
    });
    expect(lines).toEqual([expect.objectContaining({ state: "sending" })]);
  });

  test("keeps an attempt that has its end", async () => {
    const after = await buried({ attempt: { state: "no", ended_by: "refused" } });
    expect(after).toMatchObject({ request: { state: "unknown" }, attempt: { state: "no", ended_by: "refused", doubt: 0 } });
    expect(after.sends).toEqual([{ ended_by: null, ended_at: null }]);
  });

  test.each(["asked", "unknown", "unresolved", "placed", "refused", "declined", "not_placed"])("is left alone as %s", async (state) => {
    const after = await buried({ request: { state }, attempt: { state: "unknown" } });
    expect([after.request, after.attempt]).toEqual([after.stored.request, after.stored.attempt]);
    expect(lines).toEqual([]);
  });
});

describe("an order of a living process", () => {
  test.each(["received", "sending"])("is left alone as %s", async (state) => {
    const after = await buried({ request: { state, owner_process: "prc_alive" } });
    expect([after.request, after.attempt, lines]).toEqual([after.stored.request, after.stored.attempt, []]);
  });

  test("is left alone while this process works on it, and closed when it no longer does", async () => {
    const { request } = await rows.store({ request: { owner_process: OWN } });
    running.requests.add(request.id);
    await burial.run();
    expect((await rows.read(request.id)).request.state).toBe("sending");
    running.requests.delete(request.id);
    await burial.run();
    expect((await rows.read(request.id)).request.state).toBe("unknown");
  });

  test("doesn't keep those of an ended one open", async () => {
    const alive = await rows.store({ request: { owner_process: "prc_alive", account_id: "DU2" } });
    const dead = await rows.store();
    await burial.run();
    expect([(await rows.read(alive.request.id)).request.state, (await rows.read(dead.request.id)).request.state]).toEqual([
      "sending",
      "unknown",
    ]);
  });
});
