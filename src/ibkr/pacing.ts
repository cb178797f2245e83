import type { Clock } from "../lib/clock.ts";
import type { GatewayError } from "../lib/errors.ts";
import { background, type Log } from "../lib/log.ts";
import { abortReason } from "./abortable.ts";
import { FairQueue, type Waiting } from "./fair-queue.ts";
import { Gate } from "./gate.ts";
import { DEAF_OBSERVER, endpointClassOf, type LimitReason, type PacingObserver } from "./pacing-observer.ts";
import { ENDPOINT_LIMITS, GLOBAL_LIMITS, type PacingLimit } from "./pacing-table.ts";
import { rateLimited } from "./rate-limited.ts";

/** Nobody waits longer than this for a turn; a caller is better served by a clear "later". */
const MAX_WAIT_MS = 20_000;
/** Ten seconds of the whole budget for one caller: more than any single question of a model needs. */
const MAX_QUEUED_PER_CALLER = 400;
/** Of all callers together, for memory's sake: far more than can be served in time. */
const MAX_QUEUED = 4000;
/** So many urgent requests in a row let one read pass, so that a busy trader doesn't blind the others. */
const URGENT_RUN = 9;
/**
 * While a user trades, reads leave a tenth of the budget: they go in bursts, and an order that comes right after one would
 * otherwise wait a second for the next place. That is so for a minute after each order.
 */
const SPARE_SHARE = 0.1;
const TRADING_MS = 60_000;
/** After IBKR's first 429 for an endpoint (longer than its usual five seconds); doubled for each further one, up to IBKR's own penalty of 15 minutes. */
const FIRST_PENALTY_MS = 6000;
const MAX_PENALTY_MS = 900_000;
/** When an endpoint has no limit of its own. */
const UNLIMITED: PacingLimit = { requests: Infinity, perMs: 0 };

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
  /** It goes before what its own caller asked earlier: others wait until it is done, or it goes on with a call that has begun. */
  readonly goesFirst?: boolean;
  readonly signal: AbortSignal;
}

/** What a pacer keeps to. */
export interface PacingLimits {
  readonly global: PacingLimit;
  readonly endpoints: Readonly<Record<string, PacingLimit>>;
}

/** What a pacer needs of the outside. */
export interface PacerDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly observer?: PacingObserver;
}

/**
 * Lets requests go upstream no faster than IBKR allows: orders first, then callers in turn. One that turns out to pace the
 * same user as another hands everything over to that one and speaks for it from then on.
 */
export class Pacer {
  /** Read as `monotonic` throughout: an hour by which the wall clock is set back must not be an hour without a turn. */
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #observer: PacingObserver;
  readonly #limits: Readonly<Record<string, PacingLimit>>;
  readonly #global: Gate;
  readonly #gates = new Map<string, Gate>();
  readonly #urgent = new FairQueue<Entry>();
  readonly #reads = new FairQueue<Entry>();
  #urgentRun = 0;
  #tradingUntil = -Infinity;
  #wakeAt = Infinity;
  #successor: Pacer | undefined;

  constructor(deps: PacerDeps, limits: PacingLimits = { global: GLOBAL_LIMITS.oauth, endpoints: ENDPOINT_LIMITS }) {
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#observer = deps.observer ?? DEAF_OBSERVER;
    this.#limits = limits.endpoints;
    this.#global = new Gate(limits.global);
  }

