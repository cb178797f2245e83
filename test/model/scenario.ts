/** Bounds of one search: the calls, IBKR's behavior, and how often each fault may happen. */
import { TURN_LIMIT, USER_AFTER } from "./rules.ts";

/** Faults that are counted, with how often each may still happen. */
export type Faults = Readonly<Record<"crashes" | "jumps" | "revocations" | "questions" | "refusals" | "unreachable" | "copies", number>>;

/** Bounds within which every interleaving is visited. Times are in ticks. */
export interface Scenario {
  /** Client order ids of the calls. `A`,`A` is a repeat, `""`,`""` a repeat without an id, `A`,`B` an equal order under another id. */
  readonly calls: readonly string[];
  readonly processes: number;
  /** How long an order may travel, or a question stay alive, before IBKR takes it. After that IBKR never takes it. */
  readonly lateness: number;
  /** How long IBKR's lists may omit an order that IBKR took. */
  readonly listLag: number;
  /** How long IBKR refuses a cOID that it knows. 0: IBKR takes a cOID twice. */
  readonly refusesTwice: number;
  /** Whether IBKR knows a cOID that it only asked about or refused. No public record shows which. */
  readonly knowsWhatItAsked?: boolean;
  readonly losesAnswers?: boolean;
  /** Whether a process may stop between its permission to send and the sending. */
  readonly suspends?: boolean;
  /** Whether the user may decide "it is not there" about an order that is there. */
  readonly userErrs?: boolean;
  readonly faults: Partial<Faults>;
}

/** A time that no search reaches. */
export const FOREVER = 99;

/** No fault is left. */
export const NO_FAULTS: Faults = { crashes: 0, jumps: 0, revocations: 0, questions: 0, refusals: 0, unreachable: 0, copies: 0 };

/** Two calls of one order in one process, while IBKR and its lists behave. */
export const CALM: Scenario = { calls: ["A", "A"], processes: 1, lateness: 0, listLag: 0, refusesTwice: FOREVER, faults: {} };

/** Tick of the last call that may arrive. */
export const LAST_CALL = 3;

/** Tick at which time stops: every request can end between the last call and then. */
export const HORIZON = LAST_CALL + TURN_LIMIT + USER_AFTER;

/** Ticks by which the wall clock jumps ahead. */
export const CLOCK_JUMP = 3;
