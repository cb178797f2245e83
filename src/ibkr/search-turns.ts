import type { CallOptions } from "../broker/broker.ts";
import type { Clock } from "../lib/clock.ts";
import { abortable, abortReason } from "./abortable.ts";
import { FairQueue, type Waiting } from "./fair-queue.ts";
import { rateLimited } from "./rate-limited.ts";

/** What a turn is for: a search by symbol and the reads that rest on it, or a search by name, which undoes what those rest on. */
export type SearchKind = "symbol" | "name";

/** As many as keep the user's budget busy while each waits for IBKR's answer; more would only wait in there. */
const MAX_RUNNING = 16;
/** So many of one kind go in before those of the other kind get their turn. */
const RUN = 2 * MAX_RUNNING;
/** Nobody waits longer than this; a caller is better served by a clear "later". */
const MAX_WAIT_MS = 20_000;
/** More than any single question of a model needs. */
const MAX_QUEUED_PER_CALLER = 100;
/** Of all callers together, for memory's sake. */
const MAX_QUEUED = 1000;
/** How much of the newest turn's time goes into the mean. */
const NEWEST = 0.2;

interface Waiter extends Waiting {
  readonly kind: SearchKind;
  readonly admit: () => void;
}

/** Lets turns of one kind run side by side, those of the other kind after them; urgent ones first, then callers in rotation. */
export class SearchTurns {
  readonly #clock: Clock;
  readonly #urgent = new FairQueue<Waiter>();
  readonly #reads = new FairQueue<Waiter>();
  #kind: SearchKind = "symbol";
  #running = 0;
  /** How many went in since the other kind's last turn. */
  #admitted = 0;
  #meanMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Waits for a turn and runs `act`. Throws `rate_limited` at once when the wait would be too long, and as soon as it was;
   * throws the signal's reason when that aborts. The turn lasts until `act` ends, also when its caller has gone.
   */
  async run<T>(kind: SearchKind, options: CallOptions, act: () => Promise<T>): Promise<T> {
    await this.#enter(kind, options);
    return await abortable(this.#held(act), options.signal);
  }

  async #held<T>(act: () => Promise<T>): Promise<T> {
    const startedAt = this.#clock.now();
    try {
      return await act();
    } finally {
      this.#meanMs += (this.#clock.now() - startedAt - this.#meanMs) * NEWEST;
      this.#running -= 1;
      this.#admit();
    }
  }

  async #enter(kind: SearchKind, { caller, urgent, signal }: CallOptions): Promise<void> {
    signal.throwIfAborted();
    const queue = urgent === true ? this.#urgent : this.#reads;
    const waitMs = this.#waitFor(queue.ahead(caller) + (urgent === true ? 0 : this.#urgent.size));
    const isFull = queue.of(caller) >= MAX_QUEUED_PER_CALLER || this.#urgent.size + this.#reads.size >= MAX_QUEUED;
    if (waitMs > MAX_WAIT_MS || isFull) throw rateLimited(Math.min(waitMs, MAX_WAIT_MS));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { caller, kind, admit: resolve };
    queue.add(waiter);
    this.#admit();
    const over = new AbortController();
    const leave = (reason: Error) => {
      if (!queue.remove(waiter)) return;
      reject(reason);
      this.#admit();
    };
    const abort = () => leave(abortReason(signal));
    signal.addEventListener("abort", abort, { once: true });
    const timing = this.#clock.wait(MAX_WAIT_MS, over.signal).then(
      () => leave(rateLimited(this.#waitFor(queue.ahead(caller)))),
      () => undefined,
    );
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", abort);
      over.abort();
      await timing;
    }
  }

  /** About how long, in ms, one waits behind `ahead` others. */
  #waitFor(ahead: number): number {
    return Math.floor((ahead + this.#running) / MAX_RUNNING) * this.#meanMs;
  }

  #admit(): void {
    while (this.#running < MAX_RUNNING) {
      const waiter = this.#next();
      if (waiter === undefined) return;
      if (waiter.kind !== this.#kind) this.#admitted = 0;
      this.#kind = waiter.kind;
      this.#admitted += 1;
      this.#running += 1;
      waiter.admit();
    }
  }

  #next(): Waiter | undefined {
    const other: SearchKind = this.#kind === "symbol" ? "name" : "symbol";
    if (this.#running === 0) return this.#take(other) ?? this.#take(this.#kind);
    const isOver = has(this.#urgent, other) || (this.#admitted >= RUN && has(this.#reads, other));
    return isOver ? undefined : this.#take(this.#kind);
  }

  #take(kind: SearchKind): Waiter | undefined {
    const isOf = (waiter: Waiter) => waiter.kind === kind;
    return this.#urgent.take(isOf) ?? this.#reads.take(isOf);
  }
}

function has(queue: FairQueue<Waiter>, kind: SearchKind): boolean {
  for (const waiter of queue.entries()) if (waiter.kind === kind) return true;
  return false;
}
