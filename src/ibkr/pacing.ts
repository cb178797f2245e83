import type { Clock } from "../lib/clock.ts";
import { GatewayError } from "../lib/errors.ts";
import { background, type Log } from "../lib/log.ts";
import { abortReason } from "./abortable.ts";
import { FairQueue, type Waiting } from "./fair-queue.ts";
import { Gate } from "./gate.ts";
import { ENDPOINT_LIMITS, GLOBAL_LIMIT, type PacingLimit } from "./pacing-table.ts";

/** Nobody waits longer than this for a turn; a caller is better served by a clear "later". */
const MAX_WAIT_MS = 20_000;
/** Twenty seconds of the global limit: what stands further back could not be served in time. */
const MAX_QUEUED = 800;
/** After IBKR's first 429 for an endpoint (longer than its usual five seconds); doubled for each further one, up to IBKR's own penalty of 15 minutes. */
const FIRST_PENALTY_MS = 6000;
const MAX_PENALTY_MS = 900_000;

/** A turn to send one request. */
export interface Turn {
  /** To be called once the answer is here; `settled` is false when it never came and IBKR may still be working on it. */
  done(settled: boolean): void;
  /** To be called after IBKR answered 429. */
  refused(): void;
}

/** Who wants a turn and for what. */
export interface TurnRequest {
  /** A path with its variable parts named, as in the pacing table. */
  readonly endpoint: string;
  readonly caller: string;
  /** Orders and the session's own upkeep go before reads. */
  readonly urgent: boolean;
  /** The repeat right after a priming call, which IBKR counts as one with it. */
  readonly repeatsPriming: boolean;
  readonly signal: AbortSignal;
}

/** Lets requests go upstream no faster than IBKR allows: orders first, then callers in turn. */
export class Pacer {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #limits: Readonly<Record<string, PacingLimit>>;
  readonly #global: Gate;
  readonly #gates = new Map<string, Gate>();
  readonly #urgent = new FairQueue<Entry>();
  readonly #reads = new FairQueue<Entry>();
  #wakeAt = Infinity;

  constructor(
    deps: { readonly clock: Clock; readonly log: Log },
    limits: { global: PacingLimit; endpoints: Readonly<Record<string, PacingLimit>> } = {
      global: GLOBAL_LIMIT,
      endpoints: ENDPOINT_LIMITS,
    },
  ) {
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#limits = limits.endpoints;
    this.#global = new Gate(limits.global);
  }

  /** Waits for a turn. Throws `rate_limited` when it would take, or took, over 20 seconds, and the signal's reason when that aborts. */
  turn(request: TurnRequest): Promise<Turn> {
    if (request.signal.aborted) return Promise.reject(abortReason(request.signal));
    const queue = request.urgent ? this.#urgent : this.#reads;
    const gate = this.#gateOf(request.endpoint);
    const now = this.#clock.now();
    const waitMs = Math.max(this.#global.waitFor(queue.size, now), request.repeatsPriming ? 0 : gate.waitFor(gate.queued, now));
    if (queue.size >= MAX_QUEUED || waitMs > MAX_WAIT_MS) return Promise.reject(tooMany(Math.max(waitMs, 1000)));
    const { promise, resolve, reject } = Promise.withResolvers<Turn>();
    const leave = () => {
      if (queue.remove(entry)) this.#left(entry);
      reject(abortReason(request.signal));
    };
    const entry: Entry = {
      caller: request.caller,
      gate,
      bypass: request.repeatsPriming,
      expiresAt: now + MAX_WAIT_MS,
      resolve,
      reject,
      unlisten: () => request.signal.removeEventListener("abort", leave),
    };
    request.signal.addEventListener("abort", leave, { once: true });
    gate.queued += 1;
    queue.add(entry);
    this.#pump();
    return promise;
  }

  /** Hands out every turn that is free now, then arranges to be woken for the next. */
  #pump(): void {
    const now = this.#clock.now();
    this.#expire(now);
    while (this.#global.isOpen(now)) {
      const isFree = (entry: Entry) => entry.bypass || entry.gate.isOpen(now);
      const entry = this.#urgent.take(isFree) ?? this.#reads.take(isFree);
      if (entry === undefined) break;
      this.#left(entry);
      entry.resolve(this.#begin(entry.gate));
    }
    this.#sleep(now);
  }

  #begin(gate: Gate): Turn {
    this.#global.enter();
    gate.enter();
    let ended = false;
    return {
      done: (settled) => {
        if (ended) return;
        ended = true;
        const now = this.#clock.now();
        this.#global.leave(now, settled);
        gate.leave(now, settled);
        this.#pump();
      },
      refused: () => {
        gate.penalties += 1;
        gate.blockedUntil = this.#clock.now() + Math.min(FIRST_PENALTY_MS * 2 ** (gate.penalties - 1), MAX_PENALTY_MS);
      },
    };
  }

  /** Endpoints without a limit of their own have a gate too, so that a 429 can close it. */
  #gateOf(endpoint: string): Gate {
    const known = this.#gates.get(endpoint);
    if (known !== undefined) return known;
    const gate = new Gate(this.#limits[endpoint] ?? { requests: Infinity, perMs: 0 });
    this.#gates.set(endpoint, gate);
    return gate;
  }

  #expire(now: number): void {
    for (const entry of [
      ...this.#urgent.takeAll((waiting) => waiting.expiresAt <= now),
      ...this.#reads.takeAll((waiting) => waiting.expiresAt <= now),
    ]) {
      this.#left(entry);
      entry.reject(tooMany(entry.gate.waitFor(entry.gate.queued, now)));
    }
  }

  #left(entry: Entry): void {
    entry.unlisten();
    entry.gate.queued -= 1;
  }

  #sleep(now: number): void {
    let next = Infinity;
    for (const queue of [this.#urgent, this.#reads])
      for (const entry of queue.entries()) {
        const gateAt = entry.bypass ? now : entry.gate.opensAt(now);
        next = Math.min(next, entry.expiresAt, Math.max(this.#global.opensAt(now), gateAt));
      }
    if (next >= this.#wakeAt || next === Infinity) return;
    this.#wakeAt = next;
    background(this.#wake(next - now), this.#log, "pacing");
  }

  async #wake(ms: number): Promise<void> {
    const mine = this.#wakeAt;
    await this.#clock.wait(Math.max(ms, 1));
    if (this.#wakeAt === mine) this.#wakeAt = Infinity;
    this.#pump();
  }
}

interface Entry extends Waiting {
  readonly gate: Gate;
  readonly bypass: boolean;
  readonly expiresAt: number;
  readonly resolve: (turn: Turn) => void;
  readonly reject: (error: Error) => void;
  readonly unlisten: () => void;
}

function tooMany(waitMs: number): GatewayError {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new GatewayError("rate_limited", "Too many requests are waiting for IBKR, which limits how many it answers.", {
    whatToDo: `Try again in ${retryAfterSeconds} s, and ask for several instruments in one call where you can.`,
    retryAfterSeconds,
  });
}
