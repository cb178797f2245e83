import type { Clock } from "../../../src/lib/clock.ts";
import type { Life } from "./life.ts";

interface Alarm {
  readonly at: number;
  readonly ring: () => void;
}

/** Turns of the event loop in which everything comes to rest: promises need one, streams that hand on to streams another. */
const TURNS = 2;

/** The time of a simulated world: it moves from alarm to alarm, and only once everything that runs has come to rest. */
export class VirtualTime {
  readonly #startedAt: number;
  readonly #alarms = new Set<Alarm>();
  #now: number;

  /** Starts at an instant, in epoch ms. */
  constructor(startedAt: number) {
    this.#startedAt = startedAt;
    this.#now = startedAt;
  }

  /** Epoch ms, the true time. */
  get now(): number {
    return this.#now;
  }

  /** Milliseconds since the start. */
  get elapsed(): number {
    return this.#now - this.#startedAt;
  }

  /** Rings once after `ms`; the returned function takes it back. */
  after(ms: number, ring: () => void): () => void {
    const alarm: Alarm = { at: this.#now + Math.max(0, ms), ring };
    this.#alarms.add(alarm);
    return () => void this.#alarms.delete(alarm);
  }

  /** Resolves after `ms`. */
  async wait(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.after(ms, resolve);
    await promise;
  }

  /** Lets everything that runs come to rest. */
  async settle(): Promise<void> {
    for (let turns = 0; turns < TURNS; turns += 1) await new Promise<void>((resolve) => setImmediate(resolve));
  }

  /**
   * Moves to the next instant at which alarms are due until `end`, rings them in the order in which they were set, and lets what
   * follows come to rest. False when there is none: then it is `end`.
   */
  async step(end: number): Promise<boolean> {
    let next = Infinity;
    for (const { at } of this.#alarms) next = Math.min(next, at);
    this.#now = Math.max(this.#now, Math.min(next, end));
    if (next > end) return false;
    for (const alarm of [...this.#alarms].filter(({ at }) => at === next)) {
      // One that rings may take back another.
      if (this.#alarms.delete(alarm)) alarm.ring();
    }
    await this.settle();
    return true;
  }

  /** The clock of a machine that no process of a seed stops or sets: IBKR's. */
  trueClock(): Clock {
    return this.#clock({ run: (action) => action(), wallAheadMs: 0 });
  }

  /** The clock of a process: its alarms don't ring while it is stopped, and never once it is dead. */
  clockOf(life: Life): Clock {
    return this.#clock(life);
  }

  #clock(life: Pick<Life, "run" | "wallAheadMs">): Clock {
    return {
      now: () => Math.floor(this.#now) + life.wallAheadMs,
      monotonic: () => this.elapsed,
      wait: (ms, signal) => this.#waitOf(life, ms, signal),
      every: (ms, action) => {
        let stop: () => void;
        const set = (): void => {
          stop = this.after(ms, () => life.run(() => (set(), action())));
        };
        set();
        return () => stop();
      },
    };
  }

  async #waitOf(life: Pick<Life, "run">, ms: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = this.after(ms, () => life.run(resolve));
    const abort = (): void => {
      stop();
      reject(signal?.reason as Error);
    };
    signal?.addEventListener("abort", abort, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }
}
