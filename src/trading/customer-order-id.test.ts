import { expect, test } from "vitest";

import { customerOrderId, nextGeneration, RESEND_WITHIN_MS } from "./customer-order-id.ts";

const FORGETS = { keepsAfterQuestion: false };

test("a cOID has letters of the request's id and its generation, and fits IBKR's 64 characters", () => {
  expect(customerOrderId("ord_0123456789abcdef01234567", 3)).toBe("gw0123456789abcdef0123-3");
});

test("the first sending has the first generation", () => {
  expect(nextGeneration(undefined, FORGETS)).toBe(1);
});

test.each([
  ["no", "refused", 5],
  ["no", "asked", 5],
  ["no", "never_left", 4],
  ["no", "person", 4],
  ["no", null, 4],
  ["unknown", null, 4],
  ["unknown", "refused", 4],
  ["sending", null, 4],
  ["placed", "placed", 4],
] as const)("after state %s ended by %s the generation is %i", (state, endedBy, generation) => {
  expect(nextGeneration({ generation: 4, state, ended_by: endedBy }, FORGETS)).toBe(generation);
});

test("where asking registers no cOID, a declined question keeps it, and a refusal doesn't", () => {
  const keeps = { keepsAfterQuestion: true };
  expect(nextGeneration({ generation: 4, state: "no", ended_by: "asked" }, keeps)).toBe(4);
  expect(nextGeneration({ generation: 4, state: "no", ended_by: "refused" }, keeps)).toBe(5);
});

test("an order is sent again under its cOID within 20 hours, well before IBKR forgets it", () => {
  expect(RESEND_WITHIN_MS / 60_000).toBe(20 * 60);
});
