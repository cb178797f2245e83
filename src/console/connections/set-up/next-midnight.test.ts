import { expect, it } from "vitest";

import { nextMidnight } from "./next-midnight.ts";

it.each([
  ["America/New_York", "2026-11-23T12:00:00Z", "2026-11-24T05:00:00Z"],
  ["America/New_York", "2026-11-24T04:59:59Z", "2026-11-24T05:00:00Z"],
  ["America/New_York", "2026-11-24T05:00:00Z", "2026-11-25T05:00:00Z"],
  // The night in which the clocks go back, and the day on which they go forward.
  ["America/New_York", "2026-11-01T05:30:00Z", "2026-11-02T05:00:00Z"],
  ["America/New_York", "2026-03-08T06:30:00Z", "2026-03-09T04:00:00Z"],
  ["Europe/Zurich", "2026-07-01T12:00:00Z", "2026-07-01T22:00:00Z"],
  ["Asia/Hong_Kong", "2026-11-23T12:00:00Z", "2026-11-23T16:00:00Z"],
])("the next day in %s after %s begins at %s", (zone, now, midnight) => {
  expect(new Date(nextMidnight(zone, Date.parse(now))).toISOString()).toBe(new Date(midnight).toISOString());
});
