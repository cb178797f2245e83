import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { type FakeClock, fakeClock } from "../../../test/support/fake-clock.ts";
import { seedOwner } from "../../../test/support/seed-keys.ts";
import { ENGINES, startEngine, type TestEngine } from "../../../test/support/storages.ts";
import { systemRandom } from "../../lib/random.ts";
import type { Storage } from "../../storage/storage.ts";
import { createBrowserSessions, type SessionKeeper } from "./browser-session.ts";
import { createCookieJar } from "./cookies.ts";

const HOUR_MS = 3_600_000;

describe.each(ENGINES)("browser sessions on %s", (engine) => {
  let databases: TestEngine;
  let storage: Storage;
  let clock: FakeClock;
  let sessions: SessionKeeper;
  let userId: string;
  beforeAll(async () => {
    databases = await startEngine(engine);
    storage = await (await databases.createDatabase()).open();
  });
  afterAll(() => databases.stop());
  beforeEach(async () => {
    clock = fakeClock();
    sessions = createBrowserSessions({ storage, clock, random: systemRandom, cookies: createCookieJar(false) });
    ({ userId } = await seedOwner(storage, "Ada"));
  });
  const browser = { address: "203.0.113.7", userAgent: "Firefox" };
  const begin = async (cookieHeader?: string): Promise<string> => {
    const [cookie = ""] = await sessions.begin({ userId, method: "password" }, { ...browser, cookieHeader });
    return cookie.split(";")[0] ?? "";
  };

  it("tell who is signed in, by the cookie alone", async () => {
    const cookie = await begin();
    const signedIn = await sessions.current(cookie);
    expect(signedIn).toMatchObject({ userId, displayName: "Ada", signedInAt: clock.now(), isOperator: false });
    expect(signedIn?.formToken).toMatch(/^[\w-]{43}$/);
    expect(await sessions.current(undefined)).toBeUndefined();
    expect(await sessions.current(`ibkr_session=${"x".repeat(43)}`)).toBeUndefined();
    expect(await sessions.current(`ibkr_session=${signedIn?.sessionId}`)).toBeUndefined();
  });

  it("(13) are stored as a hash that neither signs in nor makes form tokens", async () => {
    const cookie = await begin();
    const rows = await storage.db.selectFrom("browser_sessions").selectAll().where("user_id", "=", userId).execute();
    const signedIn = await sessions.current(cookie);
    expect(JSON.stringify(rows)).not.toContain(cookie.split("=")[1]);
    expect(JSON.stringify(rows)).not.toContain(signedIn?.formToken);
    expect(await sessions.current(`ibkr_session=${rows[0]?.token_hash.slice(0, 43)}`)).toBeUndefined();
  });

  it("(24) are new at each sign-in, and the earlier one of this browser ends", async () => {
    const first = await begin();
    const second = await begin(first);
    expect(second).not.toBe(first);
    expect(await sessions.current(first)).toBeUndefined();
    expect(await sessions.list(userId)).toHaveLength(1);
  });

  it("end after 12 hours without use, and after a week in any case", async () => {
    const [idle, busy] = [await begin(), await begin()];
    for (let passed = 11; passed < 7 * 24; passed += 11) {
      await clock.advance(11 * HOUR_MS);
      expect(await sessions.current(busy), `after ${passed} hours`).toBeDefined();
    }
    expect(await sessions.current(idle)).toBeUndefined();
    expect(await sessions.list(userId)).toHaveLength(1);
    await clock.advance(3 * HOUR_MS);
    expect(await sessions.current(busy)).toBeUndefined();
    expect(await sessions.list(userId)).toEqual([]);
    await begin();
    expect(await storage.db.selectFrom("browser_sessions").select("id").where("user_id", "=", userId).execute()).toHaveLength(1);
  });

  it("are listed with where and when, ended one by one or all but this one, and never another user's", async () => {
    const [here, there] = [await begin(), await begin()];
    const mine = await sessions.current(here);
    expect(await sessions.list(userId)).toContainEqual({
      id: mine?.sessionId,
      method: "password",
      ...browser,
      signedInAt: clock.now(),
      lastSeenAt: clock.now(),
      expiresAt: clock.now() + 7 * 24 * HOUR_MS,
    });
    const { userId: stranger } = await seedOwner(storage);
    expect(await sessions.end(stranger, mine?.sessionId ?? "")).toBe(false);
    expect(await sessions.endAll(stranger)).toBe(0);
    expect(await sessions.endAll(userId, mine?.sessionId)).toBe(1);
    expect(await sessions.current(there)).toBeUndefined();
    expect(await sessions.end(userId, mine?.sessionId ?? "")).toBe(true);
    expect(await sessions.current(here)).toBeUndefined();
  });

  it("are at most 50 of one user: the longest unused ends", async () => {
    const first = await begin();
    for (let count = 0; count < 50; count += 1) {
      await clock.advance(1_000);
      await begin();
    }
    expect(await sessions.list(userId)).toHaveLength(50);
    expect(await sessions.current(first)).toBeUndefined();
  });
});
