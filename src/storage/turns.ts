import type { Clock } from "../lib/clock.ts";

/** Longest wait for the one connection; a transaction that takes longer is a bug, and its followers must not hang with it. */
const MAX_WAIT_MS = 30_000;
/** Most callers that wait; beyond it the service is far past what one database file can do. */
const MAX_WAITING = 20_000;
const SWEEP_EVERY_MS = 1_000;

interface Waiting {
  readonly since: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Gives one connection to one caller at a time, in the order they came, and refuses those who waited too long. */
export class Turns {
  readonly #clock: Clock;
  readonly #stopSweep: () => void;
  #taken = false;
  #closed = false;
  #waiting: Waiting[] = [];
  #next = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#stopSweep = clock.every(SWEEP_EVERY_MS, () => this.#refuseOverdue());
  }

  /** Resolves when it is the caller's turn; it must end with `give`. Rejects after 30 seconds, or at once when too many wait. */
  async take(): Promise<void> {
    if (this.#closed) throw closedError();
    if (!this.#taken) {
      this.#taken = true;
      return;
    }
    if (this.#waiting.length - this.#next >= MAX_WAITING) throw new Error("the database is overloaded: too many queries wait");
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ since: this.#clock.monotonic(), resolve, reject });
    await promise;
  }

  /** Ends a turn and lets the next caller go on. */
  give(): void {
    const next = this.#waiting[this.#next];
    if (next === undefined) {
      this.#taken = false;
      return;
    }
    this.#next += 1;
    this.#compact();
    next.resolve();
  }

  /** Waits for the running turn; callers that wait meanwhile or come later are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    const waiting = this.#waiting.slice(this.#next);
    this.#waiting = [];
    this.#next = 0;
    for (const one of waiting) one.reject(closedError());
    if (this.#taken) await new Promise<void>((resolve, reject) => this.#waiting.push({ since: this.#clock.monotonic(), resolve, reject }));
    this.#stopSweep();
  }

  #refuseOverdue(): void {
    const limit = this.#clock.monotonic() - MAX_WAIT_MS;
    for (let first = this.#waiting[this.#next]; first !== undefined && first.since < limit; first = this.#waiting[this.#next]) {
      this.#next += 1;
      first.reject(new Error("the database was busy with one transaction for over 30 seconds"));
    }
    this.#compact();
  }

  /** Drops the served front of the queue now and then, so that a long queue costs no copying at each turn. */
  #compact(): void {
    if (this.#next < this.#waiting.length && this.#next < 1_024) return;
    this.#waiting = this.#waiting.slice(this.#next);
    this.#next = 0;
  }
}

function closedError(): Error {
  return new Error("the database is closed");
}
