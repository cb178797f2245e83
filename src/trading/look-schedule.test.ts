import { expect, test } from "vitest";

import { nextLookAfter, UNRESOLVED_AFTER_MS } from "./look-schedule.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;

test.each([
  [0, 0, 5_000],
  [1, 5_000, 10_000],
  [2, 15_000, 20_000],
  [3, 35_000, 40_000],
  [4, 75_000, MINUTE],
  [60, 60 * MINUTE - 1, MINUTE],
  [61, 60 * MINUTE, 10 * MINUTE],
  [500, 6 * DAY - 1, 10 * MINUTE],
  [900, 6 * DAY, undefined],
  // A new session begins the series again.
  [0, 3 * DAY, 5_000],
])("after %i looks and %i ms the next comes in %s ms", (looks, age, gap) => {
  expect(nextLookAfter(looks, age)).toBe(gap);
});

test("an order is put to a person when five minutes have passed without a sign of it", () => {
  expect(UNRESOLVED_AFTER_MS).toBe(5 * MINUTE);
});
