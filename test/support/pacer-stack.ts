/** A pacer with a clock that only a test moves. */
import { silentLog } from "./silent-log.ts";
import { type FakeClock, fakeClock } from "./fake-clock.ts";
import { Pacer, type PacingLimits, type Turn, type TurnRequest } from "../../src/ibkr/pacing.ts";

/** The endpoint of orders. */
export const ORDERS = "/iserver/account/{accountId}/orders";
export const LIMITS: PacingLimits = { global: { requests: 40, perMs: 1000 }, endpoints: { "/one": { requests: 1, perMs: 0 } } };

/** A pacer on a clock of its own. */
export interface Stack {
  readonly clock: FakeClock;
  readonly pacer: Pacer;
  /** Calls of the observer. */
  readonly observed: unknown[];
  readonly ask: (part?: Partial<TurnRequest>) => Promise<Turn>;
}

/** Creates the pacer; `limits` default to one endpoint that takes one request at a time. */
export function setUp(limits: PacingLimits = LIMITS, clock = fakeClock()): Stack {
  const observed: unknown[] = [];
  const observer = {
    sent: (about: object) => void observed.push(about),
    refused: (endpointClass: string) => void observed.push(endpointClass),
    limited: (reason: string) => void observed.push(reason),
  };
  const pacer = new Pacer({ clock, log: silentLog, observer }, limits);
  const ask = (part: Partial<TurnRequest> = {}): Promise<Turn> =>
    pacer.turn({ endpoint: "/any", caller: "a", urgent: false, repeatsPriming: false, signal: new AbortController().signal, ...part });
  return { clock, pacer, observed, ask };
}

/** Waits for a turn in the background: the time at which it came, or the error. */
export function watch(clock: FakeClock, turn: Promise<Turn>) {
  const seen: { at?: number; turn?: Turn; error?: unknown } = {};
  turn.then(
    (granted) => Object.assign(seen, { at: clock.now(), turn: granted }),
    (error: unknown) => Object.assign(seen, { error }),
  );
  return seen;
}

/** A turn, or refusal, that has to come without time: a test that waits for one that never comes would end by its time limit only. */
export async function soon(turn: Promise<Turn>): Promise<Turn> {
  const late = Promise.withResolvers<Turn>();
  setImmediate(() => late.reject(new Error("no turn came")));
  return await Promise.race([turn, late.promise]);
}

/** Takes turns that have to come without time. */
export async function take(stack: Stack, count: number, part: Partial<TurnRequest> = {}): Promise<Turn[]> {
  return await Promise.all(Array.from({ length: count }, () => soon(stack.ask(part))));
}