  /** How many requests wait, urgent ones and reads, and how many are on their way. */
  get figures(): { readonly urgent: number; readonly reads: number; readonly inFlight: number } {
    return { urgent: this.#urgent.size, reads: this.#reads.size, inFlight: this.#global.inFlight };
  }

  /**
   * Waits for a turn. Throws `rate_limited` at once when it would take over 20 seconds, and as soon as it took so long;
   * throws the signal's reason when that aborts.
   */
  turn(request: TurnRequest): Promise<Turn> {
    if (this.#successor !== undefined) return this.#successor.turn(request);
    if (request.signal.aborted) return Promise.reject(abortReason(request.signal));
    const now = this.#clock.monotonic();
    if (request.urgent && endpointClassOf(request.endpoint) === "orders") this.#tradingUntil = now + TRADING_MS;
    const gate = this.#gateOf(request.endpoint);
    const refusal = this.#refusal(request, gate, now);
    if (refusal !== undefined) return Promise.reject(this.#limited(...refusal));
    const { promise, resolve, reject } = Promise.withResolvers<Turn>();
    const leave = () => {
      entry.pacer.#giveUp(entry);
      reject(abortReason(request.signal));
    };
    const entry: Entry = {
      pacer: this,
      caller: request.caller,
      endpoint: request.endpoint,
      gate,
      urgent: request.urgent,
      bypass: request.repeatsPriming,
      first: request.goesFirst === true,
      askedAt: now,
      resolve,
      reject,
      unlisten: () => request.signal.removeEventListener("abort", leave),
    };
    request.signal.addEventListener("abort", leave, { once: true });
    this.#add(entry);
    this.#pump();
    return promise;
  }

  /** Sets how much may be sent in all, from now on. */
  limitTo(global: PacingLimit): void {
    this.#global.limit = global;
    this.#pump();
  }

  /** Hands over all that waits and all that is held to the pacer of the same user. To be called once. */
  joinInto(successor: Pacer): void {
    this.#successor = successor;
    successor.#global.absorb(this.#global);
    for (const [endpoint, gate] of this.#gates) successor.#gateOf(endpoint).absorb(gate);
    for (const queue of [this.#urgent, this.#reads])
      for (const entry of queue.takeAll(() => true)) {
        entry.pacer = successor;
        entry.gate = successor.#gateOf(entry.endpoint);
        successor.#add(entry);
      }
    successor.#pump();
  }

  /** Why a request may not even wait, and for how long not. */
  #refusal({ caller, urgent, repeatsPriming, goesFirst }: TurnRequest, gate: Gate, now: number): [LimitReason, number] | undefined {
    const queue = urgent ? this.#urgent : this.#reads;
    const ahead = queue.ahead(caller, goesFirst) + (urgent ? 0 : this.#urgent.size);
    const globalMs = this.#global.waitFor(ahead, now);
    const waitMs = Math.max(globalMs, repeatsPriming ? 0 : gate.waitFor(gate.waiting.ahead(caller), now));
    if (waitMs > MAX_WAIT_MS) return ["wait", waitMs];
    if (queue.of(caller) >= MAX_QUEUED_PER_CALLER) return ["caller_queue", globalMs];
    return this.#urgent.size + this.#reads.size >= MAX_QUEUED ? ["queue", MAX_WAIT_MS] : undefined;
  }

  #add(entry: Entry): void {
    entry.gate.waiting.add(entry.caller);
    this.#queueOf(entry).add(entry, entry.first);
  }

  #giveUp(entry: Entry): void {
    if (!this.#queueOf(entry).remove(entry)) return;
    entry.gate.waiting.remove(entry.caller);
    entry.unlisten();
  }

  #queueOf(entry: Entry): FairQueue<Entry> {
    return entry.urgent ? this.#urgent : this.#reads;
  }

  /** Hands out every turn that is free now, then arranges to be woken for the next. */
  #pump(): void {
    const now = this.#clock.monotonic();
    this.#expire(now);
    while (this.#global.isOpen(now)) {
      const entry = this.#next(now);
      if (entry === undefined) break;
      entry.unlisten();
      entry.gate.waiting.serve(entry.caller);
      const waitedMs = now - entry.askedAt;
      this.#observer.sent({ endpointClass: endpointClassOf(entry.endpoint), urgent: entry.urgent, waitedMs });
      entry.resolve(this.#begin(entry, now));
    }
    this.#sleep(now);
  }

  /** Urgent ones first; at an endpoint with a limit of its own, callers take turns of their own. */
  #next(now: number): Entry | undefined {
    const isFree = ({ bypass, gate, urgent, caller }: Entry) =>
      bypass || (gate.isOpen(now) && (urgent || gate.limit.requests === Infinity || gate.waiting.isNext(caller)));
    if (this.#urgentRun < URGENT_RUN || this.#reads.size === 0) {
      const urgent = this.#urgent.take(isFree);
      if (urgent !== undefined) {
        this.#urgentRun += 1;
        return urgent;
      }
    }
    // After such a run a read may take any place; otherwise some are left for orders to come.
    const mayRead = this.#urgentRun >= URGENT_RUN || this.#global.isOpen(now, this.#spare(now));
    this.#urgentRun = 0;
    return (mayRead ? this.#reads.take(isFree) : undefined) ?? this.#urgent.take(isFree);
  }

  /** Places that reads leave for orders. */
  #spare(now: number): number {
    if (now >= this.#tradingUntil) return 0;
    const { requests } = this.#global.limit;
    return Math.min(Math.ceil(requests * SPARE_SHARE), requests - 1);
  }

  #begin({ endpoint, gate }: Entry, startedAt: number): Turn {
    this.#global.enter();
    gate.enter();
    let ended = false;
    return {
      done: (settled) => {
        if (ended) return;
        ended = true;
        this.#end(endpoint, { settled, startedAt });
      },
      refused: () => this.#refused(endpoint),
    };
  }

  #end(endpoint: string, { settled, startedAt }: { settled: boolean; startedAt: number }): void {
    if (this.#successor !== undefined) return this.#successor.#end(endpoint, { settled, startedAt });
    const now = this.#clock.monotonic();
    const end = { settled, tookMs: now - startedAt };
    this.#global.leave(now, end);
    this.#gateOf(endpoint).leave(now, end);
    this.#pump();
    return undefined;
  }

  #refused(endpoint: string): void {
    if (this.#successor !== undefined) return this.#successor.#refused(endpoint);
    const gate = this.#gateOf(endpoint);
    gate.penalties += 1;
    gate.blockedUntil = this.#clock.monotonic() + Math.min(FIRST_PENALTY_MS * 2 ** (gate.penalties - 1), MAX_PENALTY_MS);
    this.#observer.refused(endpointClassOf(endpoint));
    return undefined;
  }

  /** Endpoints without a limit of their own have a gate too, so that a 429 can close it. */
  #gateOf(endpoint: string): Gate {
    const known = this.#gates.get(endpoint);
    if (known !== undefined) return known;
    const gate = new Gate(this.#limits[endpoint] ?? UNLIMITED);
    this.#gates.set(endpoint, gate);
    return gate;
  }

  #expire(now: number): void {
    const isOver = (entry: Entry) => now - entry.askedAt >= MAX_WAIT_MS;
    for (const entry of [...this.#urgent.takeAll(isOver), ...this.#reads.takeAll(isOver)]) {
      entry.unlisten();
      entry.gate.waiting.remove(entry.caller);
      const ahead = entry.gate.waiting.ahead(entry.caller);
      entry.reject(this.#limited("expired", Math.max(entry.gate.waitFor(ahead, now), this.#global.waitFor(0, now))));
    }
  }

  #limited(reason: LimitReason, waitMs: number): GatewayError {
    this.#observer.limited(reason);
    return rateLimited(waitMs);
  }

  #sleep(now: number): void {
    const [urgentAt, readsAt] = [this.#global.opensAt(now), this.#global.opensAt(now, this.#spare(now))];
    let next = Infinity;
    for (const queue of [this.#urgent, this.#reads])
      for (const entry of queue.entries()) {
        const globalAt = entry.urgent ? urgentAt : readsAt;
        const gateAt = entry.bypass ? now : entry.gate.opensAt(now);
        next = Math.min(next, entry.askedAt + MAX_WAIT_MS, Math.max(globalAt, gateAt));
      }
    if (next >= this.#wakeAt) return;
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
  /** Where it waits: another than at first after a hand-over. */
  pacer: Pacer;
  gate: Gate;
  readonly endpoint: string;
  readonly urgent: boolean;
  readonly bypass: boolean;
  readonly first: boolean;
  readonly askedAt: number;
  readonly resolve: (turn: Turn) => void;
  readonly reject: (error: Error) => void;
  readonly unlisten: () => void;
}
