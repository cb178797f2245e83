import type { PacingLimit } from "./pacing-table.ts";
import { Rotation } from "./rotation.ts";

/** Between two clocks and two timers; makes our second a little longer than IBKR's. */
const MARGIN_MS = 30;
/** A request that was given up may still be running at IBKR for about its own time limit. */
const UNSETTLED_MS = 10_000;
/** How much of the newest answer's time goes into the mean. */
const NEWEST = 0.2;

/**
 * One pacing limit. A request holds a place from when it is sent until `perMs` after its answer: IBKR counts it at some
 * moment in between, so that no delay on the way can bring more than the limit into any one stretch of its time.
 */
export class Gate {
  limit: PacingLimit;
  /** Who waits for this gate, in the order of its turns. */
  readonly waiting = new Rotation();
  /** When places that were left become free, in ascending order. */
  readonly #freeAt: number[] = [];
  #inFlight = 0;
  #meanAnswerMs = 0;
  /** IBKR said 429: nothing is sent before this time. */
  blockedUntil = 0;
  /** How many 429 came in a row. */
  penalties = 0;

  constructor(limit: PacingLimit) {
    this.limit = limit;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** True when a place is free, and `spare` others besides. */
  isOpen(now: number, spare = 0): boolean {
    while ((this.#freeAt[0] ?? Infinity) <= now) this.#freeAt.shift();
    return now >= this.blockedUntil && this.#inFlight + this.#freeAt.length + spare < this.limit.requests;
  }

  enter(): void {
    this.#inFlight += 1;
  }

  /** A request ended after `tookMs`; `settled` is false when IBKR may still be working on it. */
  leave(now: number, end: { readonly settled: boolean; readonly tookMs: number }): void {
    this.#inFlight -= 1;
    this.#meanAnswerMs += (end.tookMs - this.#meanAnswerMs) * NEWEST;
    if (end.settled && now >= this.blockedUntil) this.penalties = 0;
    const held = end.settled ? this.limit.perMs : this.limit.perMs + UNSETTLED_MS;
    if (held > 0) this.#hold(now + held + MARGIN_MS);
  }

  /** The earliest time at which time alone opens this gate with `spare` places; Infinity while only an answer can. */
  opensAt(now: number, spare = 0): number {
    if (this.isOpen(now, spare)) return now;
    const surplus = this.#inFlight + this.#freeAt.length + spare - this.limit.requests;
    const place = surplus < 0 ? now : (this.#freeAt[surplus] ?? Infinity);
    return Math.max(place, this.blockedUntil);
  }

  /** About how long, in ms, a request would wait behind `ahead` others. */
  waitFor(ahead: number, now: number): number {
    const round = this.limit.perMs + this.#meanAnswerMs;
    const opensAt = this.opensAt(now);
    return (opensAt === Infinity ? round : opensAt - now) + Math.floor(ahead / this.limit.requests) * round;
  }

  /** Takes over the places that are held at another gate, whose budget turned out to be this one. Its waiting ones are not moved. */
  absorb(other: Gate): void {
    this.#inFlight += other.#inFlight;
    for (const at of other.#freeAt) this.#hold(at);
    this.blockedUntil = Math.max(this.blockedUntil, other.blockedUntil);
    this.penalties = Math.max(this.penalties, other.penalties);
  }

  #hold(at: number): void {
    const index = this.#freeAt.findLastIndex((time) => time <= at);
    this.#freeAt.splice(index + 1, 0, at);
  }
}
