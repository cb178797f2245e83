import type { Clock } from "./clock.ts";

export interface RateLimitOptions {
  readonly clock: Clock;
  /** Most uses of one key in a window. */
  readonly max: number;
  readonly windowMs: number;
  /** Most keys kept; the one that began first is forgotten first. */
  readonly maxKeys: number;
}

/** Counts uses by key in fixed windows, in memory of this process. */
export class RateLimit {
  readonly #windows = new Map<string, { readonly endsAt: number; uses: number }>();
  readonly #options: RateLimitOptions;

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  /** Counts one use; answers 0 when it is within the limit, else the milliseconds until the window ends. */
  take(key: string): number {
    const { clock, max, windowMs, maxKeys } = this.#options;
    const now = clock.now();
    const known = this.#windows.get(key);
    if (known !== undefined && known.endsAt > now) {
      known.uses += 1;
      return known.uses <= max ? 0 : known.endsAt - now;
    }
    // Set anew, so that the map is in the order in which windows began.
    this.#windows.delete(key);
    this.#windows.set(key, { endsAt: now + windowMs, uses: 1 });
    const oldest = this.#windows.size > maxKeys ? this.#windows.keys().next() : undefined;
    if (oldest?.done === false) this.#windows.delete(oldest.value);
    return 0;
  }
}
