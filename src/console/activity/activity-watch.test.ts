import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { fakeClock } from "../../../test/support/fake-clock.ts";
import { seedOwner, type SeededOwner } from "../../../test/support/seed-keys.ts";
import { silentLog } from "../../../test/support/silent-log.ts";
import { startEngine, type TestEngine } from "../../../test/support/storages.ts";
import { auditRow, completeAuditRow, prepareAuditInsert } from "../../storage/audit-rows.ts";
import { latestAuditSequence } from "../../storage/audit-search.ts";
import type { Storage } from "../../storage/storage.ts";
import { createActivityWatch } from "./activity-watch.ts";

const DONE = { outcome: "ok", code: undefined, durationUs: 1, upstreamCalls: 0 } as const;

describe("the watch over the record of calls", () => {
  const clock = fakeClock();
  let engine: TestEngine;
  let storage: Storage;
  let owner: SeededOwner;
  let told: string[];
  beforeAll(async () => {
    engine = await startEngine("sqlite");
    storage = await (await engine.createDatabase()).open();
  });
  afterAll(() => engine.stop());
  beforeEach(async () => {
    owner = await seedOwner(storage);
    told = [];
  });

  const write = async (requestId: string, end: typeof DONE | "under way" = DONE, by = owner) => {
    const who = { userId: by.userId, callerId: "key_1", source: "apikey", scope: "write", connectionId: by.connectionId } as const;
    const call = { ...who, requestId, at: clock.now(), tool: "t", arguments: "{}", client: undefined, address: undefined };
    await prepareAuditInsert(storage)(storage.db, [auditRow(call, end === "under way" ? undefined : end)]);
  };
  const begin = async (watch = createActivityWatch({ storage, clock, log: silentLog })) => {
    const after = await latestAuditSequence(storage, owner.userId);
    return watch.reserve(owner.userId)?.({
      after,
      onNew: async (entries) => void told.push(...entries.map((entry) => `new ${entry.request_id}`)),
      onEnded: async (entries) => void told.push(...entries.map((entry) => `ended ${entry.request_id}`)),
    });
  };
  /** Lets looks happen until so much was told. */
  const untilTold = async (count: number) => {
    await expect
      .poll(async () => {
        await clock.advance(1_000);
        return told.length;
      })
      .toBe(count);
  };

  it("tells what is new once, oldest first, and of this person alone", async () => {
    await write("req_before");
    const stop = await begin();
    await write("req_1");
    await write("req_other", DONE, await seedOwner(storage));
    await write("req_2");
    await untilTold(2);
    await write("req_3");
    await untilTold(3);
    expect(told).toEqual(["new req_1", "new req_2", "new req_3"]);
    stop?.();
    await write("req_4");
    const second = await begin();
    await write("req_5");
    await untilTold(4);
    expect(told.at(-1)).toBe("new req_5");
    second?.();
  });

  it("tells when a call that had begun has ended, also one that the page showed under way", async () => {
    await write("req_shown", "under way");
    const stop = await begin();
    await write("req_later", "under way");
    await untilTold(1);
    await completeAuditRow(storage.db, "req_shown", DONE);
    await untilTold(2);
    await completeAuditRow(storage.db, "req_later", DONE);
    await untilTold(3);
    await write("req_last");
    await untilTold(4);
    expect(told).toEqual(["new req_later", "ended req_shown", "ended req_later", "new req_last"]);
    stop?.();
  });

  it("has a few places for each person, and gives back those that are left", async () => {
    const watch = createActivityWatch({ storage, clock, log: silentLog });
    const stops = [await begin(watch), await begin(watch), await begin(watch), await begin(watch)];
    expect(watch.reserve(owner.userId)).toBeUndefined();
    expect(watch.reserve("usr_other")).toBeDefined();
    stops[0]?.();
    stops[0]?.();
    expect(watch.reserve(owner.userId)).toBeDefined();
    expect(watch.reserve(owner.userId)).toBeUndefined();
    for (const stop of stops) stop?.();
  });
});
