import { expect, test } from "vitest";

import { closestName } from "./closest-name.ts";

const names = ["conid", "symbol", "limit_price", "account_id", "outside_rth"];

test("finds the name behind a typing mistake, another case or other separators", () => {
  expect(closestName("symbl", names)).toBe("symbol");
  expect(closestName("limitPrice", names)).toBe("limit_price");
  expect(closestName("account", names)).toBe("account_id");
  expect(closestName("outsideRTH", names)).toBe("outside_rth");
});

test("proposes nothing when no name is near", () => {
  expect(closestName("colour", names)).toBeUndefined();
  expect(closestName("", names)).toBeUndefined();
  expect(closestName("x".repeat(1000), names)).toBeUndefined();
});
