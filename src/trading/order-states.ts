/** States of an order request: one caller's wish for one order. */
export const REQUEST_STATES = [
  "received",
  "sending",
  "asked",
  "unknown",
  "unresolved",
  "placed",
  "refused",
  "declined",
  "not_placed",
] as const;

/** Where a request stands; `order-states.md` in `docs/reference` has the picture. */
export type RequestState = (typeof REQUEST_STATES)[number];

/** States of an attempt: one `cOID`. */
export const ATTEMPT_STATES = ["sending", "unknown", "placed", "no"] as const;

/** Where an attempt stands. `no`: IBKR said so, it never left, or a person said so. */
export type AttemptState = (typeof ATTEMPT_STATES)[number];

/**
 * Every move a request can make. IBKR's own "accepted" counts from every state; where it contradicts what was known
 * (`refused`, `declined`, `asked`, `not_placed`), it raises an alarm.
 */
export const REQUEST_MOVES: Readonly<Record<RequestState, readonly RequestState[]>> = {
  received: ["sending", "not_placed"],
  sending: ["placed", "refused", "asked", "declined", "not_placed", "unknown"],
  asked: ["sending", "declined", "placed"],
  unknown: ["placed", "sending", "unresolved"],
  unresolved: ["placed", "sending", "not_placed"],
  placed: [],
  refused: ["placed"],
  declined: ["placed"],
  not_placed: ["sending", "placed"],
};

/** Every move an attempt can make. */
export const ATTEMPT_MOVES: Readonly<Record<AttemptState, readonly AttemptState[]>> = {
  sending: ["placed", "no", "unknown"],
  unknown: ["placed", "sending", "no"],
  placed: [],
  no: ["sending", "placed"],
};

/** The states from which a state can be reached. */
export function statesBefore<State extends string>(moves: Readonly<Record<State, readonly State[]>>, to: State): readonly State[] {
  // The keys are those of the table.
  return (Object.keys(moves) as State[]).filter((from) => moves[from].includes(to));
}

/** Reads a stored state. Throws `RangeError` for a text that is none. */
export function readRequestState(text: string): RequestState {
  const state = REQUEST_STATES.find((candidate) => candidate === text);
  if (state === undefined) throw new RangeError(`not a state of an order request: ${text}`);
  return state;
}
