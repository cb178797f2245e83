import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { type FakeClock, fakeClock } from "../../../test/support/fake-clock.ts";
import { ENGINES, startEngine, type TestDatabase, type TestEngine } from "../../../test/support/storages.ts";
import type { Storage } from "../../storage/storage.ts";
import { createSignInThrottle, type SignInThrottle } from "./throttle.ts";

describe.each(ENGINES)("the throttle of sign-in on %s", (engine) => {
  let databases: TestEngine;
  let database: TestDatabase;
  let storage: Storage;
  let clock: FakeClock;
  let throttle: SignInThrottle;
  beforeAll(async () => {
    databases = await startEngine(engine);
  });
  afterAll(() => databases.stop());
  beforeEach(async () => {
    database = await databases.createDatabase();
    storage = await database.open();
    clock = fakeClock();
    throttle = createSignInThrottle({ storage, clock });
  });
  const times = async (count: number, loginName: string | undefined, address: string): Promise<number[]> => {
    const waits: number[] = [];
    for (let tries = 0; tries < count; tries += 1) waits.push(await throttle.count({ loginName, address }));
    return waits;
  };

  it("lets an account be tried ten times, then once each half minute, wherever from", async () => {
    for (let tries = 0; tries < 10; tries += 1) expect(await throttle.count({ loginName: "ada", address: `10.0.0.${tries}` })).toBe(0);
    expect(await throttle.count({ loginName: "ada", address: "10.0.0.99" })).toBe(30);
    expect(await throttle.count({ loginName: "bob", address: "10.0.0.99" })).toBe(0);
    await clock.advance(29_000);
    expect(await throttle.count({ loginName: "ada", address: "10.0.0.99" })).toBe(1);
    await clock.advance(1_000);
    expect(await throttle.count({ loginName: "ada", address: "10.0.0.99" })).toBe(0);
    expect(await throttle.count({ loginName: "ada", address: "10.0.0.99" })).toBe(30);
  });

  it("lets an address be wrong a hundred times, with whatever names, then once each two seconds", async () => {
    for (let tries = 0; tries < 100; tries += 1) expect(await throttle.count({ loginName: `name ${tries}`, address: "10.0.0.1" })).toBe(0);
    expect(await throttle.count({ loginName: "another", address: "10.0.0.1" })).toBe(2);
    expect(await throttle.count({ loginName: "another", address: "10.0.0.2" })).toBe(0);
  });

  it("takes an IPv6 network for one address", async () => {
    await times(100, undefined, "2001:db8:1:2::1");
    expect(await times(1, undefined, "2001:0DB8:1:2:ffff:0:0:9")).toEqual([2]);
    expect(await times(1, undefined, "2001:db8:1:3::1")).toEqual([0]);
  });

  it("forgets what was held against who signs in", async () => {
    const ada = { loginName: "ada", address: "10.0.0.1" };
    for (let round = 0; round < 30; round += 1) {
      expect(await times(9, "ada", "10.0.0.1")).toEqual(Array.from({ length: 9 }, () => 0));
      for (let tries = 0; tries < 9; tries += 1) await throttle.succeeded(ada);
    }
  });

  it("lets no stranger keep somebody out who signs in where they did before", async () => {
    const [home, elsewhere] = ["2001:db8:1:2::1", "10.0.0.9"];
    expect(await times(1, "ada", home)).toEqual([0]);
    await throttle.succeeded({ loginName: "ada", address: home });
    for (let tries = 0; tries < 10; tries += 1) expect(await throttle.count({ loginName: "ada", address: `10.0.1.${tries}` })).toBe(0);
    expect(await times(1, "ada", elsewhere)).toEqual([30]);
    expect(await times(1, "ada", "2001:db8:1:2::9")).toEqual([0]);
    await throttle.succeeded({ loginName: "ada", address: "2001:db8:1:2::9" });
    // Strangers go on waiting, and that place has a limit too.
    expect(await times(1, "ada", elsewhere)).toEqual([30]);
    expect((await times(11, "ada", home)).at(-1)).toBe(30);
    // It says nothing of other people, and not for ever.
    await times(10, "bob", elsewhere);
    expect(await times(1, "bob", home)).toEqual([30]);
    await clock.advance(31 * 86_400_000);
    await times(10, "ada", elsewhere);
    expect(await times(1, "ada", home)).toEqual([30]);
  });

  it("lets somebody in again who proved by a link who they are, whatever strangers try", async () => {
    for (let tries = 0; tries < 10; tries += 1) await throttle.count({ loginName: "ada", address: `10.0.1.${tries}` });
    expect(await times(1, "ada", "10.0.0.1")).toEqual([30]);
    await throttle.remember({ loginName: "ada", address: "10.0.0.1" });
    expect(await times(1, "ada", "10.0.0.1")).toEqual([0]);
  });

  it("counts tries at the same moment, on several nodes, each", async () => {
    const other = createSignInThrottle({ storage: await database.open(), clock });
    const tries = Array.from({ length: 40 }, (_value, index) =>
      (index % 2 === 0 ? throttle : other).count({ loginName: "ada", address: "10.0.0.1" }),
    );
    expect((await Promise.all(tries)).filter((wait) => wait === 0)).toHaveLength(10);
  });

  it("keeps no rows longer than they say something", async () => {
    for (let tries = 0; tries < 20; tries += 1) await throttle.count({ loginName: `name ${tries}`, address: `10.0.0.${tries}` });
    await clock.advance(600_000);
    await throttle.count({ loginName: "ada", address: "10.0.0.1" });
    expect(await storage.db.selectFrom("sign_in_throttles").selectAll().execute()).toHaveLength(2);
  });
});
