import type { SessionStateName } from "../broker/health.ts";

/** Everything that happens to a session. The picture in `docs/reference/session.md` shows what follows from each. */
export const SESSION_EVENTS = [
  "open",
  "established",
  "lost",
  "refused",
  "unreachable",
  "taken",
  "logged_out",
  "disproven",
  "close",
] as const;

type EventName = (typeof SESSION_EVENTS)[number];

/**
 * One event. `open`: an attempt begins; `established`: it worked; `lost`: a request met a session that has ended; `refused`: IBKR said
 * no to the login or the init; `unreachable`: it did not answer, or is down; `taken`: another login holds the session; `logged_out`:
 * a person has to log in at the gateway; `disproven`: the broker proved another mode; `close`: we end it.
 */
export interface SessionEvent {
  readonly type: EventName;
  /** Epoch ms. */
  readonly at: number;
  /** 0 to 1: how much of the spread a pause gets, so that many sessions don't come back at the same instant. */
  readonly jitter?: number;
  /** With `taken`: an init was sent and refused, which must not be repeated soon. */
  readonly afterInit?: boolean;
}

/** Where a session stands, and when it may be tried again. */
export interface SessionState {
  readonly name: SessionStateName;
  /** When it entered this state, epoch ms. */
  readonly since: number;
  /** No attempt before this time, epoch ms; a person may order one all the same. */
  readonly retryAt: number | undefined;
  /** Refusals since the session was last established: each doubles the pause. */
  readonly refusals: number;
  /** Attempts that met no IBKR since then: each doubles the short pause. */
  readonly misses: number;
}

/** State → event → next state. Events that are not named leave a state as it is: they come too late, or say nothing new. */
export const TRANSITIONS: Readonly<Record<SessionStateName, Readonly<Partial<Record<EventName, SessionStateName>>>>> = {
  closed: { open: "opening", disproven: "frozen" },
  opening: {
    established: "established",
    refused: "backing_off",
    unreachable: "backing_off",
    taken: "competing",
    logged_out: "logged_out",
    disproven: "frozen",
    close: "closed",
  },
  established: { open: "opening", lost: "closed", taken: "competing", logged_out: "logged_out", disproven: "frozen", close: "closed" },
  backing_off: { open: "opening", close: "closed" },
  competing: { open: "opening", close: "closed" },
  logged_out: { open: "opening", close: "closed" },
  // Its owner sets the connection up anew; then there is a new session.
  frozen: {},
};

/** Repeated refused logins lock a user out: IBKR's advice is to wait longer each time. */
const REFUSED_PAUSE_MS = { first: 60_000, most: 1_800_000 };
/** When IBKR was not reached, asking again costs nothing but the request; a minute is short enough after a maintenance of hours. */
const UNREACHABLE_PAUSE_MS = { first: 1_000, most: 60_000 };
/** Whether another login still holds the session can be asked without touching it. */
const TAKEN_PAUSE_MS = 10_000;
/** Whether a person has logged in at the gateway can be asked as well: they have just done it and look at the page. */
const LOGGED_OUT_PAUSE_MS = 5_000;
/** A pause is up to this share longer than it has to be. */
const SPREAD = 0.2;

/** A session that nobody has opened yet. */
export function initialState(at: number): SessionState {
  return { name: "closed", since: at, retryAt: undefined, refusals: 0, misses: 0 };
}

/** What a session's state becomes by an event: the whole machine, a pure function. */
export function transition(state: SessionState, event: SessionEvent): SessionState {
  const name = TRANSITIONS[state.name][event.type];
  if (name === undefined) return state;
  const wasRefused = event.type === "refused" || (event.type === "taken" && event.afterInit === true);
  const isOver = event.type === "established";
  const refusals = isOver ? 0 : state.refusals + (wasRefused ? 1 : 0);
  const misses = isOver ? 0 : state.misses + (event.type === "unreachable" ? 1 : 0);
  const pauseMs = wasRefused ? growing(REFUSED_PAUSE_MS, refusals, event) : pauseAfter(event, misses);
  return { name, since: event.at, retryAt: pauseMs === undefined ? undefined : event.at + pauseMs, refusals, misses };
}

function pauseAfter(event: SessionEvent, misses: number): number | undefined {
  if (event.type === "unreachable") return growing(UNREACHABLE_PAUSE_MS, misses, event);
  if (event.type === "taken") return TAKEN_PAUSE_MS;
  return event.type === "logged_out" ? LOGGED_OUT_PAUSE_MS : undefined;
}

function growing({ first, most }: { first: number; most: number }, times: number, { jitter = 0 }: SessionEvent): number {
  return Math.round(Math.min(first * 2 ** (times - 1) * (1 + SPREAD * jitter), most));
}
