import { describe, expect, it } from "vitest";

import { nextReset, type ResetRegion } from "./nightly-reset.ts";

describe("IBKR's nightly reset", () => {
  it.each<[ResetRegion, string, string]>([
    ["new_york", "2026-11-23T12:00:00Z", "2026-11-24T05:00:00Z"],
    ["new_york", "2026-07-01T03:59:59Z", "2026-07-01T04:00:00Z"],
    ["new_york", "2026-07-01T04:00:00Z", "2026-07-02T04:00:00Z"],
    ["zug", "2026-11-23T12:00:00Z", "2026-11-23T23:00:00Z"],
    ["zug", "2026-07-01T21:30:00Z", "2026-07-01T22:00:00Z"],
    ["hong_kong", "2026-11-23T12:00:00Z", "2026-11-23T16:00:00Z"],
    ["hong_kong", "2026-11-23T16:00:00.001Z", "2026-11-24T16:00:00Z"],
    // The clocks change: the day has 25 hours, then 23.
    ["new_york", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"],
    ["new_york", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"],
    ["zug", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"],
    ["zug", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"],
  ])("in %s after %s is at %s", (region, now, expected) => {
    expect(new Date(nextReset(region, Date.parse(now))).toISOString()).toBe(new Date(expected).toISOString());
  });
});
