import { expect, test } from "vitest";

import { endingOf, MAX_ROUNDS } from "./order-ends.ts";

test.each([
  ["accepted", "placed", "placed", "placed"],
  ["rejected", "no", "refused", "refused"],
  ["asked", "no", "asked", "asked"],
  ["withdrawn", "no", "not_placed", "asked"],
  ["not_sent", "no", "not_placed", "never_left"],
  ["unknown", "unknown", "unknown", "unknown"],
] as const)("%s ends an attempt as %s and its request as %s", (kind, attempt, request, send) => {
  expect(endingOf(kind, { doubt: false, round: 0 })).toEqual({ attempt, request, send });
});

test.each(["rejected", "asked", "withdrawn", "not_sent", "unknown"] as const)(
  "%s says nothing of an earlier sending of the same cOID without a definite end",
  (kind) => {
    expect(endingOf(kind, { doubt: true, round: 0 })).toMatchObject({ attempt: "unknown", request: "unknown" });
  },
);

test("IBKR's accepted counts with doubt, too", () => {
  expect(endingOf("accepted", { doubt: true, round: 0 })).toEqual({ attempt: "placed", request: "placed", send: "placed" });
});

test("the question after the last round closes the request", () => {
  expect(endingOf("asked", { doubt: false, round: MAX_ROUNDS - 1 }).request).toBe("asked");
  expect(endingOf("asked", { doubt: false, round: MAX_ROUNDS }).request).toBe("declined");
});
