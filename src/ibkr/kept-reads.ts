import type { CallOptions } from "../broker/broker.ts";
import { BoundedCache } from "../lib/bounded-cache.ts";
import type { Clock } from "../lib/clock.ts";
import { GatewayError } from "../lib/errors.ts";
import { SharedReads } from "./shared-reads.ts";

/** How long answers are kept, and how many. */
export interface KeptReadsOptions {
  readonly clock: Clock;
  readonly maxEntries: number;
  /** How long an answer is given without asking again. */
  readonly freshMs: number;
  /** How long an older one is given when IBKR can't be asked just now; the same as `freshMs` when left out. */
  readonly keptMs?: number;
  /** Why a caller may have to wait for long, where IBKR answers seldom: the message of `rate_limited`. */
  readonly seldom?: string;
}

/** Failures that say nothing about what was asked: an older answer serves better. */
const PASSING = new Set(["rate_limited", "upstream_unavailable", "timeout"]);

/** Keeps answers that IBKR gives seldom or that hardly change, each of which tells its own time; who asks at once shares one read. */
export class KeptReads<V> {
  readonly #clock: Clock;
  readonly #freshMs: number;
  readonly #seldom: string | undefined;
  readonly #kept: BoundedCache<string, { readonly value: V; readonly at: number }>;
  readonly #reads = new SharedReads<V>();

  constructor({ clock, maxEntries, freshMs, keptMs = freshMs, seldom }: KeptReadsOptions) {
    this.#clock = clock;
    this.#freshMs = freshMs;
    this.#seldom = seldom;
    this.#kept = new BoundedCache({ clock, maxEntries, ttlMs: keptMs });
  }

  /** What is kept and fresh; undefined otherwise. */
  fresh(key: string): V | undefined {
    const kept = this.#kept.get(key);
    return kept !== undefined && this.#clock.now() - kept.at < this.#freshMs ? kept.value : undefined;
  }

  keep(key: string, value: V): void {
    this.#kept.set(key, { value, at: this.#clock.now() });
  }

  /** The kept answer while it is fresh, otherwise a new one; an older one where IBKR can't be asked just now. */
  async read(key: string, options: CallOptions, load: (options: CallOptions) => Promise<V>): Promise<V> {
    const fresh = this.fresh(key);
    if (fresh !== undefined) return fresh;
    try {
      return await this.#reads.run(key, options, async (shared) => {
        const value = await load(shared);
        this.keep(key, value);
        return value;
      });
    } catch (error) {
      const older = this.#kept.get(key);
      if (!(error instanceof GatewayError) || !PASSING.has(error.code)) throw error;
      if (older !== undefined) return older.value;
      throw error.code === "rate_limited" && this.#seldom !== undefined ? explained(error, this.#seldom) : error;
    }
  }
}

function explained(error: GatewayError, message: string): GatewayError {
  const seconds = error.retryAfterSeconds;
  return new GatewayError("rate_limited", message, {
    whatToDo: `Try again in ${seconds ?? 900} s. What was answered before is still given.`,
    ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }),
    cause: error,
  });
}
