import { describe, expect, it } from "vitest";

import { fakeClock } from "../../test/support/fake-clock.ts";
import { RateLimit } from "./rate-limit.ts";

describe("a rate limit", () => {
  it("refuses what is beyond the limit until the window ends, for each key by itself", async () => {
    const clock = fakeClock();
    const limit = new RateLimit({ clock, max: 2, windowMs: 1_000, maxKeys: 10 });
    expect([limit.take("a"), limit.take("a")]).toEqual([0, 0]);
    await clock.advance(400);
    expect([limit.take("a"), limit.take("b")]).toEqual([600, 0]);
    await clock.advance(600);
    expect(limit.take("a")).toBe(0);
  });

  it("keeps a bounded number of keys", () => {
    const limit = new RateLimit({ clock: fakeClock(), max: 1, windowMs: 1_000, maxKeys: 2 });
    for (const key of ["a", "b", "c"]) limit.take(key);
    expect([limit.take("c"), limit.take("b"), limit.take("a")]).toEqual([1_000, 1_000, 0]);
  });
});
