import type { Plan, PlannedCall, Wish } from "./plan.ts";

const SECOND = 1_000;
export const MINUTE = 60 * SECOND;

/** One path and method: where orders are placed. */
export const ORDERS = { path: "/iserver/account/*/orders", method: "POST" } as const;

const WISH: Wish = { name: "w1", clientOrderId: "A", key: 0, group: 0, type: "MKT" };

/** A call for the first wish that waits for its outcome. */
export function callAt(at: number, call: Partial<PlannedCall> = {}): PlannedCall {
  return {
    wish: 0,
    at,
    process: 0,
    deadlineMs: 40 * SECOND,
    hangsUpAfterMs: undefined,
    does: "place",
    forgetsId: false,
    onQuestion: "confirm",
    confirms: 0,
    polls: false,
    ...call,
  };
}

/** A plan in which one order is wanted and nothing goes wrong, but for what is given. */
export function planWith(plan: Partial<Plan>): Plan {
  return {
    seed: "by hand",
    startsAt: Date.UTC(2026, 10, 16, 17, 0, 0),
    falseBelief: "none",
    personErrs: false,
    refusalsProven: false,
    latenessMs: 30 * MINUTE,
    wishes: [WISH],
    calls: [callAt(0)],
    strikes: [],
    events: [],
    whims: [],
    listsLie: false,
    healsAfterMs: MINUTE,
    unreachable: 0,
    ...plan,
  };
}

/** An equal order under another id. */
export const SECOND_WISH: Wish = { ...WISH, name: "w2", clientOrderId: "B" };
