import { seededRandom } from "../../../src/lib/random.ts";
import type { FaultSpec } from "../../../src/simulator/control/faults.ts";
import { whims } from "./whims.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Draws from a seed. */
export interface Dice {
  /** A whole number from 0 to `sides` - 1. */
  roll(sides: number): number;
  /** True in `percent` of the draws. */
  chance(percent: number): boolean;
  pick<T>(from: readonly [T, ...T[]]): T;
  /** Whole milliseconds, small ones as often as large ones. */
  span(from: number, to: number): number;
}

/** Makes dice of a seed; dice of other names draw independently. */
export function diceOf(seed: string): Dice {
  const source = seededRandom(seed);
  const roll = (sides: number): number => Math.floor(source.fraction() * sides);
  return {
    roll,
    chance: (percent) => roll(100) < percent,
    pick: (from) => from[roll(from.length)] ?? from[0],
    span: (from, to) => Math.round(Math.exp(Math.log(from) + source.fraction() * (Math.log(to) - Math.log(from)))),
  };
}

/** What one person wants once. Equal orders of several wishes are of one `group`, which decides their quantity. */
export interface Wish {
  readonly name: string;
  readonly clientOrderId: string | undefined;
  readonly key: number;
  readonly group: number;
  readonly type: "MKT" | "LMT";
}

/** One call for a wish. A call that forgets its id sends the order without one. */
export interface PlannedCall {
  readonly wish: number;
  readonly at: number;
  readonly process: number;
  readonly deadlineMs: number;
  readonly hangsUpAfterMs: number | undefined;
  readonly does: "place" | "status" | "cancel";
  readonly forgetsId: boolean;
  /** What is done with a question. */
  readonly onQuestion: "confirm" | "decline" | "ignore";
  /** How often further questions are confirmed. */
  readonly confirms: number;
  /** Whether it asks for the order's state for a while when the outcome is open. */
  readonly polls: boolean;
}

/** Where a strike comes: statements and requests that concern orders, keys or connections. */
export type StrikePoint = "read" | "write" | "begin" | "commit" | "send" | "reply";

/** What happens at the `nth` such point: to the process that is there, or to the database that it is about to use. */
export interface Strike {
  readonly process: number | undefined;
  readonly point: StrikePoint;
  readonly side: "before" | "after";
  readonly nth: number;
  readonly what: "kill" | "stop" | "locked" | "full" | "io" | AdminAct;
  /** How long a stop lasts. */
  readonly ms: number;
}

/** A change that the owner makes in the console. */
export type AdminAct = "revoke" | "pause" | "narrow" | "read_only";
const ADMIN_ACTS = ["revoke", "pause", "narrow", "read_only"] as const;

/** What happens to the world at a time. */
export interface Event {
  readonly at: number;
  readonly what: "session_reset" | "brokerage_end" | "other_login" | "jump" | "tws_cancel" | "kill" | "stop" | "lose_id" | AdminAct;
  readonly process: number;
  readonly ms: number;
}

/** What of IBKR and of people is believed and false in this seed; never two of a pair that together allow a second order. */
export type Belief = "none" | "takes_twice" | "very_late" | "person_errs" | "doubles";

/** Everything that a seed decides beforehand. */
export interface Plan {
  readonly seed: string;
  /** Epoch ms. */
  readonly startsAt: number;
  readonly falseBelief: Belief;
  /** Whether the owner takes orders for absent that are there. */
  readonly personErrs: boolean;
  /** Whether the connection's kind is known to refuse a `cOID` twice. */
  readonly refusalsProven: boolean;
  /** The longest that an order, its question included, may take to go live, counted from its sending. */
  readonly latenessMs: number;
  readonly wishes: readonly Wish[];
  readonly calls: readonly PlannedCall[];
  readonly strikes: readonly Strike[];
  readonly events: readonly Event[];
  readonly whims: readonly { readonly at: number; readonly spec: FaultSpec }[];
  /** Whether IBKR's lists hide these orders until the end. */
  readonly listsLie: boolean;
  /** How long after the last call the faults end that have no end of their own. */
  readonly healsAfterMs: number;
  /** How often a connection is refused before a byte of an order is sent. */
  readonly unreachable: number;
}

const LATENESS = 30 * MINUTE;
/** Monday noon in New York, and ten minutes before IBKR's day ends there. */
const NOON = Date.UTC(2026, 10, 16, 17, 0, 0);
const NEAR_MIDNIGHT = Date.UTC(2026, 10, 17, 4, 50, 0);

