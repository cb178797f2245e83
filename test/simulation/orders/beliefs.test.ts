/** Beliefs about IBKR and the owner that are false. One makes no second order; two together do, which the protocol does not prevent. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { FaultSpec } from "../../../src/simulator/control/faults.ts";
import type { Plan } from "./plan.ts";
import { runPlan } from "./run-plan.ts";
import { makeTemplate, type Template } from "./template.ts";
import { callAt, MINUTE, ORDERS, planWith, SECOND_WISH } from "./test-plans.ts";

let template: Template;

beforeAll(async () => {
  template = await makeTemplate();
});
afterAll(() => template.remove());

const TAKES_TWICE: FaultSpec = { kind: "coid_memory", ms: 0 };
const ASKS_ONCE: FaultSpec = { ...ORDERS, kind: "order_question", count: 1 };
const DOUBLED: FaultSpec = { ...ORDERS, kind: "doubled", ms: 20_000, count: 1 };
const ANSWER_LOST: FaultSpec = { ...ORDERS, kind: "drop_after", count: 1 };
const LATE: FaultSpec = { ...ORDERS, kind: "late", ms: 45 * MINUTE, count: 1 };
const LISTS_LIE: FaultSpec = { kind: "list", reason: "empty" };

const at0 = (...specs: readonly FaultSpec[]): Plan["whims"] => specs.map((spec) => ({ at: 0, spec }));

/** How many orders IBKR took for the wish, and the promise that this breaks first. */
async function outcomeOf(plan: Partial<Plan>): Promise<{ readonly orders: number; readonly broken: string | undefined }> {
  const { orders, breaches } = await runPlan(planWith(plan), template);
  return { orders, broken: breaches[0]?.promise };
}

/** A repeat after a person has said that the order isn't there. */
const DECIDED = [callAt(0), callAt(40 * MINUTE)];

describe("one belief that is false makes no second order", () => {
  test.each([
    ["IBKR takes a cOID twice", { calls: DECIDED, whims: at0(TAKES_TWICE, ANSWER_LOST, LISTS_LIE), listsLie: true }],
    ["IBKR takes an order after 45 minutes", { calls: DECIDED, whims: at0(LATE), falseBelief: "very_late" }],
    [
      "the person errs",
      { calls: DECIDED, whims: at0(ANSWER_LOST, LISTS_LIE), listsLie: true, personErrs: true, falseBelief: "person_errs" },
    ],
    ["something on the way doubles an order", { whims: at0(DOUBLED), falseBelief: "doubles" }],
  ] as const)("%s", async (_name, plan) => {
    expect(await outcomeOf({ ...plan, healsAfterMs: 60 * MINUTE })).toEqual({ orders: 1, broken: undefined });
  });
});

describe("two beliefs that are false together", () => {
  test("IBKR takes a cOID twice, and an order after 45 minutes", async () => {
    const plan = { calls: DECIDED, whims: at0(TAKES_TWICE, LATE), falseBelief: "very_late" } as const;
    expect(await outcomeOf({ ...plan, healsAfterMs: 60 * MINUTE })).toEqual({ orders: 2, broken: "one" });
  });

  test("IBKR takes a cOID twice, and the person errs", async () => {
    const plan = { calls: DECIDED, whims: at0(TAKES_TWICE, ANSWER_LOST, LISTS_LIE), listsLie: true, personErrs: true } as const;
    expect(await outcomeOf({ ...plan, falseBelief: "person_errs", healsAfterMs: 60 * MINUTE })).toEqual({ orders: 2, broken: "one" });
  });

  test("something doubles an order, and IBKR takes a cOID twice", async () => {
    expect(await outcomeOf({ whims: at0(DOUBLED, TAKES_TWICE) })).toEqual({ orders: 2, broken: "one" });
  });

  test("something doubles an order, and IBKR asks about the first copy", async () => {
    expect(await outcomeOf({ whims: at0(DOUBLED, ASKS_ONCE) })).toEqual({ orders: 2, broken: "one" });
  });

  test("something doubles an order, and IBKR refuses the first copy", async () => {
    const whims = at0(DOUBLED, { ...ORDERS, kind: "order_refused", count: 1 });
    const wishes = [...planWith({}).wishes, SECOND_WISH];
    expect(await outcomeOf({ whims, wishes, calls: [callAt(0), callAt(10_000, { wish: 1 })] })).toEqual({ orders: 2, broken: "true" });
  });
});

describe("the beliefs without a second line", () => {
  test("a question that was declined goes live, and the confirmed order is the second", async () => {
    const whims = at0(ASKS_ONCE, { ...ORDERS, kind: "goes_live", reason: "declined", ms: 30_000, count: 1 });
    expect(await outcomeOf({ whims })).toEqual({ orders: 2, broken: "one" });
  });

  test("refusals are trusted where IBKR takes a cOID twice: a repeat is the second order", async () => {
    const plan = { refusalsProven: true, whims: at0(TAKES_TWICE, ANSWER_LOST, LISTS_LIE), listsLie: true };
    expect(await outcomeOf({ ...plan, calls: [callAt(0), callAt(MINUTE)] })).toEqual({ orders: 2, broken: "one" });
  });
});
