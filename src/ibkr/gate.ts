import type { PacingLimit } from "./pacing-table.ts";

/** Between two clocks and two timers; makes our second a little longer than IBKR's. */
const MARGIN_MS = 30;
/** A request that was given up may still be running at IBKR for about its own time limit. */
const UNSETTLED_MS = 10_000;

/**
 * One pacing limit. A request holds a place from when it is sent until `perMs` after its answer: IBKR counts it at some
 * moment in between, so that no delay on the way can bring more than the limit into any one stretch of its time.
 */
export class Gate {
  readonly #limit: PacingLimit;
  /** When places that were left become free, in ascending order. */
  #freeAt: number[] = [];
  #inFlight = 0;
  /** IBKR said 429: nothing is sent before this time. */
  blockedUntil = 0;
  /** How many 429 came in a row. */
  penalties = 0;
  /** How many requests wait for this gate. */
  queued = 0;

  constructor(limit: PacingLimit) {
    this.#limit = limit;
  }

  isOpen(now: number): boolean {
    while ((this.#freeAt[0] ?? Infinity) <= now) this.#freeAt.shift();
    return now >= this.blockedUntil && this.#inFlight + this.#freeAt.length < this.#limit.requests;
  }

  enter(): void {
    this.#inFlight += 1;
  }

  leave(now: number, settled: boolean): void {
    this.#inFlight -= 1;
    if (settled && now >= this.blockedUntil) this.penalties = 0;
    const held = settled ? this.#limit.perMs : this.#limit.perMs + UNSETTLED_MS;
    if (held === 0) return;
    const at = now + held + MARGIN_MS;
    const index = this.#freeAt.findLastIndex((time) => time <= at);
    this.#freeAt.splice(index + 1, 0, at);
  }

  /** The earliest time at which time alone opens this gate; Infinity while only an answer can. */
  opensAt(now: number): number {
    if (this.isOpen(now)) return now;
    const surplus = this.#inFlight + this.#freeAt.length - this.#limit.requests;
    const place = surplus < 0 ? now : (this.#freeAt[surplus] ?? Infinity);
    return Math.max(place, this.blockedUntil);
  }

  /** About how long, in ms, a request would wait behind `queued` others. */
  waitFor(queued: number, now: number): number {
    const opensAt = this.opensAt(now);
    const rounds = Math.floor(queued / this.#limit.requests) * this.#limit.perMs;
    return (opensAt === Infinity ? this.#limit.perMs : opensAt - now) + rounds;
  }
}