/** Draws a plan. Few faults at a time: what needs many is rare at IBKR, and hard to read here. */
export function planOf(seed: string): Plan {
  const dice = diceOf(`plan ${seed}`);
  const falseBelief = dice.pick<Belief>(["none", "none", "none", "none", "takes_twice", "very_late", "person_errs", "doubles"]);
  const refusalsProven = falseBelief !== "takes_twice" && dice.chance(40);
  const latenessMs = falseBelief === "very_late" ? 6 * LATENESS : LATENESS;
  const wishes = drawWishes(dice);
  const calls = wishes.flatMap((wish, index) => drawCalls(dice, wish, index)).toSorted((a, b) => a.at - b.at);
  const listsLie = dice.chance(10);
  return {
    seed,
    falseBelief,
    personErrs: falseBelief === "person_errs",
    refusalsProven,
    latenessMs,
    wishes,
    calls,
    strikes: Array.from({ length: dice.pick([0, 1, 1, 1, 2, 3]) }, () => drawStrike(dice)),
    events: Array.from({ length: dice.pick([0, 0, 1, 1, 2]) }, () => drawEvent(dice)).toSorted((a, b) => a.at - b.at),
    whims: whims(dice, { falseBelief, latenessMs, listsLie }),
    listsLie,
    healsAfterMs: dice.chance(60) ? 2 * MINUTE : 45 * MINUTE,
    startsAt: dice.chance(80) ? NOON : NEAR_MIDNIGHT,
    unreachable: dice.chance(15) ? 1 + dice.roll(2) : 0,
  };
}

function drawWishes(dice: Dice): readonly Wish[] {
  const type = dice.pick<Wish["type"]>(["MKT", "MKT", "LMT"]);
  const first: Wish = { name: "w1", clientOrderId: dice.chance(65) ? "A" : undefined, key: 0, group: 0, type };
  const count = dice.pick([0, 0, 1, 1, 2]);
  const others = Array.from({ length: count }, (_, index): Wish => {
    const isEqual = dice.chance(60);
    const key = dice.roll(2);
    const clientOrderId = key === 1 && dice.chance(30) ? first.clientOrderId : ["B", "C"][index];
    return { name: `w${index + 2}`, clientOrderId, key, group: isEqual ? 0 : index + 1, type: isEqual ? type : dice.pick(["MKT", "LMT"]) };
  });
  return [first, ...others];
}

/** Within this of its first call a repeat without an id is the same wish; later the gateway can't know. */
const SAME_WISH_MS = 45 * SECOND;

function drawCalls(dice: Dice, wish: Wish, index: number): readonly PlannedCall[] {
  const startsAt = index === 0 ? dice.roll(2 * SECOND) : dice.span(100, 2 * MINUTE);
  const call = (at: number, { forgetsId = false, does = "place" }: Partial<PlannedCall> = {}): PlannedCall => ({
    wish: index,
    at,
    process: dice.roll(2),
    deadlineMs: dice.pick([25, 25, 40, 55]) * SECOND,
    hangsUpAfterMs: dice.chance(35) ? dice.span(300, 20 * SECOND) : undefined,
    does,
    forgetsId,
    onQuestion: dice.pick(["confirm", "confirm", "confirm", "decline", "ignore"]),
    confirms: dice.roll(3),
    polls: dice.chance(50),
  });
  const calls = [call(startsAt)];
  if (wish.clientOrderId === undefined) {
    for (let repeats = dice.roll(4); repeats > 0; repeats -= 1) calls.push(call(startsAt + dice.span(1, SAME_WISH_MS)));
    return calls;
  }
  for (let repeats = dice.roll(5); repeats > 0; repeats -= 1)
    calls.push(call(startsAt + dice.span(1, 90 * MINUTE), { does: dice.pick(["place", "place", "place", "place", "status", "cancel"]) }));
  if (!dice.chance(20)) return calls;
  // After it the id is not used again: what comes with an id then is a wish of its own.
  const forgetsAt = startsAt + dice.span(1, SAME_WISH_MS);
  return [...calls.filter(({ at }) => at < forgetsAt), call(forgetsAt, { forgetsId: true })];
}

function drawStrike(dice: Dice): Strike {
  const point = dice.pick<StrikePoint>(["read", "write", "begin", "commit", "commit", "send", "send", "reply", "reply"]);
  const isStatement = point !== "send" && point !== "reply";
  const side = dice.pick<Strike["side"]>(["before", "after"]);
  // Right before its first byte leaves an order is with the kernel: a process can die there, but not stop.
  const isLeaving = point === "send" && side === "before";
  const what = dice.pick<Strike["what"]>([
    "kill",
    "kill",
    "kill",
    ...ADMIN_ACTS,
    ...(isLeaving ? [] : (["stop", "stop"] as const)),
    ...(isStatement && side === "before" ? (["locked", "full", "io"] as const) : []),
  ]);
  const nth = 1 + dice.roll(point === "send" || point === "reply" ? 3 : 14);
  return { process: dice.chance(50) ? undefined : dice.roll(2), point, side, nth, what, ms: dice.span(SECOND, 300 * SECOND) };
}

function drawEvent(dice: Dice): Event {
  const what = dice.pick<Event["what"]>([
    "session_reset",
    "brokerage_end",
    "other_login",
    "jump",
    "jump",
    "jump",
    "tws_cancel",
    "kill",
    "stop",
    "lose_id",
    ...ADMIN_ACTS,
  ]);
  const sign = dice.chance(50) ? 1 : -1;
  const ms = what === "jump" ? sign * dice.span(SECOND, 24 * 60 * MINUTE) : dice.span(SECOND, 300 * SECOND);
  return { at: dice.span(200, 5 * MINUTE), what, process: dice.roll(2), ms };
}
