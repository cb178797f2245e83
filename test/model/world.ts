/** State of the model: calls, the gateway's rows, what is on its way, and IBKR. */
import type { Promised } from "./promises.ts";
import { type Faults, NO_FAULTS, type Scenario } from "./scenario.ts";

/** Steps of a call. `allowed`: permitted, not yet sent. `sent`: waiting for IBKR's response. */
export const STEPS = ["to come", "waiting", "allowed", "sent", "over"] as const;

/** A caller's call. `at` is when its step began. */
export interface Call {
  readonly name: string;
  readonly isNamed: boolean;
  step: (typeof STEPS)[number];
  process: number;
  attempt: number;
  at: number;
}

/** States of a request. `asked`: IBKR asked a question and accepted the gateway's no. */
export const REQUEST_STATES = ["received", "sending", "unknown", "placed", "not placed", "asked", "refused"] as const;

/** A row of order requests. `owner` wrote it, and matters while it is only received. */
export interface Request {
  readonly name: string;
  state: (typeof REQUEST_STATES)[number];
  /** Index of the newest attempt, or -1. */
  attempt: number;
  owner: number;
}

/** States of an attempt. `no`: IBKR refused it, it never left, or the user decided so. `absent`: judged by lists. */
export const ATTEMPT_STATES = ["sending", "unknown", "placed", "absent", "no"] as const;

/** A row of order attempts. Its index is its cOID. */
export interface Attempt {
  readonly request: number;
  state: (typeof ATTEMPT_STATES)[number];
  owner: number;
  /** When the newest sending was permitted, by a clock that nothing sets. */
  at: number;
  /** The same moment by the wall clock. */
  wallAt: number;
  /** An earlier sending of this cOID has no definite end. */
  doubt: boolean;
  /** Whether it ever left. The gateway never reads this: after a crash it would not know. */
  left: boolean;
}

/** A cOID and when it was sent, taken or learnt. */
export interface Stamp {
  readonly cOID: number;
  readonly at: number;
}

/** An order on its way to IBKR, and the call that waits for the response (-1: none). */
export interface Packet extends Stamp {
  readonly call: number;
}

/** Everything that decides what can happen next. */
export interface World {
  now: number;
  wallAhead: number;
  revokedAt: number | undefined;
  alive: boolean[];
  calls: Call[];
  requests: Request[];
  attempts: Attempt[];
  wire: Packet[];
  /** Orders that IBKR took, cOIDs that it knows, and questions without an answer. */
  orders: Stamp[];
  known: Stamp[];
  questions: Stamp[];
  left: Faults;
  /** Observed, not read by the gateway: cOIDs reported as not placed, and broken promises. */
  denied: number[];
  broken: Promised[];
  /** Moves of requests and attempts in the whole search. Shared by all its worlds, and no part of the state. */
  readonly moves: Set<string>;
}

/** Creates the world before the first call. */
export function createWorld({ processes, calls: names, faults }: Scenario): World {
  const calls = names.map((name, index): Call => {
    return { name: name || `auto${index + 1}`, isNamed: name !== "", step: "to come", process: -1, attempt: -1, at: 0 };
  });
  const gateway = {
    now: 0,
    wallAhead: 0,
    revokedAt: undefined,
    alive: Array.from({ length: processes }, () => true),
    calls,
    requests: [],
    attempts: [],
  };
  const ibkr = { wire: [], orders: [], known: [], questions: [] };
  return { ...gateway, ...ibkr, left: { ...NO_FAULTS, ...faults }, denied: [], broken: [], moves: new Set() };
}

/** Counts a fault that happens. */
export function spend(world: World, fault: keyof Faults): void {
  world.left = { ...world.left, [fault]: world.left[fault] - 1 };
}

/** Returns a row that must exist. Throws RangeError otherwise. */
export function at<T>(rows: readonly T[], index: number): T {
  const found = rows[index];
  if (found === undefined) throw new RangeError(`no row ${index}`);
  return found;
}
