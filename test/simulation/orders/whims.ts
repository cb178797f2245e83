import type { FaultSpec } from "../../../src/simulator/control/faults.ts";
import type { Belief, Dice, Plan } from "./plan.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const FOREVER = 31 * 24 * 60 * MINUTE;

const ORDERS = { path: "/iserver/account/*/orders", method: "POST" } as const;
const REPLY = { path: "/iserver/reply/*", method: "POST" } as const;
const LIST = { path: "/iserver/account/orders", method: "GET" } as const;
const TRADES = { path: "/iserver/account/trades", method: "GET" } as const;

/** Faults by status or text, in place of a response, before or after the endpoint has done its work. */
const REPLIES = [
  "unauthorized",
  "request_timeout",
  "too_many_requests",
  "server_error",
  "unavailable",
  "no_bridge",
  "html",
  "half_json",
] as const;

interface WhimOptions {
  readonly falseBelief: Belief;
  readonly latenessMs: number;
  readonly listsLie: boolean;
}

type Whim = Plan["whims"][number];

/** Draws the faults of IBKR in a seed. */
export function whims(dice: Dice, { falseBelief, latenessMs, listsLie }: WhimOptions): readonly Whim[] {
  const drawn = Array.from({ length: dice.pick([0, 1, 1, 2, 2, 3]) }, () => {
    const at = dice.chance(50) ? 0 : dice.span(100, 3 * MINUTE);
    return drawWhim(dice, falseBelief, latenessMs).map((spec) => ({ at, spec }));
  }).flat();
  const permanent: FaultSpec[] = [
    ...(falseBelief === "takes_twice" ? [{ kind: "coid_memory", ms: 0 } as const] : []),
    ...(falseBelief === "doubles" ? [{ ...ORDERS, kind: "doubled", ms: dice.span(1, latenessMs) } as const] : []),
    ...(dice.chance(40) ? [{ kind: "registers", reason: "question" } as const] : []),
    ...(dice.chance(40) ? [{ kind: "registers", reason: "refusal" } as const] : []),
    ...(listsLie ? [{ ...LIST, kind: "list", reason: "empty" } as const, { ...TRADES, kind: "list", reason: "empty" } as const] : []),
  ];
  return [...permanent.map((spec) => ({ at: 0, spec })), ...drawn];
}

function drawWhim(dice: Dice, falseBelief: Belief, latenessMs: number): readonly FaultSpec[] {
  const count = 1 + dice.roll(2);
  const late = dice.span(SECOND, latenessMs);
  const asks = falseBelief !== "doubles";
  const draws: [() => readonly FaultSpec[], ...(() => readonly FaultSpec[])[]] = [
    () => [{ ...ORDERS, kind: "late", ms: late, count }],
    () => [{ ...ORDERS, kind: "late", ms: late, count, reason: "lost" }],
    () => [{ ...ORDERS, kind: "latency", ms: dice.span(SECOND, 200 * SECOND), count }],
    () => [{ ...ORDERS, kind: dice.pick(["drop_before", "drop_after"]), count }],
    () => [{ ...ORDERS, kind: "cut", bytes: dice.roll(80), count }],
    () => [{ ...ORDERS, kind: dice.pick(REPLIES), count, after: dice.chance(60) }],
    () => [{ ...ORDERS, kind: dice.pick(REPLIES), count, after: dice.chance(60) }],
    () => drawLists(dice),
    () => drawLists(dice),
    () => (asks ? drawQuestion(dice, latenessMs, count) : []),
    () => (asks ? drawQuestion(dice, latenessMs, count) : []),
    () => (asks ? [{ kind: "order_refused", count }] : []),
    () => (asks ? [{ kind: "advanced_reject", count }, ...livesLate(dice, latenessMs, count)] : []),
  ];
  return dice.pick(draws)();
}

/** A question, and a fault of its reply. */
function drawQuestion(dice: Dice, latenessMs: number, count: number): readonly FaultSpec[] {
  const question: FaultSpec = { kind: "order_question", count, reason: dice.pick(["one_message", "two_messages"]) };
  const answer = dice.pick<readonly FaultSpec[]>([
    [],
    [],
    [{ ...REPLY, kind: "drop_before", count: 1 }],
    [{ ...REPLY, kind: "drop_after", count: 1 }],
    [{ ...REPLY, kind: dice.pick(REPLIES), count: 1, after: dice.chance(50) }],
    [{ ...REPLY, kind: "late", ms: dice.span(SECOND, latenessMs), count: 1, reason: "lost" }],
    [{ ...ORDERS, kind: "drop_after", count: 1 }],
    [{ ...ORDERS, kind: "cut", bytes: dice.roll(60), count: 1 }],
  ]);
  return [question, ...answer, ...livesLate(dice, latenessMs, count)];
}

/** An order whose question gets no reply may go live, counted from its sending. */
function livesLate(dice: Dice, latenessMs: number, count: number): readonly FaultSpec[] {
  return dice.chance(60) ? [{ kind: "goes_live", ms: dice.span(SECOND, latenessMs), count }] : [];
}

function drawLists(dice: Dice): readonly FaultSpec[] {
  const reason = dice.pick(["stale", "lagging", "lagging", "partial", "empty", "cold", "filtered"]);
  const forMs = dice.pick([dice.span(10 * SECOND, 60 * MINUTE), FOREVER]);
  const ms = reason === "lagging" ? { ms: dice.span(SECOND, 120 * MINUTE) } : {};
  const orders: FaultSpec = { ...LIST, kind: "list", reason, forMs, ...ms };
  return dice.chance(60) ? [orders, { ...TRADES, kind: "list", reason: "empty", forMs }] : [orders];
}
