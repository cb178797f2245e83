import { expect, test } from "vitest";

import { blockingInTurn, blockingOnArrival } from "./guard.ts";

test("an order without an id is kept back by every equal order that is on its way or unknown", () => {
  expect(blockingOnArrival(false)).toEqual(["received", "sending", "unknown", "unresolved"]);
  expect(blockingInTurn(false)).toEqual(["sending", "unknown", "unresolved"]);
});

test("an order with an id of its own is kept back by unknown ones only", () => {
  expect(blockingOnArrival(true)).toEqual(["unknown", "unresolved"]);
  expect(blockingInTurn(true)).toEqual(["unknown", "unresolved"]);
});
